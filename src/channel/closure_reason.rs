//! Why a channel is closed.

use core::fmt;

use crate::sys;

/// Why the kernel or the other side closed a channel (ABI 0.7.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ClosureReason {
    /// The channel is not closed, as far as the kernel says.
    None,
    /// The server closed it.
    ClosedByServer,
    /// The server reset it.
    ResetByServer,
    /// The network went away.
    NetworkDisconnected,
    /// The connection ended.
    ConnectionTerminated,
    /// It had not been open yet.
    NotYetOpen,
    /// The application closed it.
    ClosedByApplication,
    /// It ended for no stated reason.
    UnexpectedlyTerminated,
    /// A reason that ABI 0.7.0 does not list.
    Unknown(u32),
}

impl ClosureReason {
    pub(crate) fn from_raw(raw: sys::MvClosureReason) -> Self {
        match raw {
            sys::MV_CLOSUREREASON_NONE => Self::None,
            sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER => Self::ClosedByServer,
            sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER => Self::ResetByServer,
            sys::MV_CLOSUREREASON_NETWORKDISCONNECTED => Self::NetworkDisconnected,
            sys::MV_CLOSUREREASON_CONNECTIONTERMINATED => Self::ConnectionTerminated,
            sys::MV_CLOSUREREASON_NOTYETOPEN => Self::NotYetOpen,
            sys::MV_CLOSUREREASON_CLOSEDBYAPPLICATION => Self::ClosedByApplication,
            sys::MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED => Self::UnexpectedlyTerminated,
            other => Self::Unknown(other),
        }
    }
}

impl fmt::Display for ClosureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no reason given",
            Self::ClosedByServer => "closed by the server",
            Self::ResetByServer => "reset by the server",
            Self::NetworkDisconnected => "the network went away",
            Self::ConnectionTerminated => "the connection ended",
            Self::NotYetOpen => "it was not open yet",
            Self::ClosedByApplication => "closed by the application",
            Self::UnexpectedlyTerminated => "it ended unexpectedly",
            Self::Unknown(raw) => return write!(f, "closure reason {raw}, which ABI 0.7.0 does not list"),
        })
    }
}
