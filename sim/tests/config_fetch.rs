//! What the cloud's stores answer.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use microvisor::sys;
use microvisor_sim::{Device, Fault, FetchFault, MissingKey, Quirks};
use raw::{Bench, buffer, call, config_key, fetch_params};

const OK: u32 = sys::MV_CONFIGKEYFETCHRESULT_OK;
const NOT_FOUND: u32 = sys::MV_CONFIGKEYFETCHRESULT_KEYNOTFOUND;

fn overall(channel: u32) -> Result<(u32, u32), sys::MvStatus> {
    let mut data = sys::MvConfigResponseData { result: 99, num_items: 99 };
    match call!(mvReadConfigFetchResponseData(channel, &mut data)) {
        sys::MV_STATUS_OKAY => Ok((data.result, data.num_items)),
        status => Err(status),
    }
}

fn item_with_room(channel: u32, item_index: u32, room: usize) -> Result<(u32, String), sys::MvStatus> {
    let (mut result, mut value, mut length) = (99, vec![0; room], 99);
    let params = sys::MvConfigResponseReadItemParams {
        item_index,
        result: &mut result,
        buf: buffer(&mut value, &mut length),
    };
    match call!(mvReadConfigResponseItem(channel, &params)) {
        sys::MV_STATUS_OKAY => {
            value.truncate(length as usize);
            Ok((result, String::from_utf8(value).expect("text")))
        }
        status => Err(status),
    }
}

fn item(channel: u32, index: u32) -> Result<(u32, String), sys::MvStatus> {
    item_with_room(channel, index, 64)
}

fn found(value: &str) -> (u32, String) {
    (OK, value.to_owned())
}

#[test]
fn the_four_stores_are_told_apart() {
    let bench = Bench::with(|builder| {
        let builder = builder.config("k", "device config").secret("k", "device secret");
        builder.account_config("k", "account config").account_secret("k", "account secret")
    });
    let (config, secret) = (sys::MV_CONFIGKEYFETCHSTORE_CONFIG, sys::MV_CONFIGKEYFETCHSTORE_SECRET);
    let (device, account) = (sys::MV_CONFIGKEYFETCHSCOPE_DEVICE, sys::MV_CONFIGKEYFETCHSCOPE_ACCOUNT);
    let keys = [(device, config), (device, secret), (account, config), (account, secret)]
        .map(|(scope, store)| sys::MvConfigKeyToFetch { scope, store, ..config_key(b"k") });
    let channel = bench.config();
    assert_eq!(call!(mvSendConfigFetchRequest(channel, &fetch_params(&keys))), sys::MV_STATUS_OKAY);
    assert_eq!(overall(channel), Err(sys::MV_STATUS_RESPONSENOTPRESENT));
    bench.settle();
    assert_eq!(overall(channel), Ok((sys::MV_CONFIGFETCHRESULT_OK, 4)));
    for (index, value) in (0..).zip(["device config", "device secret", "account config", "account secret"]) {
        assert_eq!(item(channel, index), Ok(found(value)));
    }
    assert_eq!(item(channel, 0), Ok(found("device config")), "items can be read again");
}

