//! Ending: channels are closed, and the session backs off or stops.

use super::{Leaving, MAX_CONNECTS, Machine, NEVER, NOTHING, Phase, Then, Told};
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::Duties;
use crate::session::event::Observer;
use crate::session::publishing::Verdict;
use crate::session::state::{Awaited, Cause, State};
use crate::{CloseError, Status};

impl<P: BrokerProfile, O, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    #[inline(never)]
    pub(super) fn forget_settings(&mut self) {
        self.settings = None;
        self.parts.values.wipe();
    }
}

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// What it was doing failed.
    #[inline(never)]
    pub(super) fn fault(&mut self, cause: Cause, duties: &Duties) {
        self.cause = cause;
        self.leave(Then::BackOff, duties);
    }

    /// Ends what it was doing, closes the channel if it is open, and goes on with `then`.
    #[inline(never)]
    pub(super) fn leave(&mut self, then: Then, duties: &Duties) {
        self.then = then;
        if self.phase == Phase::InSession {
            self.leave_session(duties);
        }
        self.close(duties);
    }

    /// The session with the broker is over.
    fn leave_session(&mut self, duties: &Duties) {
        self.look_at_clock();
        duties.end();
        self.is_settled = false;
        duties.set_quiet(false);
        self.doubt_in_flight();
        (self.retry_at, self.check_at) = (NEVER, NEVER);
        self.told = Told::Nothing;
        self.head = NOTHING;
        let online_since = core::mem::replace(&mut self.online_since, NEVER);
        if online_since != NEVER && self.now.saturating_sub(online_since) >= self.parts.policy.stable_us() {
            self.back_off.reset();
        }
        if self.leaving != Leaving::No {
            self.then = Then::Stop;
        }
    }

    /// Closes the channel, now or later.
    pub(super) fn close(&mut self, duties: &Duties) {
        match self.channel.try_close() {
            Ok(()) => {}
            // It may have closed the channel while it answered otherwise.
            Err(CloseError(Status::INVALID_HANDLE)) => self.channel.doubt(),
            Err(error) => {
                self.phase = Phase::Closing;
                self.close_wait_ms = self.parts.policy.close_wait_ms(self.close_wait_ms);
                self.due = self.after(u64::from(self.close_wait_ms) * 1_000);
                self.refuse_queued(Verdict::Offline);
                return self.set_backing_off(Cause::Close(error), duties);
            }
        }
        self.close_wait_ms = 0;
        self.phase = Phase::Offline;
        match self.then {
            Then::Connect => {}
            Then::BackOff => self.back_off(duties),
            Then::Stop => self.stop(duties),
        }
    }

    fn back_off(&mut self, duties: &Duties) {
        if let Cause::Connect(_) | Cause::NoAnswer(Awaited::Connect) = self.cause {
            self.failed_connects = self.failed_connects.saturating_add(1);
        }
        if self.cause.doubts_settings() || self.failed_connects >= MAX_CONNECTS {
            // From here on with each attempt, so that what is put right helps with the next one.
            self.forget_settings();
        }
        let wait = self.back_off.next(&self.parts.policy, self.cause.pace(), &self.parts.id);
        self.due = self.after(wait);
        self.phase = Phase::BackingOff;
        self.refuse_queued(Verdict::Offline);
        self.set_backing_off(self.cause, duties);
    }

    pub(super) fn stop(&mut self, duties: &Duties) {
        self.phase = Phase::Stopped;
        self.due = NEVER;
        // Lets the kernel go offline.
        self.network.withdraw();
        self.forget_settings();
        self.refuse_queued(Verdict::Stopped);
        self.set_state(State::Stopped, duties);
    }
}
