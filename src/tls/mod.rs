//! Certificates and keys for TLS.
//!
//! The platform takes DER and nothing else: X.509 certificates, and a PKCS#8 private key. The types
//! here check what they are made from, and name the usual mix-ups (PEM, a PKCS#1 key, the key in the
//! certificate's place, ...) before the far end answers with a broken connection.
//!
//! [`Certificate`]s make up a [`CertificateChain`]; chains and a [`PrivateKey`] make up
//! [`Credentials`]. None of them copies the material.
//!
//! ```
//! use microvisor::tls::{Certificate, CertificateChain, Credentials, PrivateKey, TlsMaterialError};
//!
//! fn credentials<'a>(
//!     authority: &'a Certificate<'a>,
//!     own: &'a Certificate<'a>,
//!     key: &'a PrivateKey<'a>,
//! ) -> Credentials<'a> {
//!     Credentials::new()
//!         .trust(CertificateChain::single(authority))
//!         .identity(CertificateChain::single(own), key)
//! }
//!
//! let pem = b"-----BEGIN CERTIFICATE-----\nMIIB";
//! assert_eq!(Certificate::from_der(pem), Err(TlsMaterialError::Pem));
//! ```

mod certificate;
mod chain;
mod credentials;
mod material;
mod material_error;
mod private_key;

pub use certificate::Certificate;
pub use chain::CertificateChain;
pub use credentials::Credentials;
pub(crate) use material::Place;
pub use material_error::TlsMaterialError;
pub use private_key::PrivateKey;
