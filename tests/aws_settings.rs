//! A device's settings for AWS IoT: fetched whole, or refused with the name of the value at fault.

#[path = "../sim/tests/pki/mod.rs"]
mod pki;

mod bed;
mod stored;

use std::time::Duration;

use bed::{Bed, MEMORY_LEN};
use microvisor::aws::{Encoding, Encodings, KEYS, Settings, SettingsError};
use microvisor::config::{DecodeError, FetchError, ItemErrorKind, Scope, Store};
use microvisor::mqtt::HostError;
use microvisor::tls::TlsMaterialError;
use microvisor::{HandedBack, KernelMemory, Network, OpenError, Recovery, Status, kernel_memory, sys};
use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::{Device, Fault, FetchFault};
use pki::{Authority, Certificate};
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use stored::{HOST, Stored, base64, hex, key_der, key_pem};

/// More than any settings need.
const MEMORY: usize = 8192;

/// A device with credentials that are good.
struct Credentials {
    bed: Bed,
    broker: ModelBroker,
    authority: Authority,
    device: Certificate,
    good: Stored,
}

impl Credentials {
    fn boot(memory: &'static KernelMemory<MEMORY_LEN>) -> Self {
        let authority = Authority::new("Root CA");
        let device = authority.client("device");
        let good = Stored::new(&authority, &device, hex);
        let broker = ModelBroker::aws_iot().accept_any_certificate().build();
        let bed = Bed::boot(Device::builder().broker(broker.clone()), memory).online();
        good.store_on(&bed.device);
        Self { bed, broker, authority, device, good }
    }

    /// The settings cannot be fetched. The buffers come back and serve the next fetch, of good values,
    /// and the broker has not heard of the device.
    fn failure(&self) -> SettingsError {
        let bed = &self.bed;
        // Channels must not be opened too fast.
        bed.device.advance(Duration::from_secs(1));
        let mut memory = [0xAA; MEMORY];
        let fetch = Settings::fetch(bed.network(), bed.buffers(), &mut memory);
        let HandedBack { error, value: buffers } = bed.device.block_on(fetch).unwrap_err();
        assert_eq!(self.broker.connect_attempts(), [], "nothing is sent to the broker");
        let buffers = buffers.expect("the buffers are handed back");
        assert_eq!((buffers.receive_len(), buffers.send_len()), (7168, 4096));

        self.good.store_on(&bed.device);
        let fetch = Settings::fetch(bed.network(), buffers, &mut memory);
        let (settings, _buffers) = bed.device.block_on(fetch).expect("the same buffers and memory do");
        assert_eq!(settings.endpoint().as_str(), HOST);
        error
    }

    /// What is said where `key` alone holds something else.
    fn spoiled(&self, key: &str, value: &str) -> SettingsError {
        self.good.clone().with(key, value).store_on(&self.bed.device);
        let error = self.failure();
        assert_eq!(error.key(), Some(key), "{error}");
        assert_eq!(error.recovery(), Recovery::GiveUp, "{error}");
        assert!(error.to_string().starts_with(&format!("`{key}`: ")), "{error}");
        error
    }

    fn not_decoded(&self, key: &str, value: &str, expected: DecodeError) {
        match self.spoiled(key, value) {
            SettingsError::Item(error) => assert_eq!(error.kind(), ItemErrorKind::Decode(expected)),
            other => panic!("`{key}`, {expected:?}: {other:?}"),
        }
    }

    /// `key` holds the hex of `der`.
    fn not_taken(&self, key: &'static str, der: &[u8], error: TlsMaterialError) {
        assert_eq!(self.spoiled(key, &hex(der)), SettingsError::Material { key, error });
    }
}

/// Credentials on memory of their own.
macro_rules! credentials {
    () => {{
        static MEMORY: KernelMemory<MEMORY_LEN> = kernel_memory!(MEMORY_LEN);
        Credentials::boot(&MEMORY)
    }};
}

