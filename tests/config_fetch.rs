//! Fetching from the config stores: requests, responses, and how a fetch can fail as a whole.

mod bed;
mod wakes;

use std::task::{Context, Poll};
use std::time::Duration;

use bed::Bed;
use microvisor::config::{
    ConfigFetch, ConfigKey, FetchError, ItemError, ItemErrorKind, ItemMemory, Received, Requested, Scope,
    Spent, Store,
};
use microvisor::{ClosureReason, HandedBack, Recovery, Status, Transition, config_key, sys};
use microvisor_sim::{Device, Fault, FetchFault, MissingKey, NetworkStatus, Quirks};
use wakes::Wakes;

const UNLISTED: u32 = 999;

static KEYS: [ConfigKey; 2] = [config_key!(Device, Config, "first"), config_key!(Device, Config, "second")];

fn device() -> microvisor_sim::Builder {
    Device::builder().config("first", "1").config("second", "2")
}

fn request<'k>(bed: &Bed, keys: &'k [ConfigKey<'k>]) -> ConfigFetch<Requested<'k>> {
    bed.open_fetch().request(keys).expect("the request is taken")
}

fn fetch<'k>(bed: &Bed, keys: &'k [ConfigKey<'k>]) -> ConfigFetch<Received<'k>> {
    bed.device.block_on(request(bed, keys).received()).expect("the response is good")
}

/// The fetch fails, and its channel can be closed, which gives the buffers back.
fn failure(bed: &Bed, keys: &[ConfigKey<'_>]) -> FetchError {
    let HandedBack { error, value: spent } =
        bed.device.block_on(request(bed, keys).received()).expect_err("the response is bad");
    give_back(bed, spent);
    error
}

fn give_back(bed: &Bed, spent: ConfigFetch<Spent>) {
    drop(spent.close().expect("the channel closes"));
    drop(bed.memory.take().expect("the memory is free again"));
}

fn text(fetch: &ConfigFetch<Received<'_>>, index: usize) -> String {
    let mut memory = [0; 4096];
    fetch.text(index, &mut ItemMemory::new(&mut memory)).expect("the value is text").to_owned()
}

fn error<'k>(fetch: &ConfigFetch<Received<'k>>, index: usize) -> ItemError<'k> {
    let mut memory = [0; 4096];
    fetch.text(index, &mut ItemMemory::new(&mut memory)).expect_err("there is no value")
}

#[test]
fn each_scope_of_each_store_has_its_own_values() {
    let device = Device::builder()
        .config("name", "of the device")
        .secret("name", "secret of the device")
        .account_config("name", "of the account")
        .account_secret("name", "secret of the account");
    let bed = bed!(device).online();
    let key = |scope, store| ConfigKey::new(scope, store, "name").unwrap();
    let keys = [
        key(Scope::Account, Store::Secret),
        key(Scope::Device, Store::Config),
        key(Scope::Device, Store::Secret),
        key(Scope::Account, Store::Config),
    ];
    let fetch = fetch(&bed, &keys);
    let values: Vec<_> = (0..4).map(|index| text(&fetch, index)).collect();
    let expected = ["secret of the account", "of the device", "secret of the device", "of the account"];
    assert_eq!(values, expected);
}

#[test]
fn a_value_is_not_found_in_another_scope_or_store() {
    let bed = bed!(Device::builder().secret("name", "value")).online();
    let key = |scope, store| ConfigKey::new(scope, store, "name").unwrap();
    let keys = [
        key(Scope::Device, Store::Config),
        key(Scope::Account, Store::Secret),
        key(Scope::Account, Store::Config),
        key(Scope::Device, Store::Secret),
    ];
    let fetch = fetch(&bed, &keys);
    for index in 0..3 {
        assert_eq!(error(&fetch, index).kind(), ItemErrorKind::KeyNotFound);
    }
    assert_eq!(text(&fetch, 3), "value");
}

#[test]
fn values_are_in_the_order_of_the_request() {
    let bed = bed!(device()).online();
    let reversed = [KEYS[1], KEYS[0], KEYS[1]];
    let fetch = fetch(&bed, &reversed);
    assert_eq!((fetch.len(), fetch.is_empty()), (3, false));
    // They can be read in any order, and more than once.
    for index in [2, 0, 1, 0] {
        assert_eq!(text(&fetch, index), ["2", "1", "2"][index]);
    }
}

#[test]
fn a_key_of_100_characters_is_found() {
    let name = "k".repeat(100);
    let bed = bed!(Device::builder().config(&name, "value")).online();
    let keys = [ConfigKey::new(Scope::Device, Store::Config, &name).unwrap()];
    assert_eq!(text(&fetch(&bed, &keys), 0), "value");
}

#[test]
fn a_missing_key_is_told_by_name_however_the_kernel_fills_its_item() {
    for missing_key in [MissingKey::Empty, MissingKey::ErrorText] {
        let bed = bed!(device().quirks(Quirks { missing_key, ..Quirks::default() })).online();
        bed.device.remove_config("second");
        let fetch = fetch(&bed, &KEYS);
        let missing = error(&fetch, 1);
        assert_eq!((missing.key(), missing.kind()), ("second", ItemErrorKind::KeyNotFound));
        assert_eq!(missing.recovery(), Recovery::GiveUp);
        assert!(missing.to_string().starts_with("`second`: "), "{missing}");
        // In every form of reading.
        let mut backing = [0; 64];
        let mut memory = ItemMemory::new(&mut backing);
        assert_eq!(fetch.hex(1, &mut memory), Err(missing));
        assert_eq!(fetch.base64(1, &mut memory), Err(missing));
        assert_eq!(fetch.number(1, 0..=9, &mut memory), Err(missing));
        assert_eq!(fetch.secret_hex(1, &mut memory).unwrap_err(), missing);
        assert_eq!(text(&fetch, 0), "1");
    }
}

#[test]
fn a_server_error_concerns_one_value() {
    let bed = bed!(device()).online();
    bed.device.inject(Fault::config_response(FetchFault::ServerError("first".into())));
    let fetch = fetch(&bed, &KEYS);
    let failed = error(&fetch, 0);
    assert_eq!((failed.key(), failed.kind()), ("first", ItemErrorKind::ServerError));
    assert_eq!(failed.recovery(), Recovery::Reopen);
    assert!(failed.to_string().starts_with("`first`: "), "{failed}");
    assert_eq!(text(&fetch, 1), "2");
}

#[test]
fn a_result_of_a_value_that_is_not_listed_is_kept() {
    let bed = bed!(device()).online();
    bed.device.inject(Fault::config_response(FetchFault::ItemResult("first".into(), UNLISTED)));
    let fetch = fetch(&bed, &KEYS);
    let failed = error(&fetch, 0);
    assert_eq!((failed.key(), failed.kind()), ("first", ItemErrorKind::UnknownResult(UNLISTED)));
    assert!(failed.to_string().contains("999"), "{failed}");
}

#[test]
fn a_response_that_does_not_fit_says_what_helps() {
    let half = "v".repeat(3568);
    let bed = bed!(Device::builder().config("first", &half).config("second", &half)).online();
    // With 16 bytes more for each value, 7,168 bytes are exactly the receive buffer.
    assert_eq!(fetch(&bed, &KEYS).len(), 2);
    bed.device.set_config("second", &"v".repeat(3569));
    let error = failure(&bed, &KEYS);
    assert_eq!(error, FetchError::ResponseTooLarge);
    assert_eq!(error.recovery(), Recovery::GiveUp);
    let told = error.to_string();
    assert!(told.contains("receive buffer") && told.contains("fewer keys"), "{told}");
    // Fewer keys at once do help.
    assert_eq!(text(&fetch(&bed, &KEYS[1..]), 0).len(), 3569);
}

#[test]
fn an_overall_result_that_is_not_listed_is_kept() {
    let bed = bed!(device()).online();
    bed.device.inject(Fault::config_response(FetchFault::Result(UNLISTED)));
    let error = failure(&bed, &KEYS);
    assert_eq!(error, FetchError::UnknownResult(UNLISTED));
    assert_eq!(error.recovery(), Recovery::Reopen);
}

#[test]
fn a_response_with_another_number_of_values_is_not_taken() {
    let bed = bed!(device()).online();
    bed.device.inject(Fault::config_response(FetchFault::FewerItems(1)));
    let error = failure(&bed, &KEYS);
    assert_eq!(error, FetchError::WrongItemCount { requested: 2, received: 1 });
    assert_eq!(error.recovery(), Recovery::Reopen);
}

#[test]
fn a_channel_that_is_closed_before_the_response_says_why() {
    let reasons = [
        (sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER, ClosureReason::CLOSED_BY_SERVER),
        (sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER, ClosureReason::RESET_BY_SERVER),
        (sys::MV_CLOSUREREASON_NETWORKDISCONNECTED, ClosureReason::NETWORK_DISCONNECTED),
        (sys::MV_CLOSUREREASON_CONNECTIONTERMINATED, ClosureReason::CONNECTION_TERMINATED),
        (sys::MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED, ClosureReason::UNEXPECTEDLY_TERMINATED),
        (UNLISTED, ClosureReason::from_raw(UNLISTED)),
    ];
    let bed = bed!(device()).online();
    for (raw, reason) in reasons {
        bed.device.inject(Fault::config_response(FetchFault::Closed(raw)));
        let error = failure(&bed, &KEYS);
        assert_eq!(error, FetchError::ChannelClosed(reason));
        assert_eq!(error.recovery(), Recovery::Reopen);
        assert!(error.to_string().ends_with(&reason.to_string()), "{error}");
    }
}

#[test]
fn a_channel_that_is_closed_before_the_request_says_why() {
    let bed = bed!(device()).online();
    let opened = bed.open_fetch();
    bed.device.set_network(NetworkStatus::DisconnectedWithLinkUp);
    let HandedBack { error, value } = opened.request(&KEYS).unwrap_err();
    assert_eq!(error, FetchError::ChannelClosed(ClosureReason::NETWORK_DISCONNECTED));
    give_back(&bed, value);
}

#[test]
fn a_channel_that_is_closed_after_the_response_says_why_at_each_value() {
    let bed = bed!(device()).online();
    let fetch = fetch(&bed, &KEYS);
    assert_eq!(text(&fetch, 0), "1");
    bed.device.close_channels(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER);
    let failed = error(&fetch, 1);
    assert_eq!(failed.key(), "second");
    assert_eq!(failed.kind(), ItemErrorKind::ChannelClosed(ClosureReason::RESET_BY_SERVER));
    assert_eq!(failed.recovery(), Recovery::Reopen);
    drop(fetch.close().unwrap());
    assert!(bed.memory.take().is_some());
}

#[test]
fn a_kernel_that_does_not_say_why_a_channel_is_closed_is_no_second_error() {
    let bed = bed!(device()).online();
    bed.device.inject(Fault::config_response(FetchFault::Closed(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER)));
    bed.device.inject(Fault::call("mvGetChannelClosureReason").status(UNLISTED));
    assert_eq!(failure(&bed, &KEYS), FetchError::ChannelClosed(ClosureReason::NONE));
}

#[test]
fn a_request_without_keys_is_not_sent() {
    let bed = bed!(device()).online();
    let HandedBack { error, value } = bed.open_fetch().request(&[]).unwrap_err();
    assert_eq!((error, error.recovery()), (FetchError::NoKeys, Recovery::GiveUp));
    assert_eq!(bed.device.call_count("mvSendConfigFetchRequest"), 0);
    give_back(&bed, value);
}

#[test]
fn a_request_with_more_keys_than_the_kernel_takes_says_so() {
    let bed = bed!(device().quirks(Quirks { max_config_keys: 3, ..Quirks::default() })).online();
    assert_eq!(fetch(&bed, &[KEYS[0]; 3]).len(), 3);
    let HandedBack { error, value } = bed.open_fetch().request(&[KEYS[0]; 4]).unwrap_err();
    assert_eq!((error, error.recovery()), (FetchError::TooManyKeys, Recovery::GiveUp));
    give_back(&bed, value);
}

#[test]
fn a_request_that_the_kernel_refuses_keeps_the_status() {
    let bed = bed!(device()).online();
    let cases = [
        sys::MV_STATUS_INVALIDBUFFERSIZE,
        sys::MV_STATUS_LATEFAULT,
        sys::MV_STATUS_REQUESTALREADYSENT,
        UNLISTED,
    ];
    for raw in cases {
        bed.device.inject(Fault::call("mvSendConfigFetchRequest").status(raw));
        let HandedBack { error, value } = bed.open_fetch().request(&KEYS).unwrap_err();
        assert_eq!(error, FetchError::Kernel(Status::check(raw).unwrap_err()));
        assert_eq!(error.recovery(), Recovery::Reopen, "{error}");
        give_back(&bed, value);
    }
}

#[test]
fn a_response_that_cannot_be_read_keeps_the_status() {
    let bed = bed!(device()).online();
    for raw in [sys::MV_STATUS_LATEFAULT, sys::MV_STATUS_INVALIDHANDLE, UNLISTED] {
        bed.device.inject(Fault::call("mvReadConfigFetchResponseData").nth(2).status(raw));
        assert_eq!(failure(&bed, &KEYS), FetchError::Kernel(Status::check(raw).unwrap_err()));
    }
}

#[test]
fn a_kernel_that_succeeds_without_writing_has_no_response_yet() {
    let bed = bed!(device()).online();
    // At the first look, before there is anything, and at the one after the notification.
    bed.device.inject(Fault::call("mvReadConfigFetchResponseData").times(2).status(sys::MV_STATUS_OKAY));
    let mut requested = request(&bed, &KEYS);
    let counter = Wakes::default();
    let waker = counter.waker();
    let mut cx = Context::from_waker(&waker);
    assert_eq!(requested.poll_received(&mut cx), Poll::Pending);
    bed.device.run_until_idle();
    assert_eq!(counter.count(), 1);
    assert_eq!(requested.poll_received(&mut cx), Poll::Pending);
    assert_eq!(requested.poll_received(&mut cx), Poll::Ready(Ok(())));
}

#[test]
fn an_item_that_succeeds_without_being_written_is_no_value() {
    let bed = bed!(device()).online();
    let fetch = fetch(&bed, &KEYS);
    bed.device.inject(Fault::call("mvReadConfigResponseItem").status(sys::MV_STATUS_OKAY));
    let never_written = ItemErrorKind::UnknownResult(sys::MV_CONFIGKEYFETCHRESULT__MAX);
    assert_eq!(error(&fetch, 0).kind(), never_written);
    assert_eq!(text(&fetch, 0), "1");
}

#[test]
fn an_item_that_the_kernel_refuses_keeps_the_status() {
    let bed = bed!(device()).online();
    let fetch = fetch(&bed, &KEYS);
    for raw in [sys::MV_STATUS_INDEXINVALID, sys::MV_STATUS_REQUESTUNSUCCESSFUL, UNLISTED] {
        bed.device.inject(Fault::call("mvReadConfigResponseItem").status(raw));
        let failed = error(&fetch, 1);
        assert_eq!(failed.kind(), ItemErrorKind::Kernel(Status::check(raw).unwrap_err()));
        assert_eq!((failed.key(), failed.recovery()), ("second", Recovery::Reopen));
    }
    assert_eq!(text(&fetch, 1), "2");
}

#[test]
fn an_index_beyond_the_request_is_refused_before_the_kernel_is_asked() {
    let bed = bed!(device()).online();
    let fetch = fetch(&bed, &KEYS);
    for index in [2, 3, 1 << 20, usize::MAX] {
        let failed = error(&fetch, index);
        assert_eq!(failed.kind(), ItemErrorKind::NoSuchItem { index, len: 2 });
        assert_eq!((failed.key(), failed.recovery()), ("", Recovery::GiveUp));
        assert!(failed.to_string().contains(&index.to_string()), "{failed}");
    }
    assert_eq!(bed.device.call_count("mvReadConfigResponseItem"), 0);
}

#[test]
fn a_response_is_taken_without_waiting_once_it_is_there() {
    let bed = bed!(device()).online();
    let requested = request(&bed, &KEYS);
    let Transition::Waiting(requested) = requested.try_received() else {
        panic!("there is no response yet");
    };
    bed.device.run_until_idle();
    let Transition::Done(received) = requested.try_received() else {
        panic!("the response is there");
    };
    assert_eq!(text(&received, 1), "2");
}

#[test]
fn a_failure_is_taken_without_waiting_once_it_is_there() {
    let bed = bed!(device()).online();
    bed.device.inject(Fault::config_response(FetchFault::ResponseTooLarge));
    let requested = request(&bed, &KEYS);
    bed.device.run_until_idle();
    let Transition::Failed(HandedBack { error, value }) = requested.try_received() else {
        panic!("the failure is there");
    };
    assert_eq!(error, FetchError::ResponseTooLarge);
    give_back(&bed, value);
}

#[test]
fn polling_wakes_the_last_waker_and_leaves_the_response_where_it_is() {
    let bed = bed!(device()).online();
    let mut requested = request(&bed, &KEYS);
    let (first, last) = (Wakes::default(), Wakes::default());
    assert!(requested.poll_received(&mut Context::from_waker(&first.waker())).is_pending());
    assert!(requested.poll_received(&mut Context::from_waker(&last.waker())).is_pending());
    bed.device.run_until_idle();
    assert_eq!((first.count(), last.count()), (0, 1));
    for _ in 0..3 {
        let polled = requested.poll_received(&mut Context::from_waker(&last.waker()));
        assert_eq!(polled, Poll::Ready(Ok(())));
    }
    let Transition::Done(received) = requested.try_received() else {
        panic!("the response is there");
    };
    assert_eq!(text(&received, 0), "1");
}

#[test]
fn a_response_whose_notification_was_lost_is_found_by_polling() {
    let bed = bed!(device()).online();
    bed.device.inject(Fault::notifications().drop(1));
    let mut requested = request(&bed, &KEYS);
    let counter = Wakes::default();
    let waker = counter.waker();
    let mut cx = Context::from_waker(&waker);
    assert!(requested.poll_received(&mut cx).is_pending());
    bed.device.run_until_idle();
    assert_eq!(counter.count(), 0);
    assert_eq!(requested.poll_received(&mut cx), Poll::Ready(Ok(())));
}

#[test]
fn a_response_that_came_before_anybody_waited_is_not_missed() {
    let bed = bed!(device()).online();
    let requested = request(&bed, &KEYS);
    bed.device.run_until_idle();
    let received = bed.device.block_on(requested.received()).unwrap();
    assert_eq!(text(&received, 0), "1");
}

#[test]
fn a_late_response_is_waited_for() {
    let bed = bed!(device()).online();
    bed.device.inject(Fault::config_response(FetchFault::Delay(Duration::from_hours(1))));
    assert_eq!(text(&fetch(&bed, &KEYS), 1), "2");
    assert!(bed.device.now() > Duration::from_hours(1));
}

#[test]
fn giving_up_on_a_response_closes_the_channel_and_frees_the_memory() {
    let bed = bed!(device()).online();
    bed.device.inject(Fault::config_response(FetchFault::Silent));
    let mut receiving = Box::pin(request(&bed, &KEYS).received());
    let wakes = Wakes::default();
    assert!(receiving.as_mut().poll(&mut Context::from_waker(&wakes.waker())).is_pending());
    bed.device.run_until_idle();
    assert_eq!(wakes.count(), 0);
    drop(receiving);
    assert_eq!(bed.device.call_count("mvCloseChannel"), 1);
    // The next fetch is not disturbed by the one that was given up.
    assert_eq!(text(&fetch(&bed, &KEYS), 0), "1");
}

#[test]
fn a_response_that_the_kernel_tells_once_is_kept() {
    let bed = bed!(Device::builder().config("name", "value")).online();
    let mut requested = bed.open_fetch().request(&KEYS).unwrap();
    bed.device.run_until_idle();
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert_eq!(requested.poll_received(&mut context), Poll::Ready(Ok(())));
    let gone = sys::MV_STATUS_RESPONSENOTPRESENT;
    bed.device.inject(Fault::call("mvReadConfigFetchResponseData").status(gone).times(100));
    assert!(matches!(requested.try_received(), Transition::Done(_)));
}
