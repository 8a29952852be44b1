//! What `bundle` writes.

use std::fs;

use microvisor::aws::{Encoding as AwsEncoding, Encodings};
use microvisor_provision::bundle::{Bundle, Encoding, Scope, Store};

use crate::tool::{ENDPOINT, SID, Thing, run, value};

#[test]
fn the_bundle_has_the_five_entries_of_the_guide() {
    let bundle = Thing::good().bundled(&["--sid", SID]);

    assert_eq!(bundle.sid().expect("it has one").as_str(), SID);
    let entries = bundle.entries().iter();
    let entries: Vec<_> =
        entries.map(|entry| (entry.store(), entry.scope(), entry.key(), entry.encoding())).collect();
    assert_eq!(
        entries,
        [
            (Store::Config, Scope::Device, "root-CA", Encoding::Hex),
            (Store::Config, Scope::Device, "cert", Encoding::Hex),
            (Store::Secret, Scope::Device, "private_key", Encoding::Hex),
            (Store::Config, Scope::Device, "broker-host", Encoding::Text),
            (Store::Config, Scope::Device, "broker-port", Encoding::Text),
        ]
    );
    assert_eq!(value(&bundle, "broker-host"), ENDPOINT.as_bytes());
    assert_eq!(value(&bundle, "broker-port"), b"8883");
}

#[test]
fn without_a_sid_it_is_for_whichever_device() {
    let (outcome, output) = Thing::good().bundle(&["--port", "443"]);

    assert_eq!(outcome.status, 0, "{outcome:#?}");
    assert!(outcome.stdout.contains("5 entries for whichever device"), "{}", outcome.stdout);
    let bundle = Bundle::read(&output.file()).expect("a bundle");
    assert_eq!(bundle.sid(), None);
    assert_eq!(value(&bundle, "broker-port"), b"443");
}

#[test]
fn hex_is_taken_where_it_fits_and_base64_elsewhere() {
    let (outcome, output) = Thing::with_keys("rsa4096-pkcs8.pem", "rsa4096-pkcs8.pem").bundle(&[]);

    assert!(
        outcome.stdout.contains("these are base64 (microvisor::aws::Encodings): private_key\n"),
        "{outcome:#?}"
    );
    let bundle = Bundle::read(&output.file()).expect("a bundle");
    assert_eq!(bundle.encodings(), Some(Encodings::HEX.private_key(AwsEncoding::BASE64)));
    let bundle = Thing::good().bundled(&["--encoding", "base64"]);
    assert_eq!(bundle.encodings(), Some(Encodings::BASE64));
}

#[test]
fn the_private_key_is_printed_nowhere() {
    let (outcome, output) = Thing::good().bundle(&["--sid", SID]);

    let bundle = Bundle::read(&output.file()).expect("a bundle");
    let key = bundle.entry(Store::Secret, Scope::Device, "private_key").expect("it is there").value();
    let said = format!("{outcome:?} {bundle:?}");
    assert!(!said.contains(&key[100..132]), "{said}");
    assert!(said.contains("private_key"), "{said}");
}

#[cfg(unix)]
#[test]
fn nobody_but_the_owner_may_read_it_whatever_was_there_before() {
    use std::os::unix::fs::PermissionsExt;

    let thing = Thing::good();
    let file = thing.write("device.json", "{}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("permissions");
    let path = file.to_str().expect("text");
    let outcome = run(["bundle", thing.path().to_str().expect("text"), "--endpoint", ENDPOINT, "-o", path]);

    assert_eq!(outcome.status, 0, "{outcome:#?}");
    let mode = fs::metadata(&file).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    Bundle::read(&file).expect("a bundle");
}

#[test]
fn a_folder_that_is_not_there_is_told_and_what_was_there_stays() {
    let thing = Thing::good();
    let path = thing.path().to_str().expect("text");
    let outcome = run(["bundle", path, "--endpoint", ENDPOINT, "-o", "/nowhere/to/be/found.json"]);
    outcome.assert_failed("cannot write /nowhere/to/be/found.json");

    let file = thing.write("device.json", "what was there");
    thing.write("0a1b2c-private.pem.key", "");
    let outcome = run(["bundle", path, "--endpoint", ENDPOINT, "-o", file.to_str().expect("text")]);
    outcome.assert_failed("is empty");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "what was there");
}
