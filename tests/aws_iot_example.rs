//! The example `aws_iot`, as people run it.

mod authority;
mod running_example;

use std::path::Path;

use authority::{Authority, key_file, write};
use microvisor::DeviceId;
use microvisor_provision::{BundleOptions, EncodingChoice, Endpoint, Provisioning};
use rcgen::{CertificateParams, date_time_ymd};
use running_example::{Outcome, run};
use tempfile::TempDir;

const SID: &str = "UV00112233445566778899aabbccddeeff";

/// A folder with a CA, a certificate for one key, and another key (or the same).
fn folder(certificate_key: &str, key: &str, change: impl FnOnce(&mut CertificateParams)) -> TempDir {
    let authority = Authority::named("Test Root CA");
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "root-ca.pem", authority.pem());
    write(folder.path(), "certificate.pem.crt", authority.issue_with(&key_file(certificate_key), change));
    write(folder.path(), "private.pem.key", key_file(key));
    folder
}

fn run_with(folder: &Path) -> Outcome {
    run(["--publishes", "1", "--credentials", folder.to_str().expect("the path is text")])
}

#[test]
fn the_run_ends_after_as_many_messages_as_wanted_in_virtual_time() {
    let outcome = run(["--publishes", "60", "--interval", "60", "--sid", SID]);

    assert_eq!(outcome.status, 0, "{outcome:#?}");
    assert_eq!(outcome.stderr, "");
    assert!(outcome.stdout.contains(&format!("8883 as {SID}\n")), "{}", outcome.stdout);
    for number in 1..=60 {
        assert!(outcome.stdout.contains(&format!("published {number}/60 ")), "{number}: {}", outcome.stdout);
    }
    // A reading each minute.
    assert!(outcome.stdout.contains("\n3541."), "{}", outcome.stdout);
    let end = "done: 60 of 60 messages published and acknowledged, commands obeyed: 2\n";
    assert!(outcome.stdout.ends_with(end), "{}", outcome.stdout);
}

#[test]
fn the_operator_stops_the_device_and_restarts_it() {
    let stdout = run(["--publishes", "4", "--interval", "0.5"]).stdout;

    let position = |text: &str| stdout.find(text).unwrap_or_else(|| panic!("no '{text}' in\n{stdout}"));
    assert!(position("operator: stop") < position("command stop on command/device/UV"));
    assert!(position("command stop on") < position("operator: restart"));
    assert!(position("command restart on command/device/UV") < position("published 4/4"));
    let stopped = &stdout[position("command stop on")..position("command restart on")];
    assert!(!stopped.contains("published"), "{stopped}");
}

#[test]
fn an_interval_of_zero_is_taken() {
    let outcome = run(["--publishes", "200", "--interval", "0"]);

    assert_eq!(outcome.status, 0, "{outcome:#?}");
}

#[test]
fn credentials_of_every_kind_and_encoding_connect() {
    for (certificate_key, key) in [
        ("rsa2048-pkcs8.pem", "rsa2048-pkcs1.pem"),
        ("rsa2048-pkcs8.pem", "rsa2048-pkcs8.pem"),
        ("p256-pkcs8.pem", "p256-sec1.pem"),
        ("p256-pkcs8.pem", "p256-pkcs8.pem"),
        ("p384-pkcs8.pem", "p384-sec1.pem"),
        ("p384-pkcs8.pem", "p384-pkcs8.pem"),
        // In hex, this key is too long for the store; the device is told to read base64.
        ("rsa4096-pkcs8.pem", "rsa4096-pkcs8.pem"),
    ] {
        let outcome = run_with(folder(certificate_key, key, |_| ()).path());

        assert_eq!(outcome.status, 0, "{key}: {outcome:#?}");
        assert_eq!(outcome.stderr, "", "{key}");
        assert!(outcome.stdout.contains("private key: private.pem.key ("), "{key}: {}", outcome.stdout);
    }
}

/// Makes a bundle of the folder, as `microvisor-provision bundle` does.
fn bundle(folder: &Path, endpoint: &str, sid: Option<&str>, encoding: EncodingChoice) -> String {
    let endpoint = Endpoint::new(endpoint).expect("an endpoint");
    let mut options = BundleOptions::new(endpoint).encoding(encoding);
    if let Some(sid) = sid {
        options = options.sid(DeviceId::parse(sid).expect("a SID"));
    }
    let provisioning = Provisioning::from_folder(folder).expect("a folder");
    let bundle = provisioning.bundle(&options).expect("the files are good");
    let file = folder.join("device.json");
    bundle.write(&file).expect("it is written");
    file.to_str().expect("the path is text").to_owned()
}

