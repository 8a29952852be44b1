//! Who issued which certificate.

use x509_parser::error::X509Error;

use super::{Problem, Report, Role};
use crate::files::Certificate;

/// What AWS IoT's own CA is called, which issues the certificates that AWS hands out. It is not for
/// download, and no part of a chain that anybody checks.
const AWS_IOT: [&str; 2] = ["Amazon.com", "Amazon Web Services"];

/// Checks the root's own signature, and follows the device's certificate to its issuer, and on.
///
/// Returns those of `others` that are on the way.
pub(crate) fn check_chain<'c>(
    root: Option<&'c Certificate>,
    device: Option<&'c Certificate>,
    others: &'c [Certificate],
    report: &mut Report,
) -> Vec<&'c Certificate> {
    if let Some(root) = root.filter(|root| root.is_self_issued()) {
        check_signature(Role::RootCa, root, root, report);
    }
    let mut way = Vec::new();
    let mut next = device.map(|device| (Role::Certificate, device));
    while let Some((role, certificate)) = next.take() {
        let known = || root.into_iter().chain(others);
        if certificate.is_self_issued() {
            let file = certificate.file();
            report
                .passed
                .push(format!("the {role} in {file} issued itself: AWS IoT has to know it by itself"));
        } else if let Some(issuer) = find_issuer(certificate, known) {
            check_issuer(role, certificate, issuer, report);
            let is_root = root.is_some_and(|root| root.der() == issuer.der());
            // A circle is not followed for ever.
            if !is_root && way.len() < others.len() {
                way.push(issuer);
                next = Some((Role::Intermediate, issuer));
            }
        } else {
            report.passed.push(unknown_issuer(role, certificate));
        }
    }
    way
}

/// The certificate that issued another; or else one of the issuer's name that did not.
fn find_issuer<'c, I: Iterator<Item = &'c Certificate>>(
    certificate: &Certificate,
    known: impl Fn() -> I,
) -> Option<&'c Certificate> {
    let has_issuers_name = |candidate: &&Certificate| {
        let (Some(own), Some(candidates)) = (certificate.parsed(), candidate.parsed()) else { return false };
        candidate.der() != certificate.der() && own.issuer().as_raw() == candidates.subject().as_raw()
    };
    known()
        .filter(has_issuers_name)
        .find(|issuer| is_signed_by(certificate, issuer) == Ok(()))
        .or_else(|| known().find(has_issuers_name))
}

fn check_issuer(role: Role, certificate: &Certificate, issuer: &Certificate, report: &mut Report) {
    let (file, issuers_file) = (certificate.file().to_owned(), issuer.file().to_owned());
    let is_version_1 = issuer.parsed().is_some_and(|issuer| issuer.version().0 < 2);
    if !issuer.is_ca() && !is_version_1 {
        return report.problems.push(Problem::IssuerNotCa { role, file, issuer: issuers_file });
    }
    if check_signature(role, certificate, issuer, report) {
        report.passed.push(format!("the {role} in {file} is issued by {} in {issuers_file}", issuer.name()));
    }
}

/// Whether the signature is right; if it is not, that is told.
fn check_signature(role: Role, certificate: &Certificate, issuer: &Certificate, report: &mut Report) -> bool {
    let file = certificate.file().to_owned();
    match is_signed_by(certificate, issuer) {
        Ok(()) => return true,
        Err(X509Error::SignatureVerificationError) => report.problems.push(Problem::WrongSignature {
            role,
            file,
            issuer: issuer.file().to_owned(),
            issuer_name: issuer.name().to_owned(),
        }),
        Err(_) => report.problems.push(Problem::UncheckedSignature { role, file }),
    }
    false
}

fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> Result<(), X509Error> {
    match (certificate.parsed(), issuer.parsed()) {
        (Some(certificate), Some(issuer)) => certificate.verify_signature(Some(issuer.public_key())),
        _ => Err(X509Error::InvalidCertificate),
    }
}

fn unknown_issuer(role: Role, certificate: &Certificate) -> String {
    let file = certificate.file();
    let issuer = certificate.parsed().map(|parsed| parsed.issuer().to_string()).unwrap_or_default();
    if AWS_IOT.iter().any(|name| issuer.contains(name)) {
        format!("the {role} in {file} is issued by AWS IoT itself")
    } else {
        format!("the {role} in {file} is issued by {issuer}: AWS IoT has to know the certificate, or that CA")
    }
}
