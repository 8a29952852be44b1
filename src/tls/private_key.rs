//! The private key of an identity.

use core::fmt;

use super::TlsMaterialError;
use super::material::Place;
use crate::{Secret, sys};

/// A private key in PKCS#8 DER, not encrypted.
///
/// Only the outer structure has been checked: that these bytes are one whole DER object, and none of
/// the things that are taken for such a key by mistake. Whether the key belongs to a certificate shows
/// when the far end refuses the connection.
pub struct PrivateKey<'a> {
    der: Storage<'a>,
}

enum Storage<'a> {
    Borrowed(&'a [u8]),
    Owned(Secret<'a>),
}

impl<'a> PrivateKey<'a> {
    /// Checks that `der` is exactly one PKCS#8 key, such as one built into the firmware.
    ///
    /// The bytes stay the caller's, to wipe as well; [`from_secret`](Self::from_secret) does that by
    /// itself.
    ///
    /// # Errors
    ///
    /// The [`TlsMaterialError`] that says what it is instead, and how to get a PKCS#8 key from it.
    pub fn from_pkcs8_der(der: &'a [u8]) -> Result<Self, TlsMaterialError> {
        Place::PrivateKey.check(der)?;
        Ok(Self::from_checked_der(der))
    }

    /// What was found to be a key before.
    pub(crate) const fn from_checked_der(der: &'a [u8]) -> Self {
        Self { der: Storage::Borrowed(der) }
    }

    /// Checks that `der` holds exactly one PKCS#8 key, and wipes it when the key is dropped.
    ///
    /// # Errors
    ///
    /// As [`from_pkcs8_der`](Self::from_pkcs8_der). Then the memory has been wiped.
    pub fn from_secret(der: Secret<'a>) -> Result<Self, TlsMaterialError> {
        Place::PrivateKey.check(der.expose())?;
        Ok(Self { der: Storage::Owned(der) })
    }

    /// The key as the kernel reads it. Valid while `self` is borrowed.
    #[allow(clippy::cast_possible_truncation)] // `Place::check` takes less than 2^25 bytes.
    pub(super) fn raw(&self) -> sys::MvSizedString {
        let der = self.der();
        sys::MvSizedString { data: der.as_ptr(), length: der.len() as u32 }
    }

    fn der(&self) -> &[u8] {
        match &self.der {
            Storage::Borrowed(der) => der,
            Storage::Owned(secret) => secret.expose(),
        }
    }
}

impl fmt::Debug for PrivateKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({} bytes)", self.der().len())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for PrivateKey<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "PrivateKey({} bytes)", self.der().len());
    }
}
