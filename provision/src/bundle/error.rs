//! What can be wrong with a bundle.

use std::io;
use std::path::PathBuf;

use microvisor::DeviceIdError;
use thiserror::Error;

use super::{EntryError, Scope, Store, VERSION};

/// Why a file is no bundle, or cannot be written as one. No message holds a value of the bundle.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}; check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {error}; check that its folder is there and may be written to", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The text is not a bundle's JSON.
    #[error("not a bundle: {message}; make it with `microvisor-provision bundle`")]
    Malformed {
        /// What is wrong, and where.
        message: String,
    },
    /// The document is of another version.
    #[error("the bundle has version {found}, and this tool knows version {VERSION}; make the bundle again")]
    Version {
        /// What the document says.
        found: u64,
    },
    /// The device's SID is not one.
    #[error("the bundle's `sid` cannot be: {0}")]
    Sid(DeviceIdError),
    /// An entry cannot be in any store.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// Two entries would go to the same place.
    #[error("the bundle has two entries {key} for the {scope}'s {store}s; leave one")]
    Duplicate {
        /// The store of both.
        store: Store,
        /// The scope of both.
        scope: Scope,
        /// The key of both.
        key: String,
    },
}
