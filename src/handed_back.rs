//! Errors that give back what went in.

use core::fmt;

/// An error together with what the failed operation had taken: a channel, buffers, an obligation.
///
/// Nothing that a caller puts in is lost because an operation failed; where the kernel may have kept it,
/// the type says so by an `Option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandedBack<T, E> {
    /// What went wrong.
    pub error: E,
    /// What went in, for another try or for giving it up properly.
    pub value: T,
}

impl<T, E> HandedBack<T, E> {
    /// The error alone. What went in is dropped: a channel is closed, buffers go back where they were
    /// taken from.
    pub fn into_error(self) -> E {
        self.error
    }
}

/// The error alone.
#[cfg(feature = "defmt")]
impl<T, E: defmt::Format> defmt::Format for HandedBack<T, E> {
    fn format(&self, f: defmt::Formatter<'_>) {
        self.error.format(f);
    }
}

impl<T, E: fmt::Display> fmt::Display for HandedBack<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T: fmt::Debug, E: core::error::Error> core::error::Error for HandedBack<T, E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.error.source()
    }
}
