//! What one TLS connection is made with.

use core::ptr;

use super::{CertificateChain, PrivateKey};
use crate::sys;

/// Whom the device trusts and as whom it presents itself; both can be left out.
///
/// Without [`trust`](Self::trust) the platform's own list of public CAs decides; with it, only the
/// certificates given. Without [`identity`](Self::identity) the device shows no certificate.
#[derive(Debug, Default)]
#[must_use]
pub struct Credentials<'a> {
    trusted: Option<CertificateChain<'a>>,
    identity: Option<Identity<'a>>,
}

#[derive(Debug)]
struct Identity<'a> {
    chain: CertificateChain<'a>,
    key: PrivateKey<'a>,
}

impl<'a> Credentials<'a> {
    /// Public CAs, no certificate of the device.
    pub const fn new() -> Self {
        Self { trusted: None, identity: None }
    }

    /// Trusts these CA certificates, and no others.
    pub fn trust(mut self, authorities: CertificateChain<'a>) -> Self {
        self.trusted = Some(authorities);
        self
    }

    /// Presents `chain`, whose first certificate belongs to `key`.
    pub fn identity(mut self, chain: CertificateChain<'a>, key: PrivateKey<'a>) -> Self {
        self.identity = Some(Identity { chain, key });
        self
    }

    /// Whether the device presents a certificate.
    pub const fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// The credentials as the kernel reads them, or `None` if nothing is set, for which the request has
    /// a null pointer. Valid while `self` is borrowed.
    pub(crate) fn raw(&self) -> Option<sys::MvTlsCredentials> {
        if self.trusted.is_none() && self.identity.is_none() {
            return None;
        }
        let no_chain = sys::MvTlsCertificateChain { num_certs: 0, certs: ptr::null() };
        let no_key = sys::MvSizedString { data: ptr::null(), length: 0 };
        let (chain, key) = match &self.identity {
            Some(identity) => (identity.chain.raw(), identity.key.raw()),
            None => (no_chain, no_key),
        };
        Some(sys::MvTlsCredentials {
            cacert: self.trusted.map_or(no_chain, CertificateChain::raw),
            clientcert: sys::MvOwnTlsCertificateChain { chain, key },
        })
    }
}
