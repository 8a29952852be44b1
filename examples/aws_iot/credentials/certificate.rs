//! What the files' certificates say about themselves.

use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate, and where it was found.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) file: String,
    pub(crate) der: Vec<u8>,
    /// The subject's common name, or the whole subject where it has none.
    pub(crate) name: String,
    pub(crate) is_ca: bool,
    pub(crate) is_self_issued: bool,
    /// The bits of its public key, as in its `SubjectPublicKeyInfo`.
    pub(crate) public_key: Vec<u8>,
    /// Seconds since the Unix epoch, and the same in words.
    not_before: (i64, String),
    not_after: (i64, String),
}

impl Certificate {
    /// Decodes a certificate that has nothing behind it.
    pub(crate) fn from_der(file: &str, der: &[u8]) -> Option<Self> {
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
            is_ca: parsed.is_ca(),
            is_self_issued: parsed.subject().as_raw() == parsed.issuer().as_raw(),
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            not_before: (validity.not_before.timestamp(), validity.not_before.to_string()),
            not_after: (validity.not_after.timestamp(), validity.not_after.to_string()),
        })
    }

    /// What is wrong with the certificate's dates at `unix_seconds`.
    pub(crate) fn date_problem(&self, unix_seconds: i64) -> Option<String> {
        if unix_seconds > self.not_after.0 {
            Some(format!("expired on {}", self.not_after.1))
        } else if unix_seconds < self.not_before.0 {
            Some(format!("is not valid before {}", self.not_before.1))
        } else {
            None
        }
    }
}
