//! Why something cannot be used as TLS material.

use core::fmt;

/// Why bytes cannot be a [`Certificate`](super::Certificate), a [`PrivateKey`](super::PrivateKey)
/// or a [`CertificateChain`](super::CertificateChain).
///
/// `Display` says what was found instead and how to get from it to what is needed. Repeating does not
/// help against any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TlsMaterialError {
    /// There are no bytes.
    Empty,
    /// PEM text. DER is what its base64 stands for.
    Pem,
    /// Hex digits: decode them first.
    HexText,
    /// Base64 text: decode it first.
    Base64Text,
    /// Neither DER nor one of the texts that DER is stored as.
    NotDer,
    /// The DER claims 16 MiB or more.
    TooLarge,
    /// The end is missing.
    Truncated {
        /// The length in bytes that the DER states; at least so many, if its length field is cut.
        expected: usize,
        /// The length in bytes that is there.
        actual: usize,
    },
    /// Something follows the DER.
    TrailingBytes {
        /// The length in bytes that the DER states.
        expected: usize,
        /// The length in bytes that is there.
        actual: usize,
    },
    /// An RSA key in the PKCS#1 form ("BEGIN RSA PRIVATE KEY").
    Pkcs1Key,
    /// An EC key in the SEC 1 form ("BEGIN EC PRIVATE KEY").
    Sec1Key,
    /// A PKCS#8 key under a pass phrase ("BEGIN ENCRYPTED PRIVATE KEY").
    EncryptedPkcs8Key,
    /// A certificate where a private key belongs.
    CertificateWhereKeyBelongs,
    /// A private key where a certificate belongs.
    KeyWhereCertificateBelongs,
    /// A public key where a private key belongs.
    PublicKeyWhereKeyBelongs,
    /// A public key where a certificate belongs.
    PublicKeyWhereCertificateBelongs,
    /// A certificate signing request where a private key belongs.
    CsrWhereKeyBelongs,
    /// A certificate signing request where a certificate belongs.
    CsrWhereCertificateBelongs,
    /// A container of keys and certificates: PKCS#12 (`.p12`, `.pfx`) or PKCS#7 (`.p7b`).
    Container,
    /// A chain needs at least one certificate.
    EmptyChain,
    /// A chain is longer than the platform takes.
    TooManyCertificates {
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
}

impl fmt::Display for TlsMaterialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the TLS material is empty",
            Self::Pem => {
                "this is PEM text; convert it to DER: `openssl x509 -outform DER` for a certificate, \
                 `openssl pkcs8 -topk8 -nocrypt -outform DER` for a key"
            }
            Self::HexText => "this is hex text; decode it to bytes first",
            Self::Base64Text => "this is base64 text; decode it to bytes first",
            Self::NotDer => "this is not DER; if it was decoded, check that it was stored in that encoding",
            Self::TooLarge => "the DER claims 16 MiB or more, so it is damaged or no TLS material",
            Self::Truncated { expected, actual } => {
                return write!(
                    f,
                    "the DER is cut off: it needs {expected} bytes and {actual} are there; \
                     check that it was stored whole and that the buffer holds it"
                );
            }
            Self::TrailingBytes { expected, actual } => {
                return write!(
                    f,
                    "the DER ends after {expected} of {actual} bytes; \
                     give the exact length, and one certificate or key at a time"
                );
            }
            Self::Pkcs1Key => {
                "this is a PKCS#1 key (BEGIN RSA PRIVATE KEY) and PKCS#8 is needed; \
                 convert it with `openssl pkcs8 -topk8 -nocrypt -outform DER`"
            }
            Self::Sec1Key => {
                "this is a SEC 1 key (BEGIN EC PRIVATE KEY) and PKCS#8 is needed; \
                 convert it with `openssl pkcs8 -topk8 -nocrypt -outform DER`"
            }
            Self::EncryptedPkcs8Key => {
                "this key is encrypted under a pass phrase; \
                 decrypt it with `openssl pkcs8 -topk8 -nocrypt -outform DER`"
            }
            Self::CertificateWhereKeyBelongs => "this is a certificate, and a private key belongs here",
            Self::KeyWhereCertificateBelongs => "this is a private key, and a certificate belongs here",
            Self::PublicKeyWhereKeyBelongs => "this is a public key, and the private key belongs here",
            Self::PublicKeyWhereCertificateBelongs => "this is a public key, and a certificate belongs here",
            Self::CsrWhereKeyBelongs => {
                "this is a certificate signing request, and a private key belongs here"
            }
            Self::CsrWhereCertificateBelongs => {
                "this is a certificate signing request; the certificate that was issued for it belongs here"
            }
            Self::Container => {
                "this is a PKCS#12 or PKCS#7 container; take the certificates and the key out of it \
                 with `openssl pkcs12` or `openssl pkcs7 -print_certs`"
            }
            Self::EmptyChain => "a certificate chain needs at least one certificate",
            Self::TooManyCertificates { count, max } => {
                return write!(f, "a certificate chain takes at most {max} certificates, not {count}");
            }
        })
    }
}

impl core::error::Error for TlsMaterialError {}
