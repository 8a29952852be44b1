//! Files that a device cannot use: each is told, and nothing is written.

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use crate::authority::{Authority, key_file};
use crate::tool::{Thing, run};

const KEY: &str = "p256-pkcs8.pem";
const CERTIFICATE_FILE: &str = "0a1b2c-certificate.pem.crt";
const KEY_FILE: &str = "0a1b2c-private.pem.key";

/// A folder with a certificate that is changed.
fn thing_with(change: impl FnOnce(&mut CertificateParams)) -> Thing {
    let thing = Thing::with_keys(KEY, KEY);
    let certificate = Authority::named("Amazon Web Services").issue_with(&key_file(KEY), change);
    thing.write(CERTIFICATE_FILE, certificate);
    thing
}

#[test]
fn a_key_of_another_certificate() {
    let thing = Thing::with_keys("rsa2048-pkcs8.pem", "p256-sec1.pem");
    thing.assert_refused("does not belong to the certificate in 0a1b2c-certificate.pem.crt");
}

#[test]
fn a_certificate_that_expired() {
    let thing = thing_with(|params| params.not_after = date_time_ymd(2020, 2, 29));
    thing.assert_refused(
        "the device certificate in 0a1b2c-certificate.pem.crt expired on 2020-02-29 00:00:00 UTC",
    );
}

#[test]
fn a_certificate_that_is_not_valid_yet() {
    let thing = thing_with(|params| params.not_before = date_time_ymd(2090, 1, 1));
    thing.assert_refused("0a1b2c-certificate.pem.crt is not valid before 2090-01-01 00:00:00 UTC");
}

#[test]
fn an_encrypted_key() {
    for key in ["p256-pkcs8-encrypted.pem", "rsa2048-pkcs1-encrypted.pem"] {
        Thing::with_keys(KEY, key)
            .assert_refused("is encrypted, and a device has nobody to type the pass phrase");
    }
}

#[test]
fn a_certificate_request_in_the_place_of_the_certificate() {
    let key = KeyPair::from_pem(&key_file(KEY)).expect("a key");
    let request = CertificateParams::default().serialize_request(&key).expect("a request");
    for content in [request.pem().expect("PEM").as_bytes(), request.der()] {
        let thing = Thing::with_keys(KEY, KEY);
        thing.write(CERTIFICATE_FILE, content);
        thing.assert_refused("0a1b2c-certificate.pem.crt is a certificate request");
    }
}

#[test]
fn two_certificates() {
    let thing = Thing::with_keys(KEY, KEY);
    thing.write("other.pem.crt", Authority::named("AWS").issue(&key_file("p384-pkcs8.pem")));
    thing.assert_refused("several device certificates: 0a1b2c-certificate.pem.crt, other.pem.crt");
    thing.assert_refused("which is 0a1b2c-certificate.pem.crt");
}

#[test]
fn two_keys() {
    let thing = Thing::with_keys(KEY, KEY);
    thing.write("other.pem.key", key_file("p384-pkcs8.pem"));
    thing.assert_refused("several private keys: 0a1b2c-private.pem.key, other.pem.key");
}

#[test]
fn an_empty_file() {
    for file in [CERTIFICATE_FILE, KEY_FILE, "AmazonRootCA1.pem"] {
        let thing = Thing::with_keys(KEY, KEY);
        thing.write(file, "");
        thing.assert_refused(&format!("{file} is empty"));
    }
    let thing = Thing::good();
    thing.write("one-more.pem", "");
    thing.assert_refused("one-more.pem is empty");
}

#[test]
fn a_huge_file() {
    for file in [KEY_FILE, "one-more.der"] {
        let thing = Thing::with_keys(KEY, KEY);
        let huge = std::fs::File::create(thing.path().join(file)).expect("a file");
        huge.set_len(1 << 40).or_else(|_| huge.set_len(1 << 30)).expect("a sparse file");
        thing.assert_refused(&format!("{file} is larger than 256 KiB"));
    }
}

