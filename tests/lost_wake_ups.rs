//! What happens between the look and the sleep wakes whoever was about to sleep.

mod bed;
mod wakes;

use std::task::Context;

use bed::{options, with_open_broker};
use microvisor::config::ConfigKey;
use microvisor::{Network, NetworkStatus, config_key, sys};
use microvisor_sim::{Device, Fault, NetworkStatus as SimStatus};
use wakes::Wakes;

static KEYS: [ConfigKey<'static>; 1] = [config_key!(Device, Config, "name")];

/// The kernel answers `call` as if nothing had happened, and then `action` happens.
fn just_after(device: &Device, call: &str, action: impl FnMut(&Device) + 'static) {
    device.inject(Fault::call(call).run(action).after_effect());
}

/// The same, and the channels are closed.
fn close_just_after(device: &Device, call: &str) {
    just_after(device, call, |device| device.close_channels(sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER));
}

#[test]
fn an_event_that_comes_after_the_look_wakes_the_session() {
    let bed = bed!(with_open_broker().1).online();
    let wakes = Wakes::default();
    let mut session = bed.connect();
    close_just_after(&bed.device, "mvMqttGetNextReadableDataType");
    assert!(session.poll_ready(&mut Context::from_waker(&wakes.waker())).is_pending());
    assert_eq!(wakes.count(), 1);
}

#[test]
fn an_answer_that_comes_after_the_look_wakes_who_connects() {
    let bed = bed!(with_open_broker().1).online();
    let wakes = Wakes::default();
    let mut connecting = bed.open_mqtt().connect(&options()).unwrap();
    close_just_after(&bed.device, "mvMqttGetNextReadableDataType");
    assert!(connecting.poll_connected(&mut Context::from_waker(&wakes.waker())).is_pending());
    assert_eq!(wakes.count(), 1);
}

#[test]
fn a_response_that_comes_after_the_look_wakes_who_fetches() {
    let bed = bed!(Device::builder().config("name", "value")).online();
    let wakes = Wakes::default();
    let mut requested = bed.open_fetch().request(&KEYS).unwrap();
    close_just_after(&bed.device, "mvReadConfigFetchResponseData");
    assert!(requested.poll_received(&mut Context::from_waker(&wakes.waker())).is_pending());
    assert_eq!(wakes.count(), 1);
}

#[test]
fn a_change_that_comes_after_the_look_wakes_who_waits_for_the_network() {
    let bed = bed!(Device::builder()).online();
    let wakes = Wakes::default();
    let mut network = Network::request(&bed.notifications).unwrap();
    just_after(&bed.device, "mvGetNetworkStatus", |device| device.set_network(SimStatus::Connecting));
    let hint = wakes.waker();
    let poll = network.poll_changed_from(&mut Context::from_waker(&hint), NetworkStatus::Connected);
    assert!(poll.is_pending());
    assert_eq!(wakes.count(), 1);
}

#[test]
fn a_waiter_that_is_gone_is_not_woken_even_if_nobody_takes_its_place() {
    let bed = bed!(Device::builder()).online();
    let wakes = Wakes::default();
    let mut network = Network::request(&bed.notifications).unwrap();
    let hint = wakes.waker();
    let poll = network.poll_changed_from(&mut Context::from_waker(&hint), NetworkStatus::Connected);
    assert!(poll.is_pending());
    drop(network);
    bed.device.set_network(SimStatus::Connecting);
    bed.device.run_until_idle();
    assert_eq!(wakes.count(), 0);
}
