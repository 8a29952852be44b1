//! What becomes of stored text in the caller's memory: values, secrets, and an error for each mistake.

mod bed;

use std::time::Duration;

use bed::Bed;
use microvisor::config::{
    ConfigFetch, ConfigKey, DecodeError, ItemError, ItemErrorKind, ItemMemory, MAX_VALUE_LEN, Received,
    Scope, Store,
};
use microvisor::{Recovery, Secret, config_key, sys};
use microvisor_sim::{Device, Fault, FetchFault, LongValue, Quirks};

/// What the memory of the caller holds before a value is read into it.
const UNTOUCHED: u8 = 0xAA;

static KEYS: [ConfigKey; 1] = [config_key!(Device, Secret, "value")];

fn stored(value: &str) -> microvisor_sim::Builder {
    // Without junk behind values, whatever is not `UNTOUCHED` was part of one.
    Device::builder().secret("value", value).quirks(Quirks { junk_in_outputs: false, ..Quirks::default() })
}

fn fetch<'k>(bed: &Bed, keys: &'k [ConfigKey<'k>]) -> ConfigFetch<Received<'k>> {
    let requested = bed.open_fetch().request(keys).expect("the request is taken");
    bed.device.block_on(requested.received()).expect("the response is good")
}

/// A way of reading a value, without what came of it.
type Read = fn(&ConfigFetch<Received<'static>>, &mut ItemMemory<'_>) -> Result<(), ItemError<'static>>;

fn text(
    fetch: &ConfigFetch<Received<'static>>,
    memory: &mut ItemMemory<'_>,
) -> Result<(), ItemError<'static>> {
    fetch.text(0, memory).map(drop)
}

fn port(
    fetch: &ConfigFetch<Received<'static>>,
    memory: &mut ItemMemory<'_>,
) -> Result<(), ItemError<'static>> {
    fetch.number(0, 1..=65_535, memory).map(drop)
}

fn hex(
    fetch: &ConfigFetch<Received<'static>>,
    memory: &mut ItemMemory<'_>,
) -> Result<(), ItemError<'static>> {
    fetch.hex(0, memory).map(drop)
}

fn base64(
    fetch: &ConfigFetch<Received<'static>>,
    memory: &mut ItemMemory<'_>,
) -> Result<(), ItemError<'static>> {
    fetch.base64(0, memory).map(drop)
}

fn secret_hex(
    fetch: &ConfigFetch<Received<'static>>,
    memory: &mut ItemMemory<'_>,
) -> Result<(), ItemError<'static>> {
    fetch.secret_hex(0, memory).map(drop)
}

fn secret_base64(
    fetch: &ConfigFetch<Received<'static>>,
    memory: &mut ItemMemory<'_>,
) -> Result<(), ItemError<'static>> {
    fetch.secret_base64(0, memory).map(drop)
}

fn secret_text(
    fetch: &ConfigFetch<Received<'static>>,
    memory: &mut ItemMemory<'_>,
) -> Result<(), ItemError<'static>> {
    fetch.secret_text(0, memory).map(drop)
}

const HEX: [Read; 2] = [hex, secret_hex];
const BASE64: [Read; 2] = [base64, secret_base64];
const ALL: [Read; 7] = [text, port, hex, base64, secret_hex, secret_base64, secret_text];

/// Each of `values` fails with its error, which names the key, and costs no memory.
fn each_fails(bed: &Bed, ways: &[Read], values: &[(&str, DecodeError)]) {
    for (value, expected) in values {
        bed.device.set_secret("value", value);
        // Channels must not be opened too fast.
        bed.device.advance(Duration::from_secs(1));
        let fetch = fetch(bed, &KEYS);
        for read in ways {
            let mut backing = [UNTOUCHED; 256];
            let mut memory = ItemMemory::new(&mut backing);
            let error = read(&fetch, &mut memory).expect_err("the value is spoiled");
            assert_eq!(error.kind(), ItemErrorKind::Decode(*expected), "{value:?}");
            assert_eq!((error.key(), error.recovery()), ("value", Recovery::GiveUp));
            assert!(error.to_string().starts_with("`value`: "), "{error}");
            assert!(error.to_string().ends_with(&expected.to_string()), "{error}");
            assert_eq!(memory.free_len(), 256);
        }
    }
}

#[test]
fn every_mistake_in_hex_has_its_own_error() {
    let values = [
        ("", DecodeError::Empty),
        ("308", DecodeError::OddLength),
        ("30 82", DecodeError::NotHex { at: 2 }),
        ("3082\r\n01\n", DecodeError::NotHex { at: 4 }),
        ("30820g", DecodeError::NotHex { at: 5 }),
        ("0x3082", DecodeError::NotHex { at: 1 }),
        ("MIIBVw==", DecodeError::NotHex { at: 0 }),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n", DecodeError::PemText),
        ("30é2", DecodeError::NotHex { at: 2 }),
    ];
    each_fails(&bed!(stored("")).online(), &HEX, &values);
}