#[test]
fn a_bundle_fills_the_four_stores_and_names_the_device() {
    const SID: &str = "UV00112233445566778899aabbccddeeff";
    let scopes = [("device", "config"), ("device", "secret"), ("account", "config"), ("account", "secret")];
    let entries = scopes.map(|(scope, store)| {
        format!(
            r#"{{"store":"{store}","scope":"{scope}","key":"k","encoding":"text","value":"{scope} \"{store}\""}}"#
        )
    });
    let json = format!(r#"{{"version":1,"sid":"{SID}","entries":[{}]}}"#, entries.join(","));
    let bench = Bench::with(|builder| builder.bundle(&json).expect("a bundle"));
    let (config, secret) = (sys::MV_CONFIGKEYFETCHSTORE_CONFIG, sys::MV_CONFIGKEYFETCHSTORE_SECRET);
    let (device, account) = (sys::MV_CONFIGKEYFETCHSCOPE_DEVICE, sys::MV_CONFIGKEYFETCHSCOPE_ACCOUNT);
    let keys = [(device, config), (device, secret), (account, config), (account, secret)]
        .map(|(scope, store)| sys::MvConfigKeyToFetch { scope, store, ..config_key(b"k") });
    let channel = bench.config();
    assert_eq!(call!(mvSendConfigFetchRequest(channel, &fetch_params(&keys))), sys::MV_STATUS_OKAY);
    bench.settle();
    for (index, (scope, store)) in (0..).zip(scopes) {
        assert_eq!(item(channel, index), Ok(found(&format!("{scope} \"{store}\""))));
    }
    let mut id = [0; 34];
    assert_eq!(call!(mvGetDeviceId(id.as_mut_ptr(), 34)), sys::MV_STATUS_OKAY);
    assert_eq!(id, SID.as_bytes());
}

#[test]
fn the_response_is_announced() {
    let bench = Bench::new();
    bench.fetched(&["k"]);
    assert_eq!(bench.events(), [(sys::MV_EVENTTYPE_CHANNELDATAREADABLE, raw::CHANNEL_TAG)]);
}

#[test]
fn a_missing_key_has_no_value_or_an_error_for_one() {
    let bench = Bench::new();
    assert_eq!(item(bench.fetched(&["k"]), 0), Ok((NOT_FOUND, String::new())));
    drop(bench);
    let quirks = Quirks { missing_key: MissingKey::ErrorText, ..Quirks::default() };
    let bench = Bench::with(|builder| builder.quirks(quirks));
    let channel = bench.fetched(&["k"]);
    let (result, text) = item(channel, 0).expect("an item");
    assert_eq!(result, NOT_FOUND);
    assert!(!text.is_empty());
    assert_eq!(item_with_room(channel, 0, 0), Ok((NOT_FOUND, String::new())));
}

#[test]
fn values_must_fit_the_receive_buffer_together() {
    // The bench's receive buffer has 1024 bytes, and each value takes 16 more than it has characters.
    let bench = Bench::with(|builder| builder.config("a", &"x".repeat(900)).config("b", &"y".repeat(93)));
    let channel = bench.fetched(&["a", "b"]);
    assert_eq!(overall(channel), Ok((sys::MV_CONFIGFETCHRESULT_RESPONSETOOLARGE, 0)));
    assert_eq!(item(channel, 0), Err(sys::MV_STATUS_REQUESTUNSUCCESSFUL));
    bench.device.set_config("b", &"y".repeat(92));
    assert_eq!(overall(bench.fetched(&["a", "b"])), Ok((sys::MV_CONFIGFETCHRESULT_OK, 2)));
}

#[test]
fn a_value_that_does_not_fit_can_be_read_with_more_room() {
    let bench = Bench::with(|builder| builder.config("k", "value"));
    let channel = bench.fetched(&["k"]);
    assert_eq!(item_with_room(channel, 0, 4), Err(sys::MV_STATUS_INVALIDBUFFERSIZE));
    assert_eq!(item_with_room(channel, 0, 5), Ok(found("value")));
}

#[test]
fn the_stores_can_change_while_the_device_runs() {
    let bench = Bench::with(|builder| builder.config("k", "old").secret("s", "secret"));
    bench.device.set_config("k", "new");
    assert_eq!(item(bench.fetched(&["k"]), 0), Ok(found("new")));
    bench.device.remove_config("k");
    bench.device.remove_secret("s");
    assert_eq!(item(bench.fetched(&["k"]), 0), Ok((NOT_FOUND, String::new())));
}

#[test]
fn keys_are_1_to_100_printable_ascii_characters() {
    let long = "k".repeat(101);
    for key in ["", &long, "a\u{e4}", "a\n"] {
        let bench = Bench::new();
        assert_eq!(bench.fetch(bench.config(), &[key]), sys::MV_STATUS_INVALIDCONFIGKEY, "{key:?}");
        assert_eq!(bench.misuse().len(), 1);
    }
    let bench = Bench::new();
    assert_eq!(bench.fetch(bench.config(), &[&long[1..]]), sys::MV_STATUS_OKAY);
}

#[test]
fn a_refused_request_can_be_repeated_on_the_same_channel() {
    let bench = Bench::with(|builder| {
        builder.config("k", "v").quirks(Quirks { max_config_keys: 2, ..Quirks::default() })
    });
    let channel = bench.config();
    assert_eq!(bench.fetch(channel, &["k", "k", "k"]), sys::MV_STATUS_TOOMANYCONFIGKEYS);
    let unknown = sys::MvConfigKeyToFetch { scope: 9, ..config_key(b"k") };
    let status = call!(mvSendConfigFetchRequest(channel, &fetch_params(&[unknown])));
    assert_eq!(status, sys::MV_STATUS_UNKNOWNCONFIGSCOPE);
    let unknown = sys::MvConfigKeyToFetch { store: 9, ..config_key(b"k") };
    let status = call!(mvSendConfigFetchRequest(channel, &fetch_params(&[unknown])));
    assert_eq!(status, sys::MV_STATUS_UNKNOWNCONFIGSTORE);
    bench.misuse();
    assert_eq!(bench.fetch(channel, &["k", "k"]), sys::MV_STATUS_OKAY);
}

#[test]
fn responses_can_go_wrong() {
    let bench = Bench::with(|builder| builder.config("a", "1").config("b", "2"));
    let fetch_with = |fault: FetchFault| {
        bench.device.inject(Fault::config_response(fault));
        bench.fetched(&["a", "b"])
    };
    let channel = fetch_with(FetchFault::ServerError("b".into()));
    assert_eq!(item(channel, 0), Ok(found("1")));
    assert_eq!(item(channel, 1), Ok((sys::MV_CONFIGKEYFETCHRESULT_SERVERERROR, String::new())));
    bench.close(channel);

    let channel = fetch_with(FetchFault::ItemResult("a".into(), 77));
    assert_eq!(item(channel, 0), Ok((77, String::new())));
    bench.close(channel);

    let channel = fetch_with(FetchFault::Result(77));
    assert_eq!(overall(channel), Ok((77, 0)));
    bench.close(channel);

    let channel = fetch_with(FetchFault::Silent);
    assert_eq!(overall(channel), Err(sys::MV_STATUS_RESPONSENOTPRESENT));
    bench.close(channel);

    let channel = fetch_with(FetchFault::Delay(std::time::Duration::from_secs(2)));
    assert_eq!(overall(channel), Err(sys::MV_STATUS_RESPONSENOTPRESENT));
    bench.device.run_until_idle();
    assert_eq!(overall(channel), Ok((sys::MV_CONFIGFETCHRESULT_OK, 2)));
    bench.close(channel);

    let channel = fetch_with(FetchFault::Closed(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER));
    assert_eq!(overall(channel), Err(sys::MV_STATUS_CHANNELCLOSED));
    assert_eq!(bench.closure_reason(channel), sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER);
}

#[test]
fn a_response_may_come_after_the_channel_is_closed() {
    let bench = Bench::new();
    let channel = bench.config();
    assert_eq!(bench.fetch(channel, &["k"]), sys::MV_STATUS_OKAY);
    bench.close(channel);
    bench.settle();
    assert_eq!(bench.events(), []);
}

#[test]
fn the_longest_key_and_value_can_be_stored() {
    let _builder = Device::builder().config(&"k".repeat(100), &"\u{e4}".repeat(4096)).secret("k", "");
}

#[test]
#[should_panic(expected = "it has 4097 characters, at most 4096 are allowed")]
fn a_value_that_is_too_long_for_the_cloud_is_not_stored() {
    let _builder = Device::builder().secret("k", &"x".repeat(4097));
}

#[test]
#[should_panic(expected = "a key has 1 to 100 printable ASCII characters")]
fn a_key_that_is_too_long_for_the_cloud_is_not_stored() {
    let _builder = Device::builder().account_config(&"k".repeat(101), "");
}

#[test]
#[should_panic(expected = "a key has 1 to 100 printable ASCII characters")]
fn a_key_that_nobody_can_ask_for_is_not_stored() {
    Device::builder().boot().set_config("caf\u{e9}", "");
}

#[test]
fn a_read_before_the_response_is_refused_or_writes_nothing() {
    for succeeds in [false, true] {
        let quirks = Quirks { early_config_reads_succeed: succeeds, ..Quirks::default() };
        let bench = Bench::with(|builder| builder.quirks(quirks).config("k", "v"));
        let channel = bench.config();
        assert_eq!(bench.fetch(channel, &["k"]), sys::MV_STATUS_OKAY);
        let answer = if succeeds { sys::MV_STATUS_OKAY } else { sys::MV_STATUS_RESPONSENOTPRESENT };
        let mut data = sys::MvConfigResponseData { result: 99, num_items: 98 };
        assert_eq!(call!(mvReadConfigFetchResponseData(channel, &mut data)), answer);
        assert_eq!((data.result, data.num_items) == (99, 98), succeeds);
        let (mut text, mut length, mut result) = ([b'~'; 8], 99, 99);
        let params = sys::MvConfigResponseReadItemParams {
            result: &mut result,
            item_index: 0,
            buf: buffer(&mut text, &mut length),
        };
        assert_eq!(call!(mvReadConfigResponseItem(channel, &params)), answer);
        assert_eq!((result, length, text) == (99, 99, [b'~'; 8]), succeeds);
        bench.settle();
        assert_eq!(item(channel, 0), Ok(found("v")));
    }
}
