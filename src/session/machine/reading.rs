//! Reading what the kernel has.

use super::{MAX_STEPS, MAX_UNREAD, Machine, NEVER, Phase, Pumped, Told};
use crate::mqtt::{self, EventError, Head, Inbox};
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::{Duties, MAX_UNACKNOWLEDGED};
use crate::session::event::{Event, Observer};
use crate::session::publishing::PublishError;
use crate::session::receiving::{Arrival, NoArrival};
use crate::session::state::Cause;
use crate::{KERNEL_MEMORY_UNIT, Recovery};

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Reads what the kernel has, up to the next message.
    pub(super) fn pump(&mut self, duties: &Duties) -> Result<Pumped, Cause> {
        let interrupts = duties.runner().interrupts();
        if self.emptied_at == Some(interrupts) {
            return Ok(Pumped::Nothing);
        }
        for _ in 0..MAX_STEPS {
            let Phase::InSession(link) = &mut self.phase else { return Ok(Pumped::Nothing) };
            let read = match link.channel.head() {
                Ok(Head::Nothing) => {
                    self.emptied_at = Some(interrupts);
                    return Ok(Pumped::Nothing);
                }
                Ok(Head::Published) => link.channel.take_published().map(|(id, outcome)| {
                    self.full_since = None;
                    let mut slots = self.publishes.iter_mut();
                    if let Some(slot) = slots.find(|slot| slot.is_in_flight(id)) {
                        slot.answer(outcome.map_err(PublishError::from));
                    }
                }),
                Ok(Head::ForInbox) => {
                    if self.receiving || !self.parts.subscriptions.is_empty() || !duties.has_room() {
                        return Ok(Pumped::MessageWaits);
                    }
                    // Nobody would ever take it, and everything behind it would wait.
                    self.discard(duties).map(|_| ())
                }
                Ok(Head::Other) => {
                    let read = self.read_answer()?;
                    if read.is_ok() {
                        // Whoever read it, it may be for the runner to go on.
                        self.hurry(0, duties);
                    }
                    read
                }
                Err(error) => Err(error),
            };
            match read {
                Ok(()) => self.unread = 0,
                Err(error) => return self.read_again_later(error, duties).map(|()| Pumped::Nothing),
            }
        }
        Ok(Pumped::More)
    }

    /// What the kernel has could not be read. It is not given up at once.
    #[cold]
    pub(super) fn read_again_later(&mut self, error: EventError, duties: &Duties) -> Result<(), Cause> {
        // Others may look meanwhile, which is not another attempt.
        if self.retry_at == NEVER {
            self.unread = self.unread.saturating_add(1);
        }
        if error.recovery() != Recovery::Retry || self.unread >= MAX_UNREAD {
            return Err(Cause::Event(error));
        }
        self.retry_later();
        self.hurry(self.retry_at, duties);
        Ok(())
    }

    /// Reads an event that is no message.
    pub(super) fn read_answer(&mut self) -> Result<Result<(), EventError>, Cause> {
        let Phase::InSession(link) = &mut self.phase else { return Ok(Ok(())) };
        match link.channel.try_event(&mut Inbox::new(&mut [], &mut [])) {
            Ok(Some(mqtt::Event::Subscribed(id, outcomes))) if link.in_flight == Some(id) => {
                link.in_flight = None;
                self.take_outcomes(outcomes)?;
            }
            Ok(Some(mqtt::Event::Ended(end))) => return Err(Cause::Ended(end)),
            // Answers to what nobody waits for.
            Ok(_) => {}
            Err(error) => return Ok(Err(error)),
        }
        Ok(Ok(()))
    }

    /// Throws a message away, with the memory of the settings for an inbox. They are fetched again
    /// before the next connection.
    pub(super) fn discard(&mut self, duties: &Duties) -> Result<usize, EventError> {
        self.settings = None;
        let mut last = EventError::InboxTooSmall { topic: 0, payload: 0 };
        // Whatever fits the receive buffer fits one of these, if there are 512 bytes more.
        for share in (1..self.parts.values.bytes_mut().len() / KERNEL_MEMORY_UNIT)
            .map(|units| units * KERNEL_MEMORY_UNIT)
        {
            let Phase::InSession(link) = &mut self.phase else { break };
            let Some((topic, payload)) = self.parts.values.bytes_mut().split_at_mut_checked(share) else {
                break;
            };
            match link.channel.try_event(&mut Inbox::new(topic, payload)) {
                Ok(Some(mqtt::Event::Message(message))) => {
                    let len = message.payload().len();
                    if let Some(acknowledgement) = message.into_acknowledgement() {
                        duties.incur(acknowledgement).acknowledge();
                    }
                    self.told = Told::Nothing;
                    self.parts.observer.event(&Event::Discarded { len });
                    return Ok(len);
                }
                Ok(Some(mqtt::Event::Lost(report))) => {
                    self.told = Told::Nothing;
                    self.parts.observer.event(&Event::Lost { len: report.message_len() });
                    return Ok(0);
                }
                Ok(_) => return Ok(0),
                Err(error) => last = error,
            }
            if !matches!(last, EventError::InboxTooSmall { .. }) {
                break;
            }
        }
        Err(last)
    }

    /// Takes the message that is next, if there is one.
    pub(in crate::session) fn take(
        &mut self,
        inbox: &mut Inbox<'_>,
        duties: &Duties,
    ) -> Result<Option<Arrival>, NoArrival> {
        self.receiving = true;
        match self.pump(duties) {
            Ok(Pumped::MessageWaits) => {}
            Ok(pumped) => {
                if pumped == Pumped::More {
                    self.hurry(0, duties);
                }
                return Ok(None);
            }
            Err(cause) => {
                self.fault(cause, duties);
                self.hurry(0, duties);
                return Ok(None);
            }
        }
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
        self.read_message(inbox, duties)
    }

    pub(super) fn read_message(
        &mut self,
        inbox: &mut Inbox<'_>,
        duties: &Duties,
    ) -> Result<Option<Arrival>, NoArrival> {
        let Phase::InSession(link) = &mut self.phase else { return Ok(None) };
        let error = match link.channel.try_event(inbox) {
            Ok(Some(mqtt::Event::Message(message))) => {
                (self.told, self.unread) = (Told::Nothing, 0);
                return Ok(Some(Arrival {
                    topic_len: message.topic().len(),
                    payload_len: message.payload().len(),
                    qos: message.qos(),
                    retained: message.is_retained(),
                    acknowledgement: message.into_acknowledgement(),
                }));
            }
            Ok(Some(mqtt::Event::Lost(lost))) => {
                (self.told, self.unread) = (Told::Nothing, 0);
                return Err(NoArrival::Lost {
                    topic_len: lost.topic().len(),
                    message_len: lost.message_len(),
                    reason: lost.reason(),
                });
            }
            Ok(_) => {
                self.hurry(0, duties);
                return Ok(None);
            }
            Err(error) => error,
        };
        let error = match error {
            EventError::InboxTooSmall { .. } if self.told != Told::TooLarge => {
                self.told = Told::TooLarge;
                return Err(NoArrival::TooLarge);
            }
            EventError::InboxTooSmall { .. } => {
                self.told = Told::MessageWaits;
                match self.discard(duties) {
                    Ok(len) => return Err(NoArrival::Discarded { len }),
                    Err(error) => error,
                }
            }
            other => other,
        };
        if matches!(error, EventError::InboxTooSmall { .. }) {
            // Not even the memory of the settings takes it.
            self.fault(Cause::Event(error), duties);
            self.hurry(0, duties);
        } else if let Err(cause) = self.read_again_later(error, duties) {
            self.fault(cause, duties);
            self.hurry(0, duties);
        }
        Ok(None)
    }
}