#[test]
fn binary_garbage() {
    let garbage: Vec<u8> = (0..4096_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let like_der = [&[0x30, 0x82, 0x01, 0x00], &garbage[..]].concat();
    let like_pem = [b"-----BEGIN CERTIFICATE-----\n", &garbage[..]].concat();
    for (content, words) in [
        (&garbage, "is neither PEM nor DER"),
        (&like_der, "starts like DER, but neither a certificate nor a key"),
        (&like_pem, "has a PEM block that does not end or is not base64"),
    ] {
        for file in [KEY_FILE, CERTIFICATE_FILE, "AmazonRootCA1.pem", "one-more.pem"] {
            let thing = Thing::with_keys(KEY, KEY);
            thing.write(file, content);
            thing.assert_refused(&format!("{file} {words}"));
        }
    }
}

#[test]
fn a_certificate_that_may_not_be_used_for_this() {
    thing_with(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])
        .assert_refused("may not be used for TLS client authentication (extended key usage)");
    thing_with(|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment])
        .assert_refused("may not be used for digital signatures (key usage)");
}

#[test]
fn a_root_that_may_not_issue_certificates() {
    let root = |change: fn(&mut CertificateParams)| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate").pem()
    };
    let thing = Thing::with_keys(KEY, KEY);
    thing.write("AmazonRootCA1.pem", root(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]));
    thing.assert_refused("may not be used for signing certificates (key usage)");
    thing.write("AmazonRootCA1.pem", root(|params| params.is_ca = IsCa::ExplicitNoCa));
    thing.assert_refused("does not say that it is a CA");
}

#[test]
fn a_certificate_of_a_ca_that_has_only_the_name_of_the_one_that_is_there() {
    let thing = Thing::with_keys(KEY, KEY);
    thing.write("AmazonRootCA1.pem", Authority::named("Our CA").pem());
    thing.write(CERTIFICATE_FILE, Authority::named("Our CA").issue(&key_file(KEY)));
    thing.assert_refused(
        "says that Our CA issued it, but it is not signed with the key of the CA in AmazonRootCA1.pem",
    );
}

#[test]
fn values_that_no_store_holds() {
    let long = "x".repeat(3000);
    let thing = thing_with(|params| {
        params.distinguished_name.push(rcgen::DnType::OrganizationName, long.as_str());
    });
    thing.assert_refused("device certificate in 0a1b2c-certificate.pem.crt takes ");
    thing.assert_refused("What fits: keys on P-256 or P-384, or RSA of 4,096 bits or less");

    let thing = Thing::with_keys("rsa4096-pkcs8.pem", "rsa4096-pkcs8.pem");
    let (outcome, output) = thing.bundle(&["--encoding", "hex"]);
    outcome.assert_failed("as base64 it takes 3168: use --encoding auto or base64");
    assert_eq!(output.files(), [""; 0]);
}

#[test]
fn a_folder_that_is_not_there_and_one_with_nothing_in_it() {
    run(["check", "/nowhere/to/be/found"]).assert_failed("cannot read /nowhere/to/be/found");
    Thing::empty().assert_refused("holds no certificate and no key");
}

#[test]
fn a_file_that_is_named_has_to_be_one() {
    let thing = Thing::good();
    let notes = thing.write("notes.txt", "How to use these files");
    let file = |name: &str| thing.path().join(name).into_os_string();
    let files = [file("AmazonRootCA1.pem"), file(CERTIFICATE_FILE), file(KEY_FILE)];
    let check = |more: &std::path::Path| run([&["check".into()][..], &files, &[more.into()]].concat());
    check(&notes).assert_failed("notes.txt is neither PEM nor DER");
    check(thing.path()).assert_failed("is no file; name files, or one folder alone");
    check(&thing.path().join("missing.pem")).assert_failed("missing.pem: No such file");
    let outcome = run([&["check".into()][..], &files].concat());
    assert_eq!(outcome.status, 0, "{outcome:#?}");
}
