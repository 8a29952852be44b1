//! In session: subscriptions, deadlines, and the way out on request.

use super::{Leaving, Machine, NEVER, NOTHING, PAUSE, Pumped, Then};
use crate::Status;
use crate::aws::LIMITS;
use crate::mqtt::{
    LimitError, MAX_TOPICS, RequestError, RequestState, Subscription, TopicOutcome, TopicsResponse,
};
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::Duties;
use crate::session::event::{Event, Observer};
use crate::session::publishing::{Progress, Verdict};
use crate::session::state::{Awaited, Cause, State};
use crate::uses::{ENDINGS, FILTERS};

impl<'a, P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'a, P, O, PUBLISHES> {
    /// Whether there is more to do.
    pub(super) fn attend_session(&mut self, duties: &Duties) -> bool {
        let kept = self.keep_session(duties);
        if kept == Pumped::Broken {
            self.leave(Then::BackOff, duties);
        }
        matches!(kept, Pumped::Broken | Pumped::More)
    }

    fn keep_session(&mut self, duties: &Duties) -> Pumped {
        if self.now >= self.due {
            // The channel may be closed, and a message that waits not be there any more.
            self.head = NOTHING;
        }
        let tries_again = self.now >= self.retry_at;
        if tries_again {
            self.retry_at = NEVER;
        }
        let pumped = self.pump(duties);
        if pumped == Pumped::Broken {
            return Pumped::Broken;
        }
        if tries_again {
            if duties.settle() {
                self.full_since = NEVER;
            }
            self.wake_queued();
            self.wake_receiver();
        }
        if let Some(error) = duties.take_failure() {
            return self.broken(Cause::Acknowledge(error));
        }
        if duties.owes() && self.retry_at == NEVER && self.has_no_room(duties) {
            return self.broken(Cause::NoAnswer(Awaited::Room));
        }
        if pumped == Pumped::MessageWaits {
            self.tell_receiver();
        }
        if self.is_unanswered(pumped) {
            return self.broken(Cause::NoAnswer(Awaited::Publish));
        }
        // An answer that was read just now gave it more time.
        let is_due = self.now >= self.due;
        if is_due {
            self.look_in_time();
        }
        let kept = if ENDINGS.is_made() && (!duties.is_wanted() || self.leaving != Leaving::No) {
            if self.disconnect(is_due, duties) { Pumped::More } else { Pumped::Nothing }
        } else {
            self.subscribe(pumped, is_due, duties)
        };
        if kept == Pumped::Nothing { pumped } else { kept }
    }

    /// The session is over, for that cause.
    #[inline(always)]
    pub(super) fn broken(&mut self, cause: Cause) -> Pumped {
        self.cause = cause;
        Pumped::Broken
    }

    /// It looks by itself in the time that an answer has, and when the answer to a publish is due.
    fn look_in_time(&mut self) {
        self.be_patient();
        for slot in &self.publishes {
            if slot.progress == Progress::InFlight {
                self.due = self.due.min(slot.until);
            }
        }
    }

    /// The kernel is asked again after the pause.
    #[inline(never)]
    pub(super) fn retry_later(&mut self, duties: &Duties) {
        self.retry_at = self.retry_at.min(self.after(PAUSE));
        duties.hurry(self.retry_at);
    }

    /// The kernel has no room, and is asked again after the pause. Whether it has had none for so long that
    /// what it waits for may be lost.
    #[inline(never)]
    pub(super) fn has_no_room(&mut self, duties: &Duties) -> bool {
        self.retry_later(duties);
        self.full_since = self.full_since.min(self.now);
        self.now - self.full_since >= self.parts.policy().no_room_us()
    }

    /// The number of the next request.
    pub(super) fn next_correlation_id(&mut self) -> u32 {
        self.last_correlation_id = self.last_correlation_id.wrapping_add(1);
        self.last_correlation_id
    }