#[test]
fn every_mistake_in_base64_has_its_own_error() {
    let values = [
        ("", DecodeError::Empty),
        ("MIIBV", DecodeError::IncompleteBase64),
        ("MIIB\nVw==", DecodeError::NotBase64 { at: 4 }),
        ("MI-B", DecodeError::NotBase64 { at: 2 }),
        ("MI=B", DecodeError::NotBase64 { at: 2 }),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n", DecodeError::PemText),
    ];
    each_fails(&bed!(stored("")).online(), &BASE64, &values);
}

#[test]
fn every_mistake_in_a_number_has_its_own_error() {
    let range = DecodeError::OutOfRange { min: 1, max: 65_535 };
    let values = [
        ("", DecodeError::Empty),
        ("0", range),
        ("65536", range),
        ("99999999999999999999", range),
        ("8883x", DecodeError::NotDecimal { at: 4 }),
        (" 8883", DecodeError::NotDecimal { at: 0 }),
        ("-1", DecodeError::NotDecimal { at: 0 }),
        ("8_883", DecodeError::NotDecimal { at: 1 }),
        ("0x22B3", DecodeError::NotDecimal { at: 1 }),
    ];
    each_fails(&bed!(stored("")).online(), &[port], &values);
}

#[test]
fn text_that_is_not_utf8_is_an_error_that_names_its_key() {
    for bytes in [&b"caf\xE9"[..], b"\xFF", b"\xC3"] {
        let bed = bed!(stored("")).online();
        bed.device.inject(Fault::config_response(FetchFault::ItemValue("value".into(), bytes.to_vec())));
        let fetch = fetch(&bed, &KEYS);
        let mut backing = [UNTOUCHED; 16];
        let mut memory = ItemMemory::new(&mut backing);
        let error = fetch.text(0, &mut memory).unwrap_err();
        assert_eq!(error.kind(), ItemErrorKind::Decode(DecodeError::NotUtf8));
        assert_eq!((error.key(), memory.free_len()), ("value", 16));
        // As a secret it is whatever it is.
        assert_eq!(fetch.secret_text(0, &mut memory).unwrap().expose(), bytes);
    }
}

#[test]
fn values_come_out_as_they_were_meant() {
    let device = Device::builder()
        .config("text", "grüß dich")
        .config("empty", "")
        .config("number", "8883\n")
        .config("hex", "00fFA5")
        .config("base64", "AP+l")
        .config("unpadded", "AP8");
    let names = ["text", "empty", "number", "hex", "base64", "unpadded"];
    let keys = names.map(|name| ConfigKey::new(Scope::Device, Store::Config, name).unwrap());
    let bed = bed!(device).online();
    let fetch = fetch(&bed, &keys);
    let mut backing = [UNTOUCHED; 64];
    let mut memory = ItemMemory::new(&mut backing);
    assert_eq!(fetch.text(0, &mut memory).unwrap(), "grüß dich");
    assert_eq!(fetch.text(1, &mut memory).unwrap(), "");
    assert_eq!(fetch.number(2, 1..=65_535, &mut memory).unwrap(), 8883);
    assert_eq!(fetch.hex(3, &mut memory).unwrap(), [0x00, 0xFF, 0xA5]);
    assert_eq!(fetch.base64(4, &mut memory).unwrap(), [0x00, 0xFF, 0xA5]);
    assert_eq!(fetch.base64(5, &mut memory).unwrap(), [0x00, 0xFF]);
    // Nothing but what came out takes memory: 11 of text, none, none, 3, 3 and 2.
    assert_eq!(memory.free_len(), 64 - 11 - 3 - 3 - 2);
}

#[test]
fn values_lie_side_by_side_and_are_all_usable_together() {
    let bed = bed!(Device::builder().config("a", "0102").config("b", "text").secret("c", "ff")).online();
    let keys = [
        config_key!(Device, Config, "a"),
        config_key!(Device, Config, "b"),
        config_key!(Device, Secret, "c"),
    ];
    let fetch = fetch(&bed, &keys);
    let mut backing = [UNTOUCHED; 9];
    let mut memory = ItemMemory::new(&mut backing);
    let bytes = fetch.hex(0, &mut memory).unwrap();
    let text = fetch.text(1, &mut memory).unwrap();
    let secret = fetch.secret_hex(2, &mut memory).unwrap();
    bytes[0] = 7;
    assert_eq!((&*bytes, text, secret.expose()), (&[7, 2][..], "text", &[0xFF][..]));
    assert_eq!(memory.free_len(), 2);
    drop(secret);
    assert_eq!(backing[..7], [7, 2, b't', b'e', b'x', b't', 0]);
}

