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
    /// PEM text. DER is what its base64 stands for.
    Pem,
    /// Neither PEM nor DER.
    NotDer,
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
    /// A certificate, where something else belongs.
    Certificate,
    /// A private key in PKCS#8, where something else belongs.
    PrivateKey,
    /// A private key in the traditional form: PKCS#1 ("BEGIN RSA PRIVATE KEY") or SEC 1 ("BEGIN EC PRIVATE
    /// KEY").
    TraditionalKey,
    /// A public key, or a private one under a pass phrase ("BEGIN ENCRYPTED PRIVATE KEY").
    PublicOrEncryptedKey,
    /// A certificate signing request.
    CertificateRequest,
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
            Self::Pem => {
                "this is PEM text; convert it to DER: `openssl x509 -outform DER` for a certificate, \
                 `openssl pkcs8 -topk8 -nocrypt -outform DER` for a key"
            }
            Self::NotDer => {
                "this is not DER; if it is still text, decode it, and if it was decoded, check that it was \
                 stored in that encoding"
            }
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
            Self::Certificate => "this is a certificate, and a private key belongs here",
            Self::PrivateKey => "this is a private key, and a certificate belongs here",
            Self::TraditionalKey => {
                "this is a key in PKCS#1 or SEC 1 form (BEGIN RSA or EC PRIVATE KEY); where a private key \
                 belongs, PKCS#8 is needed: convert it with `openssl pkcs8 -topk8 -nocrypt -outform DER`"
            }
            Self::PublicOrEncryptedKey => {
                "this is a public key, or a private key under a pass phrase; where a private key belongs, \
                 decrypt that with `openssl pkcs8 -topk8 -nocrypt -outform DER`"
            }
            Self::CertificateRequest => {
                "this is a certificate signing request; the certificate that was issued for it, \
                 or the private key, belongs here"
            }
            Self::EmptyChain => "a certificate chain needs at least one certificate",
            Self::TooManyCertificates { count, max } => {
                return write!(f, "a certificate chain takes at most {max} certificates, not {count}");
            }
        })
    }
}

impl core::error::Error for TlsMaterialError {}
