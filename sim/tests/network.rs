//! The network's life.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use std::time::Duration;

use microvisor::sys;
use microvisor_sim::{Device, NetworkPlan, NetworkStatus};
use raw::{Bench, NETWORK_TAG, call, network_params, record, ring, setup};

const CHANGED: u32 = sys::MV_EVENTTYPE_NETWORKSTATUSCHANGED;

/// A device that has not asked for the network yet, and its centre.
fn device(plan: NetworkPlan) -> (Device, u32, *mut sys::MvNotification) {
    let device = Device::builder().network(plan).boot();
    let ring = ring(8);
    let mut center = 0;
    assert_eq!(call!(mvSetupNotifications(&setup(41, ring, 8), &mut center)), sys::MV_STATUS_OKAY);
    (device, center, ring)
}

fn request(center: u32) -> u32 {
    let mut handle = 0;
    assert_eq!(call!(mvRequestNetwork(&network_params(1, center), &mut handle)), sys::MV_STATUS_OKAY);
    handle
}

fn release(mut handle: u32) {
    assert_eq!(call!(mvReleaseNetwork(&mut handle)), sys::MV_STATUS_OKAY);
    assert_eq!(handle, 0);
}

fn reasons() -> (u32, u32) {
    let (mut reasons, mut count) = (99, 99);
    assert_eq!(call!(mvGetNetworkReasons(&mut reasons, &mut count)), sys::MV_STATUS_OKAY);
    (reasons, count)
}

#[test]
fn it_connects_200_ms_after_the_first_request_and_says_so() {
    let (device, center, ring) = device(NetworkPlan::default());
    device.advance(Duration::from_secs(5));
    assert_eq!(device.network(), NetworkStatus::Connecting);
    request(center);
    device.advance(Duration::from_millis(199));
    assert_eq!(device.network(), NetworkStatus::Connecting);
    device.advance(Duration::from_millis(1));
    assert_eq!(device.network(), NetworkStatus::Connected);
    let record = record(ring, 0);
    assert_eq!((record.event_type, record.tag), (CHANGED, NETWORK_TAG));
}

#[test]
fn every_request_is_told_of_a_change() {
    let (device, center, ring) = device(NetworkPlan::default());
    request(center);
    request(center);
    device.advance(Duration::from_secs(1));
    assert_eq!(
        [record(ring, 0).event_type, record(ring, 1).event_type, record(ring, 2).event_type],
        [CHANGED, CHANGED, 0]
    );
}

#[test]
fn a_plan_takes_its_steps_at_times_since_boot() {
    let plan = NetworkPlan::never()
        .then(Duration::from_secs(10), NetworkStatus::Connected)
        .then(Duration::from_secs(20), NetworkStatus::DisconnectedWithLinkUp);
    let (device, center, _) = device(plan);
    request(center);
    device.advance(Duration::from_secs(9));
    assert_eq!(device.network(), NetworkStatus::Connecting);
    device.advance(Duration::from_secs(2));
    assert_eq!(device.network(), NetworkStatus::Connected);
    device.run_until_idle();
    assert_eq!(device.network(), NetworkStatus::DisconnectedWithLinkUp);
    assert_eq!(device.now(), Duration::from_secs(20));
}

#[test]
fn the_reasons_follow_the_requests() {
    let (_device, center, _) = device(NetworkPlan::default());
    assert_eq!(reasons(), (sys::MV_NETWORKREASON_NEVERUSEDNETWORKAPI, 0));
    let (first, second) = (request(center), request(center));
    assert_eq!(reasons(), (sys::MV_NETWORKREASON_USINGNETWORK, 2));
    release(first);
    release(second);
    assert_eq!(reasons(), (sys::MV_NETWORKREASON_NOTCONNECTING, 0));
}

#[test]
fn it_goes_offline_half_a_second_after_the_last_release_and_comes_back_on_request() {
    let (device, center, _) = device(NetworkPlan::connected_at_boot());
    release(request(center));
    device.advance(Duration::from_millis(400));
    assert_eq!(device.network(), NetworkStatus::Connected);
    device.advance(Duration::from_millis(200));
    assert_eq!(device.network(), NetworkStatus::DeliberatelyOffline);
    request(center);
    assert_eq!(device.network(), NetworkStatus::Connecting);
    device.advance(Duration::from_secs(1));
    assert_eq!(device.network(), NetworkStatus::Connected);
}

#[test]
fn losing_it_closes_all_channels() {
    let bench = Bench::new();
    let (mqtt, config) = (bench.connected(), bench.config());
    bench.events();
    bench.device.set_network(NetworkStatus::DisconnectedWithLinkUp);
    for channel in [mqtt, config] {
        assert_eq!(bench.closure_reason(channel), sys::MV_CLOSUREREASON_NETWORKDISCONNECTED);
    }
    let closed = (sys::MV_EVENTTYPE_CHANNELNOTCONNECTED, raw::CHANNEL_TAG);
    assert_eq!(bench.events(), [closed, closed, (CHANGED, NETWORK_TAG)]);
    assert_eq!(bench.broker.asked(), [raw::Asked::Connect, raw::Asked::Abandon]);
}

#[test]
fn the_date_is_known_once_it_has_connected() {
    let (device, center, _) = device(NetworkPlan::default());
    assert_eq!(call!(mvGetWallTime(&mut 0)), sys::MV_STATUS_TIMENOTSET);
    request(center);
    device.advance(Duration::from_secs(1));
    let mut unix = 0;
    assert_eq!(call!(mvGetWallTime(&mut unix)), sys::MV_STATUS_OKAY);
    assert_eq!(unix / 1_000_000, 1_767_225_601);
}
