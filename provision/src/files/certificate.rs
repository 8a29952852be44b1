//! What a certificate says about itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::private_key::{curve_name, rsa_name};

/// A certificate, and where it was found.
#[derive(Clone, Debug)]
pub struct Certificate {
    file: String,
    der: Vec<u8>,
    name: String,
    key_kind: String,
    is_ca: bool,
    is_self_issued: bool,
    public_key: Vec<u8>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl Certificate {
    /// Decodes a certificate that has nothing behind it.
    pub(super) fn from_der(file: &str, der: &[u8]) -> Option<Self> {
        let (rest, parsed) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let common_name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let validity = parsed.validity();
        Some(Self {
            file: file.to_owned(),
            der: der.to_vec(),
            name: common_name.map_or_else(|| parsed.subject().to_string(), ToOwned::to_owned),
            key_kind: key_kind(parsed.public_key()),
            is_ca: parsed.is_ca(),
            is_self_issued: parsed.subject().as_raw() == parsed.issuer().as_raw(),
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            not_before: validity.not_before.to_datetime(),
            not_after: validity.not_after.to_datetime(),
        })
    }

    /// The name of its file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The certificate in DER, as `openssl x509 -outform der` writes it.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The subject's common name, or the whole subject where it has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of its public key, such as "RSA-2048" or "EC P-256".
    pub fn key_kind(&self) -> &str {
        &self.key_kind
    }

    /// Whether it says that it is a CA's.
    pub fn is_ca(&self) -> bool {
        self.is_ca
    }

    /// Whether subject and issuer are the same.
    pub fn is_self_issued(&self) -> bool {
        self.is_self_issued
    }

    /// The bits of its public key, as in its `SubjectPublicKeyInfo`.
    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// When it begins to be valid.
    pub fn not_before(&self) -> SystemTime {
        system_time(self.not_before)
    }

    /// The last second in which it is valid.
    pub fn not_after(&self) -> SystemTime {
        system_time(self.not_after)
    }

    pub(crate) fn validity(&self) -> (OffsetDateTime, OffsetDateTime) {
        (self.not_before, self.not_after)
    }

    /// The certificate in its parts. `None` never comes, since it was decoded before.
    pub(crate) fn parsed(&self) -> Option<X509Certificate<'_>> {
        X509Certificate::from_der(&self.der).ok().map(|(_, parsed)| parsed)
    }
}

fn system_time(time: OffsetDateTime) -> SystemTime {
    let since = Duration::from_secs(time.unix_timestamp().unsigned_abs());
    if time.unix_timestamp() < 0 { UNIX_EPOCH - since } else { UNIX_EPOCH + since }
}

fn key_kind(key: &SubjectPublicKeyInfo<'_>) -> String {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => rsa_name(rsa.modulus),
        Ok(PublicKey::EC(_)) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            let curve = curve.map(|curve| curve.to_id_string()).unwrap_or_default();
            curve_name(&curve).map_or_else(|| format!("EC on another curve ({curve})"), ToOwned::to_owned)
        }
        _ => format!("of an unknown kind ({})", key.algorithm.algorithm.to_id_string()),
    }
}
