//! Why a request in a session failed.

use core::fmt;

use super::{EventError, LimitError, ReasonCode, RequestState, SessionEnd};
use crate::{Recovery, Status};

/// Why a publish, subscribe, unsubscribe or disconnect failed.
///
/// What the broker decided about single topics is not here but in the outcomes of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RequestError {
    /// The request is beyond the limits of the platform or the broker. Nothing was sent.
    Limit(LimitError),
    /// One request of this kind is in flight, and the platform has room for one. Nothing was sent.
    InFlight,
    /// The kernel has no room for it now; try again later. Nothing was sent.
    RateLimited,
    /// The kernel did not take the request. `LATE_FAULT`: the channel is unusable.
    Kernel(Status),
    /// The kernel could not carry the request out.
    Failed(RequestState),
    /// The broker refused.
    Refused(ReasonCode),
    /// A response is to none of this session's requests, so it says nothing about the one in flight.
    /// Or a request was waited for that is none of this session's, or is answered already.
    OtherRequest,
    /// The response has another number of reason codes than the request had topics, so it is
    /// unknown which topics they are for.
    WrongOutcomeCount {
        /// How many topics were asked for.
        requested: u8,
        /// How many reason codes came.
        received: u32,
    },
    /// The session had ended already. Nothing was sent.
    Ended(SessionEnd),
    /// The session ended before the answer came. **Whether the broker took the request is unknown.**
    Indeterminate(SessionEnd),
    /// What has to be read before this request's turn could not be. Nothing was sent; read on and
    /// repeat it.
    NotSent(EventError),
    /// What came next could not be read, so the answer is behind it. **The request is still in
    /// flight**; do not repeat it, but read on.
    Event(EventError),
}

impl RequestError {
    /// What can be done about it.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::NotSent(error) => error.recovery(),
            Self::InFlight
            | Self::RateLimited
            | Self::Kernel(Status::MICROVISOR_BUSY)
            | Self::Refused(
                ReasonCode::SERVER_BUSY
                | ReasonCode::SERVER_UNAVAILABLE
                | ReasonCode::QUOTA_EXCEEDED
                | ReasonCode::MESSAGE_RATE_TOO_HIGH,
            ) => Recovery::Retry,
            Self::Limit(_) | Self::Refused(_) | Self::Failed(RequestState::INVALID_PARAMETERS) => {
                Recovery::GiveUp
            }
            Self::Kernel(Status::TOO_MANY_ELEMENTS) => Recovery::GiveUp,
            Self::Event(_)
            | Self::OtherRequest
            | Self::Kernel(_)
            | Self::Failed(_)
            | Self::WrongOutcomeCount { .. }
            | Self::Ended(_)
            | Self::Indeterminate(_) => Recovery::Reopen,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(error) => error.fmt(f),
            Self::InFlight => f.write_str("a request of this kind is in flight; wait for its answer"),
            Self::RateLimited => f.write_str("the kernel takes no further request now; try again later"),
            Self::Kernel(status) => write!(f, "the request was not taken: {status}"),
            Self::Failed(state) => write!(f, "the request was not carried out: {state}"),
            Self::Refused(reason) => write!(f, "the broker refused: {reason}"),
            Self::OtherRequest => {
                f.write_str("that is none of the requests that are in flight in this session")
            }
            Self::WrongOutcomeCount { requested, received } => {
                write!(f, "{requested} topics were asked for, but {received} answers came")
            }
            Self::Ended(end) => write!(f, "the session is over: {end}"),
            Self::Indeterminate(end) => {
                write!(
                    f,
                    "the session ended before the answer; the broker may have taken the request or not: {end}"
                )
            }
            Self::NotSent(error) | Self::Event(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RequestError {}
