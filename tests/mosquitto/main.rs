//! The example `aws_iot` against a real broker, over real TLS, in real time.

#[path = "../authority/mod.rs"]
mod authority;
mod broker;
mod recovery;
#[path = "../running_example/mod.rs"]
mod running_example;

use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use authority::{Authority, key_file, write};
use broker::{Mosquitto, free_port};
use microvisor::DeviceId;
use microvisor_provision::{BundleOptions, EncodingChoice, Endpoint, Provisioning};
use rcgen::{CertificateParams, date_time_ymd};
use running_example::{Outcome, Run};
use tempfile::TempDir;

const SID: &str = "UV00112233445566778899aabbccddeeff";

/// A folder of files as AWS hands them out.
fn folder(ca: &str, certificate: &str, key: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "root-ca.pem", ca);
    write(folder.path(), "certificate.pem.crt", certificate);
    write(folder.path(), "private.pem.key", key);
    folder
}

/// What the broker accepts.
fn good_folder(authority: &Authority) -> TempDir {
    folder(authority.pem(), &authority.issue(&key_file("p256-pkcs8.pem")), &key_file("p256-sec1.pem"))
}

fn start(folder: &Path, address: &str, publishes: u32, interval: &str) -> Run {
    let publishes = publishes.to_string();
    let options = ["--broker", address, "--sid", SID, "--publishes", &publishes, "--interval", interval];
    // Enough for another attempt.
    let folder = ["--credentials", folder.to_str().expect("the path is text"), "--patience", "3"];
    Run::start(folder.into_iter().chain(options))
}

fn run_against(folder: &TempDir, port: u16) -> Outcome {
    start(folder.path(), &format!("localhost:{port}"), 1, "0").finish()
}

/// A run that failed for a reason that these words are the advice for.
fn assert_advice(outcome: &Outcome, advice: &[&str]) {
    assert_eq!(outcome.status, 1, "{outcome:#?}");
    let told = outcome.stderr.to_lowercase();
    for word in advice {
        assert!(told.contains(word), "'{word}' is not in the advice: {outcome:#?}");
    }
}

#[test]
fn every_message_reaches_a_subscriber_of_the_devices_topic() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    for (certificate_key, key) in [
        ("p256-pkcs8.pem", "p256-sec1.pem"),
        ("p384-pkcs8.pem", "p384-pkcs8.pem"),
        ("rsa2048-pkcs8.pem", "rsa2048-pkcs1.pem"),
        ("rsa2048-pkcs8.pem", "rsa2048-pkcs8.pem"),
        ("rsa4096-pkcs8.pem", "rsa4096-pkcs8.pem"),
    ] {
        let mut observer = mosquitto.observe(&format!("sensor/device/{SID}"));
        let certificate = mosquitto.authority.issue(&key_file(certificate_key));
        let folder = folder(mosquitto.authority.pem(), &certificate, &key_file(key));

        let outcome = start(folder.path(), &format!("localhost:{}", mosquitto.port), 3, "0").finish();

        assert_eq!(outcome.status, 0, "{key}: {outcome:#?}");
        for _ in 0..3 {
            let message = observer.next_message();
            assert!(message.starts_with("{\"temperature_celsius\":"), "{key}: {message}");
        }
    }
}

#[test]
fn a_bundle_connects_with_mutual_tls() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    for (certificate_key, key, encoding) in [
        ("rsa2048-pkcs8.pem", "rsa2048-pkcs1.pem", EncodingChoice::Auto),
        ("rsa4096-pkcs8.pem", "rsa4096-pkcs8.pem", EncodingChoice::Auto),
        ("p256-pkcs8.pem", "p256-sec1.pem", EncodingChoice::Base64),
    ] {
        let mut observer = mosquitto.observe(&format!("sensor/device/{SID}"));
        let certificate = mosquitto.authority.issue(&key_file(certificate_key));
        let folder = folder(mosquitto.authority.pem(), &certificate, &key_file(key));
        let port = NonZeroU16::new(mosquitto.port).expect("a port");
        let options = BundleOptions::new(Endpoint::new("localhost").expect("a host").with_port(port))
            .sid(DeviceId::parse(SID).expect("a SID"))
            .encoding(encoding);
        let bundle = Provisioning::from_folder(folder.path()).expect("a folder").bundle(&options);
        let file = folder.path().join("device.json");
        bundle.expect("the files are good").write(&file).expect("it is written");
        let file = file.to_str().expect("the path is text");

        // The broker that the bundle names, and the same in another's place.
        let address = format!("localhost:{port}");
        for broker in ["stored", &address] {
            let outcome = Run::start(["--bundle", file, "--broker", broker, "--publishes", "1"]).finish();
            assert_eq!(outcome.status, 0, "{key}: {outcome:#?}");
            assert!(outcome.stdout.contains(&format!("connecting to {address} as {SID}\n")), "{outcome:#?}");
            assert!(observer.next_message().starts_with("{\"temperature_celsius\":"), "{key}");
        }
    }
}

