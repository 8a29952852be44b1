//! Reading what the kernel has.

use super::{MAX_STEPS, MAX_UNREAD, Machine, NEVER, NOTHING, Phase, Pumped, Then, Told, Turn};
use crate::mqtt::{EventError, Inbox, MessageFacts, SessionEnd, TopicsResponse};
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::{Duties, MAX_UNACKNOWLEDGED};
use crate::session::event::{Event, Observer};
use crate::session::receiving::NoArrival;
use crate::session::state::Cause;
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
        for _ in 0..MAX_STEPS {
            let read = match self.look() {
                Ok(NOTHING) => {
                    self.emptied_at = interrupts;
                    return Pumped::Nothing;
                }
                Ok(sys::MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE) => self.read_published(),
                Ok(kind) if goes_to_inbox(kind) => {
                    if self.receiving || !self.parts.subscriptions.is_empty() || !duties.has_room() {
                        return Pumped::MessageWaits;
                    }
                    // Nobody would ever take it, and everything behind it would wait.
                    self.discard(duties).map(|_| ())
                }
                Ok(kind) => match self.read_answer(kind, duties) {
                    Ok(true) => Ok(()),
                    Ok(false) => return Pumped::Broken,
                    Err(status) => Err(status),
                },
                Err(status) => Err(status),
            };
            match read {
                Ok(()) => self.unread = 0,
                Err(status) => return self.read_again_later(status, duties),
            }
        }
        Pumped::More
    }

    /// The kind of what is next to be read.
    fn look(&mut self) -> Result<u32, Status> {
        if self.head != NOTHING {
            return Ok(self.head);
        }
        let kind = self.channel.next_readable()?;
        self.head = kind;
        Ok(kind)
    }

    /// What the kernel has could not be read. It is not given up at once.
    #[cold]
    fn read_again_later(&mut self, status: Status, duties: &Duties) -> Pumped {
        let error = match status {
            Status::CHANNEL_CLOSED => {
                self.cause = Cause::Ended(SessionEnd::ChannelClosed(self.channel.closure_reason()));
                return Pumped::Broken;
            }
            Status::INVALID_BUFFER_SIZE if goes_to_inbox(self.head) => {
                EventError::InboxTooSmall { topic: 0, payload: 0 }
            }
            other => EventError::Kernel(other),
        };
        // Perhaps the head is another than it was thought to be.
        self.head = NOTHING;
        // Others may look meanwhile, which is not another attempt.
        if self.retry_at == NEVER {
            self.unread = self.unread.saturating_add(1);
        }
        if error.recovery() != Recovery::Retry || self.unread >= MAX_UNREAD {
            self.cause = Cause::Event(error);
            return Pumped::Broken;
        }
        self.retry_later();
        duties.hurry(self.retry_at);
        Pumped::Nothing
    }

    /// Reads what is neither a message nor the answer to a publish. `false`, if the session is over.
    #[inline(never)]
    fn read_answer(&mut self, kind: u32, duties: &Duties) -> Result<bool, Status> {
        match kind {
            sys::MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE
            | sys::MV_MQTTREADABLEDATATYPE_UNSUBSCRIBERESPONSE => {
                let mut response = TopicsResponse::unwritten();
                if kind == sys::MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE {
                    self.channel.read_subscribe(&mut response)?;
                } else {
                    self.channel.read_unsubscribe(&mut response)?;
                }
                self.head = NOTHING;
                // Otherwise it is an answer to what nobody waits for.
                if self.in_flight == Some(response.correlation_id) {
                    self.in_flight = None;
                    if !self.take_outcomes(&response) {
                        return Ok(false);
                    }
                }
            }
            sys::MV_MQTTREADABLEDATATYPE_DISCONNECTRESPONSE => {
                let (state, reason) = self.channel.read_disconnect()?;
                self.cause = Cause::Ended(SessionEnd::Disconnected { state, reason });
                return Ok(false);
            }
            other => {
                self.cause = Cause::Event(EventError::UnknownKind(other));
                return Ok(false);
            }
        }
        // Whoever read it, it may be for the runner to go on.
        duties.hurry(0);
        Ok(true)
    }

    /// Throws a message away, with the memory of the settings for an inbox, and returns the length of its
    /// payload. The settings are fetched again before the next connection.
    #[cold]
    fn discard(&mut self, duties: &Duties) -> Result<usize, Status> {
        self.settings = None;
        let is_lost = self.head == sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST;
        let memory = self.parts.values.bytes_mut();
        let mut read = Err(Status::INVALID_BUFFER_SIZE);
        // Whatever fits the receive buffer fits one of these, if there are 512 bytes more.
        for share in 1..memory.len() / KERNEL_MEMORY_UNIT {
            let Some((topic, payload)) = memory.split_at_mut_checked(share * KERNEL_MEMORY_UNIT) else {
                break;
            };
            let inbox = &mut Inbox::new(topic, payload);
            read = if is_lost {
                self.channel.read_lost(inbox).map(|lost| Event::Lost { len: lost.message_len() })
            } else {
                let mut facts = MessageFacts::unwritten();
                self.channel.receive(inbox, &mut facts).map(|()| {
                    if facts.qos != 0 {
                        duties.incur(facts.correlation_id).acknowledge();
                    }
                    Event::Discarded { len: facts.payload_len() }
                })
            };
            if !matches!(read, Err(Status::INVALID_BUFFER_SIZE)) {
                break;
            }
        }
        let event = read?;
        (self.head, self.told) = (NOTHING, Told::Nothing);
        self.parts.observer.event(&event);
        Ok(if let Event::Discarded { len } = event { len } else { 0 })
    }

    /// Takes the message that is next, if there is one.
    pub(in crate::session) fn take(
        &mut self,
        inbox: &mut Inbox<'_>,
        duties: &Duties,
    ) -> Result<Option<MessageFacts>, NoArrival> {
        self.receiving = true;
        match self.pump(duties) {
            Pumped::MessageWaits => {}
            Pumped::Nothing => return Ok(None),
            Pumped::More => {
                duties.hurry(0);
                return Ok(None);
            }
            Pumped::Broken => {
                self.break_off(duties);
                return Ok(None);
            }
        }
        self.take_next(inbox, duties)
    }

    /// Takes the message that waits.
    #[inline(never)]
    pub(in crate::session) fn take_next(
        &mut self,
        inbox: &mut Inbox<'_>,
        duties: &Duties,
    ) -> Result<Option<MessageFacts>, NoArrival> {
        if !duties.has_room() {
            let is_new = self.told != Told::TooMany;
            return if is_new && duties.outstanding() >= MAX_UNACKNOWLEDGED {
                self.told = Told::TooMany;
                Err(NoArrival::TooManyUnacknowledged)
            } else {
                // Until an acknowledgement is sent.
                Ok(None)
            };
        }
        if self.head == sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED {
            let mut facts = MessageFacts::unwritten();
            match self.receive(inbox, &mut facts) {
                Ok(()) => Ok(Some(facts)),
                Err(status) => self.not_received(status, duties),
            }
        } else {
            let lost = match self.channel.read_lost(inbox) {
                Ok(lost) => NoArrival::Lost {
                    topic_len: lost.topic().len(),
                    message_len: lost.message_len(),
                    reason: lost.reason(),
                },
                Err(status) => return self.not_received(status, duties),
            };
            self.taken();
            Err(lost)
        }
    }

    /// Takes a message as it mostly is: one that fits.
    pub(in crate::session) fn receive(
        &mut self,
        inbox: &mut Inbox<'_>,
        facts: &mut MessageFacts,
    ) -> Result<(), Status> {
        self.channel.receive(inbox, facts)?;
        self.taken();
        Ok(())
    }

    /// Whether there is nothing to be read, as far as one look tells; or a message, which is to be taken.
    /// `None` if there is something else.
    #[inline(always)]
    pub(super) fn glance(&mut self, duties: &Duties) -> Option<Turn> {
        let interrupts = duties.runner().interrupts();
        if self.emptied_at == interrupts {
            return Some(Turn::Nothing);
        }
        match self.look() {
            Ok(NOTHING) => {
                self.emptied_at = interrupts;
                Some(Turn::Emptied)
            }
            Ok(sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED) if duties.has_room() => Some(Turn::Message),
            Ok(sys::MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE)
                if self.read_published().is_ok() && self.has_verdict =>
            {
                Some(Turn::Verdict)
            }
            _ => None,
        }
    }

    fn taken(&mut self) {
        (self.head, self.told, self.unread) = (NOTHING, Told::Nothing, 0);
    }

    /// The session is over for `cause`, as whoever drives it will find.
    #[cold]
    pub(super) fn break_off(&mut self, duties: &Duties) {
        self.leave(Then::BackOff, duties);
        duties.hurry(0);
    }

    #[cold]
    fn not_received(&mut self, status: Status, duties: &Duties) -> Result<Option<MessageFacts>, NoArrival> {
        let mut status = status;
        if status == Status::INVALID_BUFFER_SIZE {
            if self.told != Told::TooLarge {
                self.told = Told::TooLarge;
                return Err(NoArrival::TooLarge);
            }
            self.told = Told::MessageWaits;
            match self.discard(duties) {
                Ok(len) => return Err(NoArrival::Discarded { len }),
                Err(error) => status = error,
            }
        }
        let pumped = if status == Status::INVALID_BUFFER_SIZE {
            // Not even the memory of the settings takes it.
            self.cause = Cause::Event(EventError::InboxTooSmall { topic: 0, payload: 0 });
            Pumped::Broken
        } else {
            self.read_again_later(status, duties)
        };
        if pumped == Pumped::Broken {
            self.break_off(duties);
        }
        Ok(None)
    }
}

/// A message, or the report of a lost one, which may be too large for the inbox.
fn goes_to_inbox(kind: u32) -> bool {
    matches!(kind, sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED | sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST)
}
