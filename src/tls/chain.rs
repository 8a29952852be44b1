//! Certificates in the order in which TLS sends them.

use core::slice;

use super::{Certificate, TlsMaterialError};
use crate::sys;

/// One to eight certificates.
///
/// Of an identity: its own certificate first, then each issuer after what it issued, without the
/// root. Of what is trusted: the CA certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CertificateChain<'a> {
    certificates: &'a [Certificate<'a>],
}

impl<'a> CertificateChain<'a> {
    /// How many certificates the platform takes in one chain.
    pub const MAX: usize = 8;

    /// A chain of these certificates.
    ///
    /// # Errors
    ///
    /// - [`EmptyChain`](TlsMaterialError::EmptyChain): leave the chain out instead.
    /// - [`TooManyCertificates`](TlsMaterialError::TooManyCertificates): leave out the root and what
    ///   else the far end already has.
    pub const fn new(certificates: &'a [Certificate<'a>]) -> Result<Self, TlsMaterialError> {
        match certificates.len() {
            0 => Err(TlsMaterialError::EmptyChain),
            1..=Self::MAX => Ok(Self { certificates }),
            count => Err(TlsMaterialError::TooManyCertificates { count, max: Self::MAX }),
        }
    }

    /// A chain of one.
    pub const fn single(certificate: &'a Certificate<'a>) -> Self {
        Self { certificates: slice::from_ref(certificate) }
    }

    /// The certificates.
    pub const fn certificates(&self) -> &'a [Certificate<'a>] {
        self.certificates
    }

    /// The chain as the kernel reads it. Valid while the certificates and the slice of them are.
    #[allow(clippy::cast_possible_truncation)] // At most `MAX`.
    pub(super) const fn raw(self) -> sys::MvTlsCertificateChain {
        sys::MvTlsCertificateChain {
            num_certs: self.certificates.len() as u32,
            certs: self.certificates.as_ptr().cast(),
        }
    }
}

impl<'a> From<&'a Certificate<'a>> for CertificateChain<'a> {
    fn from(certificate: &'a Certificate<'a>) -> Self {
        Self::single(certificate)
    }
}
