//! Why a fetch failed as a whole.

use core::fmt;

use crate::{ClosureReason, Recovery, Status};

/// Why a fetch failed as a whole. What is wrong with one value is an [`ItemError`](super::ItemError).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FetchError {
    /// The list of keys is empty.
    NoKeys,
    /// The list has more keys than the kernel takes in one request; fetch them in several.
    TooManyKeys,
    /// The values together do not fit the receive buffer. A larger one, or fewer keys, helps.
    ResponseTooLarge,
    /// The response holds another number of values than were asked for.
    WrongItemCount {
        /// How many were asked for.
        requested: usize,
        /// How many the kernel says there are.
        received: u32,
    },
    /// The overall result is one that ABI 0.7.0 does not list.
    UnknownResult(u32),
    /// The channel was closed before the response came.
    ChannelClosed(ClosureReason),
    /// The kernel refused a call. `LATE_FAULT`: the channel is unusable. `INVALID_BUFFER_SIZE`: the
    /// request does not fit the send buffer.
    Kernel(Status),
}

impl FetchError {
    /// What can be done about it. A fetch is never repeated on the same channel.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::NoKeys | Self::TooManyKeys | Self::ResponseTooLarge => Recovery::GiveUp,
            Self::WrongItemCount { .. }
            | Self::UnknownResult(_)
            | Self::ChannelClosed(_)
            | Self::Kernel(_) => Recovery::Reopen,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKeys => f.write_str("a config fetch needs one key at least"),
            Self::TooManyKeys => {
                f.write_str("the kernel does not take so many keys in one config fetch; use several")
            }
            Self::ResponseTooLarge => f.write_str(
                "the config values do not fit the channel's receive buffer; enlarge it or fetch fewer keys at once",
            ),
            Self::WrongItemCount { requested, received } => {
                write!(f, "{requested} config values were asked for, but {received} came")
            }
            Self::UnknownResult(raw) => {
                write!(f, "the config fetch failed with result {raw}, which ABI 0.7.0 does not list")
            }
            Self::ChannelClosed(reason) => {
                write!(f, "the config channel was closed before the values came: {reason}")
            }
            Self::Kernel(status) => write!(f, "the config fetch failed: {status}"),
        }
    }
}

impl core::error::Error for FetchError {}