#[test]
fn stop_and_restart_are_obeyed() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let folder = good_folder(&mosquitto.authority);
    let mut run = start(folder.path(), &format!("localhost:{}", mosquitto.port), 6, "0.1");
    run.wait_for("2/6");

    mosquitto.publish(&format!("command/device/{SID}"), "stop");
    run.wait_for("stop");
    // Ten intervals; a message that was on its way is told of at once.
    let mut silent = false;
    for _ in 0..2 {
        silent = run.next_line(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout);
    }
    assert!(silent, "the device went on publishing");

    mosquitto.publish(&format!("command/device/{SID}"), "restart");
    run.wait_for("restart");
    mosquitto.publish("command/device/all", "stop");
    run.wait_for("stop");
    mosquitto.publish("command/device/all", "restart");
    let outcome = run.finish();
    assert_eq!(outcome.status, 0, "{outcome:#?}");
    assert!(outcome.stdout.contains("6/6"), "{outcome:#?}");
}

#[test]
fn a_broker_of_another_ca_is_not_trusted() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let certificate = mosquitto.authority.issue(&key_file("p256-pkcs8.pem"));
    let folder = folder(Authority::named("Another CA").pem(), &certificate, &key_file("p256-pkcs8.pem"));

    assert_advice(&run_against(&folder, mosquitto.port), &["a ca that is not trusted", "the ca certificate"]);
}

#[test]
fn a_server_certificate_that_expired_is_told() {
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 2, 29);
    let Some(mosquitto) = Mosquitto::start_with(expired) else { return };
    let folder = good_folder(&mosquitto.authority);

    let advice = ["expired", "check the broker's certificate", "the ca certificate", "the date"];
    assert_advice(&run_against(&folder, mosquitto.port), &advice);
}

#[test]
fn a_device_certificate_that_expired_is_told() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let key = key_file("p256-pkcs8.pem");
    let certificate =
        mosquitto.authority.issue_with(&key, |params| params.not_after = date_time_ymd(2020, 2, 29));
    let folder = folder(mosquitto.authority.pem(), &certificate, &key);

    let outcome = run_against(&folder, mosquitto.port);
    assert_advice(
        &outcome,
        &[
            "warning: the device certificate in certificate.pem.crt expired",
            "check",
            "the device certificate (valid",
        ],
    );
}

#[test]
fn a_key_that_does_not_match_the_certificate_is_told() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let certificate = mosquitto.authority.issue(&key_file("p256-pkcs8.pem"));
    let folder = folder(mosquitto.authority.pem(), &certificate, &key_file("p384-pkcs8.pem"));

    let outcome = run_against(&folder, mosquitto.port);
    assert_advice(
        &outcome,
        &["warning: the private key in private.pem.key does not belong", "the private key (it must belong"],
    );
}

#[test]
fn a_device_certificate_of_another_ca_is_told() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let key = key_file("p256-pkcs8.pem");
    let folder = folder(mosquitto.authority.pem(), &Authority::named("Another CA").issue(&key), &key);

    assert_advice(&run_against(&folder, mosquitto.port), &["the device certificate (valid, registered"]);
}

#[test]
fn a_closed_port_is_told() {
    let authority = Authority::named("Test Root CA");

    assert_advice(
        &run_against(&good_folder(&authority), free_port()),
        &["the port (it must speak tls) and what may block it"],
    );
}

#[test]
fn an_unknown_host_is_told() {
    let authority = Authority::named("Test Root CA");
    let folder = good_folder(&authority);

    let outcome = start(folder.path(), "broker.invalid:8883", 1, "0").finish();
    assert_advice(&outcome, &["check the broker's host name"]);
}
