//! What a library of drivers or an executor would do with `microvisor`: implement its public traits,
//! take its errors apart, keep its types in structures of its own.
#![no_std]

use core::task::Waker;

use microvisor::{Idle, Recovery, Status};

/// A processor that never sleeps.
pub struct Spin;

impl Idle for Spin {
    fn waker(&self) -> Waker {
        Waker::noop().clone()
    }

    fn sleep(&mut self) {
        core::hint::spin_loop();
    }
}

/// Every error that an application can meet, in one of its own.
#[derive(Debug)]
pub enum Error {
    Status(Status),
    Notifications(microvisor::NotificationError),
    CloseNotifications(microvisor::CloseNotificationsError),
    Network(microvisor::NetworkError),
    Open(microvisor::OpenError),
    Close(microvisor::CloseError),
    Split(microvisor::SplitError),
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::error::Error::source(self).map_or(Ok(()), |source| write!(f, "{source}"))
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(match self {
            Self::Status(error) => error,
            Self::Notifications(error) => error,
            Self::CloseNotifications(error) => error,
            Self::Network(error) => error,
            Self::Open(error) => error,
            Self::Close(error) => error,
            Self::Split(error) => error,
        })
    }
}

/// What the error leaves to do.
pub fn recovery(error: &Error) -> Option<Recovery> {
    match error {
        Error::Notifications(error) => Some(error.recovery()),
        Error::Network(error) => Some(error.recovery()),
        _ => None,
    }
}
