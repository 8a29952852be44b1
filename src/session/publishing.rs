//! Publishing, and what becomes of it.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use super::Session;
use super::broker_profile::BrokerProfile;
use super::event::Observer;
use crate::Status;
use crate::mqtt::{LimitError, ProtocolVersion, Publish, PublishResponse, ReasonCode, RequestState};
use crate::uses::FUTURES;

/// What becomes of a message while the session is not online, or the kernel takes no more requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WhenOffline {
    /// Publishing fails at once. A message that the kernel has no room for while the session is
    /// online waits for as long as an [answer](super::Policy::with_answer_timeout) may take.
    Fail,
    /// The message waits this long at most to be sent.
    Wait(Duration),
}

/// What came of publishing, when it is not the broker's success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PublishError {
    /// The message is beyond the limits of the broker. Nothing was sent.
    Limit(LimitError),
    /// As many messages are on their way as the session can follow. Nothing was sent.
    TooMany,
    /// The session is not online. Nothing was sent.
    Offline,
    /// The kernel has no room for the message now: try again a little later. Nothing was sent.
    NoRoom,
    /// The session did not come online, or the kernel did not take the message, in the time given.
    /// Nothing was sent.
    TimedOut,
    /// The session was disconnected on request. Nothing was sent.
    Stopped,
    /// The kernel did not take the message. Nothing was sent.
    Kernel(Status),
    /// The kernel did not send it: it takes it for invalid, or was not connected.
    Failed(RequestState),
    /// The broker refused it.
    Refused(ReasonCode),
    /// It was sent, and **whether the broker took it is unknown**: publishing it again may deliver it
    /// twice, not doing so may lose it.
    Indeterminate(Doubt),
    /// The session is in use: an observer or a waker called it back.
    InUse,
}

/// Why it is unknown what became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Doubt {
    /// The session with the broker ended before the answer.
    SessionEnded,
    /// The answer did not come in time.
    NoAnswer,
    /// The kernel says that it failed, and not how far it had got.
    Failed(RequestState),
    /// The kernel found a fault after a part of it had gone out.
    LateFault,
    /// The answer did not come in time, and may lie behind a message that nobody received: receive
    /// messages while publishing, in another task or by `select` or `join`.
    MessageWaits,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(error) => error.fmt(f),
            Self::TooMany => f.write_str(
                "as many messages are on their way as the session can follow; wait for one, or build it for more",
            ),
            Self::Offline => f.write_str("the session is not online; nothing was sent"),
            Self::NoRoom => f.write_str("the kernel has no room for the message now; try again a little later"),
            Self::TimedOut => f.write_str("the message could not be sent in time"),
            Self::Stopped => f.write_str("the session was disconnected before the message was sent"),
            Self::Kernel(status) => write!(f, "the message was not taken: {status}"),
            Self::Failed(state) => write!(f, "the message was not sent: {state}"),
            Self::Refused(reason) => write!(f, "the broker refused the message: {reason}"),
            Self::Indeterminate(doubt) => {
                let why = match doubt {
                    Doubt::Failed(state) => {
                        return write!(f, "the broker may have taken the message or not: {state}");
                    }
                    Doubt::LateFault => "the request failed half-way",
                    Doubt::SessionEnded => "the session ended before the answer",
                    Doubt::NoAnswer => "no answer came in time",
                    Doubt::MessageWaits => "the answer waits behind a message that nobody receives",
                };
                write!(f, "the broker may have taken the message or not: {why}")
            }
            Self::InUse => f.write_str("the session cannot be used from within its own observer or waker"),
        }
    }
}

impl core::error::Error for PublishError {}

/// How far a message is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Progress {
    Free,
    /// Not sent yet.
    Queued,
    /// Sent.
    InFlight,
    Answered,
}

/// The verdict on a message, small enough to be kept in each slot.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Verdict {
    // What a slot begins with: zero, like the rest of it.
    Offline,
    /// What the two layers said: the platform and the broker.
    Answered(RequestState, ReasonCode),
    InDoubt(Doubt),
    TimedOut,
    Stopped,
}

impl Verdict {
    pub(super) fn of(response: &PublishResponse, version: ProtocolVersion) -> Self {
        Self::Answered(response.state, response.reason_in(version))
    }
}

impl From<Verdict> for Result<ReasonCode, PublishError> {
    fn from(verdict: Verdict) -> Self {
        Err(match verdict {
            Verdict::Answered(RequestState::REQUEST_COMPLETED, reason) if reason.is_success() => {
                return Ok(reason);
            }
            Verdict::Answered(RequestState::REQUEST_COMPLETED, reason) => PublishError::Refused(reason),
            Verdict::Answered(
                state @ (RequestState::INVALID_PARAMETERS | RequestState::NOT_CONNECTED),
                _,
            ) => PublishError::Failed(state),
            Verdict::Answered(state, _) => PublishError::Indeterminate(Doubt::Failed(state)),
            Verdict::InDoubt(doubt) => PublishError::Indeterminate(doubt),
            Verdict::Offline => PublishError::Offline,
            Verdict::TimedOut => PublishError::TimedOut,
            Verdict::Stopped => PublishError::Stopped,
        })
    }
}

