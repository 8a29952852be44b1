//! What is wrong with one value.

use core::fmt;

use super::DecodeError;
use crate::{ClosureReason, Recovery, Status, sys};

/// What is wrong with one value, and its key.
///
/// It borrows the key, so that `?` into a boxed error takes keys that are static, as those of
/// [`config_key!`](crate::config_key) can be; [`kind`](Self::kind) borrows nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)] // The name lies where that of any other `SettingsError` does.
pub struct ItemError<'k> {
    key: &'k str,
    kind: ItemErrorKind,
}

impl<'k> ItemError<'k> {
    pub(crate) fn new(key: &'k str, kind: ItemErrorKind) -> Self {
        Self { key, kind }
    }

    /// The name of the value; empty for an index beyond the request.
    pub fn key(&self) -> &'k str {
        self.key
    }

    /// What is wrong.
    pub fn kind(&self) -> ItemErrorKind {
        // It is kept as the kernel tells it.
        match self.kind {
            ItemErrorKind::UnknownResult(sys::MV_CONFIGKEYFETCHRESULT_KEYNOTFOUND) => {
                ItemErrorKind::KeyNotFound
            }
            ItemErrorKind::UnknownResult(sys::MV_CONFIGKEYFETCHRESULT_SERVERERROR) => {
                ItemErrorKind::ServerError
            }
            kind => kind,
        }
    }

    /// What can be done about it. Values are read again on a new channel only.
    pub fn recovery(&self) -> Recovery {
        match self.kind() {
            ItemErrorKind::ServerError
            | ItemErrorKind::ChannelClosed(_)
            | ItemErrorKind::UnknownResult(_)
            | ItemErrorKind::Kernel(_) => Recovery::Reopen,
            ItemErrorKind::NoSuchItem { .. }
            | ItemErrorKind::KeyNotFound
            | ItemErrorKind::MemoryTooSmall { .. }
            | ItemErrorKind::Decode(_) => Recovery::GiveUp,
        }
    }
}

impl fmt::Display for ItemError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        if let ItemErrorKind::NoSuchItem { .. } = kind {
            return kind.fmt(f);
        }
        write!(f, "`{}`: {kind}", self.key)
    }
}

impl fmt::Debug for ItemError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemError").field("key", &self.key).field("kind", &self.kind()).finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for ItemError<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "ItemError {{ key: {=str}, kind: {} }}", self.key, self.kind());
    }
}

impl core::error::Error for ItemError<'_> {}

/// What is wrong with one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ItemErrorKind {
    /// The index is beyond the request.
    NoSuchItem {
        /// The index asked for.
        index: usize,
        /// How many values there are.
        len: usize,
    },
    /// The store has no such key in that scope. Check the name, and whether the value is in the
    /// config or the secret store.
    KeyNotFound,
    /// The server failed to look the value up; fetch it again later.
    ServerError,
    /// The result is one that ABI 0.7.0 does not list.
    UnknownResult(u32),
    /// The text of the value does not fit the caller's free memory.
    MemoryTooSmall {
        /// How many bytes were free. A value has 4,096 characters at most.
        free: usize,
    },
    /// The value is not what it should be.
    Decode(DecodeError),
    /// The channel was closed before the value was read.
    ChannelClosed(ClosureReason),
    /// The kernel refused the call.
    Kernel(Status),
}

impl From<DecodeError> for ItemErrorKind {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl fmt::Display for ItemErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchItem { index, len } => {
                write!(f, "there is no config value {index}; the request has {len} keys")
            }
            Self::KeyNotFound => {
                f.write_str("the store has no such key; check its name, scope and store (config or secret)")
            }
            Self::ServerError => f.write_str("the server could not look it up; fetch it again later"),
            Self::UnknownResult(raw) => write!(f, "result {raw}, which ABI 0.7.0 does not list"),
            Self::MemoryTooSmall { free } => {
                write!(f, "its text does not fit the {free} bytes of memory that are free for it")
            }
            Self::Decode(error) => error.fmt(f),
            Self::ChannelClosed(reason) => write!(f, "the channel was closed before it was read: {reason}"),
            Self::Kernel(status) => write!(f, "it cannot be read: {status}"),
        }
    }
}

impl core::error::Error for ItemErrorKind {}
