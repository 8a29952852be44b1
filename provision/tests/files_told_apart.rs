//! Which files are taken for a device's credentials, and what is said of the others.

#[path = "../../tests/authority/mod.rs"]
mod authority;

use std::fs;
use std::path::Path;

use authority::{Authority, key_file};
use microvisor_provision::check::Report;
use microvisor_provision::{CheckOptions, Credentials, Provisioning};
use tempfile::TempDir;

fn der(pem: &str) -> Vec<u8> {
    pem::parse_many(pem).expect("the PEM is well-formed").pop().expect("there is a block").into_contents()
}

/// A folder with these files.
struct Folder(TempDir);

impl Folder {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, content) in files {
            fs::write(folder.path().join(name), content).expect("a file in it");
        }
        Self(folder)
    }

    fn provisioning(&self) -> Provisioning {
        Provisioning::from_folder(self.0.path()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn report(&self) -> Report {
        self.provisioning().check(&CheckOptions::new())
    }

    /// What can be bundled.
    fn read(&self) -> Credentials {
        assert_eq!(self.report().problems, []);
        self.provisioning().credentials().expect("the credentials are there")
    }

    /// The messages, which have to name `file`.
    fn error_naming(&self, file: &str) -> String {
        let message = self.error();
        assert!(message.contains(file), "does not name {file}: {message}");
        message
    }

    fn error(&self) -> String {
        let report = self.report();
        assert!(!report.is_good(), "the folder was accepted");
        report.errors().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// A folder with a good CA and a good certificate for `rsa2048`, and this private key.
fn folder_with_key(key: &[u8]) -> Folder {
    let authority = Authority::named("Test Root CA");
    let certificate = authority.issue(&key_file("rsa2048-pkcs8.pem"));
    Folder::with(&[
        ("ca.pem", authority.pem().as_bytes()),
        ("device.pem.crt", certificate.as_bytes()),
        ("device.pem.key", key),
    ])
}

#[test]
fn the_files_as_aws_hands_them_out_are_told_apart() {
    let amazon_1 = Authority::named("Amazon Root CA 1");
    let amazon_3 = Authority::named("Amazon Root CA 3");
    let certificate = Authority::named("AWS IoT").issue(&key_file("rsa2048-pkcs8.pem"));
    let folder = Folder::with(&[
        ("AmazonRootCA1.pem", amazon_1.pem().as_bytes()),
        ("AmazonRootCA3.pem", amazon_3.pem().as_bytes()),
        ("0a1b2c-certificate.pem.crt", certificate.as_bytes()),
        ("0a1b2c-private.pem.key", key_file("rsa2048-pkcs1.pem").as_bytes()),
        ("0a1b2c-public.pem.key", key_file("rsa2048-public.pem").as_bytes()),
    ]);

    let credentials = folder.read();

    assert_eq!(credentials.root_ca(), der(amazon_1.pem()));
    assert_eq!(credentials.certificate(), der(&certificate));
    assert_eq!(credentials.private_key(), der(&key_file("rsa2048-pkcs8.pem")));
    let report = folder.report();
    let parts =
        report.parts.iter().map(|part| format!("{}: {} ({})", part.role, part.file, part.description));
    assert_eq!(
        parts.collect::<Vec<_>>(),
        [
            "root CA: AmazonRootCA1.pem (Amazon Root CA 1, EC P-256)",
            "device certificate: 0a1b2c-certificate.pem.crt (AWS IoT Certificate, RSA-2048)",
            "private key: 0a1b2c-private.pem.key (RSA-2048, PKCS#1)",
        ]
    );
    let unused = report.left_aside.iter().map(|unused| format!("{} {}", unused.file, unused.why));
    assert_eq!(
        unused.collect::<Vec<_>>(),
        [
            "0a1b2c-public.pem.key is a public key, which a device does not need",
            "AmazonRootCA3.pem (Amazon Root CA 3) is not what AWS IoT's endpoints use by default",
        ]
    );
}

#[test]
fn the_content_counts_and_not_the_name() {
    let authority = Authority::named("Test Root CA");
    let certificate = authority.issue(&key_file("rsa2048-pkcs8.pem"));
    let credentials = Folder::with(&[
        ("private.key", authority.pem().as_bytes()),
        ("root-ca", certificate.as_bytes()),
        ("certificate.txt", key_file("rsa2048-pkcs8.pem").as_bytes()),
        ("README", b"How to use these files"),
    ])
    .read();

    assert_eq!(credentials.root_ca(), der(authority.pem()));
    assert_eq!(credentials.certificate(), der(&certificate));
    assert_eq!(credentials.private_key(), der(&key_file("rsa2048-pkcs8.pem")));
}

#[test]
fn one_file_may_hold_everything() {
    let authority = Authority::named("Test Root CA");
    let key = key_file("p256-pkcs8.pem");
    let certificate = authority.issue(&key);
    let bundle = format!("{}\n{key}Bag Attributes\n{certificate}", authority.pem());
    let credentials = Folder::with(&[("bundle.pem", bundle.as_bytes())]).read();

    assert_eq!(credentials.certificate(), der(&certificate));
}

#[test]
fn every_encoding_of_a_key_becomes_the_pkcs8_that_openssl_makes_of_it() {
    let authority = Authority::named("Test Root CA");
    for (key, other_encoding) in
        [("rsa2048", "pkcs1"), ("p256", "sec1"), ("p384", "sec1"), ("p521", "sec1"), ("p384", "pkcs8")]
    {
        let pkcs8 = key_file(&format!("{key}-pkcs8.pem"));
        let text = key_file(&format!("{key}-{other_encoding}.pem"));
        let binary = der(&text);
        // The signing library has no P-521, and any certificate will do for it.
        let certificate =
            authority.issue(&if key == "p521" { key_file("p256-pkcs8.pem") } else { pkcs8.clone() });
        for content in [text.as_bytes(), &binary] {
            let folder = Folder::with(&[
                ("ca.pem", authority.pem().as_bytes()),
                ("device.crt", certificate.as_bytes()),
                ("key", content),
            ]);
            let credentials = folder.provisioning().credentials().expect("there are three parts");

            assert_eq!(credentials.private_key(), der(&pkcs8), "{key} in {other_encoding}");
            assert_eq!(folder.report().is_good(), key != "p521", "{key} in {other_encoding}");
        }
    }
}

#[test]
fn der_and_utf16_files_are_read_as_well() {
    let authority = Authority::named("Test Root CA");
    let certificate = authority.issue(&key_file("rsa2048-pkcs8.pem"));
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(certificate.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let credentials = Folder::with(&[
        ("ca.der", &der(authority.pem())),
        ("device.pem", &utf16),
        ("key.der", &der(&key_file("rsa2048-pkcs1.pem"))),
    ])
    .read();

    assert_eq!(credentials.certificate(), der(&certificate));
}

#[test]
fn what_is_missing_is_named() {
    let authority = Authority::named("Test Root CA");
    let key = key_file("p256-pkcs8.pem");
    let certificate = authority.issue(&key);
    let (ca, certificate) = (("ca.pem", authority.pem().as_bytes()), ("device.pem", certificate.as_bytes()));
    let key = ("key.pem", key.as_bytes());
    let public = key_file("rsa2048-public.pem");

    assert!(Folder::with(&[certificate, key]).error().contains("no root CA certificate"));
    assert!(Folder::with(&[ca, key]).error().contains("no device certificate"));
    assert!(Folder::with(&[key]).error().contains("no device certificate"));
    assert!(Folder::with(&[ca, certificate]).error().contains("no private key"));
    assert!(Folder::with(&[("notes.txt", b"nothing")]).error().contains("no certificate and no key"));
    let message =
        Folder::with(&[ca, certificate, ("public.pem", public.as_bytes())]).error_naming("public.pem");
    assert!(message.contains("public key, which cannot take its place"), "{message}");

    let nowhere = Path::new("/nowhere/to/be/found");
    let message = Provisioning::from_folder(nowhere).expect_err("there is no such folder").to_string();
    assert!(message.contains("cannot read /nowhere/to/be/found"), "{message}");
}

#[test]
fn what_cannot_be_told_apart_is_named() {
    let (one, other) = (Authority::named("One"), Authority::named("Other"));
    let key = key_file("p256-pkcs8.pem");
    let (mine, not_mine) = (one.issue(&key), one.issue(&key_file("p384-pkcs8.pem")));
    let renewed = one.issue(&key);

    let roots = Folder::with(&[
        ("one.pem", one.pem().as_bytes()),
        ("other.pem", other.pem().as_bytes()),
        ("device.pem", mine.as_bytes()),
        ("key.pem", key.as_bytes()),
    ]);
    assert!(roots.error_naming("one.pem (One), other.pem (Other)").contains("several root CA certificates"));

    let certificates = Folder::with(&[
        ("one.pem", one.pem().as_bytes()),
        ("device.pem", mine.as_bytes()),
        ("renewed.pem", renewed.as_bytes()),
        ("key.pem", key.as_bytes()),
    ]);
    assert!(certificates.error_naming("device.pem, renewed.pem").contains("several device certificates"));

    let one_of_them_belongs = Folder::with(&[
        ("one.pem", one.pem().as_bytes()),
        ("device.pem", mine.as_bytes()),
        ("other-device.pem", not_mine.as_bytes()),
        ("key.pem", key.as_bytes()),
    ]);
    let message = one_of_them_belongs.error_naming("device.pem, other-device.pem");
    assert!(
        message.contains("leave the one that belongs to the private key, which is device.pem"),
        "{message}"
    );

    let keys = Folder::with(&[
        ("one.pem", one.pem().as_bytes()),
        ("device.pem", not_mine.as_bytes()),
        ("a.key", key.as_bytes()),
        ("b.key", key_file("rsa2048-pkcs1.pem").as_bytes()),
    ]);
    assert!(keys.error_naming("a.key, b.key").contains("several private keys"));
}

#[test]
fn keys_that_a_device_cannot_use_are_refused_with_the_remedy() {
    for (file, remedy) in [
        ("p256-pkcs8-encrypted.pem", "openssl pkey -in device.pem.key"),
        ("rsa2048-pkcs1-encrypted.pem", "openssl pkey -in device.pem.key"),
        ("openssh.pem", "an OpenSSH key"),
        ("ed25519-pkcs8.pem", "an Ed25519 key; AWS IoT takes"),
        ("secp256k1-sec1.pem", "on another curve"),
        ("rsa1024-pkcs1.pem", "an RSA key of 1024 bits"),
    ] {
        let message = folder_with_key(key_file(file).as_bytes()).error_naming("device.pem.key");
        assert!(message.contains(remedy), "{file}: {message}");
    }
    let encrypted_der = der(&key_file("p256-pkcs8-encrypted.pem"));
    let message = folder_with_key(&encrypted_der).error_naming("device.pem.key");
    assert!(message.contains("is encrypted"), "{message}");
}

#[test]
fn damaged_files_are_named() {
    let key = key_file("rsa2048-pkcs1.pem");
    let no_end = &key[..key.len() - 40];
    let not_base64 = key.replace("MII", "M!!");
    for content in [no_end, &not_base64] {
        let message = folder_with_key(content.as_bytes()).error_naming("device.pem.key");
        assert!(message.contains("does not end or is not base64"), "{message}");
    }

    let truncated = |tag: &str, pem: &str| {
        let mut content = der(pem);
        content.truncate(content.len() - 10);
        pem::encode(&pem::Pem::new(tag, content))
    };
    let message =
        folder_with_key(truncated("RSA PRIVATE KEY", &key).as_bytes()).error_naming("device.pem.key");
    assert!(message.contains("does not decode as PKCS#1, SEC1 or PKCS#8"), "{message}");

    let authority = Authority::named("Test Root CA");
    let ca = truncated("CERTIFICATE", authority.pem());
    let message = Folder::with(&[("ca.pem", ca.as_bytes())]).error_naming("ca.pem");
    assert!(message.contains("does not decode as one"), "{message}");
}

#[test]
fn no_truncation_of_a_file_passes_unnoticed() {
    for key in [der(&key_file("p256-sec1.pem")), der(&key_file("p521-sec1.pem"))] {
        for length in 0..key.len() {
            let message = folder_with_key(&key[..length]).error_naming("device.pem.key");
            let is_told = match length {
                0 => message.contains("is empty"),
                // What is shorter may look like text.
                1 | 2 => message.contains("neither PEM nor DER") || message.contains("starts like DER"),
                _ => message.contains("starts like DER"),
            };
            assert!(is_told, "{length}: {message}");
        }
    }
}

#[test]
fn a_key_whose_numbers_do_not_belong_together_is_damaged() {
    // Where the private number of the one, and a prime of the other, is.
    for (key, at) in [("p256-sec1.pem", 20), ("rsa2048-pkcs1.pem", 700)] {
        let mut content = der(&key_file(key));
        content[at] ^= 0x10;
        let message = folder_with_key(&content).error_naming("device.pem.key");
        assert!(message.contains("does not decode as PKCS#1, SEC1 or PKCS#8"), "{key}: {message}");
    }
}

#[test]
fn what_is_no_credential_by_its_name_is_left_aside() {
    let authority = Authority::named("Test Root CA");
    let key = key_file("p256-pkcs8.pem");
    let certificate = authority.issue(&key);
    let folder = Folder::with(&[
        ("ca.pem", authority.pem().as_bytes()),
        ("device.pem", certificate.as_bytes()),
        ("key.pem", key.as_bytes()),
        (".DS_Store", b"\0\0\0\x01Bud1"),
        ("empty", b""),
        ("photo.jpg", &vec![0xff; 300 * 1024]),
    ]);
    folder.read();
    let unused = folder.report().left_aside;
    assert_eq!(
        unused.iter().map(|unused| unused.file.as_str()).collect::<Vec<_>>(),
        [".DS_Store", "empty", "photo.jpg"]
    );
}