/// One message that somebody publishes.
pub(super) struct Slot {
    pub(super) progress: Progress,
    /// While it is queued: whether it fails when the session is not online.
    pub(super) fails_offline: bool,
    /// The verdict is for one who asks for whichever is there, not for a future.
    pub(super) is_for_next: bool,
    /// Once it is sent: its correlation id.
    pub(super) id: u32,
    /// Until when it may be sent, or answered.
    pub(super) until: u64,
    pub(super) verdict: Verdict,
    pub(super) waker: Option<Waker>,
}

impl Slot {
    pub(super) const fn free() -> Self {
        Self {
            progress: Progress::Free,
            fails_offline: false,
            is_for_next: false,
            id: 0,
            until: 0,
            verdict: Verdict::Offline,
            waker: None,
        }
    }

    pub(super) fn is_in_flight(&self, id: u32) -> bool {
        self.progress == Progress::InFlight && self.id == id
    }

    pub(super) fn wait(&mut self, waker: &Waker) {
        FUTURES.make();
        match &self.waker {
            Some(known) if known.will_wake(waker) => {}
            _ => self.waker = Some(waker.clone()),
        }
    }

    pub(super) fn wake(&mut self) {
        if FUTURES.is_made()
            && let Some(waker) = self.waker.take()
        {
            waker.wake();
        }
    }

    pub(super) fn answer(&mut self, verdict: Verdict) {
        self.progress = Progress::Answered;
        self.verdict = verdict;
        self.wake();
    }

    /// Whether there is a verdict for one who asks for whichever is there.
    pub(super) fn is_for_next(&self) -> bool {
        self.progress == Progress::Answered && (!FUTURES.is_made() || self.is_for_next)
    }

    /// The verdict, if there is one.
    pub(super) fn answered(&self) -> Option<Result<ReasonCode, PublishError>> {
        (self.progress == Progress::Answered).then(|| self.verdict.into())
    }
}

/// A message on its way: resolves to the broker's success code, or `None` for QoS 0, about which a
/// broker says nothing.
///
/// # Cancellation
///
/// Dropping it before it was sent leaves it unsent; later, it may or may not be published.
#[must_use = "a message is sent only while this is awaited"]
pub struct Publishing<'s, 'a, 'p, P: BrokerProfile, O, const PUBLISHES: usize> {
    pub(super) session: &'s Session<'a, P, O, PUBLISHES>,
    pub(super) publish: Publish<'p>,
    pub(super) when_offline: WhenOffline,
    pub(super) slot: Place,
}

/// Where a message is kept account of.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// Nowhere yet.
    None,
    At(usize),
    /// The verdict was given.
    Done,
}

impl<P: BrokerProfile, O, const PUBLISHES: usize> Publishing<'_, '_, '_, P, O, PUBLISHES> {
    /// Whether the kernel has the message. Until then, dropping this withdraws it.
    pub fn is_sent(&self) -> bool {
        match self.slot {
            Place::None => false,
            // A session in use may be sending it just now.
            Place::At(slot) => self.session.machine().is_none_or(|machine| machine.is_sent(slot)),
            Place::Done => true,
        }
    }
}

// Nothing in it is borrowed from itself.
impl<P: BrokerProfile, O, const PUBLISHES: usize> Unpin for Publishing<'_, '_, '_, P, O, PUBLISHES> {}

impl<P: BrokerProfile, O: Observer, const PUBLISHES: usize> Future
    for Publishing<'_, '_, '_, P, O, PUBLISHES>
{
    type Output = Result<Option<ReasonCode>, PublishError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let session = this.session;
        let Some(mut machine) = session.machine() else { return Poll::Ready(Err(PublishError::InUse)) };
        let slot = match this.slot {
            Place::At(slot) => slot,
            Place::None => {
                let Some(slot) = machine.queue(this.when_offline, &session.duties) else {
                    this.slot = Place::Done;
                    return Poll::Ready(Err(PublishError::TooMany));
                };
                slot
            }
            // As any future may that is polled once too often.
            Place::Done => return Poll::Pending,
        };
        this.slot = Place::At(slot);
        let answer = machine.poll_publish(slot, &this.publish, cx, &session.duties);
        if answer.is_ready() {
            machine.forget(slot);
            this.slot = Place::Done;
        }
        answer
    }
}

impl<P: BrokerProfile, O, const PUBLISHES: usize> Drop for Publishing<'_, '_, '_, P, O, PUBLISHES> {
    fn drop(&mut self) {
        let Place::At(slot) = self.slot else { return };
        match self.session.machine() {
            Some(mut machine) => machine.forget(slot),
            None => self.session.duties.abandon(slot),
        }
    }
}

impl<P: BrokerProfile, O, const PUBLISHES: usize> fmt::Debug for Publishing<'_, '_, '_, P, O, PUBLISHES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publishing").field("publish", &self.publish).finish_non_exhaustive()
    }
}