#[test]
fn a_bundle_of_every_kind_and_encoding_connects() {
    for (certificate_key, key, encoding) in [
        ("rsa2048-pkcs8.pem", "rsa2048-pkcs1.pem", EncodingChoice::Auto),
        ("rsa2048-pkcs8.pem", "rsa2048-pkcs1.pem", EncodingChoice::Base64),
        ("p256-pkcs8.pem", "p256-sec1.pem", EncodingChoice::Hex),
        ("p384-pkcs8.pem", "p384-sec1.pem", EncodingChoice::Base64),
        // The key in base64, the rest in hex.
        ("rsa4096-pkcs8.pem", "rsa4096-pkcs8.pem", EncodingChoice::Auto),
    ] {
        let folder = folder(certificate_key, key, |_| ());
        let endpoint = "z9-ats.iot.ap-southeast-2.amazonaws.com";
        let bundle = bundle(folder.path(), endpoint, Some(SID), encoding);

        let outcome = run(["--publishes", "1", "--bundle", &bundle]);

        assert_eq!(outcome.status, 0, "{key}, {encoding:?}: {outcome:#?}");
        assert_eq!(outcome.stderr, "", "{key}");
        let connecting = format!("connecting to {endpoint}:8883 as {SID}\n");
        assert!(outcome.stdout.contains(&connecting), "{}", outcome.stdout);
    }
}

#[test]
fn a_bundle_for_whichever_device_takes_the_sid_of_the_command_line() {
    let folder = folder("p256-pkcs8.pem", "p256-pkcs8.pem", |_| ());
    let file = bundle(folder.path(), "broker.example", None, EncodingChoice::Auto);
    let outcome = run(["--publishes", "1", "--sid", SID, "--bundle", &file]);
    assert_eq!(outcome.status, 0, "{outcome:#?}");
    assert!(outcome.stdout.contains(&format!("broker.example:8883 as {SID}\n")), "{}", outcome.stdout);

    let others = "UVffeeddccbbaa99887766554433221100";
    let file = bundle(folder.path(), "broker.example", Some(others), EncodingChoice::Auto);
    let outcome = run(["--publishes", "1", "--sid", SID, "--bundle", &file]);
    assert_eq!(outcome.status, 1, "{outcome:#?}");
    assert_eq!(
        outcome.stderr,
        format!("error: the bundle is for {others}, not for {SID}; leave --sid out\n")
    );
}

