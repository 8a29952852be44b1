//! In session: subscriptions, deadlines, and the way out on request.

use super::{Machine, NEVER, PAUSE, Phase, Pumped, Then};
use crate::Recovery;
use crate::mqtt::{MAX_TOPICS, Outcomes, RequestError, RequestState, TopicOutcome};
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::Duties;
use crate::session::event::{Event, Observer};
use crate::session::publishing::PublishError;
use crate::session::state::{Awaited, Cause, State};

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Whether there is more to do.
    pub(super) fn attend_session(&mut self, duties: &Duties) -> bool {
        if self.now >= self.check_at {
            // Notifications can be lost.
            self.check_at = self.patience();
            self.emptied_at = None;
        }
        let pumped = match self.pump(duties) {
            Ok(pumped) => pumped,
            Err(cause) => {
                self.fault(cause, duties);
                return true;
            }
        };
        if self.now >= self.retry_at {
            self.retry_at = NEVER;
            duties.settle();
            self.wake_queued();
            self.wake_receiver();
        }
        if let Some(error) = duties.take_failure() {
            self.fault(Cause::Acknowledge(error), duties);
            return true;
        }
        if duties.owes() {
            self.retry_later();
        }
        if pumped == Pumped::MessageWaits {
            self.tell_receiver();
        }
        if self.is_unanswered(pumped) {
            self.fault(Cause::NoAnswer(Awaited::Publish), duties);
            return true;
        }
        let leaving = !self.wanted || matches!(&self.phase, Phase::InSession(link) if link.disconnecting);
        let more = if leaving { self.disconnect(duties) } else { self.subscribe(pumped, duties) };
        more || pumped == Pumped::More
    }

    pub(super) fn retry_later(&mut self) {
        self.retry_at = self.retry_at.min(self.after(PAUSE));
    }

    /// Goes on subscribing. Whether there is more to do.
    pub(super) fn subscribe(&mut self, pumped: Pumped, duties: &Duties) -> bool {
        let Phase::InSession(link) = &mut self.phase else { return true };
        let all = self.parts.subscriptions;
        let (from, to) = (link.subscribed, all.len().min(link.subscribed + MAX_TOPICS));
        let Some(chunk @ [first, ..]) = all.get(from..to) else {
            if !matches!(self.state, State::Online) {
                self.due = NEVER;
                self.online_since = Some(self.now);
                self.set_state(State::Online);
                self.wake_queued();
            }
            return false;
        };
        if self.now >= self.due {
            if pumped == Pumped::MessageWaits {
                // The answer may lie behind it.
                self.due = self.patience();
                return false;
            }
            self.fault(Cause::NoAnswer(Awaited::Subscribe), duties);
            return true;
        }
        if link.in_flight.is_some() || self.retry_at != NEVER {
            return false;
        }
        match link.channel.request_subscribe(chunk) {
            Ok(id) => {
                link.in_flight = Some(id);
                self.due = self.patience();
                // The answer may be there already.
                true
            }
            Err(error) => match error.recovery() {
                Recovery::Retry => {
                    self.retry_later();
                    false
                }
                Recovery::GiveUp => {
                    link.subscribed = to;
                    self.parts.observer.event(&Event::NotSubscribed { filter: first.filter(), error });
                    true
                }
                Recovery::Reopen => {
                    self.fault(Cause::Subscribe(error), duties);
                    true
                }
            },
        }
    }

    pub(super) fn disconnect(&mut self, duties: &Duties) -> bool {
        let Phase::InSession(link) = &mut self.phase else { return true };
        if link.disconnecting {
            let given_up = self.now >= self.due;
            if given_up {
                self.leave_session(Then::Stop, duties);
            }
            return given_up;
        }
        link.disconnecting = true;
        if link.channel.request_disconnect().is_err() {
            self.leave_session(Then::Stop, duties);
            return true;
        }
        self.due = self.patience();
        self.refuse_queued(PublishError::Stopped, |_| true);
        self.set_state(State::Disconnecting);
        true
    }

    pub(super) fn take_outcomes(
        &mut self,
        outcomes: Result<Outcomes<TopicOutcome>, RequestError>,
    ) -> Result<(), Cause> {
        let Phase::InSession(link) = &mut self.phase else { return Ok(()) };
        let chunk = self.parts.subscriptions.get(link.subscribed..).unwrap_or_default();
        let chunk = chunk.get(..MAX_TOPICS).unwrap_or(chunk);
        match outcomes {
            Ok(outcomes) => {
                for (subscription, &outcome) in chunk.iter().zip(&outcomes) {
                    let filter = subscription.filter();
                    self.parts.observer.event(&Event::Subscribed { filter, outcome });
                }
            }
            // The connection, not the request, is what is wrong.
            Err(error @ RequestError::Failed(state)) if state != RequestState::InvalidParameters => {
                return Err(Cause::Subscribe(error));
            }
            Err(error) => {
                if let Some(first) = chunk.first() {
                    self.parts.observer.event(&Event::NotSubscribed { filter: first.filter(), error });
                }
            }
        }
        link.subscribed += chunk.len();
        Ok(())
    }
}
