//! What a piece of TLS material is, by its outer DER structure.

use super::TlsMaterialError;
use super::der::{self, element_length, split_first, tag};

/// Where a piece of TLS material is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Certificate,
    /// For a key in PKCS#8, not encrypted.
    PrivateKey,
}

impl Place {
    /// Checks that `bytes`, 16 MiB and a few bytes at most, are one whole DER object, and none that is put
    /// here by mistake.
    #[inline(never)]
    pub(crate) fn check(self, bytes: &[u8]) -> Result<(), TlsMaterialError> {
        if self.is_as_usual(bytes) { Ok(()) } else { self.look_closer(bytes) }
    }

    /// Whether `bytes` begin as what belongs here does in nearly all devices. Nothing that
    /// [`look_closer`](Self::look_closer) refuses begins like that.
    fn is_as_usual(self, bytes: &[u8]) -> bool {
        let [tag::SEQUENCE, 0x82, high @ 1..=0xFF, low, contents @ ..] = bytes else { return false };
        let begins = match self {
            // What is signed, which begins with a version.
            Self::Certificate => matches!(contents, [tag::SEQUENCE, 0x82, _, _, tag::CONTEXT_0, ..]),
            // Version 0 or 1, and an algorithm.
            Self::PrivateKey => matches!(contents, [tag::INTEGER, 1, 0 | 1, tag::SEQUENCE, ..]),
        };
        begins && contents.len() == usize::from(u16::from_be_bytes([*high, *low]))
    }

    #[cold]
    #[inline(never)]
    fn look_closer(self, bytes: &[u8]) -> Result<(), TlsMaterialError> {
        let (expected, actual) = (element_length(bytes), bytes.len());
        let is_sequence = match bytes.first() {
            None => return Err(TlsMaterialError::Empty),
            Some(first) => *first == tag::SEQUENCE,
        };
        if is_sequence && expected == actual {
            return recognise(bytes).map_or(Ok(()), |material| self.judge(material));
        }
        // Not before, so that the bytes of a good key are not searched.
        text_form(bytes)?;
        Err(match expected {
            _ if !is_sequence => TlsMaterialError::NotDer,
            der::NOT_DER => TlsMaterialError::NotDer,
            der::TOO_LARGE => TlsMaterialError::TooLarge,
            _ if expected < actual => TlsMaterialError::TrailingBytes { expected, actual },
            _ => TlsMaterialError::Truncated { expected, actual },
        })
    }

    fn judge(self, material: Material) -> Result<(), TlsMaterialError> {
        use TlsMaterialError as Error;

        Err(match (self, material) {
            (Self::Certificate, Material::Certificate) | (Self::PrivateKey, Material::Pkcs8Key) => {
                return Ok(());
            }
            (_, Material::Container) => Error::Container,
            (Self::Certificate, Material::CertificateRequest) => Error::CsrWhereCertificateBelongs,
            (Self::Certificate, Material::PublicKey) => Error::PublicKeyWhereCertificateBelongs,
            (Self::Certificate, _) => Error::KeyWhereCertificateBelongs,
            (Self::PrivateKey, Material::Certificate) => Error::CertificateWhereKeyBelongs,
            (Self::PrivateKey, Material::CertificateRequest) => Error::CsrWhereKeyBelongs,
            (Self::PrivateKey, Material::PublicKey) => Error::PublicKeyWhereKeyBelongs,
            (Self::PrivateKey, Material::EncryptedPkcs8Key) => Error::EncryptedPkcs8Key,
            (Self::PrivateKey, Material::Pkcs1Key) => Error::Pkcs1Key,
            (Self::PrivateKey, Material::Sec1Key) => Error::Sec1Key,
        })
    }
}

/// What people have in hand when they look for a certificate or a key.
#[derive(Clone, Copy)]
enum Material {
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
}

/// The first four elements of a sequence: the tag of each, and its only or first byte, as far as
/// that tells something.
type Form = [[u8; 2]; 4];

/// Whatever is there.
const ANY: u8 = 0xFF;

const ANYTHING: [u8; 2] = [ANY, ANY];
const END: [u8; 2] = [tag::END, 0];
const ZERO: [u8; 2] = [tag::INTEGER, 0];
const ONE: [u8; 2] = [tag::INTEGER, 1];
const THREE: [u8; 2] = [tag::INTEGER, 3];
const INTEGER: [u8; 2] = [tag::INTEGER, ANY];
const BITS: [u8; 2] = [tag::BIT_STRING, ANY];
const OCTETS: [u8; 2] = [tag::OCTET_STRING, ANY];
const IDENTIFIER: [u8; 2] = [tag::OBJECT_IDENTIFIER, ANY];
const SEQUENCE: [u8; 2] = [tag::SEQUENCE, ANY];
/// An `AlgorithmIdentifier` (RFC 5280 §4.1.1.2), which begins with an identifier.
const ALGORITHM: [u8; 2] = [tag::SEQUENCE, tag::OBJECT_IDENTIFIER];
const CONTEXT_0: [u8; 2] = [tag::CONTEXT_0, ANY];

