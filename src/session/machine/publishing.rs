//! Messages on their way to the broker.

use core::task::{Context, Poll};

use super::{Machine, NEVER, NOTHING, Pumped};
use crate::Status;
use crate::mqtt::{Publish, QoS, ReasonCode, RequestError};
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::Duties;
use crate::session::event::Observer;
use crate::session::publishing::{Doubt, Progress, PublishError, Slot, Verdict, WhenOffline};
use crate::session::state::{Awaited, Cause};
use crate::uses::FUTURES;

impl<P: BrokerProfile, O, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Makes room for a message, for which somebody waits.
    pub(in crate::session) fn queue(&mut self, when_offline: WhenOffline, duties: &Duties) -> Option<usize> {
        FUTURES.make();
        let index = self.free_slot(duties)?;
        let (wait, fails_offline) = match when_offline {
            WhenOffline::Fail => (self.parts.policy().answer_us(), true),
            WhenOffline::Wait(longest) => (u64::try_from(longest.as_micros()).unwrap_or(NEVER), false),
        };
        self.look_at_clock();
        let until = self.now.saturating_add(wait);
        let slot = self.publishes.get_mut(index)?;
        *slot = Slot { progress: Progress::Queued, until, fails_offline, ..Slot::free() };
        Some(index)
    }

    fn free_slot(&mut self, duties: &Duties) -> Option<usize> {
        const { assert!(PUBLISHES > 0 && PUBLISHES <= 32, "1 to 32 messages can be on their way") };
        let is_free = |slot: &Slot| slot.progress == Progress::Free;
        self.publishes.iter().position(is_free).or_else(|| {
            self.forget_abandoned(duties);
            self.publishes.iter().position(is_free)
        })
    }

    /// Nobody waits any more.
    pub(in crate::session) fn forget(&mut self, slot: usize) {
        if let Some(slot) = self.publishes.get_mut(slot) {
            *slot = Slot::free();
        }
    }

    pub(in crate::session) fn is_sent(&self, slot: usize) -> bool {
        let progress = self.publishes.get(slot).map(|slot| slot.progress);
        !matches!(progress, Some(Progress::Free | Progress::Queued))
    }

    /// Frees the places of those that were dropped while the session was in use.
    pub(super) fn forget_abandoned(&mut self, duties: &Duties) {
        let mut abandoned = if FUTURES.is_made() { duties.take_abandoned() } else { 0 };
        while abandoned != 0 {
            self.forget(abandoned.trailing_zeros() as usize);
            abandoned &= abandoned - 1;
        }
    }

    /// Where messages can be that are not sent yet.
    fn futures(&mut self) -> &mut [Slot] {
        if FUTURES.is_made() { &mut self.publishes } else { &mut [] }
    }

    /// Wakes those whose message is not sent yet.
    pub(super) fn wake_queued(&mut self) {
        for slot in self.futures() {
            if slot.progress == Progress::Queued {
                slot.wake();
            }
        }
    }

    /// Answers for the messages that are not sent yet: all of them where the session stops, otherwise
    /// those that do not wait.
    pub(super) fn refuse_queued(&mut self, verdict: Verdict) {
        for slot in self.futures() {
            if slot.progress == Progress::Queued
                && (slot.fails_offline || matches!(verdict, Verdict::Stopped))
            {
                slot.answer(verdict);
            }
        }
    }

    /// Nothing that is in flight is answered any more.
    pub(super) fn doubt_in_flight(&mut self) {
        for slot in &mut self.publishes {
            if slot.progress == Progress::InFlight {
                slot.answer(Verdict::InDoubt(Doubt::SessionEnded));
            }
        }
    }

    /// Whether there is a verdict for one who asks for whichever is there.
    pub(super) fn has_verdict(&self) -> bool {
        self.publishes.iter().fold(false, |any, slot| any | slot.is_for_next())
    }

    /// That verdict.
    #[inline(always)]
    pub(in crate::session) fn take_verdict(&mut self) -> Option<(u32, Result<ReasonCode, PublishError>)> {
        let mut verdict = None;
        for slot in &mut self.publishes {
            if verdict.is_none() && slot.is_for_next() {
                slot.progress = Progress::Free;
                verdict = Some((slot.id, slot.verdict.into()));
            }
        }
        verdict
    }
}

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Messages that have waited long enough to be sent.
    pub(super) fn give_up_waiting(&mut self) {
        let now = self.now;
        for slot in self.futures() {
            if slot.progress == Progress::Queued && now >= slot.until {
                slot.answer(Verdict::TimedOut);
            }
        }
    }

    /// Whether an answer to a publish is overdue, and nothing lies before it.
    pub(super) fn is_unanswered(&mut self, pumped: Pumped) -> bool {
        let (now, mut unanswered) = (self.now, false);
        for slot in &mut self.publishes {
            if slot.progress == Progress::InFlight && now >= slot.until {
                let waits = pumped == Pumped::MessageWaits;
                unanswered |= !waits;
                let doubt = if waits { Doubt::MessageWaits } else { Doubt::NoAnswer };
                slot.answer(Verdict::InDoubt(doubt));
            }
        }
        unanswered
    }

    /// Reads the answer to a publish.
    #[inline(never)]
    pub(super) fn read_published(&mut self) -> Result<(), Status> {
        let response = self.channel.read_publish()?;
        self.head = NOTHING;
        let version = self.version();
        for slot in &mut self.publishes {
            if slot.is_in_flight(response.correlation_id) {
                slot.answer(Verdict::of(&response, version));
            }
        }
        Ok(())
    }

    /// Sends message `slot`, or says what became of it.
    pub(in crate::session) fn poll_publish(
        &mut self,
        slot: usize,
        publish: &Publish<'_>,
        cx: &mut Context<'_>,
        duties: &Duties,
    ) -> Poll<Result<Option<ReasonCode>, PublishError>> {
        let Some(&Slot { progress, until, fails_offline, .. }) = self.publishes.get(slot) else {
            return Poll::Ready(Err(PublishError::TooMany));
        };
        match progress {
            Progress::Queued => {
                match self.send(slot, publish, false, duties) {
                    Ok(_) if publish.qos() == QoS::AtMostOnce => return Poll::Ready(Ok(None)),
                    Ok(_) | Err(PublishError::NoRoom) => {}
                    Err(PublishError::Offline) if !fails_offline => {}
                    Err(error) => return Poll::Ready(Err(error)),
                }
                duties.hurry(until);
            }
            Progress::InFlight => {
                if self.pump(duties) == Pumped::Broken {
                    self.break_off(duties);
                }
            }
            Progress::Free | Progress::Answered => {}
        }
        let Some(slot) = self.publishes.get_mut(slot) else { return Poll::Pending };
        // It may have been answered just now: by what was read, or because that ended the session.
        if let Some(answer) = slot.answered() {
            return Poll::Ready(answer.map(Some));
        }
        slot.wait(cx.waker());
        Poll::Pending
    }

    /// Sends a message for one who asks for whichever verdict is there.
    pub(in crate::session) fn publish_now(
        &mut self,
        publish: &Publish<'_>,
        duties: &Duties,
    ) -> Result<u32, PublishError> {
        let slot = self.free_slot(duties).ok_or(PublishError::TooMany)?;
        self.send(slot, publish, true, duties)
    }

    /// Sends a message and waits for the answer, unless none comes, in its slot. Returns the correlation id of
    /// both. [`NoRoom`](PublishError::NoRoom) and [`Offline`](PublishError::Offline) say that it may be sent
    /// later.
    fn send(
        &mut self,
        slot: usize,
        publish: &Publish<'_>,
        is_for_next: bool,
        duties: &Duties,
    ) -> Result<u32, PublishError> {
        if !duties.is_online() {
            return Err(PublishError::Offline);
        }
        self.limits().check_publish(publish).map_err(PublishError::Limit)?;
        if self.retry_at != NEVER {
            // It is asked again after the pause, whoever wakes the program meanwhile.
            return Err(PublishError::NoRoom);
        }
        let id = self.next_correlation_id();
        if let Err(status) = self.channel.send_publish(id, publish) {
            return Err(self.not_sent(status, duties));
        }
        self.full_since = NEVER;
        let until = self.after(self.parts.policy().answer_us());
        if publish.qos() != QoS::AtMostOnce
            && let Some(slot) = self.publishes.get_mut(slot)
        {
            slot.progress = Progress::InFlight;
            slot.is_for_next = is_for_next;
            slot.id = id;
            // The session looks by itself before that.
            slot.until = until;
        }
        Ok(id)
    }

    fn not_sent(&mut self, status: Status, duties: &Duties) -> PublishError {
        let error = match status {
            // What is wrong with this message is nothing that another session would not find as well.
            Status::PARAMETER_FAULT
            | Status::INVALID_BUFFER_SIZE
            | Status::INPUT_TOO_LONG
            | Status::TOO_MANY_ELEMENTS
            | Status::REQUIRED_ELEMENT_MISSING => return PublishError::Kernel(status),
            Status::RATE_LIMITED | Status::MICROVISOR_BUSY => {
                if !self.has_no_room(duties) {
                    return PublishError::NoRoom;
                }
                self.cause = Cause::NoAnswer(Awaited::Room);
                PublishError::NoRoom
            }
            Status::CHANNEL_CLOSED => {
                self.note_closed();
                PublishError::Offline
            }
            _ => {
                self.cause = Cause::Publish(RequestError::Kernel(status));
                match status {
                    Status::LATE_FAULT => PublishError::Indeterminate(Doubt::LateFault),
                    _ => PublishError::Kernel(status),
                }
            }
        };
        self.break_off(duties);
        error
    }
}
