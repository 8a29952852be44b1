//! The document `device.json`: what is read, what is refused, and that the simulator loads it.

use microvisor::DeviceId;
use microvisor_provision::bundle::{Bundle, Encoding, Entry, Scope, Store};
use microvisor_sim::{BundleError, Device};

const SID: &str = "UV00112233445566778899aabbccddeeff";
const SECRET: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";

fn bundle() -> Bundle {
    let entry = |store, scope, key: &str, encoding, value: &str| {
        Entry::new(store, scope, key, encoding, value.to_owned()).expect("an entry")
    };
    let entries = vec![
        entry(Store::Config, Scope::Device, "broker-port", Encoding::Text, "8883"),
        entry(Store::Secret, Scope::Device, "private_key", Encoding::Hex, SECRET),
        entry(Store::Config, Scope::Account, "root-CA", Encoding::Base64, "MIIB"),
        entry(Store::Secret, Scope::Account, "password", Encoding::Text, "\"Grüße\"\n"),
    ];
    Bundle::new(Some(DeviceId::parse(SID).expect("a SID")), entries).expect("a bundle")
}

fn json() -> String {
    String::from_utf8(bundle().to_json().expect("JSON").to_vec()).expect("text")
}

/// Why this is no bundle, which is told without the secret.
fn error(json: &str) -> String {
    let message = Bundle::from_json(json).expect_err("no bundle").to_string();
    assert!(!message.contains(SECRET), "{message}");
    let sims = Device::builder().bundle(json).err();
    assert!(!sims.is_some_and(|error| error.to_string().contains(SECRET)));
    message
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("device.json");
    bundle().write(&file).expect("it is written");
    assert_eq!(Bundle::read(&file).expect("it is read"), bundle());
    assert_eq!(*bundle().entries()[1].decoded(), b"\xc0\xff\xee\0".repeat(5));
}

#[test]
fn the_text_is_as_documented() {
    assert!(json().starts_with(
        "{\n  \"version\": 1,\n  \"sid\": \"UV00112233445566778899aabbccddeeff\",\n  \"entries\": [\n    {\n      \
         \"store\": \"config\",\n      \"scope\": \"device\",\n      \"key\": \"broker-port\",\n      \
         \"encoding\": \"text\",\n      \"value\": \"8883\"\n    },"
    ));
}

#[test]
fn what_is_no_bundle_is_told_with_its_place_and_without_its_secrets() {
    for (from, to, words) in [
        ("\"version\": 1", "\"version\": 2", "has version 2, and this tool knows version 1"),
        ("\"version\": 1,", "", "missing field `version`"),
        (SID, "UV12", "`UV` and 32 hex digits"),
        ("\"scope\": \"device\"", "\"scope\": \"planet\"", "unknown variant `planet`"),
        ("\"key\": \"broker-port\"", "\"key\": \"\"", "cannot be empty"),
        ("\"key\": \"broker-port\"", "\"key\": \"Gerät\"", "printable ASCII"),
        ("\"8883\"", "\"\"", "the value of broker-port is empty"),
        ("\"8883\"", "8883", "invalid type: integer `8883`"),
        ("\"hex\"", "\"base64\"", ""),
        ("\"encoding\": \"base64\"", "\"encoding\": \"hex\"", "the value of root-CA is not hex"),
        ("\"encoding\": \"text\",", "\"encoding\": \"text\", \"colour\": \"red\",", "unknown field `colour`"),
        ("\"store\": \"secret\"", &format!("\"store\": \"{SECRET}\""), "unknown variant `…`"),
        ("\"entries\": [", &format!("\"{SECRET}\": 1, \"entries\": ["), "unknown field `…`"),
        ("\"version\": 1", &format!("\"version\": \"{SECRET}\""), "invalid type: string \"…\""),
        ("\"entries\": [", "\"entries\": [,", "at line 4"),
    ] {
        assert!(json().contains(from), "{from}");
        if words.is_empty() {
            // It is base64 as well, since nothing guesses.
            Bundle::from_json(&json().replacen(from, to, 1)).expect("a bundle");
            continue;
        }
        let message = error(&json().replacen(from, to, 1));
        assert!(message.contains(words), "{from} -> {to}: {message}");
    }
    let long = json().replace("8883", &"8".repeat(4097));
    assert!(error(&long).contains("has 4097 characters, and a store holds 4096 at most"));
    let twice = json()
        .replace("\"private_key\"", "\"password\"")
        .replace("\"scope\": \"account\"", "\"scope\": \"device\"");
    assert!(error(&twice).contains("two entries password for the device's secrets"));
}

#[test]
fn no_secret_is_in_debug() {
    let debug = format!("{:?}", bundle());
    assert!(!debug.contains(SECRET) && !debug.contains("Grüße"), "{debug}");
    assert!(debug.contains("private_key") && debug.contains("[40 characters]"), "{debug}");
    let builder = Device::builder().bundle(&json()).expect("it loads");
    assert!(!format!("{builder:?}").contains(SECRET));
}

#[test]
fn the_simulator_refuses_what_is_no_bundle() {
    let error = |from: &str, to: &str| {
        let error = Device::builder().bundle(&json().replacen(from, to, 1)).expect_err("no bundle");
        assert!(!error.to_string().contains(SECRET), "{error}");
        error
    };
    assert_eq!(error("\"version\": 1", "\"version\": 2"), BundleError::Version { found: 2 });
    assert_eq!(error(SID, "UV12"), BundleError::Sid { sid: "UV12".to_owned() });
    assert_eq!(error("broker-port", ""), BundleError::CannotBeStored { key: String::new() });
    assert_eq!(error("{", "{,"), BundleError::Malformed { line: 1, column: 2, is_json: false });
    let malformed = error("\"encoding\": \"hex\"", "\"colour\": \"red\"");
    assert!(matches!(malformed, BundleError::Malformed { line: 16, is_json: true, .. }), "{malformed:?}");
}
