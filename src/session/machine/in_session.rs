//! In session: subscriptions, deadlines, and the way out on request.

use super::{Leaving, Machine, NEVER, NOTHING, PAUSE, Pumped, Then};
use crate::Status;
use crate::mqtt::{
    MAX_TOPICS, RequestError, RequestState, Subscription, TopicOutcome, TopicsResponse, check_subscriptions,
};
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::Duties;
use crate::session::event::{Event, Observer};
use crate::session::publishing::Verdict;
use crate::session::state::{Awaited, Cause, State};

impl<'a, P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'a, P, O, PUBLISHES> {
    /// Whether there is more to do.
    pub(super) fn attend_session(&mut self, duties: &Duties) -> bool {
        if self.now >= self.check_at {
            self.check_at = self.patience();
            // The channel may be closed, and a message that waits not be there any more.
            self.head = NOTHING;
        }
        let tries_again = self.now >= self.retry_at;
        if tries_again {
            self.retry_at = NEVER;
        }
        let pumped = self.pump(duties);
        if pumped == Pumped::Broken {
            self.leave(Then::BackOff, duties);
            return true;
        }
        if tries_again {
            if duties.settle() {
                self.owing_since = NEVER;
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
            self.owing_since = self.owing_since.min(self.now);
        } else {
            self.owing_since = NEVER;
        }
        if self.has_no_room_since(self.owing_since) {
            self.fault(Cause::NoAnswer(Awaited::Room), duties);
            return true;
        }
        if pumped == Pumped::MessageWaits {
            self.tell_receiver();
        }
        if self.is_unanswered(pumped) {
            self.fault(Cause::NoAnswer(Awaited::Publish), duties);
            return true;
        }
        let more = if self.wanted && self.leaving == Leaving::No {
            self.subscribe(pumped, duties)
        } else {
            self.disconnect(duties)
        };
        more || pumped == Pumped::More
    }

    pub(super) fn retry_later(&mut self) {
        self.retry_at = self.retry_at.min(self.after(PAUSE));
    }

    /// Whether the kernel had no room for so long that what it waits for may be lost.
    pub(super) fn has_no_room_since(&self, since: u64) -> bool {
        since != NEVER && self.now.saturating_sub(since) >= self.parts.policy.no_room_us()
    }

    /// The number of the next request.
    pub(super) fn next_correlation_id(&mut self) -> u32 {
        self.last_correlation_id = self.last_correlation_id.wrapping_add(1);
        self.last_correlation_id
    }

    /// The subscriptions of one request, which is the next or on its way.
    fn chunk(&self) -> &'a [Subscription<'a>] {
        let rest = self.parts.subscriptions.get(self.subscribed..).unwrap_or_default();
        rest.get(..MAX_TOPICS).unwrap_or(rest)
    }

    /// Goes on subscribing. Whether there is more to do.
    #[inline(never)]
    fn subscribe(&mut self, pumped: Pumped, duties: &Duties) -> bool {
        let chunk = self.chunk();
        let Some(first) = chunk.first() else {
            self.due = NEVER;
            self.is_settled = true;
            self.come_online(duties);
            return false;
        };
        if self.in_flight.is_some() && pumped == Pumped::MessageWaits {
            // The answer lies behind a message of an earlier session. Who waits until it is online before
            // it receives would wait for ever.
            self.come_online(duties);
        }
        if self.now >= self.due {
            if pumped == Pumped::MessageWaits {
                // The answer may lie behind it.
                self.due = self.patience();
                return false;
            }
            self.fault(Cause::NoAnswer(Awaited::Subscribe), duties);
            return true;
        }
        if self.in_flight.is_some() || self.retry_at != NEVER {
            return false;
        }
        let error = match check_subscriptions(self.version, self.limits, chunk) {
            Ok(()) => {
                let id = self.next_correlation_id();
                match self.channel.send_subscribe(id, chunk) {
                    Ok(()) => {
                        self.in_flight = Some(id);
                        self.due = self.patience();
                        // The answer may be there already.
                        return true;
                    }
                    Err(Status::RATE_LIMITED | Status::MICROVISOR_BUSY) => {
                        self.retry_later();
                        return false;
                    }
                    Err(status @ Status::TOO_MANY_ELEMENTS) => RequestError::Kernel(status),
                    Err(status) => {
                        self.fault(Cause::Subscribe(self.channel.request_error(status)), duties);
                        return true;
                    }
                }
            }
            Err(error) => RequestError::Limit(error),
        };
        // Another session would find the same.
        self.subscribed += chunk.len();
        self.parts.observer.event(&Event::NotSubscribed { filter: first.filter(), error });
        true
    }

    fn come_online(&mut self, duties: &Duties) {
        if self.online_since == NEVER {
            self.online_since = self.now;
            duties.set_online(true);
            self.set_state(State::Online, duties);
            self.wake_queued();
        }
    }

    /// Ends the session with the broker, in order. Whether there is more to do.
    #[inline(never)]
    fn disconnect(&mut self, duties: &Duties) -> bool {
        if self.leaving == Leaving::No {
            self.leaving = Leaving::Begun;
            duties.set_online(false);
            self.due = self.patience();
            self.refuse_queued(Verdict::Stopped);
            self.set_state(State::Disconnecting, duties);
            return true;
        }
        if self.now < self.due {
            // What is owed is sent first, at the time for that.
            if self.leaving == Leaving::Requested || self.retry_at != NEVER {
                return false;
            }
            match self.channel.send_disconnect() {
                Ok(()) => {
                    self.leaving = Leaving::Requested;
                    return false;
                }
                Err(Status::RATE_LIMITED | Status::MICROVISOR_BUSY) => {
                    self.retry_later();
                    return false;
                }
                Err(_) => {}
            }
        }
        self.leave(Then::Stop, duties);
        true
    }

    /// The broker answered for the filters of a subscribe request. `false`, if the session is over.
    pub(super) fn take_outcomes(&mut self, response: &TopicsResponse) -> bool {
        let chunk = self.chunk();
        let state = response.state();
        let error = if !state.is_completed() {
            if state != RequestState::INVALID_PARAMETERS {
                // The connection, not the request, is what is wrong.
                self.cause = Cause::Subscribe(RequestError::Failed(state));
                return false;
            }
            Some(RequestError::Failed(state))
        } else if let Some(codes) = response.codes(chunk.len()) {
            for (subscription, &code) in chunk.iter().zip(codes) {
                let (filter, outcome) = (subscription.filter(), TopicOutcome::from_raw(code));
                self.parts.observer.event(&Event::Subscribed { filter, outcome });
            }
            None
        } else {
            #[allow(clippy::cast_possible_truncation)] // 8 at most.
            let requested = chunk.len() as u8;
            Some(RequestError::WrongOutcomeCount { requested, received: response.count })
        };
        if let (Some(error), Some(first)) = (error, chunk.first()) {
            self.parts.observer.event(&Event::NotSubscribed { filter: first.filter(), error });
        }
        self.subscribed += chunk.len();
        // What comes next has its own time.
        self.due = self.patience();
        true
    }
}
