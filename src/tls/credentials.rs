//! What one TLS connection is made with.

use core::fmt;
use core::marker::PhantomData;
use core::ptr;

use super::{Certificate, CertificateChain, PrivateKey};
use crate::sys;

/// Whom the device trusts and as whom it presents itself; both can be left out.
///
/// Without [`trust`](Self::trust) the platform's own list of public CAs decides; with it, only the
/// certificates given. Without [`identity`](Self::identity) the device shows no certificate.
#[derive(Clone, Copy)]
#[must_use]
pub struct Credentials<'a> {
    raw: sys::MvTlsCredentials,
    borrowed: PhantomData<&'a [Certificate<'a>]>,
}

// SAFETY: `Credentials` are shared borrows of certificates and of a key's bytes, which the pointers only spell
// differently.
unsafe impl Send for Credentials<'_> {}
// SAFETY: as above; nothing writes through the pointers.
unsafe impl Sync for Credentials<'_> {}

const NO_CHAIN: sys::MvTlsCertificateChain = sys::MvTlsCertificateChain { num_certs: 0, certs: ptr::null() };

impl<'a> Credentials<'a> {
    /// Public CAs, no certificate of the device.
    pub const fn new() -> Self {
        let no_key = sys::MvSizedString { data: ptr::null(), length: 0 };
        Self {
            raw: sys::MvTlsCredentials {
                cacert: NO_CHAIN,
                clientcert: sys::MvOwnTlsCertificateChain { chain: NO_CHAIN, key: no_key },
            },
            borrowed: PhantomData,
        }
    }

    /// Trusts these CA certificates, and no others.
    pub const fn trust(mut self, authorities: CertificateChain<'a>) -> Self {
        self.raw.cacert = authorities.raw();
        self
    }

    /// Presents `chain`, whose first certificate belongs to `key`.
    pub fn identity(mut self, chain: CertificateChain<'a>, key: &'a PrivateKey<'_>) -> Self {
        self.raw.clientcert = sys::MvOwnTlsCertificateChain { chain: chain.raw(), key: key.raw() };
        self
    }

    /// Whether the device presents a certificate.
    pub const fn has_identity(&self) -> bool {
        self.raw.clientcert.chain.num_certs > 0
    }

    /// Whether anything is set. If not, a request has a null pointer instead.
    pub(crate) const fn is_set(&self) -> bool {
        self.raw.cacert.num_certs > 0 || self.has_identity()
    }

    /// The credentials as the kernel reads them.
    pub(crate) const fn raw(&self) -> &sys::MvTlsCredentials {
        &self.raw
    }
}

impl Default for Credentials<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("trusted", &self.raw.cacert.num_certs)
            .field("identity", &self.raw.clientcert.chain.num_certs)
            .finish()
    }
}
