//! X.509: what the device finds out about the server, and the server about the device.

use super::Policy;
use crate::broker::TlsCredentials;
use crate::x509::{self, TlsFailure};

/// A Thing, to which a certificate is attached, and the policies of that certificate.
#[derive(Clone, Debug)]
pub struct Thing {
    pub(super) name: String,
    pub(super) policies: Vec<Policy>,
}

impl Thing {
    /// A Thing of that name, with one policy.
    pub fn new(name: impl Into<String>, policy: Policy) -> Self {
        Self { name: name.into(), policies: vec![policy] }
    }

    /// Adds another policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }
}

/// The certificates that the broker knows and shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Identities {
    /// What the server shows, leaf first; where it is empty the device's CAs are not looked at.
    pub server_chain: Vec<Vec<u8>>,
    /// Whether the server's CA is one of the public ones, which devices trust without being told.
    pub public: bool,
    pub registered: Vec<(Vec<u8>, Thing)>,
    pub client_cas: Vec<(Vec<u8>, Vec<Policy>)>,
    /// Whether clients have to show a certificate.
    pub required: bool,
    /// Whether the certificate and key that a client shows are not looked at.
    pub anything_goes: bool,
}

/// Who a client is, by its certificate.
#[derive(Clone, Debug)]
pub(super) struct Principal {
    /// `None` for a certificate known through its CA alone, which is attached to no Thing.
    pub thing_name: Option<String>,
    /// `None` where the broker has no policies.
    pub policies: Option<Vec<Policy>>,
}

impl Identities {
    /// The device's side of the handshake: is the server's chain issued by one of `ca`, within its
    /// time and for `host`?
    pub(super) fn check_server(&self, host: &str, ca: &[Vec<u8>], unix: u64) -> Result<(), TlsFailure> {
        if self.server_chain.is_empty() {
            return Ok(());
        }
        if ca.is_empty() && self.public {
            let mut chain = self.server_chain.iter();
            return chain.try_for_each(|der| x509::check_validity(der, unix, "the server's certificate"));
        }
        x509::verify_server(&self.server_chain, host, ca, unix)
    }

    /// The server's side of the handshake: does it know the client, and does the client hold the key?
    pub(super) fn check_client(
        &self,
        credentials: Option<&TlsCredentials>,
        unix: u64,
    ) -> Result<Principal, TlsFailure> {
        let shown = credentials.filter(|credentials| !credentials.chain.is_empty());
        let Some(credentials) = shown else {
            return if self.required {
                Err(TlsFailure::socket_error("no client certificate was shown"))
            } else {
                Ok(Principal { thing_name: None, policies: None })
            };
        };
        if self.anything_goes {
            return Ok(Principal { thing_name: None, policies: None });
        }
        x509::check_key(&credentials.chain[0], &credentials.key)?;
        for der in &credentials.chain {
            x509::check_validity(der, unix, "the client certificate")?;
        }
        self.principal_of(&credentials.chain)
    }

    fn principal_of(&self, chain: &[Vec<u8>]) -> Result<Principal, TlsFailure> {
        if let Some((_, thing)) = self.registered.iter().find(|(der, _)| *der == chain[0]) {
            return Ok(Principal {
                thing_name: Some(thing.name.clone()),
                policies: Some(thing.policies.clone()),
            });
        }
        for (ca, policies) in &self.client_cas {
            if x509::leads_to(chain, ca) {
                return Ok(Principal { thing_name: None, policies: Some(policies.clone()) });
            }
        }
        if self.required {
            Err(TlsFailure::socket_error(
                "the client certificate is not registered, and no registered CA issued it",
            ))
        } else {
            Ok(Principal { thing_name: None, policies: None })
        }
    }
}