fn signing_request() -> Vec<u8> {
    let request = CertificateParams::default().serialize_request(&KeyPair::generate().unwrap()).unwrap();
    request.der().to_vec()
}

#[test]
fn the_keys_are_the_guides_and_the_private_key_is_a_secret() {
    let keys = KEYS.map(|key| (key.name(), key.store()));
    for expected in [
        ("private_key", Store::Secret),
        ("root-CA", Store::Config),
        ("cert", Store::Config),
        ("broker-host", Store::Config),
        ("broker-port", Store::Config),
    ] {
        assert!(keys.contains(&expected), "{expected:?}");
    }
    assert!(KEYS.iter().all(|key| key.scope() == Scope::Device));
}

#[test]
fn good_settings_are_fetched_in_hex_and_in_base64() {
    let credentials = credentials!();
    let Credentials { bed, authority, device, .. } = &credentials;
    let all_base64 =
        Encodings::HEX.private_key(Encoding::BASE64).root_ca(Encoding::BASE64).certificate(Encoding::BASE64);
    for (encode, encodings) in [(hex as fn(&[u8]) -> String, Encodings::default()), (base64, all_base64)] {
        Stored::new(authority, device, encode).store_on(&bed.device);
        let mut memory = [0; MEMORY];
        let fetch = Settings::fetch_encoded(bed.network(), bed.buffers(), &mut memory, encodings);
        let (settings, buffers) = bed.device.block_on(fetch).unwrap();
        assert_eq!((settings.endpoint().as_str(), settings.port().get()), (HOST, 8883));
        assert!(settings.credentials().has_identity());
        drop(buffers);
        assert!(bed.memory.take().is_some());
    }
}

#[test]
fn each_value_has_its_own_encoding() {
    let credentials = credentials!();
    let Credentials { bed, authority, device, good, .. } = &credentials;
    let cases = [
        ("private_key", device.pkcs8(), Encodings::HEX.private_key(Encoding::BASE64)),
        ("root-CA", authority.der(), Encodings::HEX.root_ca(Encoding::BASE64)),
        ("cert", device.der.clone(), Encodings::HEX.certificate(Encoding::BASE64)),
    ];
    for (key, der, encodings) in cases {
        let mut memory = [0; MEMORY];
        bed.device.advance(Duration::from_secs(1));
        good.clone().with(key, &base64(&der)).store_on(&bed.device);
        let fetch = Settings::fetch_encoded(bed.network(), bed.buffers(), &mut memory, encodings);
        drop(bed.device.block_on(fetch).expect("the encoding is the one told"));
        let fetch = Settings::fetch(bed.network(), bed.buffers(), &mut memory);
        let failed = bed.device.block_on(fetch).expect_err("the encoding is another");
        assert_eq!(failed.error.key(), Some(key));
    }
}

#[test]
fn a_missing_value_is_told_by_its_name() {
    let credentials = credentials!();
    for key in KEYS.map(|key| key.name()) {
        credentials.bed.device.remove_config(key);
        credentials.bed.device.remove_secret(key);
        let error = credentials.failure();
        assert_eq!((error.key(), error.recovery()), (Some(key), Recovery::GiveUp));
        assert!(matches!(&error, SettingsError::Item(item) if item.kind() == ItemErrorKind::KeyNotFound));
        assert!(error.to_string().starts_with(&format!("`{key}`: ")), "{error}");
    }
}

#[test]
fn a_private_key_in_the_config_store_is_not_found() {
    let credentials = credentials!();
    let device = &credentials.bed.device;
    device.remove_secret("private_key");
    device.set_config("private_key", credentials.good.get("private_key"));
    let error = credentials.failure();
    assert_eq!(error.key(), Some("private_key"));
    assert!(error.to_string().contains("secret"), "{error}");
}

