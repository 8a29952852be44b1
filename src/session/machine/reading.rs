//! Reading what the kernel has.

use super::{MAX_STEPS, MAX_UNREAD, Machine, NEVER, NOTHING, Phase, Pumped, Then, Told};
use crate::mqtt::{EventError, Inbox, MessageFacts, SessionEnd, TopicsResponse};
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::{Duties, MAX_UNACKNOWLEDGED};
use crate::session::event::{Event, Observer};
use crate::session::receiving::{NoArrival, Taken};
use crate::session::state::Cause;
use crate::uses::FUTURES;
use crate::{KERNEL_MEMORY_UNIT, Recovery, Status, sys};

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Reads what the kernel has, up to the next message.
    pub(super) fn pump(&mut self, duties: &Duties) -> Pumped {
        if self.phase != Phase::InSession {
            return Pumped::Nothing;
        }
        let interrupts = duties.runner().interrupts();
        if self.emptied_at == interrupts {
            return Pumped::Nothing;
        }
        let mut pumped = Pumped::More;
        for _ in 0..MAX_STEPS {
            let read = match self.look() {
                Ok(NOTHING) => {
                    self.emptied_at = interrupts;
                    return Pumped::Nothing;
                }
                Ok(sys::MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE) => self.read_published(),
                Ok(kind) if goes_to_inbox(kind) => {
                    if !FUTURES.is_made()
                        || self.receiving
                        || !self.parts.subscriptions.is_empty()
                        || !duties.has_room()
                    {
                        return Pumped::MessageWaits;
                    }
                    // Nobody would ever take it, and everything behind it would wait.
                    let mut facts = MessageFacts::unwritten();
                    let is_lost = self.is_lost();
                    self.discard(&mut facts, duties).map(|()| {
                        let event = if is_lost {
                            Event::Lost { len: facts.lost().0 }
                        } else {
                            Event::Discarded { len: facts.payload_len() }
                        };
                        self.parts.observer.event(&event);
                    })
                }
                Ok(sys::MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE) => {
                    let mut response = TopicsResponse::unwritten();
                    self.channel.read_subscribe(&mut response).map(|()| {
                        self.head = NOTHING;
                        // Otherwise it is an answer to what nobody waits for.
                        if self.in_flight == Some(response.correlation_id) {
                            self.in_flight = None;
                            pumped = self.take_outcomes(&response);
                        }
                        // Whoever read it, it may be for the runner to go on.
                        if FUTURES.is_made() {
                            duties.hurry(0);
                        }
                    })
                }
                Ok(sys::MV_MQTTREADABLEDATATYPE_DISCONNECTRESPONSE) => {
                    self.channel.read_disconnect().map(|(state, reason)| {
                        pumped = self.broken(Cause::Ended(SessionEnd::Disconnected { state, reason }));
                    })
                }
                // A session does not unsubscribe.
                Ok(other) => return self.broken(Cause::Event(EventError::UnknownKind(other))),
                Err(status) => Err(status),
            };
            match read {
                Ok(()) => self.unread = 0,
                Err(status) => return self.read_again_later(status, duties),
            }
            if pumped == Pumped::Broken {
                break;
            }
        }
        pumped
    }

    /// The kind of what is next to be read.
    pub(super) fn look(&mut self) -> Result<u32, Status> {
        if self.head != NOTHING {
            return Ok(self.head);
        }
        let kind = self.channel.next_readable()?;
        self.head = kind;
        Ok(kind)
    }

    /// The channel turns out to be closed, and with it the session.
    #[inline(never)]
    pub(super) fn note_closed(&mut self) {
        self.cause = Cause::Ended(SessionEnd::ChannelClosed(self.channel.closure_reason()));
    }

    /// What the kernel has could not be read. It is not given up at once.
    #[cold]
    fn read_again_later(&mut self, status: Status, duties: &Duties) -> Pumped {
        if status == Status::CHANNEL_CLOSED {
            self.note_closed();
            return Pumped::Broken;
        }
        // Perhaps the head is another than it was thought to be.
        self.head = NOTHING;
        // Others may look meanwhile, which is not another attempt.
        if self.retry_at == NEVER {
            self.unread = self.unread.saturating_add(1);
        }
        let error = EventError::Kernel(status);
        if error.recovery() != Recovery::Retry || self.unread >= MAX_UNREAD {
            return self.broken(Cause::Event(error));
        }
        self.retry_later(duties);
        Pumped::Nothing
    }

    /// Whether what is next is the report of a lost message.
    fn is_lost(&self) -> bool {
        self.head == sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST
    }

    /// Throws a message away, with the memory of the settings for an inbox. The settings are fetched again
    /// before the next connection. What is thrown away is told by the facts.
    #[cold]
    fn discard(&mut self, facts: &mut MessageFacts, duties: &Duties) -> Result<(), Status> {
        self.settings = None;
        let is_lost = self.is_lost();
        let memory = self.parts.values.bytes_mut();
        // Whatever fits the receive buffer fits one of these, if there are 512 bytes more.
        let mut share = KERNEL_MEMORY_UNIT;
        loop {
            let Some((topic, payload)) = memory.split_at_mut_checked(share) else {
                return Err(Status::INVALID_BUFFER_SIZE);
            };
            match self.channel.receive(is_lost, &mut Inbox::new(topic, payload), facts) {
                Ok(()) => break,
                Err(Status::INVALID_BUFFER_SIZE) => share += KERNEL_MEMORY_UNIT,
                Err(status) => return Err(status),
            }
        }
        self.taken();
        if is_lost {
            facts.forget_topic();
            return Ok(());
        }
        if facts.qos != 0 {
            duties.incur(facts.correlation_id).acknowledge();
        }
        Ok(())
    }

    /// Takes the message that is next, and its facts. What came of it.
    pub(in crate::session) fn take(
        &mut self,
        inbox: &mut Inbox<'_>,
        facts: &mut MessageFacts,
        duties: &Duties,
    ) -> Taken {
        self.receiving = true;
        match self.pump(duties) {
            Pumped::MessageWaits => {}
            Pumped::Nothing => return Taken::Nothing,
            Pumped::More => {
                duties.hurry(0);
                return Taken::Nothing;
            }
            Pumped::Broken => {
                self.break_off(duties);
                return Taken::Nothing;
            }
        }
        self.take_next(inbox, facts, duties)
    }

    /// Takes the message that waits, and its facts. What came of it.
    #[inline]
    pub(in crate::session) fn take_next(
        &mut self,
        inbox: &mut Inbox<'_>,
        facts: &mut MessageFacts,
        duties: &Duties,
    ) -> Taken {
        if !duties.has_room() {
            // One who takes one message after the other never has so many.
            let is_new = FUTURES.is_made() && self.told != Told::TooMany;
            return if is_new && duties.outstanding() >= MAX_UNACKNOWLEDGED {
                self.told = Told::TooMany;
                Taken::Not(NoArrival::TooManyUnacknowledged)
            } else {
                // Until an acknowledgement is sent.
                Taken::Nothing
            };
        }
        let is_lost = self.is_lost();
        if let Err(status) = self.channel.receive(is_lost, inbox, facts) {
            return self.not_received(status, facts, duties);
        }
        self.taken();
        if is_lost { Taken::Not(NoArrival::Lost) } else { Taken::Message }
    }

    fn taken(&mut self) {
        (self.head, self.told, self.unread) = (NOTHING, Told::Nothing, 0);
    }

    /// The session is over for `cause`, as whoever drives it will find.
    #[inline(never)]
    pub(super) fn break_off(&mut self, duties: &Duties) {
        self.leave(Then::BackOff, duties);
        duties.hurry(0);
    }

    #[cold]
    fn not_received(&mut self, status: Status, facts: &mut MessageFacts, duties: &Duties) -> Taken {
        let mut status = status;
        if status == Status::INVALID_BUFFER_SIZE {
            if self.told != Told::TooLarge {
                self.told = Told::TooLarge;
                return Taken::Not(NoArrival::TooLarge);
            }
            self.told = Told::MessageWaits;
            let discarded = if self.is_lost() { NoArrival::Lost } else { NoArrival::Discarded };
            match self.discard(facts, duties) {
                Ok(()) => return Taken::Not(discarded),
                Err(error) => status = error,
            }
        }
        if self.read_again_later(status, duties) == Pumped::Broken {
            self.break_off(duties);
        }
        Taken::Nothing
    }
}

/// A message, or the report of a lost one, which may be too large for the inbox.
pub(super) fn goes_to_inbox(kind: u32) -> bool {
    matches!(kind, sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED | sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST)
}
