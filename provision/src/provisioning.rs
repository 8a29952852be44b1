//! From files to a bundle.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use microvisor::DeviceId;
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::bundle::{Bundle, BundleError};
use crate::check::{self, Level, Part, Problem, Report, Role, Sizes};
use crate::credentials::{Credentials, EncodingChoice};
use crate::endpoint::Endpoint;
use crate::files::{Certificate, Files, LeftAside, PrivateKey};

/// The root that signs the certificates of AWS IoT's endpoints. AWS offers a second one (number 3,
/// for servers with ECDSA certificates) for download beside it.
const AMAZON_ROOT: &str = "Amazon Root CA 1";

/// How the names of all roots begin that stand for AWS IoT.
const AMAZON_ROOTS: [&str; 2] = ["Amazon ", "Starfield "];

/// One device's files, with each thing in its place: which certificate is the device's, which the root
/// CA, which key is used.
///
/// ```no_run
/// use std::path::Path;
///
/// use microvisor_provision::{BundleOptions, Endpoint, Provisioning};
///
/// let endpoint = Endpoint::new("a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com")?;
/// let files = Provisioning::from_folder(Path::new("thing"))?;
/// let bundle = files.bundle(&BundleOptions::new(endpoint))?;
/// bundle.write(Path::new("device.json"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Provisioning {
    root_ca: Option<Certificate>,
    certificate: Option<Certificate>,
    private_key: Option<PrivateKey>,
    /// The certificates that are neither.
    others: Vec<Certificate>,
    problems: Vec<Problem>,
    left_aside: Vec<LeftAside>,
}

/// What to check for.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    now: SystemTime,
    endpoint: Option<Endpoint>,
    encoding: EncodingChoice,
}

impl CheckOptions {
    /// For now, for whichever broker, in whichever encoding fits.
    pub fn new() -> Self {
        Self { now: SystemTime::now(), endpoint: None, encoding: EncodingChoice::Auto }
    }

    /// Dates are judged as of then.
    #[must_use]
    pub fn at(mut self, now: SystemTime) -> Self {
        self.now = now;
        self
    }

    /// For this broker.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// In this encoding.
    #[must_use]
    pub fn encoding(mut self, encoding: EncodingChoice) -> Self {
        self.encoding = encoding;
        self
    }
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What a bundle is for.
#[derive(Clone, Debug)]
pub struct BundleOptions {
    now: SystemTime,
    endpoint: Endpoint,
    sid: Option<DeviceId>,
    encoding: EncodingChoice,
}

impl BundleOptions {
    /// For whichever device, with this broker, and each value in hex where it fits, otherwise in base64.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { now: SystemTime::now(), endpoint, sid: None, encoding: EncodingChoice::Auto }
    }

    /// For this device alone.
    #[must_use]
    pub fn sid(mut self, sid: DeviceId) -> Self {
        self.sid = Some(sid);
        self
    }

    /// In this encoding.
    #[must_use]
    pub fn encoding(mut self, encoding: EncodingChoice) -> Self {
        self.encoding = encoding;
        self
    }

    /// Dates are judged as of then.
    #[must_use]
    pub fn at(mut self, now: SystemTime) -> Self {
        self.now = now;
        self
    }
}

