//! Why a channel is closed.

use core::convert::identity;
use core::fmt;

use crate::code::code;
use crate::sys;

code! {
    /// Why the kernel or the other side closed a channel (ABI 0.7.0). Every `u32` is one.
    pub struct ClosureReason(u32): identity, identity;
    /// The channel is not closed, as far as the kernel says.
    None = sys::MV_CLOSUREREASON_NONE, "no reason given";
    /// The server closed it.
    ClosedByServer = sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER, "closed by the server";
    /// The server reset it.
    ResetByServer = sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER, "reset by the server";
    /// The network went away.
    NetworkDisconnected = sys::MV_CLOSUREREASON_NETWORKDISCONNECTED, "the network went away";
    /// The connection ended.
    ConnectionTerminated = sys::MV_CLOSUREREASON_CONNECTIONTERMINATED, "the connection ended";
    /// It had not been open yet.
    NotYetOpen = sys::MV_CLOSUREREASON_NOTYETOPEN, "it was not open yet";
    /// The application closed it.
    ClosedByApplication = sys::MV_CLOSUREREASON_CLOSEDBYAPPLICATION, "closed by the application";
    /// It ended for no stated reason.
    UnexpectedlyTerminated = sys::MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED, "it ended unexpectedly";
}

impl ClosureReason {
    /// The reason with that number.
    #[inline]
    pub const fn from_raw(raw: sys::MvClosureReason) -> Self {
        Self(raw)
    }
}

impl fmt::Display for ClosureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some((_, prose)) => f.write_str(prose),
            None => write!(f, "closure reason {}, which ABI 0.7.0 does not list", self.raw()),
        }
    }
}
