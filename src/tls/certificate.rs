//! One certificate.

use core::fmt;
use core::marker::PhantomData;
use core::slice;

use super::TlsMaterialError;
use super::material::Place;
use crate::sys;

/// An X.509 certificate in DER, in memory that somebody else owns.
///
/// Only the outer structure has been checked: that these bytes are one whole DER object, and none of
/// the things that are taken for a certificate by mistake. The rest is for the kernel and the far end to
/// judge.
#[derive(Clone, Copy)]
#[repr(transparent)] // So that a slice of these is the array that the kernel reads.
pub struct Certificate<'a> {
    der: sys::MvSizedString,
    borrowed: PhantomData<&'a [u8]>,
}

// SAFETY: a `Certificate` is a shared borrow of bytes, which the pointer only spells differently.
unsafe impl Send for Certificate<'_> {}
// SAFETY: as above; nothing writes through the pointer.
unsafe impl Sync for Certificate<'_> {}

impl<'a> Certificate<'a> {
    /// Checks that `der` is exactly one certificate.
    ///
    /// # Errors
    ///
    /// The [`TlsMaterialError`] that says what it is instead, and how to get a certificate from it.
    pub fn from_der(der: &'a [u8]) -> Result<Self, TlsMaterialError> {
        Place::Certificate.check(der)?;
        Ok(Self::from_checked_der(der))
    }

    /// What was found to be a certificate before.
    pub(crate) const fn from_checked_der(der: &'a [u8]) -> Self {
        #[allow(clippy::cast_possible_truncation)] // `Place::check` takes less than 2^25 bytes.
        let length = der.len() as u32;
        Self { der: sys::MvSizedString { data: der.as_ptr(), length }, borrowed: PhantomData }
    }

    /// The certificate as it came.
    pub fn as_der(&self) -> &'a [u8] {
        // SAFETY: pointer and length are those of the slice that was borrowed for `'a`, or the length is that
        // of a part of it, and a `u32` that came from a `usize` fits one.
        unsafe { slice::from_raw_parts(self.der.data, self.der.length as usize) }
    }
}

impl PartialEq for Certificate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_der() == other.as_der()
    }
}

impl Eq for Certificate<'_> {}

impl fmt::Debug for Certificate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} bytes)", self.der.length)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Certificate<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Certificate({} bytes)", self.der.length);
    }
}
