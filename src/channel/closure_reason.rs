//! Why a channel is closed.

use core::convert::identity;
use core::fmt;

use crate::code::code;
use crate::sys;

code! {
    /// Why the kernel or the other side closed a channel (ABI 0.7.0). Every `u32` is one.
    pub struct ClosureReason(u32): identity, identity;
    /// The channel is not closed, as far as the kernel says.
    NONE = sys::MV_CLOSUREREASON_NONE, "no reason given";
    /// The server closed it.
    CLOSED_BY_SERVER = sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER, "closed by the server";
    /// The server reset it.
    RESET_BY_SERVER = sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER, "reset by the server";
    /// The network went away.
    NETWORK_DISCONNECTED = sys::MV_CLOSUREREASON_NETWORKDISCONNECTED, "the network went away";
    /// The connection ended.
    CONNECTION_TERMINATED = sys::MV_CLOSUREREASON_CONNECTIONTERMINATED, "the connection ended";
    /// It had not been open yet.
    NOT_YET_OPEN = sys::MV_CLOSUREREASON_NOTYETOPEN, "it was not open yet";
    /// The application closed it.
    CLOSED_BY_APPLICATION = sys::MV_CLOSUREREASON_CLOSEDBYAPPLICATION, "closed by the application";
    /// It ended for no stated reason.
    UNEXPECTEDLY_TERMINATED = sys::MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED, "it ended unexpectedly";
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