#[test]
fn hex_that_is_none_is_told() {
    let credentials = credentials!();
    for key in ["private_key", "root-CA", "cert"] {
        let good = credentials.good.get(key).to_owned();
        let middle = good.len() / 2;
        let (front, back) = good.split_at(middle);
        let pem = if key == "private_key" {
            credentials.device.key.serialize_pem()
        } else {
            credentials.device.pem.clone()
        };
        credentials.not_decoded(key, "", DecodeError::Empty);
        credentials.not_decoded(key, &pem, DecodeError::PemText);
        credentials.not_decoded(key, &good[1..], DecodeError::OddLength);
        credentials.not_decoded(key, &good[..good.len() - 1], DecodeError::OddLength);
        credentials.not_decoded(key, &format!("{front}\n\t{back}"), DecodeError::NotHex { at: middle });
        credentials.not_decoded(key, &format!("{front}xy{back}"), DecodeError::NotHex { at: middle });
        credentials.not_decoded(key, "MIIBVzCB", DecodeError::NotHex { at: 0 });
    }
}

#[test]
fn what_is_no_private_key_is_told_for_what_it_is() {
    let credentials = credentials!();
    let key = "private_key";
    let good = credentials.device.pkcs8();
    let actual = good.len();
    for name in ["rsa2048-pkcs1.pem", "p256-sec1.pem"] {
        credentials.not_taken(key, &key_der(name), TlsMaterialError::TraditionalKey);
    }
    let encrypted = key_der("p256-pkcs8-encrypted.pem");
    for other in [encrypted, credentials.device.key.subject_public_key_info()] {
        credentials.not_taken(key, &other, TlsMaterialError::PublicOrEncryptedKey);
    }
    credentials.not_taken(key, &credentials.device.der, TlsMaterialError::Certificate);
    credentials.not_taken(key, &signing_request(), TlsMaterialError::CertificateRequest);
    credentials.not_taken(key, credentials.device.key.serialize_pem().as_bytes(), TlsMaterialError::Pem);
    credentials.not_taken(key, base64(&good).as_bytes(), TlsMaterialError::NotDer);
    let cut = TlsMaterialError::Truncated { expected: actual, actual: actual - 1 };
    credentials.not_taken(key, &good[..actual - 1], cut);
    let longer = TlsMaterialError::TrailingBytes { expected: actual, actual: actual + 1 };
    credentials.not_taken(key, &[&good[..], &[0]].concat(), longer);
    credentials.not_taken(key, b"hunter2", TlsMaterialError::NotDer);
}

#[test]
fn what_is_no_certificate_is_told_for_what_it_is() {
    let credentials = credentials!();
    for (key, good) in [("root-CA", credentials.authority.der()), ("cert", credentials.device.der.clone())] {
        let actual = good.len();
        credentials.not_taken(key, &credentials.device.pkcs8(), TlsMaterialError::PrivateKey);
        for name in ["rsa2048-pkcs1.pem", "p256-sec1.pem"] {
            credentials.not_taken(key, &key_der(name), TlsMaterialError::TraditionalKey);
        }
        credentials.not_taken(key, &signing_request(), TlsMaterialError::CertificateRequest);
        let public = credentials.device.key.subject_public_key_info();
        credentials.not_taken(key, &public, TlsMaterialError::PublicOrEncryptedKey);
        credentials.not_taken(key, credentials.device.pem.as_bytes(), TlsMaterialError::Pem);
        let cut = TlsMaterialError::Truncated { expected: actual, actual: actual / 2 };
        credentials.not_taken(key, &good[..actual / 2], cut);
        // One after the other, as chains are sometimes stored.
        let two = TlsMaterialError::TrailingBytes { expected: actual, actual: 2 * actual };
        credentials.not_taken(key, &good.repeat(2), two);
    }
}