/// Why there is no bundle.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProvisioningError {
    /// A folder cannot be read.
    #[error("cannot read {}: {error}; check the path and its permissions", path.display())]
    UnreadableFolder {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// Something is wrong with the files. The report says all of it; this has its errors in one line.
    #[error("{}", .0.errors().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unfit(Box<Report>),
    /// The values cannot be a bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl Provisioning {
    /// Reads the files of a folder, as AWS IoT hands them out. They may have any name.
    ///
    /// # Errors
    ///
    /// [`UnreadableFolder`](ProvisioningError::UnreadableFolder). What is wrong with the files is told by
    /// [`check`](Self::check) and [`bundle`](Self::bundle).
    pub fn from_folder(folder: &Path) -> Result<Self, ProvisioningError> {
        let files = Files::in_folder(folder)
            .map_err(|error| ProvisioningError::UnreadableFolder { path: folder.to_path_buf(), error })?;
        Ok(Self::of(files, &folder.display().to_string()))
    }

    /// Reads these files, or the one folder that is named alone.
    ///
    /// # Errors
    ///
    /// As [`from_folder`](Self::from_folder).
    pub fn from_paths(paths: &[PathBuf]) -> Result<Self, ProvisioningError> {
        match paths {
            [path] if path.is_dir() || !path.exists() => Self::from_folder(path),
            _ => Ok(Self::of(Files::listed(paths), "the files named")),
        }
    }

    fn of(files: Files, place: &str) -> Self {
        let Files { certificates, private_keys, public_keys, requests, left_aside, problems } = files;
        let mut chosen = Self { problems, left_aside, ..Self::default() };
        let is_nothing = certificates.is_empty() && private_keys.is_empty();
        if is_nothing && public_keys.is_empty() && requests.is_empty() {
            chosen.problems.push(Problem::Nothing { place: place.to_owned() });
            return chosen;
        }
        let only_cas = !certificates.is_empty();
        let others = chosen.choose_certificate(certificates, &private_keys);
        if chosen.certificate.is_none() && !chosen.has_several() {
            let (place, request) = (place.to_owned(), requests.first().cloned());
            chosen.problems.push(Problem::NoCertificate { place, only_cas, request });
        }
        chosen.choose_root(others, place);
        chosen.choose_key(private_keys, place, public_keys.first());
        chosen
    }

    fn has_several(&self) -> bool {
        self.problems.iter().any(|problem| matches!(problem, Problem::SeveralCertificates { .. }))
    }

    /// Takes the device's certificate out of those found, and returns the others.
    fn choose_certificate(
        &mut self,
        mut certificates: Vec<Certificate>,
        keys: &[PrivateKey],
    ) -> Vec<Certificate> {
        let indices = |wanted: &dyn Fn(&Certificate) -> bool| -> Vec<usize> {
            let all = certificates.iter().enumerate();
            all.filter(|(_, certificate)| wanted(certificate)).map(|(index, _)| index).collect()
        };
        let has_key =
            |certificate: &Certificate| keys.iter().any(|key| key.belongs_to(certificate.public_key()));
        // A CA that lies beside its own key is not the device while there is another.
        let attempts = [
            indices(&|certificate| !certificate.is_ca() && !certificate.is_self_issued()),
            indices(&|certificate| !certificate.is_ca() && has_key(certificate)),
            indices(&|certificate| !certificate.is_ca()),
            indices(&|certificate| has_key(certificate)),
        ];
        let candidates = attempts.into_iter().find(|candidates| !candidates.is_empty()).unwrap_or_default();
        let [index] = candidates[..] else {
            let mut candidates: Vec<_> =
                candidates.into_iter().map(|index| certificates[index].clone()).collect();
            certificates
                .retain(|certificate| candidates.iter().all(|other| other.der() != certificate.der()));
            let files =
                candidates.iter().map(|certificate| certificate.file().to_owned()).collect::<Vec<_>>();
            candidates.retain(has_key);
            if !files.is_empty() {
                let belongs = match &candidates[..] {
                    [one] => Some(one.file().to_owned()),
                    _ => None,
                };
                self.problems.push(Problem::SeveralCertificates { files, belongs });
            }
            return certificates;
        };
        self.certificate = Some(certificates.remove(index));
        certificates
    }

    /// The trust anchor: a self-signed CA before a cross-signed one, and Amazon's usual one before others.
    fn choose_root(&mut self, certificates: Vec<Certificate>, place: &str) {
        let (roots, others): (Vec<_>, Vec<_>) =
            certificates.into_iter().partition(Certificate::is_self_issued);
        let (mut candidates, others) = if roots.is_empty() {
            // The CA that no other one of them issued is the top of a chain.
            let is_top = |certificate: &Certificate| {
                certificate.is_ca() && !others.iter().any(|other| is_named_issuer(other, certificate))
            };
            let tops: Vec<_> = others.iter().map(is_top).collect();
            let mut tops = tops.into_iter();
            others.into_iter().partition(|_| tops.next().unwrap_or(false))
        } else {
            (roots, others)
        };
        self.others = others;
        if candidates.len() > 1
            && let Some(index) = candidates.iter().position(|certificate| certificate.name() == AMAZON_ROOT)
        {
            let amazon = candidates.swap_remove(index);
            for other in &candidates {
                let why = format!("({}) is not what AWS IoT's endpoints use by default", other.name());
                self.left_aside.push(LeftAside { file: other.file().to_owned(), why });
            }
            candidates = vec![amazon];
        }
        match candidates.pop() {
            None => self.problems.push(Problem::NoRootCa { place: place.to_owned() }),
            Some(root) if candidates.is_empty() => self.root_ca = Some(root),
            last => {
                let named =
                    |certificate: &Certificate| format!("{} ({})", certificate.file(), certificate.name());
                let files = candidates.iter().chain(&last).map(named).collect();
                self.problems.push(Problem::SeveralRootCas { files });
            }
        }
    }

    fn choose_key(&mut self, mut keys: Vec<PrivateKey>, place: &str, public_key: Option<&String>) {
        if let [_, _, ..] = &keys[..] {
            let files = keys.iter().map(|key| key.file().to_owned()).collect();
            let device = self.certificate.as_ref();
            keys.retain(|key| device.is_some_and(|device| key.belongs_to(device.public_key())));
            let belongs = keys.first().map(|key| key.file().to_owned());
            self.problems.push(Problem::SeveralPrivateKeys { files, belongs });
        } else if keys.is_empty() && self.problems.iter().all(|problem| !is_of_a_key(problem)) {
            let (place, public_key) = (place.to_owned(), public_key.cloned());
            self.problems.push(Problem::NoPrivateKey { place, public_key });
        }
        self.private_key = keys.pop();
    }

    /// What there is, and what is right and wrong with it.
    pub fn check(&self, options: &CheckOptions) -> Report {
        let mut report = Report {
            problems: self.problems.clone(),
            left_aside: self.left_aside.clone(),
            ..Report::default()
        };
        let (root, device) = (self.root_ca.as_ref(), self.certificate.as_ref());
        if let (Some(device), Some(key)) = (device, &self.private_key) {
            check_pair(device, key, &mut report);
        }
        let way = check::check_chain(root, device, &self.others, &mut report);
        let intermediates = way.iter().map(|certificate| (Role::Intermediate, *certificate));
        let dated: Vec<_> = root
            .map(|root| (Role::RootCa, root))
            .into_iter()
            .chain(device.map(|device| (Role::Certificate, device)))
            .chain(intermediates)
            .collect();
        check::check_dates(&dated, OffsetDateTime::from(options.now), &mut report);
        check::check_key_usage(root, device, &mut report);
        self.describe_parts(options.encoding, &mut report);
        self.leave_the_rest_aside(&way, &mut report);
        if let Some(endpoint) = &options.endpoint {
            check_endpoint(endpoint, root, &mut report);
        }
        report
    }

    fn describe_parts(&self, encoding: EncodingChoice, report: &mut Report) {
        for (role, certificate) in [(Role::RootCa, &self.root_ca), (Role::Certificate, &self.certificate)] {
            let Some(certificate) = certificate else { continue };
            let (not_before, not_after) = certificate.validity();
            report.parts.push(Part {
                role,
                file: certificate.file().to_owned(),
                description: format!("{}, {}", certificate.name(), certificate.key_kind()),
                not_before: not_before.format(&Rfc3339).ok(),
                not_after: not_after.format(&Rfc3339).ok(),
                sizes: Sizes::of(certificate.der().len()),
            });
        }
        if let Some(key) = &self.private_key {
            report.parts.push(Part {
                role: Role::PrivateKey,
                file: key.file().to_owned(),
                description: format!("{}, {}", key.kind(), key.encoding()),
                not_before: None,
                not_after: None,
                sizes: Sizes::of(key.pkcs8().len()),
            });
        }
        let before = report.problems.len();
        for part in report.parts.clone() {
            check::check_size(part.role, &part.file, part.sizes, encoding, report);
        }
        if report.problems.len() == before && !report.parts.is_empty() {
            report.passed.push("each value fits the device's store".to_owned());
        }
    }

    fn leave_the_rest_aside(&self, way: &[&Certificate], report: &mut Report) {
        for certificate in &self.others {
            let why = if way.iter().any(|on_it| on_it.der() == certificate.der()) {
                format!(
                    "({}) is an intermediate CA, and the device's store holds its own certificate alone",
                    certificate.name()
                )
            } else {
                format!("({}) is neither the root CA nor the device's", certificate.name())
            };
            report.left_aside.push(LeftAside { file: certificate.file().to_owned(), why });
        }
    }

    /// The credentials, if the files are sound and single them out. What a broker would refuse, such as a
    /// certificate that expired, is not looked at: see [`check`](Self::check).
    pub fn credentials(&self) -> Option<Credentials> {
        if self.problems.iter().any(|problem| problem.level() == Level::Error) {
            return None;
        }
        let (root, certificate) = (self.root_ca.as_ref()?, self.certificate.as_ref()?);
        let key = self.private_key.as_ref()?.pkcs8().clone();
        Some(Credentials::new(root.der().to_vec(), certificate.der().to_vec(), key))
    }

    /// Checks all of it, and makes the entries for the device's stores.
    ///
    /// # Errors
    ///
    /// - [`Unfit`](ProvisioningError::Unfit): the report has errors. Warnings are none.
    /// - [`Bundle`](ProvisioningError::Bundle): the values cannot be a bundle.
    pub fn bundle(&self, options: &BundleOptions) -> Result<Bundle, ProvisioningError> {
        let report = self.check(&CheckOptions {
            now: options.now,
            endpoint: Some(options.endpoint.clone()),
            encoding: options.encoding,
        });
        match self.credentials() {
            Some(credentials) if report.is_good() => {
                Ok(credentials.bundle(&options.endpoint, options.sid, options.encoding)?)
            }
            _ => Err(ProvisioningError::Unfit(Box::new(report))),
        }
    }
}

