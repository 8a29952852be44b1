//! Certificates and keys for TLS.
//!
//! The platform takes DER and nothing else: X.509 certificates, and a PKCS#8 private key. The types
//! here check what they are made from, and name the usual mix-ups (PEM, a PKCS#1 key, the key in the
//! certificate's place, ...) before the far end answers with a broken connection.
//!
//! [`Certificate`]s make up a [`CertificateChain`]; chains and a [`PrivateKey`] make up
//! [`Credentials`]. None of them copies the material.

mod certificate;
mod chain;
mod credentials;
mod der;
mod material;
mod material_error;
mod private_key;

pub use certificate::Certificate;
pub use chain::CertificateChain;
pub use credentials::Credentials;
pub use material_error::TlsMaterialError;
pub use private_key::PrivateKey;
