//! In session: subscriptions, deadlines, and the way out on request.

use super::{Leaving, Machine, NEVER, PAUSE, Phase, Pumped, Then};
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
            self.check_at = self.patience();
            if let Phase::InSession(link) = &mut self.phase {
                // The channel may be closed, and a message that waits not be there any more.
                link.channel.forget_head();
            }
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
            if duties.settle() {
                self.owing_since = None;
            }
            self.wake_queued();
            self.wake_receiver();
        }
        if let Some(error) = duties.take_failure() {
            self.fault(Cause::Acknowledge(error), duties);
            return true;
        }
        if duties.owes() {
            self.retry_later();
            let since = *self.owing_since.get_or_insert(self.now);
            if self.now.saturating_sub(since) >= self.parts.policy.no_room_us() {
                self.fault(Cause::NoAnswer(Awaited::Room), duties);
                return true;
            }
        } else {
            self.owing_since = None;
        }
        if pumped == Pumped::MessageWaits {
            self.tell_receiver();
        }
        if self.is_unanswered(pumped) {
            self.fault(Cause::NoAnswer(Awaited::Publish), duties);
            return true;
        }
        let leaving =
            !self.wanted || matches!(&self.phase, Phase::InSession(link) if link.leaving != Leaving::No);
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
            self.due = NEVER;
            self.is_settled = true;
            self.come_online();
            return false;
        };
        if link.in_flight.is_some() && pumped == Pumped::MessageWaits {
            // The answer lies behind a message of an earlier session. Who waits until it is online before
            // it receives would wait for ever.
            self.come_online();
        }
        let Phase::InSession(link) = &mut self.phase else { return true };
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

    fn come_online(&mut self) {
        if !matches!(self.state, State::Online) {
            self.online_since = Some(self.now);
            self.set_state(State::Online);
            self.wake_queued();
        }
    }

    pub(super) fn disconnect(&mut self, duties: &Duties) -> bool {
        let Phase::InSession(link) = &mut self.phase else { return true };
        if link.leaving == Leaving::No {
            link.leaving = Leaving::Begun;
            self.due = self.patience();
            self.refuse_queued(PublishError::Stopped, |_| true);
            self.set_state(State::Disconnecting);
            return true;
        }
        if self.now >= self.due {
            self.leave_session(Then::Stop, duties);
            return true;
        }
        // What is owed is sent first, at the time for that.
        if link.leaving == Leaving::Requested || self.retry_at != NEVER {
            return false;
        }
        match link.channel.request_disconnect() {
            Ok(()) => link.leaving = Leaving::Requested,
            Err(error) if error.recovery() == Recovery::Retry => self.retry_later(),
            Err(_) => {
                self.leave_session(Then::Stop, duties);
                return true;
            }
        }
        false
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
            Err(error @ RequestError::Failed(state)) if state != RequestState::INVALID_PARAMETERS => {
                return Err(Cause::Subscribe(error));
            }
            Err(error) => {
                if let Some(first) = chunk.first() {
                    self.parts.observer.event(&Event::NotSubscribed { filter: first.filter(), error });
                }
            }
        }
        link.subscribed += chunk.len();
        // What comes next has its own time.
        self.due = self.patience();
        Ok(())
    }
}
