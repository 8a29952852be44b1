//! Whether certificates may be used for what they are needed for.

use super::{Problem, Report, Role};
use crate::files::Certificate;

const KEY_USAGE: &str = "key usage";
const EXTENDED: &str = "extended key usage";

/// Checks that the root may issue certificates, and that the device may show its own.
pub(crate) fn check_key_usage(root: Option<&Certificate>, device: Option<&Certificate>, report: &mut Report) {
    let before = report.problems.len();
    if let Some(root) = root {
        check_root(root, report);
    }
    if let Some(device) = device {
        check_device(device, report);
    }
    if report.problems.len() == before && (root.is_some() || device.is_some()) {
        report.passed.push("the certificates may be used for what they are needed for".to_owned());
    }
}

fn check_root(root: &Certificate, report: &mut Report) {
    let Some(parsed) = root.parsed() else { return };
    // Version 1 has no extensions to say it with.
    if !root.is_ca() && parsed.version().0 >= 2 {
        report.problems.push(Problem::RootNotCa { file: root.file().to_owned() });
    }
    if let Ok(Some(usage)) = parsed.key_usage()
        && !usage.value.key_cert_sign()
    {
        report.problems.push(problem(Role::RootCa, root, "signing certificates", KEY_USAGE));
    }
}

fn check_device(device: &Certificate, report: &mut Report) {
    let Some(parsed) = device.parsed() else { return };
    if device.is_ca() {
        report.problems.push(Problem::DeviceIsCa { file: device.file().to_owned() });
    }
    if let Ok(Some(usage)) = parsed.key_usage()
        && !usage.value.digital_signature()
    {
        report.problems.push(problem(Role::Certificate, device, "digital signatures", KEY_USAGE));
    }
    if let Ok(Some(usage)) = parsed.extended_key_usage()
        && !(usage.value.client_auth || usage.value.any)
    {
        report.problems.push(problem(Role::Certificate, device, "TLS client authentication", EXTENDED));
    }
}

fn problem(role: Role, certificate: &Certificate, purpose: &'static str, extension: &'static str) -> Problem {
    Problem::KeyUsage { role, file: certificate.file().to_owned(), purpose, extension }
}
