//! Messages on their way to the broker.

use core::task::{Context, Poll};

use super::{Machine, NEVER, Phase, Pumped};
use crate::mqtt::{Publish, QoS, ReasonCode, RequestError};
use crate::session::broker_profile::BrokerProfile;
use crate::session::duties::Duties;
use crate::session::event::Observer;
use crate::session::publishing::{Doubt, Progress, PublishError, Slot, WhenOffline};
use crate::session::state::{Awaited, Cause, State};
use crate::{Recovery, Status};

impl<P: BrokerProfile, O, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Makes room for a message, for which somebody waits.
    pub(in crate::session) fn queue(&mut self, when_offline: WhenOffline, duties: &Duties) -> Option<usize> {
        const { assert!(PUBLISHES > 0 && PUBLISHES <= 32, "1 to 32 messages can be on their way") };
        self.forget_abandoned(duties);
        let index = self.publishes.iter().position(|slot| matches!(slot.progress, Progress::Free))?;
        let until = self.after(match when_offline {
            WhenOffline::Fail => self.parts.policy.answer_us(),
            WhenOffline::Wait(longest) => u64::try_from(longest.as_micros()).unwrap_or(NEVER),
        });
        self.publishes.get_mut(index)?.progress = Progress::Queued { until, when_offline };
        Some(index)
    }

    /// Nobody waits any more.
    pub(in crate::session) fn forget(&mut self, slot: usize) {
        if let Some(slot) = self.publishes.get_mut(slot) {
            *slot = Slot::free();
        }
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
            if let Progress::Queued { .. } = slot.progress {
                slot.wake();
            }
        }
    }

    /// Answers for the messages that are not sent yet, where `when_offline` says so.
    pub(super) fn refuse_queued(&mut self, error: PublishError, refused: impl Fn(WhenOffline) -> bool) {
        for slot in &mut self.publishes {
            if let Progress::Queued { when_offline, .. } = slot.progress
                && refused(when_offline)
            {
                slot.answer(Err(error));
            }
        }
    }

    /// Nothing that is in flight is answered any more.
    pub(super) fn doubt_in_flight(&mut self) {
        for slot in &mut self.publishes {
            if let Progress::InFlight { .. } = slot.progress {
                slot.answer(Err(PublishError::Indeterminate(Doubt::SessionEnded)));
            }
        }
    }
}

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Machine<'_, P, O, PUBLISHES> {
    /// Messages that have waited long enough to be sent.
    pub(super) fn give_up_waiting(&mut self) {
        let now = self.now;
        for slot in &mut self.publishes {
            if let Progress::Queued { until, .. } = slot.progress
                && now >= until
            {
                slot.answer(Err(PublishError::TimedOut));
            }
        }
    }

    /// Whether an answer to a publish is overdue, and nothing lies before it.
    pub(super) fn is_unanswered(&mut self, pumped: Pumped) -> bool {
        let (now, mut unanswered) = (self.now, false);
        for slot in &mut self.publishes {
            if let Progress::InFlight { until, .. } = slot.progress
                && now >= until
            {
                let waits = pumped == Pumped::MessageWaits;
                unanswered |= !waits;
                let doubt = if waits { Doubt::MessageWaits } else { Doubt::NoAnswer };
                slot.answer(Err(PublishError::Indeterminate(doubt)));
            }
        }
        unanswered
    }

    /// Sends message `slot`, or says what became of it.
    pub(in crate::session) fn poll_publish(
        &mut self,
        slot: usize,
        publish: &Publish<'_>,
        cx: &mut Context<'_>,
        duties: &Duties,
    ) -> Poll<Result<Option<ReasonCode>, PublishError>> {
        let Some(Slot { progress, .. }) = self.publishes.get(slot) else {
            return Poll::Ready(Err(PublishError::TooMany));
        };
        match *progress {
            Progress::Answered(answer) => return Poll::Ready(answer.map(Some)),
            Progress::Queued { until, when_offline } => {
                if let Some(sent) = self.try_publish(slot, publish, when_offline, duties) {
                    return Poll::Ready(sent);
                }
                self.hurry(until, duties);
            }
            Progress::InFlight { .. } => {
                if let Err(cause) = self.pump(duties) {
                    self.fault(cause, duties);
                    self.hurry(0, duties);
                }
            }
            Progress::Free => {}
        }
        let Some(slot) = self.publishes.get_mut(slot) else { return Poll::Pending };
        // It may have been answered just now: by what was read, or because that ended the session.
        if let Progress::Answered(answer) = slot.progress {
            return Poll::Ready(answer.map(Some));
        }
        slot.wait(cx.waker());
        Poll::Pending
    }

    /// The verdict, where there is one already.
    pub(super) fn try_publish(
        &mut self,
        slot: usize,
        publish: &Publish<'_>,
        when_offline: WhenOffline,
        duties: &Duties,
    ) -> Option<Result<Option<ReasonCode>, PublishError>> {
        let Phase::InSession(link) = &mut self.phase else { return not_online(when_offline) };
        if !matches!(self.state, State::Online) {
            return not_online(when_offline);
        }
        match link.channel.request_publish(publish) {
            Ok(_) if publish.qos() == QoS::AtMostOnce => {
                self.full_since = None;
                Some(Ok(None))
            }
            Ok(id) => {
                self.full_since = None;
                let until = self.patience();
                if let Some(slot) = self.publishes.get_mut(slot) {
                    slot.progress = Progress::InFlight { id, until };
                }
                self.hurry(until, duties);
                None
            }
            // What is wrong with this message is nothing that another session would not find as well.
            Err(
                error @ RequestError::Kernel(
                    Status::PARAMETER_FAULT
                    | Status::INVALID_BUFFER_SIZE
                    | Status::INPUT_TOO_LONG
                    | Status::REQUIRED_ELEMENT_MISSING,
                ),
            ) => Some(Err(error.into())),
            Err(error) => match error.recovery() {
                Recovery::Retry => {
                    self.retry_later();
                    let since = *self.full_since.get_or_insert(self.now);
                    if self.now.saturating_sub(since) >= self.parts.policy.no_room_us() {
                        self.fault(Cause::NoAnswer(Awaited::Room), duties);
                    }
                    self.hurry(self.retry_at, duties);
                    None
                }
                Recovery::GiveUp => Some(Err(error.into())),
                Recovery::Reopen => {
                    self.fault(Cause::Publish(error), duties);
                    self.hurry(0, duties);
                    match (error, when_offline) {
                        // Nothing of it was sent.
                        (RequestError::Ended(_), WhenOffline::Wait(_)) => None,
                        _ => Some(Err(error.into())),
                    }
                }
            },
        }
    }
}

/// The verdict on a message that cannot be sent now.
fn not_online(when_offline: WhenOffline) -> Option<Result<Option<ReasonCode>, PublishError>> {
    matches!(when_offline, WhenOffline::Fail).then_some(Err(PublishError::Offline))
}
