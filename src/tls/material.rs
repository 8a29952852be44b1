//! What a piece of TLS material is, by its outer DER structure.

use super::TlsMaterialError;

/// The tags that tell key material apart (X.690 §8).
mod tag {
    pub(super) const INTEGER: u8 = 0x02;
    pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const CONTEXT_0: u8 = 0xA0;
}

/// Where a piece of TLS material is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// None, where it does not matter what it is.
    Anywhere,
    Certificate,
    /// For a key in PKCS#8, not encrypted.
    PrivateKey,
}

impl Place {
    /// Checks that `bytes`, less than 64 KiB and a few, are one whole DER object, and none that is put here by
    /// mistake.
    ///
    /// What is none of the [known](recognise) ones is for TLS to judge: formats that are not known here may
    /// well be taken by the platform.
    #[inline(never)]
    pub(crate) fn check(self, bytes: &[u8]) -> Result<(), TlsMaterialError> {
        let belongs = match self {
            Self::Certificate => TlsMaterialError::Certificate,
            Self::PrivateKey => TlsMaterialError::PrivateKey,
            Self::Anywhere => return Ok(()),
        };
        match recognise(contents(bytes)?) {
            Some(material) if material != belongs => Err(material),
            _ => Ok(()),
        }
    }
}

/// What is in the one sequence that `bytes` are.
fn contents(bytes: &[u8]) -> Result<&[u8], TlsMaterialError> {
    let actual = bytes.len();
    let Some(start) = bytes.first_chunk::<4>() else {
        return Err(TlsMaterialError::Truncated { expected: 4, actual });
    };
    let (header, length) = match *start {
        [tag::SEQUENCE, length @ 0..=0x7F, ..] => (2, length.into()),
        [tag::SEQUENCE, 0x81, length, _] => (3, length.into()),
        [tag::SEQUENCE, 0x82, high, low] => (4, u16::from_be_bytes([high, low])),
        // "-----BEGIN"
        [b'-', ..] => return Err(TlsMaterialError::Pem),
        _ => return Err(TlsMaterialError::NotDer),
    };
    let expected = header + usize::from(length);
    if expected > actual {
        return Err(TlsMaterialError::Truncated { expected, actual });
    }
    if expected < actual {
        return Err(TlsMaterialError::TrailingBytes { expected, actual });
    }
    Ok(bytes.get(header..).unwrap_or_default())
}

/// Tells by its first bytes what the `contents` of a sequence make of it, as far as these show.
fn recognise(contents: &[u8]) -> Option<TlsMaterialError> {
    use TlsMaterialError as Material;

    Some(match *contents.first_chunk::<4>()? {
        // `PrivateKeyInfo` or `OneAsymmetricKey` (RFC 5958 §2), after the version.
        [tag::INTEGER, 1, 0 | 1, tag::SEQUENCE] => Material::PrivateKey,
        // `RSAPrivateKey` (RFC 8017 §A.1.2), `ECPrivateKey` (RFC 5915 §3).
        [tag::INTEGER, 1, 0 | 1, _] => Material::TraditionalKey,
        // `RSAPublicKey` (RFC 8017 §A.1.1), which begins with a long number; `SubjectPublicKeyInfo`
        // (RFC 5280 §4.1), `EncryptedPrivateKeyInfo` (RFC 5958 §3), which begin with an algorithm.
        [tag::INTEGER, 0x80..=0xFF, ..] | [tag::SEQUENCE, 0..=0x7F, tag::OBJECT_IDENTIFIER, _] => {
            Material::PublicOrEncryptedKey
        }
        [tag::SEQUENCE, length, ..] => {
            let header = if length < 0x80 { 2 } else { 2 + usize::from(length & 0x7F) };
            match *contents.get(header..)?.first_chunk::<3>()? {
                // PKCS#10 (RFC 2986 §4): version 0. The number of a certificate without a version, as some old
                // roots are, is positive.
                [tag::INTEGER, 1, 0] => Material::CertificateRequest,
                // X.509 (RFC 5280 §4.1).
                [tag::CONTEXT_0 | tag::INTEGER, ..] => Material::Certificate,
                _ => return None,
            }
        }
        _ => return None,
    })
}