#[test]
fn a_host_that_is_none_is_told() {
    let credentials = credentials!();
    let cases = [
        (String::new(), HostError::TooShort { len: 0 }),
        ("tls://1.2.3.4".to_owned(), HostError::NotOnlyHost),
        (format!("mqtts://{HOST}"), HostError::NotOnlyHost),
        (format!("{HOST}:8883"), HostError::NotOnlyHost),
        (format!("{HOST}/mqtt"), HostError::NotOnlyHost),
        (format!(" {HOST}"), HostError::InvalidCharacter { at: 0 }),
        (format!("{HOST}\n"), HostError::InvalidCharacter { at: HOST.len() }),
        ("abc ats".to_owned(), HostError::InvalidCharacter { at: 3 }),
        ("größe.example".to_owned(), HostError::InvalidCharacter { at: 2 }),
        ("a".repeat(254), HostError::TooLong { len: 254 }),
    ];
    for (value, error) in cases {
        credentials.not_decoded("broker-host", &value, DecodeError::NotHost(error));
    }
}

#[test]
fn a_port_that_is_none_is_told() {
    let credentials = credentials!();
    let out_of_range = DecodeError::OutOfRange { min: 1, max: 65_535 };
    for (value, error) in [
        ("", out_of_range),
        ("0", out_of_range),
        ("65536", out_of_range),
        ("70000", out_of_range),
        ("8883x", DecodeError::NotDecimal { at: 4 }),
        ("-8883", DecodeError::NotDecimal { at: 0 }),
        ("0x22b3", DecodeError::NotDecimal { at: 1 }),
        ("8883 ", DecodeError::NotDecimal { at: 4 }),
    ] {
        credentials.not_decoded("broker-port", value, error);
    }
}

#[test]
fn a_server_error_asks_for_another_fetch() {
    let credentials = credentials!();
    for key in KEYS.map(|key| key.name()) {
        credentials.bed.device.inject(Fault::config_response(FetchFault::ServerError(key.into())));
        let error = credentials.failure();
        assert_eq!((error.key(), error.recovery()), (Some(key), Recovery::Reopen));
    }
}

#[test]
fn a_fetch_that_fails_as_a_whole_hands_the_buffers_back() {
    let credentials = credentials!();
    let device = &credentials.bed.device;
    device.inject(Fault::config_response(FetchFault::ResponseTooLarge));
    assert_eq!(credentials.failure(), SettingsError::Fetch(FetchError::ResponseTooLarge));
    device.inject(Fault::call("mvSendConfigFetchRequest").status(sys::MV_STATUS_LATEFAULT));
    assert_eq!(credentials.failure(), SettingsError::Fetch(FetchError::Kernel(Status::LATE_FAULT)));
    device.inject(Fault::call("mvOpenChannel").status(sys::MV_STATUS_RATELIMITED));
    let error = credentials.failure();
    assert_eq!(error, SettingsError::Open(OpenError::Kernel(Status::RATE_LIMITED)));
    assert_eq!((error.key(), error.recovery()), (None, Recovery::Retry));
}

#[test]
fn before_the_network_is_connected_nothing_is_fetched() {
    let bed = bed!(Device::builder());
    let network = Network::request(&bed.notifications).unwrap();
    let mut memory = [0; MEMORY];
    let fetch = Settings::fetch(&network, bed.buffers(), &mut memory);
    let HandedBack { error, value } = bed.device.block_on(fetch).unwrap_err();
    assert_eq!(error, SettingsError::Open(OpenError::Kernel(Status::NETWORK_NOT_CONNECTED)));
    assert!(value.is_some());
}

#[test]
fn a_channel_that_does_not_close_keeps_the_buffers() {
    let credentials = credentials!();
    let bed = &credentials.bed;
    // Closing is tried again when the channel is dropped.
    bed.device.inject(Fault::call("mvCloseChannel").times(2).status(999));
    let mut memory = [0; MEMORY];
    let fetch = Settings::fetch(bed.network(), bed.buffers(), &mut memory);
    let HandedBack { error, value } = bed.device.block_on(fetch).unwrap_err();
    assert!(
        matches!(error, SettingsError::Close(error) if error.status() == Status::check(999).unwrap_err())
    );
    assert_eq!(error.key(), None);
    assert!(value.is_none());
    assert!(bed.memory.take().is_none());
}

