//! A certificate authority for tests, and the folders of files that it hands out.
#![allow(dead_code, reason = "each test uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// A CA, all on P-256.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// A new CA of that name.
    pub(crate) fn named(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Another CA, the certificate of which this one issues.
    pub(crate) fn authority(&self, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// The CA's own certificate.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A device's certificate, such as AWS issues, for a PKCS#8 key.
    pub(crate) fn issue(&self, key_pkcs8: &str) -> String {
        self.issue_with(key_pkcs8, |_| ())
    }

    /// The same, with changes.
    pub(crate) fn issue_with(&self, key_pkcs8: &str, change: impl FnOnce(&mut CertificateParams)) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "AWS IoT Certificate");
        change(&mut params);
        let key = KeyPair::from_pem(key_pkcs8).expect("a key that can sign");
        params.signed_by(&key, &self.issuer).expect("a certificate").pem()
    }

    /// A certificate for a server called `host`, and its key.
    pub(crate) fn issue_for_server(
        &self,
        host: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (String, String) {
        let key = KeyPair::generate().expect("a key").serialize_pem();
        let certificate = self.issue_with(&key, |params| {
            params.distinguished_name.push(DnType::CommonName, host);
            params.subject_alt_names =
                CertificateParams::new([host.to_owned()]).expect("a host name").subject_alt_names;
            change(params);
        });
        (certificate, key)
    }
}

/// The content of a key in `tests/fixtures/keys`.
pub(crate) fn key_file(name: &str) -> String {
    // The tests of the workspace's other packages use this as well.
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|up| up.join("tests/fixtures/keys"));
    let path = folders.map(|keys| keys.join(name)).find(|path| path.exists()).expect("there is such a key");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes `content` to a file of `folder`, and says where that is.
pub(crate) fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}