#[test]
fn a_value_that_does_not_fit_says_how_much_was_free_and_a_smaller_one_still_fits() {
    let keys = [config_key!(Device, Config, "large"), config_key!(Device, Config, "small")];
    let bed = bed!(Device::builder().config("large", "0123456789").config("small", "0102")).online();
    let fetch = fetch(&bed, &keys);
    // It takes one byte more to tell that the value is whole.
    for free in [0, 4, 5, 9, 10] {
        let mut backing = vec![UNTOUCHED; free];
        let mut memory = ItemMemory::new(&mut backing);
        let error = fetch.hex(0, &mut memory).unwrap_err();
        assert_eq!((error.key(), error.kind()), ("large", ItemErrorKind::MemoryTooSmall { free }));
        assert_eq!(error.recovery(), Recovery::GiveUp);
        assert!(error.to_string().contains(&free.to_string()), "{error}");
        assert_eq!(fetch.text(0, &mut memory).unwrap_err().kind(), error.kind());
        assert_eq!(fetch.number(0, 0..=9, &mut memory).unwrap_err().kind(), error.kind());
        assert_eq!(memory.free_len(), free);
        if free > 4 {
            assert_eq!(fetch.hex(1, &mut memory).unwrap(), [1, 2]);
        }
    }
    let mut exact = [UNTOUCHED; 11];
    assert_eq!(fetch.hex(0, &mut ItemMemory::new(&mut exact)).unwrap(), [0x01, 0x23, 0x45, 0x67, 0x89]);
}

#[test]
fn a_kernel_that_succeeds_without_writing_gives_no_value_in_any_form() {
    let bed = bed!(Device::builder().secret("value", "0102")).online();
    let fetch = fetch(&bed, &KEYS);
    for read in ALL {
        bed.device.inject(Fault::call("mvReadConfigResponseItem").status(sys::MV_STATUS_OKAY));
        let mut backing = [UNTOUCHED; 16];
        let error = read(&fetch, &mut ItemMemory::new(&mut backing)).unwrap_err();
        assert!(matches!(error.kind(), ItemErrorKind::UnknownResult(_)), "{error}");
    }
}

#[test]
fn a_value_of_4096_characters_is_read_whole() {
    let value = "5a".repeat(MAX_VALUE_LEN / 2);
    let bed = bed!(stored(&value)).online();
    let fetch = fetch(&bed, &KEYS);
    let mut backing = vec![UNTOUCHED; MAX_VALUE_LEN + 1];
    assert_eq!(fetch.text(0, &mut ItemMemory::new(&mut backing)).unwrap(), value);
    let bytes = [0x5A; MAX_VALUE_LEN / 2];
    assert_eq!(fetch.hex(0, &mut ItemMemory::new(&mut backing)).unwrap(), bytes);
    assert_eq!(fetch.secret_hex(0, &mut ItemMemory::new(&mut backing)).unwrap().expose(), bytes);
    let mut roomy = vec![UNTOUCHED; 3 * MAX_VALUE_LEN];
    assert_eq!(fetch.text(0, &mut ItemMemory::new(&mut roomy)).unwrap(), value);
}

#[test]
fn a_secret_is_wiped_when_it_is_dropped_and_its_text_before() {
    type Check = fn(&ConfigFetch<Received<'static>>, &mut ItemMemory<'_>);
    let ways: [(&str, Check); 3] = [
        ("c0ffee", |fetch, memory| {
            assert_eq!(fetch.secret_hex(0, memory).unwrap().expose(), [0xC0, 0xFF, 0xEE]);
        }),
        ("wP/u", |fetch, memory| {
            assert_eq!(fetch.secret_base64(0, memory).unwrap().expose(), [0xC0, 0xFF, 0xEE]);
        }),
        ("hunter2", |fetch, memory| assert_eq!(fetch.secret_text(0, memory).unwrap().expose(), b"hunter2")),
    ];
    for (value, read) in ways {
        let bed = bed!(stored(value)).online();
        let fetch = fetch(&bed, &KEYS);
        let mut backing = [UNTOUCHED; 16];
        read(&fetch, &mut ItemMemory::new(&mut backing));
        assert_eq!(backing[..value.len()], vec![0; value.len()], "{value}");
        assert_eq!(backing[value.len()..], vec![UNTOUCHED; 16 - value.len()], "{value}");
    }
}

#[test]
fn the_text_of_a_secret_is_wiped_while_the_secret_lives() {
    let bed = bed!(stored("c0ffee")).online();
    let fetch = fetch(&bed, &KEYS);
    let mut backing = [UNTOUCHED; 16];
    let mut memory = ItemMemory::new(&mut backing);
    let secret = fetch.secret_hex(0, &mut memory).unwrap();
    assert_eq!(memory.free_len(), 13);
    // Forgetting leaves the secret itself, and it alone.
    std::mem::forget(secret);
    assert_eq!(backing[..6], [0xC0, 0xFF, 0xEE, 0, 0, 0]);
}

