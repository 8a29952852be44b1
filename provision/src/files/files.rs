//! Finding certificates and keys by what files hold.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pem::Pem;
use serde::Serialize;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509CertificationRequest};
use zeroize::Zeroizing;

use super::text::{decode, is_text};
use super::{Certificate, PrivateKey};
use crate::check::Problem;

/// Larger files are no credentials, in bytes.
pub(crate) const LARGEST_FILE: u64 = 256 * 1024;

/// What files are called that should hold credentials. In such a file it is an error if they do not.
const EXTENSIONS: [&str; 9] = ["pem", "crt", "cer", "cert", "der", "key", "p8", "pk8", "csr"];

/// What files hold, every certificate and key once.
#[derive(Clone, Debug, Default)]
pub struct Files {
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) private_keys: Vec<PrivateKey>,
    pub(crate) public_keys: Vec<String>,
    pub(crate) requests: Vec<String>,
    pub(crate) left_aside: Vec<LeftAside>,
    pub(crate) problems: Vec<Problem>,
}

/// A file that a device has no use for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftAside {
    /// The file's name.
    pub file: String,
    /// What it is, such as "is a public key, which a device does not need".
    pub why: String,
}

impl Files {
    /// Reads every file of `folder`, but not of the folders in it, in the order of their names.
    ///
    /// # Errors
    ///
    /// What the operating system says if the folder cannot be read. What is wrong with a file of it is
    /// among the [`problems`](Self::problems).
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        let entries = fs::read_dir(folder)?;
        let mut paths =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        let mut found = Self::default();
        for path in paths.iter().filter(|path| !path.is_dir()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let should_hold_credentials = path.extension().is_some_and(is_of_credentials);
            found.add(path, &name, should_hold_credentials);
        }
        Ok(found)
    }

    /// Reads these files, each of which should hold credentials.
    pub fn listed(paths: &[PathBuf]) -> Self {
        let mut found = Self::default();
        for path in paths {
            found.add(path, &path.display().to_string(), true);
        }
        found
    }

    /// The certificates, in the order in which they were found.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The private keys that a device can use, in the order in which they were found.
    pub fn private_keys(&self) -> &[PrivateKey] {
        &self.private_keys
    }

    /// The files that a device has no use for.
    pub fn left_aside(&self) -> &[LeftAside] {
        &self.left_aside
    }

    /// What is wrong with single files.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn add(&mut self, path: &Path, file: &str, should_hold_credentials: bool) {
        let owned = || file.to_owned();
        let nothing = match read(path) {
            Err(error) => {
                return self.problems.push(Problem::Unreadable { file: owned(), error: error.to_string() });
            }
            Ok(Content::NoFile) => Problem::NoFile { file: owned() },
            Ok(Content::TooLarge) => Problem::TooLargeFile { file: owned() },
            Ok(Content::Bytes(bytes)) if bytes.is_empty() => Problem::EmptyFile { file: owned() },
            Ok(Content::Bytes(bytes)) => match self.add_content(file, &bytes) {
                Ok(true) => return,
                Ok(false) => Problem::NoCredentials { file: owned() },
                Err(problem) => return self.problems.push(problem),
            },
        };
        if should_hold_credentials {
            self.problems.push(nothing);
        } else {
            let why = match nothing {
                Problem::NoFile { .. } => "is no file",
                Problem::TooLargeFile { .. } => "is too large for a certificate or key",
                Problem::EmptyFile { .. } => "is empty",
                _ => "is neither PEM nor DER",
            };
            self.leave_aside(file, why);
        }
    }

    /// Whether it was something.
    fn add_content(&mut self, file: &str, bytes: &[u8]) -> Result<bool, Problem> {
        let text = decode(bytes);
        if text.contains("-----BEGIN ") {
            return self.add_pem(file, &text).map(|()| true);
        }
        if bytes.first() == Some(&DER_SEQUENCE) && !is_text(bytes) {
            return self.add_der(file, bytes).map(|()| true);
        }
        Ok(false)
    }

    fn add_pem(&mut self, file: &str, text: &str) -> Result<(), Problem> {
        let damaged = || Problem::DamagedPem { file: file.to_owned() };
        let blocks = pem::parse_many(text).map_err(|_| damaged())?;
        // The parser passes over a block without an end.
        if blocks.len() != text.matches("-----BEGIN ").count() {
            return Err(damaged());
        }
        blocks.into_iter().try_for_each(|block| self.add_block(file, block))
    }

    fn add_block(&mut self, file: &str, block: Pem) -> Result<(), Problem> {
        let owned = || file.to_owned();
        let is_encrypted = block.headers().get("Proc-Type").is_some_and(|value| value.contains("ENCRYPTED"));
        let tag = block.tag().to_owned();
        let der = Zeroizing::new(block.into_contents());
        match tag.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                let certificate = Certificate::from_der(file, &der)
                    .ok_or_else(|| Problem::DamagedCertificate { file: owned() })?;
                self.add_certificate(certificate);
            }
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => self.add_request(file),
            "ENCRYPTED PRIVATE KEY" => return Err(Problem::EncryptedPrivateKey { file: owned() }),
            "OPENSSH PRIVATE KEY" => return Err(Problem::OpenSshKey { file: owned() }),
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" if is_encrypted => {
                return Err(Problem::EncryptedPrivateKey { file: owned() });
            }
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {
                let key = PrivateKey::from_der(file, &der)
                    .ok_or_else(|| Problem::DamagedPrivateKey { file: owned() })??;
                self.add_private_key(key);
            }
            "PUBLIC KEY" | "RSA PUBLIC KEY" => self.add_public_key(file),
            // OpenSSL writes the curve in front of an EC key, which names it once more.
            "EC PARAMETERS" => {}
            tag if tag.ends_with(" PRIVATE KEY") => {
                let kind = format!("a {} key", tag.trim_end_matches(" PRIVATE KEY"));
                return Err(Problem::UnsupportedKey { file: owned(), kind });
            }
            tag => self.leave_aside(file, &format!("holds a {}, which is not needed", tag.to_lowercase())),
        }
        Ok(())
    }

    fn add_der(&mut self, file: &str, der: &[u8]) -> Result<(), Problem> {
        if let Some(certificate) = Certificate::from_der(file, der) {
            self.add_certificate(certificate);
        } else if let Some(key) = PrivateKey::from_der(file, der) {
            self.add_private_key(key?);
        } else if pkcs8::EncryptedPrivateKeyInfoRef::try_from(der).is_ok() {
            return Err(Problem::EncryptedPrivateKey { file: file.to_owned() });
        } else if is_pkcs12(der) {
            return Err(Problem::Pkcs12 { file: file.to_owned() });
        } else if SubjectPublicKeyInfo::from_der(der).is_ok_and(|(rest, _)| rest.is_empty()) {
            self.add_public_key(file);
        } else if X509CertificationRequest::from_der(der).is_ok_and(|(rest, _)| rest.is_empty()) {
            self.add_request(file);
        } else {
            return Err(Problem::DamagedDer { file: file.to_owned() });
        }
        Ok(())
    }

    fn add_certificate(&mut self, certificate: Certificate) {
        if self.certificates.iter().all(|known| known.der() != certificate.der()) {
            self.certificates.push(certificate);
        }
    }

    fn add_private_key(&mut self, key: PrivateKey) {
        if self.private_keys.iter().all(|known| !known.is_same_key(&key)) {
            self.private_keys.push(key);
        }
    }

    fn add_public_key(&mut self, file: &str) {
        self.public_keys.push(file.to_owned());
        self.leave_aside(file, "is a public key, which a device does not need");
    }

    fn add_request(&mut self, file: &str) {
        self.requests.push(file.to_owned());
        self.leave_aside(file, "is a certificate request, which a device does not need");
    }

    fn leave_aside(&mut self, file: &str, why: &str) {
        self.left_aside.push(LeftAside { file: file.to_owned(), why: why.to_owned() });
    }
}

enum Content {
    Bytes(Zeroizing<Vec<u8>>),
    TooLarge,
    NoFile,
}

fn read(path: &Path) -> io::Result<Content> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Ok(Content::NoFile);
    }
    if metadata.len() > LARGEST_FILE {
        return Ok(Content::TooLarge);
    }
    // With its room from the start, so that no copy of a key is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LARGEST_FILE).unwrap_or(0) + 1));
    File::open(path)?.take(LARGEST_FILE).read_to_end(&mut bytes)?;
    Ok(Content::Bytes(bytes))
}

fn is_of_credentials(extension: &OsStr) -> bool {
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// With what certificates and keys start; as text it is a zero.
const DER_SEQUENCE: u8 = 0x30;

/// PKCS#12 starts with version 3 (RFC 7292, section 4).
fn is_pkcs12(der: &[u8]) -> bool {
    let length = der.get(1).copied().unwrap_or(0);
    let header = if length & 0x80 == 0 { 2 } else { 2 + usize::from(length & 0x7f) };
    der.get(header..header + 3) == Some(&[0x02, 0x01, 0x03])
}
