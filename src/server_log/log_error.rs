//! Why there is no log, or not this message in it.

use core::fmt;

use crate::{Recovery, Status};

/// Why logging did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StartLogError {
    /// The kernel refused.
    Kernel(Status),
}

impl StartLogError {
    /// What can be done: nothing, within the program.
    pub const fn recovery(self) -> Recovery {
        Recovery::GiveUp
    }
}

impl fmt::Display for StartLogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(status) => write!(f, "cannot start logging: {status}"),
        }
    }
}

impl core::error::Error for StartLogError {}

/// Why a message was not logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LogError {
    /// What was logged before and not sent yet leaves no room for the message.
    BufferFull,
    /// The message is longer than the kernel takes, or than the 65,535 bytes that a call can pass.
    TooLong,
    /// The server has switched logging off for this device.
    DisabledByServer,
    /// The kernel refused for another reason.
    Kernel(Status),
}

impl LogError {
    /// What can be done about it.
    pub const fn recovery(self) -> Recovery {
        match self {
            Self::BufferFull => Recovery::Retry,
            Self::TooLong | Self::DisabledByServer | Self::Kernel(_) => Recovery::GiveUp,
        }
    }

    /// What the kernel answered, or would have.
    pub const fn status(self) -> Status {
        match self {
            Self::BufferFull => Status::INVALID_BUFFER_SIZE,
            Self::TooLong => Status::LOG_MESSAGE_TOO_LONG,
            Self::DisabledByServer => Status::LOGGING_DISABLED_BY_SERVER,
            Self::Kernel(status) => status,
        }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferFull => f.write_str("the log buffer has no room for the message now"),
            Self::TooLong => f.write_str("the log message is too long; split it"),
            Self::DisabledByServer => f.write_str("the server has switched logging off"),
            Self::Kernel(status) => write!(f, "cannot log: {status}"),
        }
    }
}

impl core::error::Error for LogError {}

/// So that a writer that reports these errors can be built on [`ServerLog::log`](super::ServerLog::log).
impl embedded_io::Error for LogError {
    fn kind(&self) -> embedded_io::ErrorKind {
        match self {
            Self::BufferFull => embedded_io::ErrorKind::OutOfMemory,
            Self::TooLong => embedded_io::ErrorKind::InvalidInput,
            Self::DisabledByServer => embedded_io::ErrorKind::PermissionDenied,
            Self::Kernel(_) => embedded_io::ErrorKind::Other,
        }
    }
}