/// Whether `ca` has the name that `certificate` has its issuer by, being another one.
fn is_named_issuer(ca: &Certificate, certificate: &Certificate) -> bool {
    let (Some(cas), Some(own)) = (ca.parsed(), certificate.parsed()) else { return false };
    ca.der() != certificate.der() && cas.subject().as_raw() == own.issuer().as_raw()
}

/// Whether a private key is there, but of no use.
fn is_of_a_key(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::DamagedPrivateKey { .. }
            | Problem::EncryptedPrivateKey { .. }
            | Problem::OpenSshKey { .. }
            | Problem::UnsupportedKey { .. }
            | Problem::CurveNotNamed { .. }
    )
}

fn check_pair(device: &Certificate, key: &PrivateKey, report: &mut Report) {
    let (key_file, certificate) = (key.file().to_owned(), device.file().to_owned());
    if key.belongs_to(device.public_key()) {
        report
            .passed
            .push(format!("the private key in {key_file} belongs to the certificate in {certificate}"));
    } else {
        report.problems.push(Problem::KeyMismatch { key: key_file, certificate });
    }
}

fn check_endpoint(endpoint: &Endpoint, root: Option<&Certificate>, report: &mut Report) {
    if endpoint.aws_region().is_none() {
        return;
    }
    let host = endpoint.host().to_owned();
    if !endpoint.is_ats() {
        report.problems.push(Problem::NotAtsEndpoint { host });
    } else if let Some(root) = root
        && !AMAZON_ROOTS.iter().any(|name| root.name().starts_with(name))
    {
        let (file, name) = (root.file().to_owned(), root.name().to_owned());
        report.problems.push(Problem::NotAmazonsRoot { host, file, name });
    }
}
