//! What a piece of TLS material is, by its outer DER structure.

use super::TlsMaterialError;
use super::der::{Element, NoElement, Reader, split_first, tag};

/// What people have in hand when they look for a certificate or a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Material {
    /// X.509 (RFC 5280 §4.1).
    Certificate,
    /// PKCS#10 (RFC 2986 §4).
    CertificateRequest,
    /// `SubjectPublicKeyInfo` (RFC 5280 §4.1), or PKCS#1's `RSAPublicKey` (RFC 8017 §A.1.1).
    PublicKey,
    /// `PrivateKeyInfo` or `OneAsymmetricKey` (RFC 5958 §2).
    Pkcs8Key,
    /// `EncryptedPrivateKeyInfo` (RFC 5958 §3).
    EncryptedPkcs8Key,
    /// `RSAPrivateKey` (RFC 8017 §A.1.2).
    Pkcs1Key,
    /// `ECPrivateKey` (RFC 5915 §3).
    Sec1Key,
    /// A container of keys and certificates: PKCS#12 (RFC 7292 §4) or PKCS#7 (RFC 5652 §3).
    Container,
    /// None of these, as far as the outer levels show. What it is worth is for TLS to say: formats
    /// that are not known here may well be taken by the platform.
    Other,
}

impl Material {
    /// Looks at tags and lengths of the outermost levels, which tell all of these apart.
    pub(super) fn recognise(bytes: &[u8]) -> Result<Self, TlsMaterialError> {
        if bytes.is_empty() {
            return Err(TlsMaterialError::Empty);
        }
        let actual = bytes.len();
        let error = match split_first(bytes) {
            Ok((Element { tag: tag::SEQUENCE, contents }, [])) => {
                return Ok(classify(contents).unwrap_or(Self::Other));
            }
            _ if bytes.first() != Some(&tag::SEQUENCE) => TlsMaterialError::NotDer,
            Ok((_, rest)) => TlsMaterialError::TrailingBytes { expected: actual - rest.len(), actual },
            Err(NoElement::Truncated { expected }) => TlsMaterialError::Truncated { expected, actual },
            Err(NoElement::TooLarge) => TlsMaterialError::TooLarge,
            Err(NoElement::NotDer) => TlsMaterialError::NotDer,
        };
        // Text is looked for last, so that the bytes of a good key are not searched.
        Err(text_form(bytes).unwrap_or(error))
    }
}

fn classify(contents: &[u8]) -> Result<Material, NoElement> {
    let [first, second, third, fourth] = first_four(contents)?;
    let version = first.contents;
    Ok(match [first.tag, second.tag, third.tag, fourth.tag] {
        [tag::SEQUENCE, tag::SEQUENCE, tag::BIT_STRING, tag::END] => classify_signed(first.contents)?,
        [tag::SEQUENCE, tag::BIT_STRING, tag::END, _] if names_algorithm(first) => Material::PublicKey,
        [tag::SEQUENCE, tag::OCTET_STRING, tag::END, _] if names_algorithm(first) => {
            Material::EncryptedPkcs8Key
        }
        [tag::INTEGER, tag::SEQUENCE, tag::OCTET_STRING, _]
            if matches!(version, [0 | 1]) && names_algorithm(second) =>
        {
            Material::Pkcs8Key
        }
        [tag::INTEGER, tag::INTEGER, tag::INTEGER, tag::INTEGER] if matches!(version, [0 | 1]) => {
            Material::Pkcs1Key
        }
        [tag::INTEGER, tag::INTEGER, tag::END, _] => Material::PublicKey,
        [tag::INTEGER, tag::OCTET_STRING, _, _] if version == [1] => Material::Sec1Key,
        [tag::INTEGER, tag::SEQUENCE, _, tag::END] if version == [3] => Material::Container,
        [tag::OBJECT_IDENTIFIER, tag::CONTEXT_0, tag::END, _] => Material::Container,
        _ => Material::Other,
    })
}

/// Tells apart what has the shape of a signed X.509 object, by what was signed.
fn classify_signed(signed: &[u8]) -> Result<Material, NoElement> {
    let [first, second, third, fourth] = first_four(signed)?;
    Ok(match [first.tag, second.tag, third.tag, fourth.tag] {
        [tag::CONTEXT_0, tag::INTEGER, tag::SEQUENCE, tag::SEQUENCE] => Material::Certificate,
        // Version 1, which is left out, as some old roots have it.
        [tag::INTEGER, tag::SEQUENCE, tag::SEQUENCE, tag::SEQUENCE] if names_algorithm(second) => {
            Material::Certificate
        }
        [tag::INTEGER, tag::SEQUENCE, tag::SEQUENCE, tag::CONTEXT_0 | tag::END] if first.contents == [0] => {
            Material::CertificateRequest
        }
        _ => Material::Other,
    })
}

fn first_four(contents: &[u8]) -> Result<[Element<'_>; 4], NoElement> {
    let mut reader = Reader::new(contents);
    Ok([reader.next()?, reader.next()?, reader.next()?, reader.next()?])
}

/// Whether this is an `AlgorithmIdentifier` (RFC 5280 §4.1.1.2), which begins with an identifier.
fn names_algorithm(element: Element<'_>) -> bool {
    element.contents.first() == Some(&tag::OBJECT_IDENTIFIER)
}

/// Shorter input is not called text: the start of a DER element can look like it.
const SHORTEST_TEXT: usize = 16;

/// The error for material in a text form, where `bytes` look like one.
fn text_form(bytes: &[u8]) -> Option<TlsMaterialError> {
    const PEM: &[u8] = b"-----BEGIN";

    // Certificate dumps and key bags have other text before the PEM block.
    if bytes.windows(PEM.len()).any(|window| window == PEM) {
        return Some(TlsMaterialError::Pem);
    }
    let is = |digit: fn(u8) -> bool| bytes.iter().all(|byte| digit(*byte) || byte.is_ascii_whitespace());
    if bytes.len() < SHORTEST_TEXT {
        None
    } else if is(|byte| byte.is_ascii_hexdigit()) {
        Some(TlsMaterialError::HexText)
    } else if is(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte)) {
        Some(TlsMaterialError::Base64Text)
    } else {
        None
    }
}
