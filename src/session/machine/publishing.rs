//! Messages on their way to the broker.

use core::task::{Context, Poll};

use super::{Machine, NEVER, NOTHING, Pumped};
use crate::Status;
use crate::mqtt::{Publish, QoS, ReasonCode};
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::Duties;
use crate::session::event::Observer;
use crate::session::publishing::{Doubt, Progress, PublishError, Slot, Verdict, WhenOffline};
use crate::session::state::{Awaited, Cause};

/// What became of the attempt to send a message.
pub(super) enum Sent {
    /// The kernel has it. This is the correlation id of the answer.
    Taken(u32),
    /// The kernel has no room for it now.
    NoRoom,
    /// The session is not online, or has just ended.
    NotOnline,
    Failed(PublishError),
}

impl<P: BrokerProfile, O, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Makes room for a message, for which somebody waits.
    pub(in crate::session) fn queue(&mut self, when_offline: WhenOffline, duties: &Duties) -> Option<usize> {
        let index = self.free_slot(duties)?;
        let (wait, fails_offline) = match when_offline {
            WhenOffline::Fail => (self.parts.policy.answer_us(), true),
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
        let mut abandoned = duties.take_abandoned();
        while abandoned != 0 {
            self.forget(abandoned.trailing_zeros() as usize);
            abandoned &= abandoned - 1;
        }
    }

    /// Wakes those whose message is not sent yet.
    pub(super) fn wake_queued(&mut self) {
        for slot in &mut self.publishes {
            if slot.progress == Progress::Queued {
                slot.wake();
            }
        }
    }

    /// Answers for the messages that are not sent yet: all of them where the session stops, otherwise
    /// those that do not wait.
    pub(super) fn refuse_queued(&mut self, verdict: Verdict) {
        for slot in &mut self.publishes {
            if slot.progress == Progress::Queued
                && (slot.fails_offline || matches!(verdict, Verdict::Stopped))
            {
                self.has_verdict |= slot.answer(verdict);
            }
        }
    }

    /// Nothing that is in flight is answered any more.
    pub(super) fn doubt_in_flight(&mut self) {
        for slot in &mut self.publishes {
            if slot.progress == Progress::InFlight {
                self.has_verdict |= slot.answer(Verdict::InDoubt(Doubt::SessionEnded));
            }
        }
    }

    /// A verdict that is there, for one who asks for whichever is.
    #[inline(always)]
    pub(in crate::session) fn take_verdict(&mut self) -> Option<(u32, Result<ReasonCode, PublishError>)> {
        self.has_verdict = false;
        let mut verdict = None;
        for slot in &mut self.publishes {
            if slot.is_for_next && slot.progress == Progress::Answered {
                if verdict.is_some() {
                    self.has_verdict = true;
                    break;
                }
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
        for slot in &mut self.publishes {
            if slot.progress == Progress::Queued && now >= slot.until {
                self.has_verdict |= slot.answer(Verdict::TimedOut);
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
                self.has_verdict |= slot.answer(Verdict::InDoubt(doubt));
            }
        }
        unanswered
    }

    /// Reads the answer to a publish.
    #[inline(always)]
    pub(super) fn read_published(&mut self) -> Result<(), Status> {
        let response = self.channel.read_publish()?;
        self.head = NOTHING;
        self.full_since = NEVER;
        let mut slots = self.publishes.iter_mut();
        if let Some(slot) = slots.find(|slot| slot.is_in_flight(response.correlation_id)) {
            self.has_verdict |= slot.answer(Verdict::of(&response, self.version));
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
                match self.send(publish, duties) {
                    Sent::Taken(_) if publish.qos() == QoS::AtMostOnce => return Poll::Ready(Ok(None)),
                    Sent::Taken(id) => {
                        self.look_at_clock();
                        self.follow(slot, id, false, duties);
                    }
                    Sent::NotOnline if fails_offline => return Poll::Ready(Err(PublishError::Offline)),
                    Sent::NotOnline | Sent::NoRoom => {}
                    Sent::Failed(error) => return Poll::Ready(Err(error)),
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
        let index = self.free_slot(duties).ok_or(PublishError::TooMany)?;
        // Otherwise it was looked at in the turn that this is a part of.
        if self.looked_at != duties.runner().interrupts() {
            self.look_at_clock();
        }
        match self.send(publish, duties) {
            Sent::Taken(id) => {
                if publish.qos() != QoS::AtMostOnce {
                    self.follow(index, id, true, duties);
                }
                Ok(id)
            }
            Sent::NoRoom => Err(PublishError::NoRoom),
            Sent::NotOnline => Err(PublishError::Offline),
            Sent::Failed(error) => Err(error),
        }
    }

    /// Waits for the answer to a request that was made just now.
    fn follow(&mut self, slot: usize, id: u32, is_for_next: bool, duties: &Duties) {
        let until = self.now.wrapping_add(self.parts.policy.answer_us());
        if let Some(slot) = self.publishes.get_mut(slot) {
            slot.progress = Progress::InFlight;
            slot.is_for_next = is_for_next;
            slot.id = id;
            slot.until = until;
        }
        duties.hurry(until);
    }

    fn send(&mut self, publish: &Publish<'_>, duties: &Duties) -> Sent {
        if !duties.is_online() {
            return Sent::NotOnline;
        }
        if let Err(error) = self.limits.check_publish(publish) {
            return Sent::Failed(PublishError::Limit(error));
        }
        if self.full_since != NEVER && self.is_pausing(duties) {
            return Sent::NoRoom;
        }
        let id = self.next_correlation_id();
        match self.channel.send_publish(id, publish) {
            Ok(()) => {
                self.full_since = NEVER;
                Sent::Taken(id)
            }
            Err(status) => self.not_sent(status, duties),
        }
    }

    /// Whether the kernel had no room just now. It is asked again after the pause, whoever wakes the program
    /// meanwhile.
    #[cold]
    fn is_pausing(&mut self, duties: &Duties) -> bool {
        self.look_at_clock();
        let is_pausing = self.retry_at != NEVER && self.now < self.retry_at;
        if is_pausing {
            duties.hurry(self.retry_at);
        }
        is_pausing
    }

    #[cold]
    fn not_sent(&mut self, status: Status, duties: &Duties) -> Sent {
        match status {
            // What is wrong with this message is nothing that another session would not find as well.
            Status::PARAMETER_FAULT
            | Status::INVALID_BUFFER_SIZE
            | Status::INPUT_TOO_LONG
            | Status::TOO_MANY_ELEMENTS
            | Status::REQUIRED_ELEMENT_MISSING => Sent::Failed(PublishError::Kernel(status)),
            Status::RATE_LIMITED | Status::MICROVISOR_BUSY => {
                self.retry_later();
                self.full_since = self.full_since.min(self.now);
                if self.has_no_room_since(self.full_since) {
                    self.cause = Cause::NoAnswer(Awaited::Room);
                    self.break_off(duties);
                } else {
                    duties.hurry(self.retry_at);
                }
                Sent::NoRoom
            }
            _ => {
                self.cause = Cause::Publish(self.channel.request_error(status));
                self.break_off(duties);
                match status {
                    // Nothing of it was sent.
                    Status::CHANNEL_CLOSED => Sent::NotOnline,
                    Status::LATE_FAULT => Sent::Failed(PublishError::Indeterminate(Doubt::LateFault)),
                    _ => Sent::Failed(PublishError::Kernel(status)),
                }
            }
        }
    }
}
