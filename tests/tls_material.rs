//! What is taken for a certificate, a key and a chain, and which error says what else it is.

use microvisor::Secret;
use microvisor::tls::{Certificate, CertificateChain, Credentials, PrivateKey, TlsMaterialError};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xA0;

/// One DER element around `parts`.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = contents.len().to_be_bytes();
    let significant = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1)..];
    let mut element = vec![tag];
    if contents.len() >= 0x80 {
        element.push(0x80 | u8::try_from(significant.len()).expect("few"));
    }
    element.extend_from_slice(significant);
    element.extend_from_slice(&contents);
    element
}

fn integer(value: u8) -> Vec<u8> {
    der(INTEGER, &[&[value]])
}

/// An integer as long as an RSA key has.
fn long_integer() -> Vec<u8> {
    der(INTEGER, &[&[0x55; 256]])
}

fn algorithm() -> Vec<u8> {
    der(SEQUENCE, &[&der(OBJECT_IDENTIFIER, &[&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]])])
}

fn name() -> Vec<u8> {
    der(SEQUENCE, &[&der(SET, &[&der(SEQUENCE, &[&der(OBJECT_IDENTIFIER, &[&[0x55, 0x04, 0x03]])])])])
}

fn bit_string() -> Vec<u8> {
    der(BIT_STRING, &[&[0; 65]])
}

fn octet_string() -> Vec<u8> {
    der(OCTET_STRING, &[&[0x11; 140]])
}

fn public_key() -> Vec<u8> {
    der(SEQUENCE, &[&algorithm(), &bit_string()])
}

fn signed(contents: &[&[u8]]) -> Vec<u8> {
    der(SEQUENCE, &[&der(SEQUENCE, contents), &algorithm(), &bit_string()])
}

fn validity() -> Vec<u8> {
    der(SEQUENCE, &[&der(UTC_TIME, &[b"260101000000Z"]), &der(UTC_TIME, &[b"360101000000Z"])])
}

fn certificate() -> Vec<u8> {
    let version = der(CONTEXT_0, &[&integer(2)]);
    signed(&[&version, &integer(7), &algorithm(), &name(), &validity(), &name(), &public_key()])
}

fn certificate_v1() -> Vec<u8> {
    signed(&[&integer(1), &algorithm(), &name(), &validity(), &name(), &public_key()])
}

fn signing_request() -> Vec<u8> {
    signed(&[&integer(0), &name(), &public_key(), &der(CONTEXT_0, &[])])
}

fn pkcs8_key() -> Vec<u8> {
    der(SEQUENCE, &[&integer(0), &algorithm(), &octet_string()])
}

/// `OneAsymmetricKey`, which has the public key as well.
fn pkcs8_v2_key() -> Vec<u8> {
    der(SEQUENCE, &[&integer(1), &algorithm(), &octet_string(), &der(0x81, &[&[0; 33]])])
}

fn pkcs8_key_with_attributes() -> Vec<u8> {
    der(SEQUENCE, &[&integer(0), &algorithm(), &octet_string(), &der(CONTEXT_0, &[])])
}

fn encrypted_key() -> Vec<u8> {
    der(SEQUENCE, &[&algorithm(), &octet_string()])
}

fn pkcs1_key() -> Vec<u8> {
    let number = long_integer();
    der(SEQUENCE, &[&integer(0), &number, &integer(3), &number, &number, &number, &number, &number, &number])
}

fn pkcs1_public_key() -> Vec<u8> {
    der(SEQUENCE, &[&long_integer(), &der(INTEGER, &[&[1, 0, 1]])])
}

fn sec1_key() -> Vec<u8> {
    der(SEQUENCE, &[&integer(1), &octet_string(), &der(CONTEXT_0, &[]), &der(0xA1, &[&bit_string()])])
}

#[track_caller]
fn assert_certificate_error(bytes: &[u8], error: TlsMaterialError) {
    assert_eq!(Certificate::from_der(bytes).expect_err("no certificate"), error);
}

