use std::fmt;
use std::time::Duration;

/// Something that no correct application does, whatever the platform does.
///
/// Examples: a pointer that cannot be right, a structure of an unknown version, a handle that was closed
/// already, a write into a buffer that the kernel owns. An error that a correct program can meet, such as
/// a rate limit, is no misuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Misuse {
    /// The system call at which it was noticed; empty if that was between two calls.
    pub call: String,
    /// What is wrong, in a sentence.
    pub what: String,
    /// When, since boot.
    pub at: Duration,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:3}.{:06}] ", self.at.as_secs(), self.at.subsec_micros())?;
        if !self.call.is_empty() {
            write!(f, "{}: ", self.call)?;
        }
        f.write_str(&self.what)
    }
}