#[test]
fn nothing_is_left_of_a_secret_that_could_not_be_decoded() {
    let spoiled: [(&str, Read); 6] = [
        ("c0ffee0", secret_hex),
        ("c0ffee0g", secret_hex),
        ("c0ff ee", secret_hex),
        ("-----BEGIN PRIVATE KEY-----", secret_hex),
        ("wP/uwP/u*", secret_base64),
        ("wP/uwP/uw", secret_base64),
    ];
    for (value, read) in spoiled {
        let bed = bed!(stored(value)).online();
        let fetch = fetch(&bed, &KEYS);
        let mut backing = [UNTOUCHED; 64];
        read(&fetch, &mut ItemMemory::new(&mut backing)).unwrap_err();
        assert_eq!(backing[..value.len()], vec![0; value.len()], "{value}");
    }
}

#[test]
fn nothing_is_left_of_a_secret_that_could_not_be_read() {
    let bed = bed!(Device::builder().secret("value", "c0ffee")).online();
    let fetch = fetch(&bed, &KEYS);
    for read in [secret_hex, secret_base64, secret_text] {
        // The kernel may have written what it likes before it failed.
        bed.device.inject(Fault::call("mvReadConfigResponseItem").after_effect().status(999));
        let mut backing = [UNTOUCHED; 16];
        read(&fetch, &mut ItemMemory::new(&mut backing)).unwrap_err();
        assert_eq!(backing, [0; 16]);
        let mut short = [UNTOUCHED; 4];
        read(&fetch, &mut ItemMemory::new(&mut short)).unwrap_err();
        assert_eq!(short, [0; 4]);
    }
}

#[test]
fn no_debug_output_and_no_call_log_shows_a_secret() {
    let value = "68756e74657232"; // "hunter2"
    let bed = bed!(Device::builder().secret("value", value)).online();
    let fetch = fetch(&bed, &KEYS);
    let mut backing = [0; 64];
    let mut memory = ItemMemory::new(&mut backing);
    let secret = fetch.secret_hex(0, &mut memory).unwrap();
    let shown = format!("{secret:?} {memory:?} {fetch:?} {:?}", Secret::new(&mut [1, 2]));
    for trace in ["hunter2", value, "104, 117"] {
        assert!(!shown.contains(trace), "{shown}");
        assert!(!bed.device.trace().join("\n").contains(trace));
    }
    assert!(shown.contains("Secret(7 bytes)"), "{shown}");
    drop(secret);
    // Nor do errors, which are logged.
    bed.device.set_secret("value", "hunter2");
    drop(fetch);
    let fetch = crate::fetch(&bed, &KEYS);
    let error = fetch.secret_hex(0, &mut ItemMemory::new(&mut [0; 64])).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn memory_is_usable_after_each_error() {
    let bed = bed!(stored("not a number, nor hex")).online();
    let fetch = fetch(&bed, &KEYS);
    let mut backing = [UNTOUCHED; 22];
    let mut memory = ItemMemory::new(&mut backing);
    for read in [port, hex, base64, secret_hex, secret_base64] {
        read(&fetch, &mut memory).unwrap_err();
        assert_eq!(memory.free_len(), 22);
    }
    assert_eq!(fetch.text(0, &mut memory).unwrap(), "not a number, nor hex");
    assert_eq!(memory.free_len(), 1);
}

#[test]
fn a_value_that_the_kernel_cuts_off_is_not_taken_for_the_whole() {
    for long_value in [LongValue::Refused, LongValue::CutOff, LongValue::CutOffWithItsLength] {
        let builder =
            Device::builder().secret("value", "123456").quirks(Quirks { long_value, ..Quirks::default() });
        let bed = Bed::boot_fresh(builder).online();
        let fetch = fetch(&bed, &KEYS);
        for free in 0..=6 {
            let mut backing = vec![UNTOUCHED; free];
            let mut memory = ItemMemory::new(&mut backing);
            let too_small = ItemErrorKind::MemoryTooSmall { free };
            assert_eq!(fetch.text(0, &mut memory).unwrap_err().kind(), too_small, "{long_value:?}");
            assert_eq!(fetch.secret_text(0, &mut memory).unwrap_err().kind(), too_small, "{long_value:?}");
            assert_eq!(fetch.number(0, 0..=999_999, &mut memory).unwrap_err().kind(), too_small);
            assert_eq!(memory.free_len(), free);
        }
        let mut backing = [UNTOUCHED; 7];
        assert_eq!(fetch.text(0, &mut ItemMemory::new(&mut backing)), Ok("123456"));
    }
}
