//! Ending: channels are closed, and the session backs off or stops.

use super::{Leaving, MAX_CONNECTS, Machine, NEVER, NOTHING, Phase, Then, Told};
use crate::session::back_off::Pace;
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::Duties;
use crate::session::event::Observer;
use crate::session::publishing::Verdict;
use crate::session::state::{Awaited, Cause, State};
use crate::uses::ENDINGS;
use crate::{CloseError, Status};

impl<P: BrokerProfile, O, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Also what the channel's buffers hold of them, unless it is open; then that is for
    /// [`close`](Self::close). As long as the values are kept, the buffers may hold the same.
    #[inline(never)]
    pub(super) fn forget_settings(&mut self) {
        self.settings = None;
        self.parts.values.wipe();
        self.channel.wipe();
    }
}

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// What it was doing failed.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the cause is then made in its place")]
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
        self.retry_at = NEVER;
        self.told = Told::Nothing;
        self.head = NOTHING;
        let online_since = core::mem::replace(&mut self.online_since, NEVER);
        if online_since != NEVER && self.now.saturating_sub(online_since) >= self.parts.policy().stable_us() {
            self.back_off.reset();
        }
        if ENDINGS.is_made() && self.leaving != Leaving::No {
            self.then = Then::Stop;
            self.leaving = Leaving::No;
        }
    }

    /// Closes the channel, now or later.
    pub(super) fn close(&mut self, duties: &Duties) {
        match self.channel.try_close() {
            Ok(()) => {}
            // It may have closed the channel while it answered otherwise.
            Err(CloseError(Status::INVALID_HANDLE)) => self.channel.doubt(),
            Err(error) => {
                self.due = self.after(u64::from(self.parts.policy().shortest_ms()) * 1_000);
                if self.phase != Phase::Closing {
                    self.phase = Phase::Closing;
                    self.be_backing_off(Cause::Close(error), duties);
                }
                return;
            }
        }
        if self.settings.is_none() {
            self.channel.wipe();
        }
        self.phase = Phase::Offline;
        match self.then {
            Then::Connect => {}
            Then::Stop if ENDINGS.is_made() => self.stop(duties),
            Then::BackOff | Then::Stop => self.back_off(duties),
        }
    }

    fn back_off(&mut self, duties: &Duties) {
        let pace = self.cause.pace();
        if let Cause::Connect(_) | Cause::NoAnswer(Awaited::Connect) = self.cause {
            let failed = if pace == Pace::Longest { MAX_CONNECTS } else { 1 };
            self.failed_connects = self.failed_connects.saturating_add(failed);
        }
        if self.failed_connects >= MAX_CONNECTS {
            // From here on with each attempt, so that what is put right helps with the next one.
            self.forget_settings();
        }
        let wait = self.back_off.next(&self.parts.policy(), pace, self.parts.id, self.now);
        self.due = self.after(wait);
        self.phase = Phase::BackingOff;
        self.be_backing_off(self.cause, duties);
    }

    /// Until it is due, `cause` is what is wrong.
    fn be_backing_off(&mut self, cause: Cause, duties: &Duties) {
        self.refuse_queued(Verdict::Offline);
        self.set_state(State::BackingOff { until_micros: self.due, cause }, duties);
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
