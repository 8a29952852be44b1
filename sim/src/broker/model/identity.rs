//! X.509: what the device finds out about the server, and the server about the device.

use std::sync::Arc;

use microvisor::sys;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use super::Policy;
use crate::broker::TlsCredentials;

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

/// A failure before MQTT begins.
#[derive(Debug)]
pub(super) struct TlsFailure {
    /// An `MvMqttRequestState`.
    pub state: u32,
    pub what: String,
}

impl TlsFailure {
    fn socket(what: impl Into<String>) -> Self {
        Self { state: sys::MV_MQTTREQUESTSTATE_SOCKETERROR, what: what.into() }
    }

    fn expired(what: impl Into<String>) -> Self {
        Self { state: sys::MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED, what: what.into() }
    }

    fn unknown_ca(what: impl Into<String>) -> Self {
        Self { state: sys::MV_MQTTREQUESTSTATE_UNKNOWNCA, what: what.into() }
    }
}

impl Identities {
    /// The device's side of the handshake: is the server's chain issued by one of `ca`, within its
    /// time and for `host`?
    pub(super) fn check_server(&self, host: &str, ca: &[Vec<u8>], unix: u64) -> Result<(), TlsFailure> {
        let Some((leaf, intermediates)) = self.server_chain.split_first() else { return Ok(()) };
        if ca.is_empty() && self.public {
            return self
                .server_chain
                .iter()
                .try_for_each(|der| check_validity(der, unix, "the server's certificate"));
        }
        let valid: Vec<_> = ca.iter().filter(|der| check_validity(der, unix, "").is_ok()).collect();
        verify_server(leaf, intermediates, host, &valid, unix).map_err(|failure| {
            let all: Vec<_> = ca.iter().collect();
            let only_expired =
                valid.len() < all.len() && verify_server(leaf, intermediates, host, &all, unix).is_ok();
            if only_expired {
                TlsFailure::expired("the CA certificate is not valid at this time")
            } else {
                failure
            }
        })
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
                Err(TlsFailure::socket("no client certificate was shown"))
            } else {
                Ok(Principal { thing_name: None, policies: None })
            };
        };
        if self.anything_goes {
            return Ok(Principal { thing_name: None, policies: None });
        }
        check_key(&credentials.chain[0], &credentials.key)?;
        for der in &credentials.chain {
            check_validity(der, unix, "the client certificate")?;
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
            if leads_to(chain, ca) {
                return Ok(Principal { thing_name: None, policies: Some(policies.clone()) });
            }
        }
        if self.required {
            Err(TlsFailure::socket(
                "the client certificate is not registered, and no registered CA issued it",
            ))
        } else {
            Ok(Principal { thing_name: None, policies: None })
        }
    }
}

fn verify_server(
    leaf: &[u8],
    intermediates: &[Vec<u8>],
    host: &str,
    ca: &[&Vec<u8>],
    unix: u64,
) -> Result<(), TlsFailure> {
    let mut roots = RootCertStore::empty();
    for der in ca {
        roots
            .add(CertificateDer::from(der.as_slice()))
            .map_err(|error| TlsFailure::unknown_ca(format!("a CA certificate cannot be read: {error}")))?;
    }
    let provider = Arc::new(ring::default_provider());
    // Without any root the builder fails, as no issuer can be known.
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|_| TlsFailure::unknown_ca("no usable CA certificate was given"))?;
    let name =
        ServerName::try_from(host).map_err(|_| TlsFailure::socket(format!("{host} is no server name")))?;
    let intermediates: Vec<_> =
        intermediates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(unix));
    match verifier.verify_server_cert(&CertificateDer::from(leaf), &intermediates, &name, &[], now) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InvalidCertificate(error)) => Err(of_certificate_error(&error)),
        Err(error) => Err(TlsFailure::socket(error.to_string())),
    }
}

fn of_certificate_error(error: &CertificateError) -> TlsFailure {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            TlsFailure::expired(format!("the server's certificate: {error}"))
        }
        // A CA of the right name with another key is as unknown as one of another name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            TlsFailure::unknown_ca("none of the device's CA certificates issued the server's certificate")
        }
        _ => TlsFailure::socket(format!("the server's certificate: {error}")),
    }
}

fn parse<'a>(der: &'a [u8], what: &str) -> Result<X509Certificate<'a>, TlsFailure> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(TlsFailure::socket(format!("{what} is no DER certificate"))),
    }
}

fn check_validity(der: &[u8], unix: u64, what: &str) -> Result<(), TlsFailure> {
    let certificate = parse(der, what)?;
    let now = i64::try_from(unix).ok().and_then(|seconds| ASN1Time::from_timestamp(seconds).ok());
    if now.is_some_and(|now| certificate.validity().is_valid_at(now)) {
        Ok(())
    } else {
        Err(TlsFailure::expired(format!("{what} is valid {} only", validity_of(&certificate))))
    }
}

fn validity_of(certificate: &X509Certificate<'_>) -> String {
    let validity = certificate.validity();
    format!("from {} to {}", validity.not_before, validity.not_after)
}

/// Whether `key` is the private half of the certificate's public key.
fn check_key(leaf: &[u8], key: &[u8]) -> Result<(), TlsFailure> {
    let certificate = parse(leaf, "the client certificate")?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)).clone_key();
    let key = ring::default_provider()
        .key_provider
        .load_private_key(key)
        .map_err(|error| TlsFailure::socket(format!("the private key cannot be read: {error}")))?;
    if key.public_key().is_some_and(|public| public.as_ref() == certificate.public_key().raw) {
        Ok(())
    } else {
        Err(TlsFailure::socket("the private key does not belong to the client certificate"))
    }
}

/// Whether each certificate of `chain` is issued by the next, and one of them by `ca`.
fn leads_to(chain: &[Vec<u8>], ca: &[u8]) -> bool {
    for (index, der) in chain.iter().enumerate() {
        if is_issued_by(der, ca) {
            return true;
        }
        if !chain.get(index + 1).is_some_and(|issuer| is_issued_by(der, issuer)) {
            return false;
        }
    }
    false
}

fn is_issued_by(der: &[u8], issuer: &[u8]) -> bool {
    let (Ok(certificate), Ok(issuer)) = (parse(der, ""), parse(issuer, "")) else { return false };
    certificate.issuer() == issuer.subject()
        && issuer.basic_constraints().ok().flatten().is_none_or(|constraints| constraints.value.ca)
        && certificate.verify_signature(Some(issuer.public_key())).is_ok()
}