#[track_caller]
fn assert_key_error(bytes: &[u8], error: TlsMaterialError) {
    assert_eq!(PrivateKey::from_pkcs8_der(bytes).expect_err("no key"), error);
    let mut memory = bytes.to_vec();
    assert_eq!(PrivateKey::from_secret(Secret::new(&mut memory)).expect_err("no key"), error);
    assert!(memory.iter().all(|byte| *byte == 0), "a refused secret is wiped");
}

#[track_caller]
fn assert_error(bytes: &[u8], error: TlsMaterialError) {
    assert_certificate_error(bytes, error);
    assert_key_error(bytes, error);
}

#[test]
fn certificates_are_taken_whatever_their_length() {
    for padding in 0..2_500 {
        let to_be_signed = der(SEQUENCE, &[&der(CONTEXT_0, &[&integer(2)]), &vec![0x55; padding]]);
        let certificate = der(SEQUENCE, &[&to_be_signed, &algorithm(), &der(BIT_STRING, &[&[0; 65]])]);
        assert_eq!(Certificate::from_der(&certificate).err(), None, "{padding} bytes of padding");
    }
}

#[test]
fn certificates_are_taken_as_they_are() {
    for bytes in [certificate(), certificate_v1()] {
        let taken = Certificate::from_der(&bytes).expect("a certificate");
        assert_eq!(taken.as_der(), bytes);
        assert_eq!(format!("{taken:?}"), format!("Certificate({} bytes)", bytes.len()));
    }
}

#[test]
fn every_form_of_pkcs8_key_is_taken() {
    for bytes in [pkcs8_key(), pkcs8_v2_key(), pkcs8_key_with_attributes()] {
        PrivateKey::from_pkcs8_der(&bytes).expect("a key");
        PrivateKey::from_secret(Secret::new(&mut bytes.clone())).expect("a key");
    }
}

#[test]
fn a_key_shows_no_more_than_its_length() {
    let bytes = pkcs8_key();
    let key = PrivateKey::from_pkcs8_der(&bytes).expect("a key");
    assert_eq!(format!("{key:?}"), format!("PrivateKey({} bytes)", bytes.len()));
}

#[test]
fn a_key_made_from_a_secret_wipes_it() {
    let mut memory = pkcs8_key();
    drop(PrivateKey::from_secret(Secret::new(&mut memory)).expect("a key"));
    assert!(memory.iter().all(|byte| *byte == 0));
}

#[test]
fn what_is_something_else_is_told_for_what_it_is() {
    assert_key_error(&certificate(), TlsMaterialError::Certificate);
    assert_key_error(&certificate_v1(), TlsMaterialError::Certificate);
    for key in [pkcs8_key(), pkcs8_v2_key(), pkcs8_key_with_attributes()] {
        assert_certificate_error(&key, TlsMaterialError::PrivateKey);
    }
    for key in [pkcs1_key(), sec1_key()] {
        assert_error(&key, TlsMaterialError::TraditionalKey);
    }
    for key in [encrypted_key(), public_key(), pkcs1_public_key()] {
        assert_error(&key, TlsMaterialError::PublicOrEncryptedKey);
    }
    assert_error(&signing_request(), TlsMaterialError::CertificateRequest);
}

#[test]
fn other_der_is_for_the_platform_to_judge() {
    let identifier = der(OBJECT_IDENTIFIER, &[&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02]]);
    for bytes in [
        // PKCS#7.
        der(SEQUENCE, &[&identifier, &der(CONTEXT_0, &[&der(SEQUENCE, &[])])]),
        der(SEQUENCE, &[&integer(0)]),
        der(SEQUENCE, &[&certificate(), &pkcs8_key()]),
        // The outer length is right, an inner one is not.
        vec![0x30, 0x03, 0x02, 0x05, 0x01],
    ] {
        assert!(Certificate::from_der(&bytes).is_ok());
        assert!(PrivateKey::from_pkcs8_der(&bytes).is_ok());
    }
}