static FORMS: [(Form, Option<Material>); 11] = [
    // Of X.509; what was signed tells what it is.
    ([SEQUENCE, SEQUENCE, BITS, END], None),
    ([ALGORITHM, BITS, END, END], Some(Material::PublicKey)),
    ([ALGORITHM, OCTETS, END, END], Some(Material::EncryptedPkcs8Key)),
    ([ZERO, ALGORITHM, OCTETS, ANYTHING], Some(Material::Pkcs8Key)),
    ([ONE, ALGORITHM, OCTETS, ANYTHING], Some(Material::Pkcs8Key)),
    ([ZERO, INTEGER, INTEGER, INTEGER], Some(Material::Pkcs1Key)),
    ([ONE, INTEGER, INTEGER, INTEGER], Some(Material::Pkcs1Key)),
    ([INTEGER, INTEGER, END, END], Some(Material::PublicKey)),
    ([ONE, OCTETS, ANYTHING, ANYTHING], Some(Material::Sec1Key)),
    ([THREE, SEQUENCE, ANYTHING, END], Some(Material::Container)),
    ([IDENTIFIER, CONTEXT_0, END, END], Some(Material::Container)),
];

static SIGNED_FORMS: [(Form, Option<Material>); 4] = [
    ([CONTEXT_0, INTEGER, SEQUENCE, SEQUENCE], Some(Material::Certificate)),
    // Version 1, which is left out, as some old roots have it.
    ([INTEGER, ALGORITHM, SEQUENCE, SEQUENCE], Some(Material::Certificate)),
    ([ZERO, SEQUENCE, SEQUENCE, CONTEXT_0], Some(Material::CertificateRequest)),
    ([ZERO, SEQUENCE, SEQUENCE, END], Some(Material::CertificateRequest)),
];

/// Looks at the outermost levels, which tell all of these apart.
///
/// What is none of them, as far as these show, is for TLS to judge: formats that are not known here
/// may well be taken by the platform.
fn recognise(element: &[u8]) -> Option<Material> {
    let mut element = element;
    let mut forms: &[(Form, Option<Material>)] = &FORMS;
    loop {
        let (_, contents, _) = split_first(element)?;
        // Nothing has a form that does not begin with an element.
        split_first(contents)?;
        match forms.iter().find(|(form, _)| has_form(contents, *form))?.1 {
            None => {
                element = contents;
                forms = &SIGNED_FORMS;
            }
            material => return material,
        }
    }
}

fn has_form(contents: &[u8], form: Form) -> bool {
    let mut rest = contents;
    form.iter().all(|[tag, told]| {
        if rest.is_empty() {
            return matches!(*tag, tag::END | ANY);
        }
        let Some((found, contents, after)) = split_first(rest) else { return false };
        rest = after;
        let says = match contents {
            [only] => *only,
            [tag::OBJECT_IDENTIFIER, ..] => tag::OBJECT_IDENTIFIER,
            _ => ANY,
        };
        (found == *tag || *tag == ANY) && (says == *told || *told == ANY)
    })
}

/// Shorter input is not called text: the start of a DER element can look like it.
const SHORTEST_TEXT: usize = 16;

/// What each ASCII character tells of a text that has it: 0 nothing, 1 that it is not hex, 2 that it is not
/// base64 either. Two bits each.
static KINDS: [u32; 8] =
    [kinds(0x00), kinds(0x10), kinds(0x20), kinds(0x30), kinds(0x40), kinds(0x50), kinds(0x60), kinds(0x70)];

/// Those of sixteen characters.
const fn kinds(first: u8) -> u32 {
    let (mut kinds, mut place) = (0, 16);
    while place > 0 {
        place -= 1;
        let kind = match first + place {
            b'0'..=b'9' | b'A'..=b'F' | b'a'..=b'f' | b'\t' | b'\n' | b'\r' | b'\x0C' | b' ' => 0,
            b'G'..=b'Z' | b'g'..=b'z' | b'+' | b'/' | b'-' | b'_' | b'=' => 1,
            _ => 2,
        };
        kinds = kinds << 2 | kind;
    }
    kinds
}

/// The error for material in a text form, where `bytes` look like one.
fn text_form(bytes: &[u8]) -> Result<(), TlsMaterialError> {
    let (mut kind, mut dashes) = (0, 0);
    for &byte in bytes {
        // "-----BEGIN". Certificate dumps and key bags have other text before the PEM block.
        match byte {
            b'-' => dashes += 1,
            b'B' if dashes >= 5 => return Err(TlsMaterialError::Pem),
            _ => dashes = 0,
        }
        let kinds = KINDS.get(usize::from(byte / 16)).map_or(2, |kinds| kinds >> (byte % 16 * 2));
        kind |= kinds & 3;
    }
    match kind {
        _ if bytes.len() < SHORTEST_TEXT => Ok(()),
        0 => Err(TlsMaterialError::HexText),
        1 => Err(TlsMaterialError::Base64Text),
        _ => Ok(()),
    }
}