#[test]
fn what_is_no_bundle_fails_before_the_device_starts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bundle = |name: &str, json: &str| write(folder.path(), name, json).into_os_string();
    for (bundle, advice) in [
        ("/nowhere/device.json".into(), "cannot read /nowhere/device.json"),
        (bundle("cut.json", "{"), "not a bundle: EOF"),
        (
            bundle("empty.json", r#"{"version": 1, "entries": []}"#),
            "the bundle has no broker-host; name the broker",
        ),
    ] {
        let outcome = run(["--bundle".into(), bundle]);
        assert_eq!(outcome.status, 1, "{outcome:#?}");
        assert!(outcome.stderr.contains(advice), "{advice}: {outcome:#?}");
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn a_key_that_does_not_belong_to_the_certificate_fails_with_advice() {
    let outcome = run_with(folder("p256-pkcs8.pem", "rsa2048-pkcs1.pem", |_| ()).path());

    assert_eq!(outcome.status, 1, "{outcome:#?}");
    assert!(outcome.stderr.starts_with("warning: the private key in private.pem.key does not belong"));
    assert!(outcome.stderr.contains("the private key (it must belong to the certificate)"), "{outcome:#?}");
}

#[test]
fn an_expired_certificate_fails_with_advice() {
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 2, 29);
    let outcome = run_with(folder("p256-pkcs8.pem", "p256-pkcs8.pem", expired).path());

    assert_eq!(outcome.status, 1, "{outcome:#?}");
    assert!(outcome.stderr.contains("warning: the device certificate in certificate.pem.crt expired on"));
    assert!(outcome.stderr.contains("error: not connected"), "{outcome:#?}");
    assert!(outcome.stderr.contains("check"), "{outcome:#?}");
}

#[test]
fn a_run_that_comes_to_nothing_ends_when_patience_runs_out_after_some_attempts() {
    let folder = folder("p256-pkcs8.pem", "rsa2048-pkcs1.pem", |_| ());
    let folder = folder.path().to_str().expect("the path is text");

    let outcome = run(["--patience", "3600", "--credentials", folder]);

    assert_eq!(outcome.status, 1, "{outcome:#?}");
    assert!(outcome.stderr.ends_with("; gave up after 3600s (--patience)\n"), "{}", outcome.stderr);
    let attempts = outcome.stdout.lines().filter(|line| line.contains("connecting to")).count();
    assert!(attempts > 600, "{attempts} attempts");
    let end = outcome.stdout.lines().last().expect("there are lines").trim_start();
    assert!(end.starts_with("359"), "{end}");
}

#[test]
fn credentials_that_cannot_be_used_fail_before_the_device_starts() {
    for (folder, advice) in [
        (folder("p256-pkcs8.pem", "p256-pkcs8-encrypted.pem", |_| ()), "is encrypted"),
        (tempfile::tempdir().expect("a temporary folder"), "holds no certificate and no key"),
    ] {
        let outcome = run_with(folder.path());
        assert_eq!(outcome.status, 1, "{outcome:#?}");
        assert!(outcome.stderr.starts_with("error: "), "{outcome:#?}");
        assert!(outcome.stderr.contains(advice), "{advice}: {outcome:#?}");
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn the_call_log_goes_to_standard_error_without_the_private_key() {
    let folder = folder("p256-pkcs8.pem", "p256-pkcs8.pem", |_| ());
    let folder = folder.path().to_str().expect("the path is text");
    let outcome = run(["--publishes", "1", "--trace", "--credentials", folder]);

    assert_eq!(outcome.status, 0, "{outcome:#?}");
    for call in ["mvOpenChannel(", "mvMqttRequestConnect(", "mvMqttRequestPublish(", "mvCloseChannel("] {
        assert!(outcome.stderr.contains(call), "{call}: {}", outcome.stderr);
        assert!(!outcome.stdout.contains(call));
    }
    let key = pem::parse(key_file("p256-pkcs8.pem")).expect("the key is PEM").into_contents();
    let mut hex = [0; 32];
    let hex = base16ct::lower::encode_str(&key[40..56], &mut hex).expect("it is twice as long");
    assert!(!outcome.stderr.contains(hex), "the log shows the private key");
}

#[test]
fn help_shows_every_option_and_examples() {
    let outcome = run(["--help"]);

    assert_eq!(outcome.status, 0);
    for option in [
        "--credentials DIR",
        "--bundle FILE",
        "--broker HOST:PORT",
        "--broker stored",
        "--sid SID",
        "--publishes N",
        "--interval SECONDS",
        "--patience SECONDS",
        "--trace",
    ] {
        assert!(outcome.stdout.contains(option), "{option}");
    }
    assert!(outcome.stdout.contains("\nExamples:\n  cargo run --example aws_iot\n"));
}

#[test]
fn a_wrong_option_says_what_to_do_and_exits_with_2() {
    let sid = "UV0123456789abcdef0123456789abcdef";
    for (arguments, advice) in [
        (&["--nonsense"][..], "--nonsense"),
        (&["-x"], "-x"),
        (&["run"], "every option starts with --"),
        (&["--publishes"], "--publishes"),
        (&["--publishes", "0"], "give a whole number from 1"),
        (&["--publishes", "-1"], "give a whole number from 1"),
        (&["--publishes", "many"], "give a whole number from 1"),
        (&["--publishes", "4294967296"], "give a whole number from 1"),
        (&["--interval", "soon"], "give seconds from 0 to 86400, such as 0.5"),
        (&["--interval", "-1"], "give seconds from 0 to 86400, such as 0.5"),
        (&["--interval", "NaN"], "give seconds from 0 to 86400, such as 0.5"),
        (&["--interval", "1e9"], "give seconds from 0 to 86400, such as 0.5"),
        (&["--patience", "much"], "give seconds from 0 to 86400, such as 0.5"),
        (&["--sid", "my-device"], "UV followed by 32 hexadecimal digits"),
        (&["--sid", &sid[1..]], "UV followed by 32 hexadecimal digits"),
        (&["--sid", "UVéééééééééééééééé"], "UV followed by 32 hexadecimal digits"),
        (&["--trace=all"], "--trace"),
        (&["--broker", "localhost:8883"], "--broker needs --credentials DIR"),
        (&["--broker", "stored"], "--broker needs --credentials DIR or --bundle FILE"),
        (&["--credentials", ".", "--broker", "stored"], "--broker stored needs --bundle FILE"),
        (&["--credentials", ".", "--bundle", "device.json"], "give --credentials or --bundle, and that once"),
        (&["--credentials", ".", "--broker", "localhost"], "the port is missing"),
        (&["--credentials", ".", "--broker", ":8883"], "the host is missing"),
        (&["--credentials", ".", "--broker", "localhost:0"], "a number from 1 to 65535"),
        (&["--credentials", ".", "--broker", "localhost:65536"], "a number from 1 to 65535"),
        (&["--credentials", ".", "--broker", "mqtts://localhost:8883"], "not a URL"),
        (&["--credentials", ".", "--broker", "::1:8883"], "an IPv6 address goes in brackets"),
        (&["--credentials", ".", "--broker", "[::1:8883"], "the bracket is not closed"),
        (&["--credentials", ".", "--broker", "local host:8883"], "that is no host name"),
    ] {
        let outcome = run(arguments);
        assert_eq!(outcome.status, 2, "{arguments:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(advice), "{arguments:?}: {}", outcome.stderr);
        assert!(outcome.stderr.ends_with("Try --help.\n"), "{arguments:?}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
}
