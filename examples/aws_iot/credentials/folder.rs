//! Finding certificates and keys in a folder by what its files hold, whatever they are called.

use std::fs;
use std::path::Path;

use pem::Pem;

use super::certificate::Certificate;
use super::error::CredentialsError;
use super::private_key::PrivateKey;

/// Larger files are no credentials.
const LARGEST_FILE: u64 = 256 * 1024;

/// What a folder holds, every certificate and key once.
#[derive(Default)]
pub(crate) struct Folder {
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) private_keys: Vec<PrivateKey>,
    /// The name of a file with a public key.
    pub(crate) public_key: Option<String>,
    /// What was left aside, and why, one sentence a file.
    pub(crate) notes: Vec<String>,
}

impl Folder {
    /// Reads every file of `folder`, in the order of their names.
    pub(crate) fn read(folder: &Path) -> Result<Self, CredentialsError> {
        let unreadable =
            |path: &Path, error| CredentialsError::Unreadable { path: path.to_path_buf(), error };
        let mut paths = fs::read_dir(folder)
            .and_then(|entries| {
                entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
            })
            .map_err(|error| unreadable(folder, error))?;
        paths.sort();
        let mut found = Self::default();
        for path in paths {
            let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !metadata.is_file() {
                continue;
            }
            if metadata.len() > LARGEST_FILE {
                found.leave_aside(&file, "is too large for a certificate or key");
                continue;
            }
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, error))?;
            found.add_file(&file, &bytes)?;
        }
        Ok(found)
    }

    fn add_file(&mut self, file: &str, bytes: &[u8]) -> Result<(), CredentialsError> {
        let text = decode_text(bytes);
        if text.contains("-----BEGIN ") {
            return self.add_pem(file, &text);
        }
        if bytes.first() == Some(&DER_SEQUENCE) && !is_text(bytes) {
            return self.add_der(file, bytes);
        }
        self.leave_aside(file, "is neither PEM nor DER");
        Ok(())
    }

    fn add_pem(&mut self, file: &str, text: &str) -> Result<(), CredentialsError> {
        let damaged = || CredentialsError::DamagedPem { file: file.to_owned() };
        let blocks = pem::parse_many(text).map_err(|_| damaged())?;
        // The parser passes over a block without an end.
        if blocks.len() != text.matches("-----BEGIN ").count() {
            return Err(damaged());
        }
        blocks.iter().try_for_each(|block| self.add_block(file, block))
    }

    fn add_block(&mut self, file: &str, block: &Pem) -> Result<(), CredentialsError> {
        let owned = || file.to_owned();
        let is_encrypted = block.headers().get("Proc-Type").is_some_and(|value| value.contains("ENCRYPTED"));
        match block.tag() {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                let certificate = Certificate::from_der(file, block.contents())
                    .ok_or_else(|| CredentialsError::DamagedCertificate { file: owned() })?;
                self.add_certificate(certificate);
            }
            "ENCRYPTED PRIVATE KEY" => return Err(CredentialsError::EncryptedPrivateKey { file: owned() }),
            "OPENSSH PRIVATE KEY" => return Err(CredentialsError::OpenSshKey { file: owned() }),
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" if is_encrypted => {
                return Err(CredentialsError::EncryptedPrivateKey { file: owned() });
            }
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {
                let key = PrivateKey::from_der(file, block.contents())
                    .ok_or_else(|| CredentialsError::DamagedPrivateKey { file: owned() })??;
                self.add_private_key(key);
            }
            "PUBLIC KEY" | "RSA PUBLIC KEY" => self.add_public_key(file),
            // OpenSSL writes the curve in front of an EC key, which names it once more.
            "EC PARAMETERS" => {}
            tag if tag.ends_with(" PRIVATE KEY") => {
                return Err(CredentialsError::UnsupportedKey {
                    file: owned(),
                    kind: format!("a {} key", tag.trim_end_matches(" PRIVATE KEY")),
                });
            }
            tag => self.leave_aside(file, &format!("holds a {}, which is not needed", tag.to_lowercase())),
        }
        Ok(())
    }

    fn add_der(&mut self, file: &str, der: &[u8]) -> Result<(), CredentialsError> {
        use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};

        if let Some(certificate) = Certificate::from_der(file, der) {
            self.add_certificate(certificate);
        } else if let Some(key) = PrivateKey::from_der(file, der) {
            self.add_private_key(key?);
        } else if pkcs8::EncryptedPrivateKeyInfoRef::try_from(der).is_ok() {
            return Err(CredentialsError::EncryptedPrivateKey { file: file.to_owned() });
        } else if is_pkcs12(der) {
            return Err(CredentialsError::Pkcs12 { file: file.to_owned() });
        } else if SubjectPublicKeyInfo::from_der(der).is_ok_and(|(rest, _)| rest.is_empty()) {
            self.add_public_key(file);
        } else {
            return Err(CredentialsError::DamagedDer { file: file.to_owned() });
        }
        Ok(())
    }

    fn add_certificate(&mut self, certificate: Certificate) {
        if self.certificates.iter().all(|known| known.der != certificate.der) {
            self.certificates.push(certificate);
        }
    }

    fn add_private_key(&mut self, key: PrivateKey) {
        if self.private_keys.iter().all(|known| !known.is_same_key(&key)) {
            self.private_keys.push(key);
        }
    }

    fn add_public_key(&mut self, file: &str) {
        self.public_key.get_or_insert_with(|| file.to_owned());
        self.leave_aside(file, "is a public key, which a device does not need");
    }

    fn leave_aside(&mut self, file: &str, why: &str) {
        self.notes.push(format!("{file} {why}: ignored"));
    }
}

/// With what certificates and keys start; as text it is a zero.
const DER_SEQUENCE: u8 = 0x30;

fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| text.chars().all(|character| !character.is_control() || character.is_whitespace()))
}

/// PKCS#12 starts with version 3 (RFC 7292, section 4).
fn is_pkcs12(der: &[u8]) -> bool {
    let header = if der.get(1).is_some_and(|length| length & 0x80 == 0) {
        2
    } else {
        2 + usize::from(der.get(1).copied().unwrap_or(0) & 0x7f)
    };
    der.get(header..header + 3) == Some(&[0x02, 0x01, 0x03])
}

/// Text in UTF-8, or in UTF-16 as PowerShell redirects it.
fn decode_text(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => {
            let units: Vec<u16> =
                rest.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        // PEM allows any text around its blocks, such as a certificate's contents in Latin-1.
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
