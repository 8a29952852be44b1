use core::fmt;
use std::io;

use crate::api::Address;

/// What earlier runs of the same work did to an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Before {
    /// Nothing that is known.
    #[default]
    Nothing,
    /// A secret was sent, and nobody knows what came of it.
    Sent {
        /// Whether its key is known not to have been there at that time.
        absent: bool,
    },
    /// It was stored.
    Stored,
}

/// Remembers what is done, so that a run can be carried on by another one.
///
/// Each method returns when what it was told cannot be lost any more. If one fails, nothing more is sent.
pub trait History: fmt::Debug + Sync {
    /// What earlier runs did.
    fn before(&self, address: &Address) -> Before;

    /// A secret is about to be sent.
    ///
    /// # Errors
    ///
    /// It could not be written down.
    fn sending(&self, address: &Address, absent: bool) -> io::Result<()>;

    /// The secret that was sent last was not stored, for sure.
    ///
    /// # Errors
    ///
    /// It could not be written down.
    fn not_stored(&self, address: &Address) -> io::Result<()>;

    /// An entry is stored.
    ///
    /// # Errors
    ///
    /// It could not be written down.
    fn stored(&self, address: &Address) -> io::Result<()>;
}

/// Remembers nothing: each run begins anew, and finds out from the API what is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHistory;

impl History for NoHistory {
    fn before(&self, _: &Address) -> Before {
        Before::Nothing
    }

    fn sending(&self, _: &Address, _: bool) -> io::Result<()> {
        Ok(())
    }

    fn not_stored(&self, _: &Address) -> io::Result<()> {
        Ok(())
    }

    fn stored(&self, _: &Address) -> io::Result<()> {
        Ok(())
    }
}
