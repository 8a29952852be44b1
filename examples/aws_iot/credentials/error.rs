//! What can be wrong with a folder of credentials, and what to do about it.

use std::fmt;
use std::path::PathBuf;

/// Why a folder's files cannot become a device's credentials. Each message names the file and the
/// remedy.
#[derive(Debug)]
pub(crate) enum CredentialsError {
    /// The folder, or a file in it, cannot be read.
    Unreadable {
        path: PathBuf,
        error: std::io::Error,
    },
    /// The folder holds none of the wanted things.
    Empty {
        folder: PathBuf,
    },
    NoRootCa {
        folder: PathBuf,
    },
    NoCertificate {
        folder: PathBuf,
        only_cas: bool,
    },
    NoPrivateKey {
        folder: PathBuf,
        public_key: Option<String>,
    },
    SeveralRootCas {
        files: Vec<String>,
    },
    SeveralCertificates {
        files: Vec<String>,
    },
    SeveralPrivateKeys {
        files: Vec<String>,
    },
    /// A PEM block does not end, or is not base64.
    DamagedPem {
        file: String,
    },
    /// Binary that is neither a certificate nor a key.
    DamagedDer {
        file: String,
    },
    DamagedCertificate {
        file: String,
    },
    DamagedPrivateKey {
        file: String,
    },
    EncryptedPrivateKey {
        file: String,
    },
    OpenSshKey {
        file: String,
    },
    Pkcs12 {
        file: String,
    },
    /// The key is of a kind that AWS IoT does not take.
    UnsupportedKey {
        file: String,
        kind: String,
    },
    /// A SEC1 key that leaves out its curve cannot be wrapped as PKCS#8.
    CurveNotNamed {
        file: String,
    },
    /// The value does not fit a config store, not even as base64.
    TooLargeForStore {
        file: String,
        what: &'static str,
        characters: usize,
        limit: usize,
    },
}

impl fmt::Display for CredentialsError {
    #[expect(clippy::too_many_lines, reason = "one message for each variant")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => {
                write!(f, "cannot read {}: {error}; check the path and its permissions", path.display())
            }
            Self::Empty { folder } => write!(
                f,
                "{} holds no certificate and no key; name the folder with the files that AWS IoT handed out \
                 when the certificate was created: the root CA, the certificate and the private key",
                folder.display()
            ),
            Self::NoRootCa { folder } => write!(
                f,
                "no root CA certificate in {}; save Amazon Root CA 1 (PEM) from \
                 https://www.amazontrust.com/repository/ there, or the CA of your own broker",
                folder.display()
            ),
            Self::NoCertificate { folder, only_cas: true } => write!(
                f,
                "{} holds CA certificates, but no device certificate; put the …-certificate.pem.crt there that \
                 AWS IoT handed out with the private key",
                folder.display()
            ),
            Self::NoCertificate { folder, only_cas: false } => write!(
                f,
                "no device certificate in {}; put the …-certificate.pem.crt there that AWS IoT handed out with \
                 the private key",
                folder.display()
            ),
            Self::NoPrivateKey { folder, public_key } => {
                write!(f, "no private key in {}", folder.display())?;
                if let Some(file) = public_key {
                    write!(f, " ({file} is a public key, which cannot take its place)")?;
                }
                f.write_str(
                    "; put the …-private.pem.key there. AWS IoT hands it out only once: if it is lost, create a \
                     new certificate and key",
                )
            }
            Self::SeveralRootCas { files } => write!(
                f,
                "several root CA certificates: {}; leave the one that issued your broker's certificate (Amazon \
                 Root CA 1 for AWS IoT)",
                files.join(", ")
            ),
            Self::SeveralCertificates { files } => write!(
                f,
                "several device certificates: {}, and the private key does not single one out; leave the one \
                 that belongs to the key",
                files.join(", ")
            ),
            Self::SeveralPrivateKeys { files } => write!(
                f,
                "several private keys: {}, and the certificate does not single one out; leave the one that \
                 belongs to the certificate",
                files.join(", ")
            ),
            Self::DamagedPem { file } => write!(
                f,
                "{file} has a PEM block that does not end or is not base64; copy the file again, from the line \
                 -----BEGIN to the line -----END"
            ),
            Self::DamagedDer { file } => write!(
                f,
                "{file} starts like DER, but neither a certificate nor a key decodes from it; copy it again, in \
                 binary, or move it away"
            ),
            Self::DamagedCertificate { file } => write!(
                f,
                "{file} should hold an X.509 certificate, but what is there does not decode as one; download \
                 or copy it again"
            ),
            Self::DamagedPrivateKey { file } => write!(
                f,
                "{file} should hold a private key, but what is there does not decode as PKCS#1, SEC1 or PKCS#8; \
                 copy it again"
            ),
            Self::EncryptedPrivateKey { file } => write!(
                f,
                "the private key in {file} is encrypted, and a device has nobody to type the pass phrase; \
                 write it in the clear with: openssl pkey -in {file} -out private.pem, and move {file} away"
            ),
            Self::OpenSshKey { file } => write!(
                f,
                "{file} is an OpenSSH key; AWS IoT knows X.509 certificates and their keys only. Use the \
                 …-private.pem.key that came with the certificate, and move {file} away"
            ),
            Self::Pkcs12 { file } => write!(
                f,
                "{file} is a PKCS#12 bundle; unpack it with: openssl pkcs12 -in {file} -nodes -out \
                 credentials.pem, and move {file} away"
            ),
            Self::UnsupportedKey { file, kind } => write!(
                f,
                "the private key in {file} is {kind}; AWS IoT takes RSA keys of 2,048 bits or more and EC keys \
                 on P-256, P-384 or P-521: create a certificate with such a key"
            ),
            Self::CurveNotNamed { file } => write!(
                f,
                "the EC private key in {file} does not name its curve; export it again as PKCS#8, with its \
                 parameters"
            ),
            Self::TooLargeForStore { file, what, characters, limit } => write!(
                f,
                "the {what} in {file} takes {characters} characters as base64, and a value in the device's \
                 store has {limit} at most; create a certificate with a P-256 or RSA-2048 key"
            ),
        }
    }
}

impl std::error::Error for CredentialsError {}
