//! What TLS finds out about certificates, for the broker model and for the bridge.

use std::sync::Arc;
use std::time::Duration;

use microvisor::sys;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::SigningKey;
use rustls::{CertificateError, RootCertStore};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

/// A connection that fails before MQTT begins.
#[derive(Clone, Debug)]
pub(crate) struct TlsFailure {
    /// An `MvMqttRequestState`.
    pub(crate) state: u32,
    pub(crate) what: String,
}

impl TlsFailure {
    pub(crate) fn socket_error(what: impl Into<String>) -> Self {
        Self { state: sys::MV_MQTTREQUESTSTATE_SOCKETERROR, what: what.into() }
    }

    pub(crate) fn expired(what: impl Into<String>) -> Self {
        Self { state: sys::MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED, what: what.into() }
    }

    pub(crate) fn unknown_ca(what: impl Into<String>) -> Self {
        Self { state: sys::MV_MQTTREQUESTSTATE_UNKNOWNCA, what: what.into() }
    }
}

/// Whether the server's chain, its own certificate first, is issued by one of `ca`, within its time
/// and for `host`. A CA certificate has to be within its time, too.
pub(crate) fn verify_server(
    chain: &[Vec<u8>],
    host: &str,
    ca: &[Vec<u8>],
    unix: u64,
) -> Result<(), TlsFailure> {
    let valid: Vec<_> = ca.iter().filter(|der| check_validity(der, unix, "").is_ok()).cloned().collect();
    verify_by(chain, host, &valid, unix).map_err(|failure| {
        if valid.len() == ca.len() {
            return failure;
        }
        // With a CA out of its time left out, its issuer is unknown; but time is what is wrong.
        match verify_by(chain, host, ca, unix) {
            Ok(()) => TlsFailure::expired("the CA certificate is not valid at this time"),
            Err(of_all) if of_all.state == sys::MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED => of_all,
            Err(_) => failure,
        }
    })
}

fn verify_by(chain: &[Vec<u8>], host: &str, ca: &[Vec<u8>], unix: u64) -> Result<(), TlsFailure> {
    let Some(leaf) = chain.first() else {
        return Err(TlsFailure::socket_error("the server shows no certificate"));
    };
    if is_plain(&parse(leaf, "the server's certificate")?) {
        return verify_plain(chain, host, ca, unix);
    }
    let mut roots = RootCertStore::empty();
    for der in ca {
        roots
            .add(CertificateDer::from(der.as_slice()))
            .map_err(|error| TlsFailure::unknown_ca(format!("a CA certificate cannot be read: {error}")))?;
    }
    verify_by_roots(chain, host, roots, unix)
}

/// Whether the server's chain leads to one of `roots`, within its time and for `host`.
pub(crate) fn verify_by_roots(
    chain: &[Vec<u8>],
    host: &str,
    roots: RootCertStore,
    unix: u64,
) -> Result<(), TlsFailure> {
    let provider = Arc::new(ring::default_provider());
    // Without any root the builder fails, as no issuer can be known.
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|_| TlsFailure::unknown_ca("no usable CA certificate was given"))?;
    let name = ServerName::try_from(host)
        .map_err(|_| TlsFailure::socket_error(format!("{host} is not a name that a certificate can hold")))?;
    let mut chain = chain.iter().map(|der| CertificateDer::from(der.as_slice()));
    let leaf = chain.next().ok_or_else(|| TlsFailure::socket_error("the server shows no certificate"))?;
    let intermediates: Vec<_> = chain.collect();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(unix));
    match verifier.verify_server_cert(&leaf, &intermediates, &name, &[], now) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InvalidCertificate(error)) => Err(of_certificate_error(&error)),
        Err(error) => Err(TlsFailure::socket_error(error.to_string())),
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
        CertificateError::UnknownIssuer | CertificateError::BadSignature => unknown_issuer(),
        _ => TlsFailure::socket_error(format!("the server's certificate: {error}")),
    }
}

fn unknown_issuer() -> TlsFailure {
    TlsFailure::unknown_ca("none of the device's CA certificates issued the server's certificate")
}

/// Whether a certificate names its host in the subject alone, as `openssl x509 -req` makes them.
/// Devices take these, but webpki does not.
pub(crate) fn is_plain(certificate: &X509Certificate<'_>) -> bool {
    !matches!(certificate.subject_alternative_name(), Ok(Some(_)))
}

fn verify_plain(chain: &[Vec<u8>], host: &str, ca: &[Vec<u8>], unix: u64) -> Result<(), TlsFailure> {
    if !ca.iter().any(|ca| leads_to(chain, ca)) {
        return Err(unknown_issuer());
    }
    check_validity(&chain[0], unix, "the server's certificate")?;
    let leaf = parse(&chain[0], "the server's certificate")?;
    let mut names = leaf.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    if names.any(|name| name.eq_ignore_ascii_case(host)) {
        Ok(())
    } else {
        Err(TlsFailure::socket_error(format!("the server's certificate is not for {host}")))
    }
}

pub(crate) fn parse<'a>(der: &'a [u8], what: &str) -> Result<X509Certificate<'a>, TlsFailure> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(TlsFailure::socket_error(format!("{what} is no DER certificate"))),
    }
}

/// Whether a certificate is within its time.
pub(crate) fn check_validity(der: &[u8], unix: u64, what: &str) -> Result<(), TlsFailure> {
    let certificate = parse(der, what)?;
    let validity = certificate.validity();
    let now = i64::try_from(unix).ok().and_then(|seconds| ASN1Time::from_timestamp(seconds).ok());
    if now.is_some_and(|now| validity.is_valid_at(now)) {
        Ok(())
    } else {
        let (from, to) = (validity.not_before, validity.not_after);
        Err(TlsFailure::expired(format!("{what} is valid from {from} to {to} only")))
    }
}

/// Reads a PKCS#8 key, and checks that it is the private half of the certificate's public key.
pub(crate) fn check_key(leaf: &[u8], key: &[u8]) -> Result<Arc<dyn SigningKey>, TlsFailure> {
    let certificate = parse(leaf, "the client certificate")?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)).clone_key();
    let key = ring::default_provider()
        .key_provider
        .load_private_key(key)
        .map_err(|error| TlsFailure::socket_error(format!("the private key cannot be read: {error}")))?;
    if key.public_key().is_some_and(|public| public.as_ref() == certificate.public_key().raw) {
        Ok(key)
    } else {
        Err(TlsFailure::socket_error("the private key does not belong to the client certificate"))
    }
}

/// Whether each certificate of `chain` is issued by the next, and one of them by `ca`.
pub(crate) fn leads_to(chain: &[Vec<u8>], ca: &[u8]) -> bool {
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