#[test]
fn pem_is_recognised() {
    for text in
        ["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "-----BEGIN RSA PRIVATE KEY-----"]
    {
        assert_error(text.as_bytes(), TlsMaterialError::Pem);
    }
}

#[test]
fn what_is_no_der_sequence_is_not_der() {
    for bytes in [
        &der(INTEGER, &[&[7; 2]])[..],
        &der(OCTET_STRING, &[&certificate()]),
        b"plain text, with a comma",
        b"MIIBCgKCAQEAtest",
        b"Bag Attributes\n-----BEGIN CERTIFICATE-----",
        &[0xFF; 40],
        &[0x30, 0x80, 0x00, 0x00],
        // No certificate or key has 64 KiB.
        &[0x30, 0x83, 0x01, 0x00, 0x00, 0x02],
    ] {
        assert_error(bytes, TlsMaterialError::NotDer);
    }
}

#[test]
fn every_truncation_says_how_much_is_missing() {
    for bytes in [certificate(), pkcs8_key(), pkcs1_key()] {
        for actual in 5..bytes.len() {
            assert_error(&bytes[..actual], TlsMaterialError::Truncated { expected: bytes.len(), actual });
        }
        for actual in 0..5 {
            let Err(TlsMaterialError::Truncated { expected, .. }) = Certificate::from_der(&bytes[..actual])
            else {
                panic!("{actual} bytes are a truncated element")
            };
            assert!(expected > actual);
        }
    }
}

#[test]
fn what_follows_the_der_says_where_it_begins() {
    let certificate = certificate();
    let expected = certificate.len();
    for (rest, error) in [
        (&b"\n"[..], TlsMaterialError::TrailingBytes { expected, actual: expected + 1 }),
        (&certificate, TlsMaterialError::TrailingBytes { expected, actual: 2 * expected }),
    ] {
        assert_error(&[&certificate, rest].concat(), error);
    }
}

#[test]
fn no_damage_of_one_byte_panics() {
    for good in [certificate(), certificate_v1(), pkcs8_key(), sec1_key(), signing_request()] {
        for at in 0..good.len() {
            for value in [0x00, 0x01, 0x02, 0x30, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0xA0, 0xFF] {
                let mut bytes = good.clone();
                bytes[at] = value;
                let _ = Certificate::from_der(&bytes);
                let _ = PrivateKey::from_pkcs8_der(&bytes);
            }
        }
    }
}

#[test]
fn a_chain_has_one_to_eight_certificates() {
    let der = certificate();
    let certificates = [Certificate::from_der(&der).expect("a certificate"); 9];
    assert_eq!(CertificateChain::new(&certificates[..0]), Err(TlsMaterialError::EmptyChain));
    for count in 1..=8 {
        let chain = CertificateChain::new(&certificates[..count]).expect("a chain");
        assert_eq!(chain.certificates().len(), count);
    }
    assert_eq!(
        CertificateChain::new(&certificates),
        Err(TlsMaterialError::TooManyCertificates { count: 9, max: 8 })
    );
    assert_eq!(CertificateChain::single(&certificates[0]), CertificateChain::from(&certificates[0]));
}

#[test]
fn credentials_show_no_secret() {
    let (certificate, key) = (certificate(), pkcs8_key());
    let certificate = Certificate::from_der(&certificate).expect("a certificate");
    let chain = CertificateChain::single(&certificate);
    let key = PrivateKey::from_pkcs8_der(&key).expect("a key");
    let credentials = Credentials::new().trust(chain).identity(chain, &key);
    assert!(credentials.has_identity());
    assert!(!format!("{credentials:?}").contains("17, 17"));
    assert!(!Credentials::default().has_identity());
}

#[test]
fn advice_names_the_tool_that_helps() {
    for error in
        [TlsMaterialError::Pem, TlsMaterialError::TraditionalKey, TlsMaterialError::PublicOrEncryptedKey]
    {
        assert!(error.to_string().contains("openssl pkcs8 -topk8 -nocrypt"), "{error}");
    }
    let error = TlsMaterialError::Truncated { expected: 900, actual: 512 };
    assert!(error.to_string().contains("900") && error.to_string().contains("512"), "{error}");
}
