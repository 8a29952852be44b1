//! How a session ended.

use core::fmt;

use super::{ReasonCode, RequestState};
use crate::ClosureReason;

/// How a session ended. Nothing more can be asked of the channel; close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SessionEnd {
    /// There was a DISCONNECT, the broker's own or the answer to the application's request.
    Disconnected {
        /// Whether the kernel carried it out.
        state: RequestState,
        /// The broker's reason. [`SessionTakenOver`](ReasonCode::SESSION_TAKEN_OVER): another client
        /// uses the same client id.
        reason: ReasonCode,
    },
    /// The connection is gone without a DISCONNECT. AWS IoT does this for whatever the device's
    /// policy does not allow.
    ChannelClosed(ClosureReason),
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected { state, reason } if state.is_completed() => {
                write!(f, "disconnected: {reason}")
            }
            Self::Disconnected { state, .. } => write!(f, "disconnected: {state}"),
            Self::ChannelClosed(reason) => write!(f, "the connection is gone: {reason}"),
        }
    }
}

impl core::error::Error for SessionEnd {}
