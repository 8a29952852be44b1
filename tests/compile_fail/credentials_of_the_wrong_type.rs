//! PEM text is no DER, and what was checked as one thing is not another.

use microvisor::tls::{Certificate, CertificateChain, Credentials, PrivateKey};

pub fn pem_for_a_key() {
    let _ = PrivateKey::from_pkcs8_der("-----BEGIN PRIVATE KEY-----"); //~ E0308
}

pub fn pem_for_a_certificate() {
    let _ = Certificate::from_der("-----BEGIN CERTIFICATE-----"); //~ E0308
}

pub fn unchecked_bytes(chain: CertificateChain<'_>, key: &[u8]) {
    let _ = Credentials::new().identity(chain, key); //~ E0308
}

pub fn a_certificate_for_a_key(chain: CertificateChain<'_>, certificate: Certificate<'_>) {
    let _ = Credentials::new().identity(chain, &certificate); //~ E0308
}
