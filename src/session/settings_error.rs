//! Why a device's settings cannot be used.

use core::fmt;

use crate::aws::ProfileError;
use crate::config::{FetchError, ItemError};
use crate::mqtt::{ClientIdError, UserError};
use crate::tls::TlsMaterialError;
use crate::{CloseError, OpenError, Recovery};

/// Why the settings that a device fetched cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SettingsError {
    /// The config channel did not open.
    Open(OpenError),
    /// The fetch failed as a whole.
    Fetch(FetchError),
    /// A value is missing, or is not text of the right kind.
    Item(ItemError<'static>),
    /// A value was decoded, but is not the TLS material that it should be.
    Material {
        /// The name of the value.
        key: &'static str,
        /// What it is instead.
        error: TlsMaterialError,
    },
    /// The client id is none.
    ClientId(ClientIdError),
    /// The user name or the password cannot be used.
    User(UserError),
    /// AWS IoT does not take such a connection.
    Profile(ProfileError),
    /// A profile of one's own finds something else wrong.
    Other {
        /// The name of the value, or of whatever is at fault.
        key: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The kernel did not close the config channel when it was to. It was closed once more since: take
    /// the buffers' memory again, or if it is not there, it is lost.
    Close(CloseError),
}

impl SettingsError {
    /// The name of the value at fault, where it is one.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::Item(error) => Some(error.key()),
            Self::Material { key, .. } | Self::Other { key, .. } => Some(key),
            Self::Open(_)
            | Self::Fetch(_)
            | Self::Close(_)
            | Self::ClientId(_)
            | Self::User(_)
            | Self::Profile(_) => None,
        }
    }

    /// What can be done about it. [`GiveUp`](Recovery::GiveUp): somebody has to put the stored
    /// values right. A device in the field should still fetch them again now and then.
    pub fn recovery(&self) -> Recovery {
        match self {
            Self::Open(error) => error.recovery(),
            Self::Fetch(error) => error.recovery(),
            Self::Item(error) => error.recovery(),
            Self::Material { .. }
            | Self::ClientId(_)
            | Self::User(_)
            | Self::Profile(_)
            | Self::Other { .. } => Recovery::GiveUp,
            Self::Close(_) => Recovery::Reopen,
        }
    }
}

impl From<ItemError<'static>> for SettingsError {
    fn from(error: ItemError<'static>) -> Self {
        Self::Item(error)
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Fetch(error) => error.fmt(f),
            Self::Item(error) => error.fmt(f),
            Self::Material { key, error } => write!(f, "`{key}`: {error}"),
            Self::ClientId(error) => error.fmt(f),
            Self::User(error) => error.fmt(f),
            Self::Profile(error) => error.fmt(f),
            Self::Other { key, problem } => write!(f, "`{key}`: {problem}"),
            Self::Close(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SettingsError {}
