//! Dates, as of other times than now.

#[path = "../../tests/authority/mod.rs"]
mod authority;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use authority::{Authority, key_file, write};
use microvisor_provision::check::{Problem, Report, Role};
use microvisor_provision::{BundleOptions, CheckOptions, Endpoint, Provisioning, ProvisioningError};
use rcgen::{CertificateParams, date_time_ymd};
use tempfile::TempDir;

/// The first of January 2030, in seconds since 1970.
const FIRST: u64 = 1_893_456_000;
const DAY: u64 = 86_400;

/// Files with a certificate that is valid in January 2030.
fn january() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let authority = Authority::named("Amazon Root CA 1");
    let key = key_file("p256-pkcs8.pem");
    let dates = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2030, 1, 1);
        params.not_after = date_time_ymd(2030, 2, 1);
    };
    write(folder.path(), "root.pem", authority.pem());
    write(folder.path(), "device.crt", authority.issue_with(&key, dates));
    write(folder.path(), "private.key", key);
    folder
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn report_at(seconds: u64) -> Report {
    let folder = january();
    let provisioning = Provisioning::from_folder(folder.path()).expect("a folder");
    provisioning.check(&CheckOptions::new().at(at(seconds)))
}

fn problem_at(seconds: u64) -> Problem {
    let [problem] = &report_at(seconds).problems[..] else { panic!("{:?}", report_at(seconds)) };
    problem.clone()
}

#[test]
fn a_certificate_is_valid_from_its_first_to_its_last_second() {
    let (role, file) = (Role::Certificate, "device.crt".to_owned());
    let first = "2030-01-01 00:00:00 UTC".to_owned();
    assert_eq!(problem_at(FIRST - 1), Problem::NotYetValid { role, file: file.clone(), on: first });
    assert_eq!(report_at(FIRST).problems, []);
    assert!(report_at(FIRST + 31 * DAY).is_good());
    let last = "2030-02-01 00:00:00 UTC".to_owned();
    assert_eq!(problem_at(FIRST + 31 * DAY + 1), Problem::Expired { role, file, on: last });
}

#[test]
fn one_that_is_about_to_expire_is_a_warning() {
    assert_eq!(report_at(FIRST + DAY).problems, []);
    let problem = problem_at(FIRST + 2 * DAY);
    assert!(matches!(problem, Problem::ExpiresSoon { days: 29, .. }), "{problem}");
    assert!(report_at(FIRST + 2 * DAY).is_good());
}

#[test]
fn a_clock_that_was_never_set_is_told_instead_of_dates() {
    for seconds in [0, 1_000_000_000] {
        let problem = problem_at(seconds);
        assert!(matches!(problem, Problem::ClockNotSet { .. }), "{problem}");
    }
}

#[test]
fn a_bundle_is_made_as_of_the_same_time() {
    let folder = january();
    let provisioning = Provisioning::from_folder(folder.path()).expect("a folder");
    let options = BundleOptions::new(Endpoint::new("localhost").expect("a host"));
    provisioning.bundle(&options.clone().at(at(FIRST))).expect("it is valid");
    let error = provisioning.bundle(&options.at(at(FIRST - 1))).expect_err("it is not");
    assert!(matches!(error, ProvisioningError::Unfit(_)), "{error}");
}
