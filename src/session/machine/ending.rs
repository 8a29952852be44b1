//! Ending: channels are closed, and the session backs off or stops.

use core::mem;
use core::time::Duration;

use super::{Closing, Leaving, MAX_CONNECTS, Machine, NEVER, Phase, Then, Told};
use crate::config::ConfigFetch;
use crate::mqtt::MqttChannel;
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::Duties;
use crate::session::event::Observer;
use crate::session::publishing::{PublishError, WhenOffline};
use crate::session::state::{Awaited, Cause, State};
use crate::{ChannelBuffers, CloseError, HandedBack, Status};

pub(super) type Closed = Result<ChannelBuffers, (Closing, CloseError)>;

pub(super) fn close_fetch<S>(fetch: ConfigFetch<S>) -> Closed {
    fetch.close().map_err(|HandedBack { error, value }| (Closing::Fetch(value), error))
}

pub(super) fn close_mqtt<S>(channel: MqttChannel<S>) -> Closed {
    channel.close().map_err(|HandedBack { error, value }| (Closing::Mqtt(value), error))
}

impl<P: BrokerProfile, O, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    pub(super) fn forget_settings(&mut self) {
        self.settings = None;
        self.parts.values.wipe();
    }
}

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// The session with the broker is over.
    pub(super) fn fault(&mut self, cause: Cause, duties: &Duties) {
        self.leave_session(Then::BackOff(cause), duties);
    }

    pub(super) fn leave_session(&mut self, then: Then, duties: &Duties) {
        let Phase::InSession(link) = mem::replace(&mut self.phase, Phase::Offline) else { return };
        self.look_at_clock();
        duties.end();
        self.is_settled = false;
        self.doubt_in_flight();
        (self.retry_at, self.check_at) = (NEVER, NEVER);
        self.told = Told::Nothing;
        let stable = self.parts.policy.stable_us();
        if self.online_since.take().is_some_and(|since| self.now.saturating_sub(since) >= stable) {
            self.back_off.reset();
        }
        let then = if matches!(link.leaving, Leaving::No) { then } else { Then::Stop };
        self.settle(close_mqtt(link.channel), then);
    }

    pub(super) fn settle(&mut self, closed: Closed, then: Then) {
        match closed {
            Ok(buffers) => {
                self.close_wait = 0;
                self.buffers = Some(buffers);
                self.go_on(then);
            }
            // It may have closed the channel while it answered otherwise.
            Err((closing, CloseError(Status::INVALID_HANDLE))) => {
                self.close_wait = 0;
                self.buffers = match closing {
                    Closing::Fetch(fetch) => fetch.into_doubtful_buffers(),
                    Closing::Mqtt(channel) => channel.into_doubtful_buffers(),
                };
                self.go_on(then);
            }
            Err((closing, error)) => {
                self.phase = Phase::Closing(closing, then);
                self.close_wait = self.parts.policy.close_wait_us(self.close_wait);
                self.due = self.after(self.close_wait);
                self.refuse_queued(PublishError::Offline, |when| matches!(when, WhenOffline::Fail));
                self.set_state(State::BackingOff {
                    until: Duration::from_micros(self.due),
                    cause: Cause::Close(error),
                });
            }
        }
    }

    pub(super) fn close_again(&mut self) -> bool {
        let Phase::Closing(closing, then) = mem::replace(&mut self.phase, Phase::Offline) else {
            return false;
        };
        let closed = match closing {
            Closing::Fetch(fetch) => close_fetch(fetch),
            Closing::Mqtt(channel) => close_mqtt(channel),
        };
        self.settle(closed, then);
        true
    }

    #[allow(clippy::needless_pass_by_value)] // It is done with.
    pub(super) fn go_on(&mut self, then: Then) {
        match then {
            Then::Connect => {}
            Then::BackOff(cause) => self.back_off(cause),
            Then::Stop => self.stop(),
        }
    }

    pub(super) fn back_off(&mut self, cause: Cause) {
        if let Cause::Connect(_) | Cause::NoAnswer(Awaited::Connect) = cause {
            self.failed_connects = self.failed_connects.saturating_add(1);
        }
        if cause.doubts_settings() || self.failed_connects >= MAX_CONNECTS {
            // From here on with each attempt, so that what is put right helps with the next one.
            self.forget_settings();
        }
        let wait = self.back_off.next(&self.parts.policy, cause.pace(), &self.parts.id);
        self.due = self.after(wait);
        self.phase = Phase::BackingOff;
        self.refuse_queued(PublishError::Offline, |when| matches!(when, WhenOffline::Fail));
        self.set_state(State::BackingOff { until: Duration::from_micros(self.due), cause });
    }

    pub(super) fn stop(&mut self) {
        self.phase = Phase::Stopped;
        self.due = NEVER;
        // Dropping it lets the kernel go offline.
        self.network = None;
        self.forget_settings();
        self.refuse_queued(PublishError::Stopped, |_| true);
        self.set_state(State::Stopped);
    }
}