    /// The subscriptions of one request, which is the next or on its way.
    fn chunk(&self) -> &'a [Subscription<'a>] {
        self.unsubscribed.get(..MAX_TOPICS).unwrap_or(self.unsubscribed)
    }

    /// Checks one, unless all are known to be within the limits.
    fn check_filter(&self, subscription: &Subscription<'_>) -> Result<(), LimitError> {
        let limits = self.limits();
        if !FILTERS.is_made() && limits.are_as_wide_as(&LIMITS) {
            return Ok(());
        }
        limits.check_subscription(subscription)
    }

    /// They are dealt with: nothing came of it, if there is an error, and another session would find the same.
    #[inline(never)]
    fn pass(&mut self, chunk: &[Subscription<'_>], error: Option<RequestError>) {
        self.unsubscribed = self.unsubscribed.get(chunk.len()..).unwrap_or_default();
        if let (Some(error), Some(first)) = (error, chunk.first()) {
            self.parts.observer.event(&Event::NotSubscribed { filter: first.filter(), error });
        }
    }

    /// Goes on subscribing.
    fn subscribe(&mut self, pumped: Pumped, is_due: bool, duties: &Duties) -> Pumped {
        let chunk = self.chunk();
        self.is_settled = chunk.is_empty();
        // Or the answer lies behind a message of an earlier session: who waits until it is online before it
        // receives would wait for ever.
        let is_behind = pumped == Pumped::MessageWaits;
        if self.is_settled || (self.in_flight.is_some() && is_behind) {
            self.come_online(duties);
        }
        if self.is_settled || (is_due && is_behind) {
            return Pumped::Nothing;
        }
        if is_due {
            return self.broken(Cause::NoAnswer(Awaited::Subscribe));
        }
        if self.in_flight.is_some() || self.retry_at != NEVER {
            return Pumped::Nothing;
        }
        let within_limits = chunk.iter().try_for_each(|subscription| {
            subscription.check_version(self.version())?;
            self.check_filter(subscription)
        });
        let error = match within_limits {
            Ok(()) => {
                let id = self.next_correlation_id();
                match self.channel.send_subscribe(id, chunk) {
                    Ok(()) => {
                        self.in_flight = Some(id);
                        self.look_in_time();
                        // The answer may be there already.
                        return Pumped::More;
                    }
                    Err(Status::RATE_LIMITED | Status::MICROVISOR_BUSY) => {
                        self.retry_later(duties);
                        return Pumped::Nothing;
                    }
                    Err(Status::CHANNEL_CLOSED) => {
                        self.note_closed();
                        return Pumped::Broken;
                    }
                    Err(status @ Status::TOO_MANY_ELEMENTS) => RequestError::Kernel(status),
                    Err(status) => return self.broken(Cause::Subscribe(RequestError::Kernel(status))),
                }
            }
            Err(error) => RequestError::Limit(error),
        };
        self.pass(chunk, Some(error));
        Pumped::More
    }

    fn come_online(&mut self, duties: &Duties) {
        if !duties.is_online() {
            self.online_since = self.now;
            duties.set_online(true);
            self.set_state(State::Online, duties);
            self.wake_queued();
        }
    }

    /// Ends the session with the broker, in order. Whether there is more to do.
    #[inline(never)]
    fn disconnect(&mut self, is_due: bool, duties: &Duties) -> bool {
        if self.leaving == Leaving::No {
            self.leaving = Leaving::Begun;
            duties.set_online(false);
            self.be_patient();
            self.refuse_queued(Verdict::Stopped);
            self.set_state(State::Disconnecting, duties);
            return true;
        }
        if !is_due {
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
                    self.retry_later(duties);
                    return false;
                }
                Err(_) => {}
            }
        }
        self.leave(Then::Stop, duties);
        true
    }

    /// The broker answered for the filters of a subscribe request.
    #[inline(never)]
    pub(super) fn take_outcomes(&mut self, response: &TopicsResponse) -> Pumped {
        let chunk = self.chunk();
        let state = response.state();
        let mut error = None;
        if !state.is_completed() {
            let failed = RequestError::Failed(state);
            if state != RequestState::INVALID_PARAMETERS {
                // The connection, not the request, is what is wrong.
                return self.broken(Cause::Subscribe(failed));
            }
            error = Some(failed);
        } else if let Some(codes) = response.codes(chunk.len()) {
            for (subscription, &code) in chunk.iter().zip(codes) {
                let (filter, outcome) = (subscription.filter(), TopicOutcome::from_raw(code));
                self.parts.observer.event(&Event::Subscribed { filter, outcome });
            }
        } else {
            #[allow(clippy::cast_possible_truncation)] // 8 at most.
            let requested = chunk.len() as u8;
            error = Some(RequestError::WrongOutcomeCount { requested, received: response.count });
        }
        self.pass(chunk, error);
        if !self.unsubscribed.is_empty() {
            // What comes next has its own time.
            self.look_in_time();
        }
        Pumped::More
    }
}
