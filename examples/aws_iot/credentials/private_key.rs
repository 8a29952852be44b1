//! Private keys in the three encodings in which they are handed out, as the PKCS#8 that the device
//! takes.

use pkcs1::der::asn1::OctetStringRef;
use pkcs1::der::{Decode, Encode};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::error::CredentialsError;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// AWS IoT refuses shorter ones.
const SHORTEST_RSA_BITS: usize = 2048;

/// A private key, and where it was found.
pub(crate) struct PrivateKey {
    pub(crate) file: String,
    /// The key and its encoding in words, such as "RSA-2048, PKCS#1".
    pub(crate) kind: String,
    pub(crate) pkcs8: Zeroizing<Vec<u8>>,
    /// The bits of the public key that belongs to it, where the file says.
    public_key: Option<Vec<u8>>,
}

impl PrivateKey {
    /// Decodes a key of any of the three encodings; `None` if it is none of them.
    pub(crate) fn from_der(file: &str, der: &[u8]) -> Option<Result<Self, CredentialsError>> {
        if let Ok(info) = PrivateKeyInfoRef::try_from(der) {
            Some(Self::from_pkcs8(file, der, &info))
        } else if pkcs1::RsaPrivateKeyRef::from_der(der).is_ok() {
            Some(Self::from_pkcs1(file, der))
        } else if let Ok(key) = sec1::EcPrivateKey::from_der(der) {
            Some(Self::from_sec1(file, &key))
        } else {
            None
        }
    }

    /// Whether this is the key that `public_key`, a certificate's, belongs to; `None` if the file
    /// does not say.
    pub(crate) fn belongs_to(&self, public_key: &[u8]) -> Option<bool> {
        self.public_key.as_deref().map(|own| own == public_key)
    }

    /// Whether both are one key, perhaps in two encodings.
    pub(crate) fn is_same_key(&self, other: &Self) -> bool {
        match (&self.public_key, &other.public_key) {
            (Some(own), Some(others)) => own == others,
            _ => self.pkcs8 == other.pkcs8,
        }
    }

    fn from_pkcs8(file: &str, der: &[u8], info: &PrivateKeyInfoRef<'_>) -> Result<Self, CredentialsError> {
        let inner = info.private_key.as_bytes();
        let (name, public_key) = match info.algorithm.oid {
            RSA => rsa(file, inner)?,
            EC => {
                let key = sec1::EcPrivateKey::from_der(inner).map_err(|_| damaged(file))?;
                let curve = info.algorithm.parameters_oid().map_err(|_| damaged(file))?;
                (curve_name(file, curve)?, key.public_key.map(ToOwned::to_owned))
            }
            ED25519 => return Err(unsupported(file, "an Ed25519 key")),
            other => return Err(unsupported(file, &format!("of an unknown kind (algorithm {other})"))),
        };
        Ok(Self {
            file: file.to_owned(),
            kind: format!("{name}, PKCS#8"),
            pkcs8: Zeroizing::new(der.to_vec()),
            public_key,
        })
    }

    fn from_pkcs1(file: &str, der: &[u8]) -> Result<Self, CredentialsError> {
        let (name, public_key) = rsa(file, der)?;
        let algorithm = AlgorithmIdentifierRef { oid: RSA, parameters: Some(pkcs8::der::AnyRef::NULL) };
        Ok(Self {
            file: file.to_owned(),
            kind: format!("{name}, PKCS#1"),
            pkcs8: wrap(file, algorithm, der)?,
            public_key,
        })
    }

    fn from_sec1(file: &str, key: &sec1::EcPrivateKey<'_>) -> Result<Self, CredentialsError> {
        let Some(curve) = key.parameters.and_then(sec1::EcParameters::named_curve) else {
            return Err(CredentialsError::CurveNotNamed { file: file.to_owned() });
        };
        let name = curve_name(file, curve)?;
        // PKCS#8 names the curve outside; inside it is left out, as OpenSSL does.
        let bare = sec1::EcPrivateKey { parameters: None, ..key.clone() };
        let inner = Zeroizing::new(bare.to_der().map_err(|_| damaged(file))?);
        let algorithm = AlgorithmIdentifierRef { oid: EC, parameters: Some((&curve).into()) };
        Ok(Self {
            file: file.to_owned(),
            kind: format!("{name}, SEC1"),
            pkcs8: wrap(file, algorithm, &inner)?,
            public_key: key.public_key.map(ToOwned::to_owned),
        })
    }
}

/// The name of an RSA key in PKCS#1, and the bits of its public key.
fn rsa(file: &str, pkcs1: &[u8]) -> Result<(String, Option<Vec<u8>>), CredentialsError> {
    let key = pkcs1::RsaPrivateKeyRef::from_der(pkcs1).map_err(|_| damaged(file))?;
    let modulus = key.modulus.as_bytes();
    let leading_zeros = modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = modulus.len() * 8 - leading_zeros;
    if bits < SHORTEST_RSA_BITS {
        return Err(unsupported(file, &format!("an RSA key of {bits} bits")));
    }
    let public_key = key.public_key().to_der().map_err(|_| damaged(file))?;
    Ok((format!("RSA-{bits}"), Some(public_key)))
}

fn curve_name(file: &str, curve: ObjectIdentifier) -> Result<String, CredentialsError> {
    match curve {
        P256 => Ok("EC P-256".to_owned()),
        P384 => Ok("EC P-384".to_owned()),
        P521 => Ok("EC P-521".to_owned()),
        other => Err(unsupported(file, &format!("an EC key on another curve ({other})"))),
    }
}

fn wrap(
    file: &str,
    algorithm: AlgorithmIdentifierRef<'_>,
    key: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CredentialsError> {
    let key = OctetStringRef::new(key).map_err(|_| damaged(file))?;
    let der = PrivateKeyInfoRef::new(algorithm, key).to_der().map_err(|_| damaged(file))?;
    Ok(Zeroizing::new(der))
}

fn damaged(file: &str) -> CredentialsError {
    CredentialsError::DamagedPrivateKey { file: file.to_owned() }
}

fn unsupported(file: &str, kind: &str) -> CredentialsError {
    CredentialsError::UnsupportedKey { file: file.to_owned(), kind: kind.to_owned() }
}
