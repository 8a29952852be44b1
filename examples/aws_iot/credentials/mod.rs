//! From a folder of files, as AWS IoT hands them out, to what goes into a device's stores.
//!
//! Reading order: `folder` finds what the files hold, `certificate` and `private_key` decode it, and
//! this module chooses: which certificate is the device's, which the root CA, which key is used.

mod certificate;
mod error;
mod folder;
mod private_key;

use std::path::Path;
use std::time::SystemTime;

use zeroize::Zeroizing;

use certificate::Certificate;
pub(crate) use error::CredentialsError;
use folder::Folder;
use private_key::PrivateKey;

/// A value in a device's config store has at most this many characters.
pub(crate) const LONGEST_VALUE: usize = 4096;

/// The root that signs the certificates of AWS IoT's endpoints. AWS offers a second one (number 3,
/// for servers with ECDSA certificates) for download beside it.
const AMAZON_ROOT: &str = "Amazon Root CA 1";

/// What a device needs to identify itself, and to identify its broker.
pub(crate) struct Credentials {
    /// DER.
    pub(crate) root_ca: Vec<u8>,
    /// DER.
    pub(crate) certificate: Vec<u8>,
    /// PKCS#8 DER.
    pub(crate) private_key: Zeroizing<Vec<u8>>,
    /// Where each part came from, and what was left aside.
    pub(crate) notes: Vec<String>,
    /// What will make the broker, or the device, refuse them.
    pub(crate) warnings: Vec<String>,
}

impl Credentials {
    /// Reads the credentials from the files of a folder, told apart by their content.
    pub(crate) fn read(path: &Path) -> Result<Self, CredentialsError> {
        let Folder { certificates, private_keys, public_key, mut notes } = Folder::read(path)?;
        let folder = path.to_path_buf();
        if certificates.is_empty() && private_keys.is_empty() && public_key.is_none() {
            return Err(CredentialsError::Empty { folder });
        }
        if private_keys.is_empty() {
            return Err(CredentialsError::NoPrivateKey { folder, public_key });
        }
        let (device, others) = choose_certificate(path, certificates, &private_keys)?;
        let key = choose_key(private_keys, &device)?;
        let root = choose_root(path, others, &mut notes)?;

        let mut warnings = Vec::new();
        if key.belongs_to(&device.public_key) == Some(false) {
            warnings.push(format!(
                "the private key in {} does not belong to the certificate in {}; the broker will refuse them",
                key.file, device.file
            ));
        }
        for (certificate, what) in [(&root, "root CA"), (&device, "device certificate")] {
            if let Some(problem) = certificate.date_problem(unix_seconds()) {
                warnings.push(format!("the {what} in {} {problem}", certificate.file));
            }
        }
        notes.splice(
            0..0,
            [
                format!("root CA: {} ({})", root.file, root.name),
                format!("certificate: {} ({})", device.file, device.name),
                format!("private key: {} ({})", key.file, key.kind),
            ],
        );
        check_size("root CA", &root.file, &root.der)?;
        check_size("certificate", &device.file, &device.der)?;
        check_size("private key", &key.file, &key.pkcs8)?;
        Ok(Self { root_ca: root.der, certificate: device.der, private_key: key.pkcs8, notes, warnings })
    }
}

/// Takes the device's certificate out of those found.
///
/// It is the one that a key belongs to. Where none is, because the key is the wrong one, it is the
/// only one that is no CA's.
fn choose_certificate(
    folder: &Path,
    mut certificates: Vec<Certificate>,
    keys: &[PrivateKey],
) -> Result<(Certificate, Vec<Certificate>), CredentialsError> {
    let indices = |wanted: &dyn Fn(&Certificate) -> bool| -> Vec<usize> {
        (0..certificates.len()).filter(|&index| wanted(&certificates[index])).collect()
    };
    let has_key = |certificate: &Certificate| {
        keys.iter().any(|key| key.belongs_to(&certificate.public_key) == Some(true))
    };
    // A CA that lies beside its own key is not the device while there is another.
    let attempts = [
        indices(&|certificate| !certificate.is_ca && has_key(certificate)),
        indices(&|certificate| !certificate.is_ca && !certificate.is_self_issued),
        indices(&|certificate| !certificate.is_ca),
        indices(&|certificate| has_key(certificate)),
    ];
    let Some(candidates) = attempts.into_iter().find(|candidates| !candidates.is_empty()) else {
        let only_cas = !certificates.is_empty();
        return Err(CredentialsError::NoCertificate { folder: folder.to_path_buf(), only_cas });
    };
    let [index] = candidates[..] else {
        let files = candidates.into_iter().map(|index| certificates[index].file.clone()).collect();
        return Err(CredentialsError::SeveralCertificates { files });
    };
    let device = certificates.remove(index);
    Ok((device, certificates))
}

fn choose_key(mut keys: Vec<PrivateKey>, device: &Certificate) -> Result<PrivateKey, CredentialsError> {
    if keys.len() > 1
        && let Some(index) = keys.iter().position(|key| key.belongs_to(&device.public_key) == Some(true))
    {
        return Ok(keys.swap_remove(index));
    }
    match keys.pop() {
        Some(key) if keys.is_empty() => Ok(key),
        last => {
            let files = keys.iter().chain(&last).map(|key| key.file.clone()).collect();
            Err(CredentialsError::SeveralPrivateKeys { files })
        }
    }
}

/// The trust anchor: a self-signed CA before a cross-signed one, and Amazon's usual one before others.
fn choose_root(
    folder: &Path,
    certificates: Vec<Certificate>,
    notes: &mut Vec<String>,
) -> Result<Certificate, CredentialsError> {
    let (roots, others): (Vec<_>, Vec<_>) =
        certificates.into_iter().partition(|certificate| certificate.is_self_issued);
    let (mut candidates, rest) = if roots.is_empty() {
        others.into_iter().partition(|certificate| certificate.is_ca)
    } else {
        (roots, others)
    };
    notes.extend(rest.iter().map(|certificate| {
        format!(
            "{} ({}) is neither the root CA nor the device's: ignored",
            certificate.file, certificate.name
        )
    }));
    if candidates.len() > 1
        && let Some(index) = candidates.iter().position(|certificate| certificate.name == AMAZON_ROOT)
    {
        let amazon = candidates.swap_remove(index);
        notes.extend(candidates.iter().map(|other| {
            format!("{} ({}) is not what AWS IoT's endpoints use by default: ignored", other.file, other.name)
        }));
        return Ok(amazon);
    }
    match candidates.pop() {
        None => Err(CredentialsError::NoRootCa { folder: folder.to_path_buf() }),
        Some(root) if candidates.is_empty() => Ok(root),
        last => {
            let files = candidates
                .iter()
                .chain(&last)
                .map(|certificate| format!("{} ({})", certificate.file, certificate.name))
                .collect();
            Err(CredentialsError::SeveralRootCas { files })
        }
    }
}

fn check_size(what: &'static str, file: &str, der: &[u8]) -> Result<(), CredentialsError> {
    // Three bytes are four characters of base64, the shorter of the two encodings.
    let characters = der.len().div_ceil(3) * 4;
    if characters > LONGEST_VALUE {
        let file = file.to_owned();
        return Err(CredentialsError::TooLargeForStore { file, what, characters, limit: LONGEST_VALUE });
    }
    Ok(())
}

fn unix_seconds() -> i64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}
