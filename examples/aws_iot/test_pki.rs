//! A certificate authority for one run: what AWS IoT would have, and would have handed out.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use zeroize::Zeroizing;

/// A CA with a server certificate and a device certificate, all on P-256.
pub(crate) struct TestPki {
    /// DER.
    pub(crate) root_ca: Vec<u8>,
    /// DER.
    pub(crate) server_certificate: Vec<u8>,
    /// DER.
    pub(crate) device_certificate: Vec<u8>,
    /// PKCS#8 DER.
    pub(crate) device_key: Zeroizing<Vec<u8>>,
}

impl TestPki {
    /// Makes everything new, for a server called `host` and a device called `sid`.
    pub(crate) fn create(host: &str, sid: &str) -> Result<Self, rcgen::Error> {
        let mut root = named("Test Root CA")?;
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_key = KeyPair::generate()?;
        let root_ca = root.self_signed(&root_key)?.der().to_vec();
        let issuer = Issuer::new(root, root_key);
        let (server_certificate, _) = issue(&issuer, host, ExtendedKeyUsagePurpose::ServerAuth)?;
        let (device_certificate, device_key) = issue(&issuer, sid, ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(Self {
            root_ca,
            server_certificate,
            device_certificate,
            device_key: Zeroizing::new(device_key.serialize_der()),
        })
    }
}

fn named(common_name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

fn issue(
    issuer: &Issuer<'_, KeyPair>,
    name: &str,
    usage: ExtendedKeyUsagePurpose,
) -> Result<(Vec<u8>, KeyPair), rcgen::Error> {
    let mut params = named(name)?;
    if usage == ExtendedKeyUsagePurpose::ServerAuth {
        params.subject_alt_names = CertificateParams::new([name.to_owned()])?.subject_alt_names;
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?.der().to_vec(), key))
}
