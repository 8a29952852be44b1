//! The document `device.json`: what one device's config and secret stores are to hold.
//!
//! ```json
//! {
//!   "version": 1,
//!   "sid": "UV0123456789abcdef0123456789abcdef",
//!   "entries": [
//!     {"store": "config", "scope": "device", "key": "cert", "encoding": "hex", "value": "3082…"},
//!     {"store": "config", "scope": "device", "key": "broker-port", "encoding": "text", "value": "8883"}
//!   ]
//! }
//! ```
//!
//! A [`Bundle`] has [`Entry`]s; `sid` may be left out where any device may have them. Fields that are
//! not known are refused, as are other versions. The file holds the private key: it is written so that
//! only its owner may read it, and values are wiped from memory when they are dropped.

mod document;
mod entry;
mod error;
mod kinds;

pub use document::{Bundle, VERSION};
pub use entry::{Entry, EntryError};
pub use error::BundleError;
pub use kinds::{Encoding, Scope, Store};