#[test]
fn a_value_at_fault_is_told_even_where_the_channel_does_not_close() {
    let credentials = credentials!();
    let bed = &credentials.bed;
    bed.device.set_config("broker-port", "0");
    bed.device.inject(Fault::call("mvCloseChannel").times(2).status(999));
    let mut memory = [0; MEMORY];
    let fetch = Settings::fetch(bed.network(), bed.buffers(), &mut memory);
    let HandedBack { error, value } = bed.device.block_on(fetch).unwrap_err();
    assert_eq!(error.key(), Some("broker-port"));
    assert!(value.is_none());
}

#[test]
fn memory_that_is_too_small_is_told_with_the_value_that_does_not_fit() {
    let credentials = credentials!();
    let Credentials { bed, good, .. } = &credentials;
    let mut fits = false;
    for size in (0..MEMORY).step_by(64) {
        bed.device.advance(Duration::from_secs(1));
        let mut memory = vec![0; size];
        let fetch = Settings::fetch(bed.network(), bed.buffers(), &mut memory);
        match bed.device.block_on(fetch) {
            Ok(_) => fits = true,
            Err(HandedBack { error: SettingsError::Item(error), .. }) => {
                assert!(!fits, "more memory is no worse");
                assert!(matches!(error.kind(), ItemErrorKind::MemoryTooSmall { .. }), "{error}");
                assert!(size < good.get("root-CA").len() + good.get("cert").len());
            }
            Err(failed) => panic!("{failed}"),
        }
        if fits {
            return;
        }
    }
    panic!("no memory is enough");
}

#[test]
fn rsa_keys_fit_the_memory_that_is_promised_for_them() {
    let credentials = credentials!();
    let Credentials { bed, authority, .. } = &credentials;
    let in_base64 =
        Encodings::HEX.private_key(Encoding::BASE64).root_ca(Encoding::BASE64).certificate(Encoding::BASE64);
    let cases = [
        ("rsa2048-pkcs8.pem", hex as fn(&[u8]) -> String, Encodings::HEX, 5 * 1024),
        ("rsa4096-pkcs8.pem", base64, in_base64, 7 * 1024),
    ];
    for (name, encode, encodings, promised) in cases {
        let device = authority.client_with_key("device", KeyPair::from_pem(&key_pem(name)).unwrap());
        Stored::new(authority, &device, encode).store_on(&bed.device);
        let mut memory = vec![0; promised];
        let fetch = Settings::fetch_encoded(bed.network(), bed.buffers(), &mut memory, encodings);
        drop(bed.device.block_on(fetch).unwrap());
    }
}

#[test]
fn the_private_key_does_not_outlive_the_settings() {
    let credentials = credentials!();
    let Credentials { bed, device, .. } = &credentials;
    let key = device.pkcs8();
    let text = hex(&key);
    let leaked = |memory: &[u8]| {
        let shows =
            |secret: &[u8]| memory.windows(16).any(|window| window == &secret[secret.len() / 2..][..16]);
        shows(&key) || shows(text.as_bytes())
    };
    let mut memory = vec![0; MEMORY];
    let fetched = bed.device.block_on(Settings::fetch(bed.network(), bed.buffers(), &mut memory));
    let (settings, buffers) = fetched.unwrap();
    assert!(!format!("{settings:?} {:?}", settings.credentials()).contains(&text));
    drop(settings);
    assert!(!leaked(&memory));
    // Nor a fetch that found another value at fault.
    bed.device.set_config("broker-port", "0");
    bed.device.block_on(Settings::fetch(bed.network(), buffers, &mut memory)).unwrap_err();
    assert!(!leaked(&memory));
    assert!(!bed.device.trace().join("\n").contains(&text));
}
