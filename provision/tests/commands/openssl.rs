//! The values are what the guide's `openssl` commands make, byte by byte.

use std::path::Path;
use std::process::{Command, Stdio};

use microvisor_provision::bundle::{Encoding, Scope, Store};

use crate::tool::{Thing, value};

fn is_installed() -> bool {
    let found = Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_ok();
    if !found {
        let advice = "openssl is needed for this test: apt-get install openssl";
        assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{advice}");
        eprintln!("skipped: {advice}");
    }
    found
}

/// What `openssl` prints.
fn openssl(arguments: &str, folder: &Path) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl starts");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A CA and a device, all made by openssl; the key as `generate` writes it to `private.pem.key`.
fn thing(generate: &str) -> Thing {
    let thing = Thing::empty();
    let run = |arguments: &str| openssl(arguments, thing.path());
    run("req -x509 -newkey rsa:2048 -nodes -keyout ca.secret -out AmazonRootCA1.pem -days 30000 \
         -subj /CN=Amazon_Root_CA -addext keyUsage=critical,keyCertSign,cRLSign");
    run(generate);
    run("req -new -key private.pem.key -subj /CN=AWS_IoT_Certificate -out request.txt");
    run("x509 -req -in request.txt -CA AmazonRootCA1.pem -CAkey ca.secret -CAcreateserial -days 30000 \
         -out certificate.pem.crt");
    for rest in ["ca.secret", "request.txt"] {
        std::fs::remove_file(thing.path().join(rest)).expect("it was there");
    }
    thing
}

fn assert_same_as_openssl(thing: &Thing, encoding: &str) {
    let bundle = thing.bundled(&["--encoding", encoding]);
    let der = |file: &str| openssl(&format!("x509 -in {file} -outform der"), thing.path());
    assert_eq!(value(&bundle, "root-CA"), der("AmazonRootCA1.pem"));
    assert_eq!(value(&bundle, "cert"), der("certificate.pem.crt"));
    let pkcs8 = openssl("pkcs8 -topk8 -nocrypt -outform der -in private.pem.key", thing.path());
    assert_eq!(value(&bundle, "private_key"), pkcs8);
}

/// Each way in which openssl writes such a key.
fn assert_all_encodings(generate: &[&str], encoding: &str) {
    if !is_installed() {
        return;
    }
    for generate in generate {
        assert_same_as_openssl(&thing(generate), encoding);
    }
}

#[test]
fn rsa_2048_is_as_openssl_makes_it() {
    let commands = [
        "genrsa -traditional -out private.pem.key 2048",
        "genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out private.pem.key",
        "genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -outform der -out private.pem.key",
    ];
    assert_all_encodings(&commands, "hex");
}

#[test]
fn rsa_4096_is_as_openssl_makes_it_in_base64() {
    assert_all_encodings(&["genrsa -traditional -out private.pem.key 4096"], "auto");
}

#[test]
fn p256_is_as_openssl_makes_it() {
    let commands = [
        "ecparam -name prime256v1 -genkey -out private.pem.key",
        "ecparam -name prime256v1 -genkey -noout -outform der -out private.pem.key",
        "genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out private.pem.key",
    ];
    assert_all_encodings(&commands, "hex");
}

#[test]
fn p384_is_as_openssl_makes_it() {
    let commands = [
        "ecparam -name secp384r1 -genkey -out private.pem.key",
        "genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-384 -out private.pem.key",
    ];
    assert_all_encodings(&commands, "base64");
}

#[test]
fn a_pkcs8_key_that_names_its_curve_twice_is_written_as_openssl_writes_it() {
    if !is_installed() {
        return;
    }
    let thing = thing("ecparam -name prime256v1 -genkey -noout -outform der -out private.pem.key");
    // The SEC1 key with its parameters, put into PKCS#8 as it is, as some tools do.
    let sec1 = std::fs::read(thing.path().join("private.pem.key")).expect("it was made");
    let mut body =
        b"\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
            .to_vec();
    body.extend([0x04, u8::try_from(sec1.len()).expect("it is short")]);
    body.extend(sec1);
    let mut pkcs8 = vec![0x30, 0x81, u8::try_from(body.len()).expect("it is short")];
    pkcs8.extend(body);
    thing.write("private.pem.key", pkcs8);

    assert_same_as_openssl(&thing, "hex");
}

#[test]
fn the_hex_is_in_lower_case_as_the_guides() {
    let bundle = Thing::good().bundled(&[]);
    for (store, key) in [(Store::Config, "root-CA"), (Store::Config, "cert"), (Store::Secret, "private_key")]
    {
        let entry = bundle.entry(store, Scope::Device, key).expect("it is there");
        assert_eq!(entry.encoding(), Encoding::Hex);
        assert!(entry.value().bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')), "{key}");
    }
}
