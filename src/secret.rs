//! Bytes that must not outlive their use.

use core::fmt;
use core::mem;

use crate::wipe::wipe;

/// A secret in the caller's memory, which is wiped when the `Secret` is dropped.
///
/// It owns the exclusive borrow of the memory, so that nothing else can copy from it meanwhile, and
/// neither `Debug` nor `defmt` shows more than its length. [`mem::forget`] leaves the bytes where
/// they are: that leaks a secret, not memory safety.
///
/// ```
/// use microvisor::Secret;
///
/// let mut memory = *b"correct horse";
/// let secret = Secret::new(&mut memory);
/// assert_eq!(secret.expose(), b"correct horse");
/// assert_eq!(format!("{secret:?}"), "Secret(13 bytes)");
/// drop(secret);
/// assert_eq!(memory, [0; 13]);
/// ```
#[must_use = "the secret is wiped as soon as this is dropped"]
pub struct Secret<'a> {
    bytes: &'a mut [u8],
}

impl<'a> Secret<'a> {
    /// Takes charge of the secret that `bytes` holds, all of it.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes }
    }

    /// The secret itself. Copies of it are the caller's to wipe.
    pub fn expose(&self) -> &[u8] {
        self.bytes
    }

    /// The secret, to be changed in place, as a decoder does.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        self.bytes
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Keeps the first `length` bytes and wipes the others now.
    ///
    /// A `length` beyond the end changes nothing.
    pub fn truncate(&mut self, length: usize) {
        if length <= self.bytes.len()
            && let Some((kept, rest)) = mem::take(&mut self.bytes).split_at_mut_checked(length)
        {
            wipe(rest);
            self.bytes = kept;
        }
    }
}

impl Drop for Secret<'_> {
    fn drop(&mut self) {
        wipe(self.bytes);
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Secret<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Secret({} bytes)", self.len());
    }
}
