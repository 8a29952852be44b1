//! Private keys in the three encodings in which they are handed out, as the PKCS#8 that a device takes.

use std::fmt;

use pkcs1::der::asn1::OctetStringRef;
use pkcs1::der::{AnyRef, Decode, Encode};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use ring::signature::RsaKeyPair;
use zeroize::Zeroizing;

use crate::check::Problem;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// AWS IoT refuses shorter ones.
const SHORTEST_RSA_BITS: usize = 2048;

/// A private key, and where it was found. It is wiped from memory when dropped.
#[derive(Clone)]
pub struct PrivateKey {
    file: String,
    kind: String,
    encoding: &'static str,
    pkcs8: Zeroizing<Vec<u8>>,
    public_key: Vec<u8>,
}

impl PrivateKey {
    /// Decodes a key of any of the three encodings; `None` if it is none of them.
    pub(super) fn from_der(file: &str, der: &[u8]) -> Option<Result<Self, Problem>> {
        if let Ok(info) = PrivateKeyInfoRef::try_from(der) {
            Some(Self::from_pkcs8(file, &info))
        } else if pkcs1::RsaPrivateKeyRef::from_der(der).is_ok() {
            Some(Self::from_rsa(file, der, "PKCS#1"))
        } else if let Ok(key) = sec1::EcPrivateKey::from_der(der) {
            let curve = key.parameters.and_then(sec1::EcParameters::named_curve);
            Some(match curve {
                Some(curve) => Self::from_ec(file, curve, &key, "SEC1"),
                None => Err(Problem::CurveNotNamed { file: file.to_owned() }),
            })
        } else {
            None
        }
    }

    /// The name of its file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The kind of key, such as "RSA-2048" or "EC P-256".
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// How the file has it: "PKCS#1", "SEC1" or "PKCS#8".
    pub fn encoding(&self) -> &'static str {
        self.encoding
    }

    /// The key in PKCS#8 DER, as `openssl pkcs8 -topk8 -nocrypt -outform der` writes it.
    pub fn pkcs8(&self) -> &Zeroizing<Vec<u8>> {
        &self.pkcs8
    }

    /// Whether this is the key that `public_key`, a certificate's, belongs to.
    pub(crate) fn belongs_to(&self, public_key: &[u8]) -> bool {
        self.public_key == public_key
    }

    /// Whether both are one key, perhaps in two encodings.
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        self.public_key == other.public_key
    }

    /// PKCS#8 is written anew, since what other tools put in there besides makes values longer.
    fn from_pkcs8(file: &str, info: &PrivateKeyInfoRef<'_>) -> Result<Self, Problem> {
        let inner = info.private_key.as_bytes();
        match info.algorithm.oid {
            RSA => Self::from_rsa(file, inner, "PKCS#8"),
            EC => {
                let key = sec1::EcPrivateKey::from_der(inner).map_err(|_| damaged(file))?;
                let curve = info.algorithm.parameters_oid().map_err(|_| damaged(file))?;
                Self::from_ec(file, curve, &key, "PKCS#8")
            }
            ED25519 => Err(unsupported(file, "an Ed25519 key")),
            other => Err(unsupported(file, &format!("of an unknown kind (algorithm {other})"))),
        }
    }

    fn from_rsa(file: &str, pkcs1: &[u8], encoding: &'static str) -> Result<Self, Problem> {
        let key = pkcs1::RsaPrivateKeyRef::from_der(pkcs1).map_err(|_| damaged(file))?;
        let modulus = key.modulus.as_bytes();
        let kind = rsa_name(modulus);
        if rsa_bits(modulus) < SHORTEST_RSA_BITS {
            return Err(unsupported(file, &format!("an RSA key of {} bits", rsa_bits(modulus))));
        }
        if !is_consistent(pkcs1) {
            return Err(damaged(file));
        }
        let public_key = key.public_key().to_der().map_err(|_| damaged(file))?;
        let algorithm = AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) };
        Ok(Self { file: file.to_owned(), kind, encoding, pkcs8: wrap(file, algorithm, pkcs1)?, public_key })
    }

    fn from_ec(
        file: &str,
        curve: ObjectIdentifier,
        key: &sec1::EcPrivateKey<'_>,
        encoding: &'static str,
    ) -> Result<Self, Problem> {
        let name = curve.to_string();
        let kind = curve_name(&name)
            .ok_or_else(|| unsupported(file, &format!("an EC key on another curve ({curve})")))?;
        let public_key = ec_public_key(&name, key.private_key).ok_or_else(|| damaged(file))?;
        if key.public_key.is_some_and(|said| said != public_key) {
            return Err(damaged(file));
        }
        // PKCS#8 names the curve outside; inside it is left out, as OpenSSL does.
        let bare = sec1::EcPrivateKey { parameters: None, ..key.clone() };
        let inner = Zeroizing::new(bare.to_der().map_err(|_| damaged(file))?);
        let algorithm = AlgorithmIdentifierRef { oid: EC, parameters: Some((&curve).into()) };
        let pkcs8 = wrap(file, algorithm, &inner)?;
        Ok(Self { file: file.to_owned(), kind: kind.to_owned(), encoding, pkcs8, public_key })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("file", &self.file)
            .field("kind", &self.kind)
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

/// The name of an RSA key with this modulus, such as "RSA-2048".
pub(super) fn rsa_name(modulus: &[u8]) -> String {
    format!("RSA-{}", rsa_bits(modulus))
}

fn rsa_bits(modulus: &[u8]) -> usize {
    let significant = modulus.iter().skip_while(|byte| **byte == 0);
    let leading_zeros = significant.clone().next().map_or(0, |byte| byte.leading_zeros() as usize);
    significant.count() * 8 - leading_zeros
}

/// Whether the numbers of an RSA key are those of one key.
fn is_consistent(pkcs1: &[u8]) -> bool {
    // What else is refused there, such as a small exponent, is no damage.
    RsaKeyPair::from_der(pkcs1).err().is_none_or(|rejected| rejected.to_string() != "InconsistentComponents")
}

/// The name of a curve that AWS IoT takes.
pub(super) fn curve_name(curve: &str) -> Option<&'static str> {
    match curve {
        P256 => Some("EC P-256"),
        P384 => Some("EC P-384"),
        P521 => Some("EC P-521"),
        _ => None,
    }
}

/// The public point that belongs to a private number; `None` if it is not one of the curve's.
fn ec_public_key(curve: &str, private: &[u8]) -> Option<Vec<u8>> {
    match curve {
        P256 => Some(p256::SecretKey::from_slice(private).ok()?.public_key().to_sec1_bytes().into_vec()),
        P384 => Some(p384::SecretKey::from_slice(private).ok()?.public_key().to_sec1_bytes().into_vec()),
        P521 => Some(p521::SecretKey::from_slice(private).ok()?.public_key().to_sec1_bytes().into_vec()),
        _ => None,
    }
}

fn wrap(
    file: &str,
    algorithm: AlgorithmIdentifierRef<'_>,
    key: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let key = OctetStringRef::new(key).map_err(|_| damaged(file))?;
    let der = PrivateKeyInfoRef::new(algorithm, key).to_der().map_err(|_| damaged(file))?;
    Ok(Zeroizing::new(der))
}

fn damaged(file: &str) -> Problem {
    Problem::DamagedPrivateKey { file: file.to_owned() }
}

fn unsupported(file: &str, kind: &str) -> Problem {
    Problem::UnsupportedKey { file: file.to_owned(), kind: kind.to_owned() }
}
