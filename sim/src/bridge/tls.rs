//! From a name to a TLS connection, with the device's certificates.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use microvisor::sys;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{AlertDescription, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::options::BridgeOptions;
use crate::broker::{ConnectRequest, TlsCredentials};
use crate::x509::{self, TlsFailure};

/// Connects to the host and port of the request, or where the options lead, and shakes hands.
pub(super) async fn connect(
    request: &ConnectRequest,
    options: &BridgeOptions,
) -> Result<TlsStream<TcpStream>, TlsFailure> {
    let host = String::from_utf8(request.host.clone()).map_err(|_| TlsFailure {
        state: sys::MV_MQTTREQUESTSTATE_NXDOMAIN,
        what: "the host is no text".into(),
    })?;
    let failed = Arc::new(Mutex::new(None));
    let config = client_config(request.credentials.as_ref(), &host, &failed)?;
    let (to_host, to_port) = options.address.clone().unwrap_or_else(|| (host.clone(), request.port));
    let tcp = dial(&to_host, to_port).await?;
    let name = ServerName::try_from(host.clone())
        .map_err(|_| TlsFailure::socket_error(format!("{host} is not a name that a certificate can hold")))?;
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.map_err(|error| {
        let by_us = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        by_us.unwrap_or_else(|| of_io_error(&error, request.credentials.as_ref()))
    })
}

async fn dial(host: &str, port: u16) -> Result<TcpStream, TlsFailure> {
    let addresses = tokio::net::lookup_host((host, port)).await.map_err(|error| TlsFailure {
        state: sys::MV_MQTTREQUESTSTATE_NXDOMAIN,
        what: format!("{host}: {error}"),
    })?;
    let mut failure =
        TlsFailure { state: sys::MV_MQTTREQUESTSTATE_NXDOMAIN, what: format!("{host} has no address") };
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(tcp) => {
                // Small packets in both directions are what MQTT is; a failure costs time only.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(error) => failure = TlsFailure::socket_error(format!("{address}: {error}")),
        }
    }
    Err(failure)
}

/// What a failure on the way to the CONNACK means. A server that refuses the client's certificate
/// says so in an alert, or just hangs up; in TLS 1.3 that is after the handshake.
pub(super) fn of_io_error(error: &io::Error, credentials: Option<&TlsCredentials>) -> TlsFailure {
    let alert = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(rustls::Error::AlertReceived(AlertDescription::CertificateExpired)) = alert {
        return TlsFailure::expired("the broker says that the client certificate has expired");
    }
    for der in credentials.into_iter().flat_map(|credentials| &credentials.chain) {
        if let Err(failure) =
            x509::check_validity(der, unix_now(), "the broker hung up, and the client certificate")
        {
            return failure;
        }
    }
    TlsFailure::socket_error(format!("the broker did not accept the connection: {error}"))
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

fn client_config(
    credentials: Option<&TlsCredentials>,
    host: &str,
    failed: &Arc<Mutex<Option<TlsFailure>>>,
) -> Result<ClientConfig, TlsFailure> {
    let provider = Arc::new(ring::default_provider());
    let verifier = DeviceVerifier {
        host: host.to_owned(),
        ca: credentials.map(|credentials| credentials.ca.clone()).unwrap_or_default(),
        provider: provider.clone(),
        failed: failed.clone(),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFailure::socket_error(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some(credentials) = credentials.filter(|credentials| !credentials.chain.is_empty()) else {
        return Ok(builder.with_no_client_auth());
    };
    let key = x509::check_key(&credentials.chain[0], &credentials.key)?;
    let chain = credentials.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    Ok(builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)))))
}

/// Verifies the server as the device would: by its own CA certificates where it has any, else by the
/// public ones.
#[derive(Debug)]
struct DeviceVerifier {
    host: String,
    ca: Vec<Vec<u8>>,
    provider: Arc<CryptoProvider>,
    /// Why the server was not accepted; more precise than what can be got out of the handshake.
    failed: Arc<Mutex<Option<TlsFailure>>>,
}

impl DeviceVerifier {
    fn verify(&self, chain: &[Vec<u8>], now: UnixTime) -> Result<(), TlsFailure> {
        if self.ca.is_empty() {
            let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            return x509::verify_by_roots(chain, &self.host, roots, now.as_secs());
        }
        x509::verify_server(chain, &self.host, &self.ca, now.as_secs())
    }
}

impl ServerCertVerifier for DeviceVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain: Vec<_> =
            std::iter::once(end_entity).chain(intermediates).map(|der| der.to_vec()).collect();
        self.verify(&chain, now).map(|()| ServerCertVerified::assertion()).map_err(|failure| {
            let error = rustls::Error::General(failure.what.clone());
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            error
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        match x509::parse(certificate, "") {
            // webpki takes the key of a certificate of version 3 only.
            Ok(parsed) if x509::is_plain(&parsed) => {
                let key = SubjectPublicKeyInfoDer::from(parsed.public_key().raw);
                verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
            }
            _ => verify_tls13_signature(message, certificate, signature, algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
