//! Connections that come about.

use microvisor::sys;
use microvisor_sim::bridge::BridgeOptions;
use microvisor_sim::broker::{BrokerEvent, ConnectRequest, LinkId, Protocol, Publish, Will};

use crate::device::{Device, connect_request, publish};
use crate::mosquitto::Mosquitto;

const LINK: LinkId = LinkId(1);
const OTHER: LinkId = LinkId(2);
const SUCCESS: (u32, u32) = (0, 0);

fn request(mosquitto: &Mosquitto, client_id: &str) -> ConnectRequest {
    let client = mosquitto.authority.client(client_id);
    connect_request(mosquitto.port, client_id, mosquitto.credentials(&client))
}

fn takes_part_in_everything(protocol: Protocol) {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let mut device = Device::new();
    let request = ConnectRequest { protocol, ..request(&mosquitto, "lamp") };
    assert_eq!(device.connect(LINK, request), SUCCESS, "{:?} {}", device.log(), mosquitto.log());
    let filters = [("command/all", 0), ("command/lamp", 1), ("command/twice", 2)];
    assert_eq!(device.subscribe(LINK, &filters), (0, vec![0, 1, 2]));

    for qos in 0..=2 {
        let topic = ["command/all", "command/lamp", "command/twice"][usize::from(qos)];
        assert_eq!(device.publish(LINK, topic, b"stop", qos), SUCCESS);
        let message = device.message(LINK);
        assert_eq!((message.topic.as_str(), message.payload.as_slice()), (topic, &b"stop"[..]));
        assert_eq!((message.qos, message.retain), (qos, false));
        if qos > 0 {
            device.acknowledge(LINK, message.delivery);
        }
    }

    assert_eq!(device.unsubscribe(LINK, &["command/all"]), (0, vec![0]));
    assert_eq!(device.disconnect(LINK), SUCCESS);
    assert!(device.events.is_empty(), "{:?}", device.events);
}

#[test]
fn a_device_takes_part_in_everything_with_mqtt_5() {
    takes_part_in_everything(Protocol::V5);
}

#[test]
fn a_device_takes_part_in_everything_with_mqtt_3_1_1() {
    takes_part_in_everything(Protocol::V3_1_1);
}

#[test]
fn reason_codes_of_mqtt_5_come_through() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let mut device = Device::new();
    assert_eq!(device.connect(LINK, request(&mosquitto, "lamp")), SUCCESS);
    let no_matching_subscribers = 0x10;
    assert_eq!(device.publish(LINK, "sensor/lamp", b"1", 1), (0, no_matching_subscribers));
    let no_subscription_existed = 0x11;
    assert_eq!(device.unsubscribe(LINK, &["command/lamp"]), (0, vec![no_subscription_existed]));
}

#[test]
fn what_mqtt_does_not_allow_is_answered_without_the_broker() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let mut device = Device::new();
    assert_eq!(device.connect(LINK, request(&mosquitto, "lamp")), SUCCESS);
    let invalid = sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS;
    assert_eq!(device.publish(LINK, "sensor/+", b"1", 1), (invalid, 0));
    assert_eq!(device.subscribe(LINK, &[("a#", 1)]), (invalid, vec![]));
    assert_eq!(device.publish(LINK, "sensor/lamp", b"1", 0), SUCCESS);
}

#[test]
fn a_session_with_clean_start_off_keeps_messages_for_its_device() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let mut device = Device::new();
    let lamp = ConnectRequest { clean_start: false, ..request(&mosquitto, "lamp") };
    assert_eq!(device.connect(LINK, lamp.clone()), SUCCESS);
    assert_eq!(device.subscribe(LINK, &[("command/lamp", 1)]), (0, vec![1]));
    assert_eq!(device.disconnect(LINK), SUCCESS);

    let operator = LinkId(2);
    assert_eq!(device.connect(operator, request(&mosquitto, "operator")), SUCCESS);
    assert_eq!(device.publish(operator, "command/lamp", b"restart", 1), SUCCESS);

    let again = LinkId(3);
    assert_eq!(device.connect(again, lamp), SUCCESS);
    assert_eq!(device.message(again).payload, b"restart");
}

#[test]
fn a_message_comes_again_until_it_is_acknowledged() {
    comes_again_until_it_is_acknowledged(Protocol::V5);
    comes_again_until_it_is_acknowledged(Protocol::V3_1_1);
}

fn comes_again_until_it_is_acknowledged(protocol: Protocol) {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let after = std::time::Duration::from_millis(50);
    let mut device = Device::with(BridgeOptions::new().redelivery(Some(after)));
    let lamp = ConnectRequest { protocol, clean_start: false, ..request(&mosquitto, "lamp") };
    assert_eq!(device.connect(LINK, lamp.clone()), SUCCESS);
    device.subscribe(LINK, &[("command/lamp", 1)]);
    device.publish(LINK, "command/lamp", b"stop", 1);
    let first = device.message(LINK);
    assert_eq!(device.message(LINK).delivery, first.delivery);
    device.abandon(LINK);

    assert_eq!(device.connect(OTHER, lamp.clone()), SUCCESS);
    let resumed = device.message(OTHER);
    assert_eq!(resumed.payload, b"stop");
    device.acknowledge(OTHER, resumed.delivery);
    assert_eq!(device.disconnect(OTHER), SUCCESS);

    let last = LinkId(3);
    assert_eq!(device.connect(last, lamp), SUCCESS);
    // The broker would have sent the message before it sends this one.
    device.publish(last, "command/lamp", b"next", 1);
    assert_eq!(device.message(last).payload, b"next");
}

#[test]
fn another_connection_with_the_same_client_id_ends_the_first() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let mut device = Device::new();
    assert_eq!(device.connect(LINK, request(&mosquitto, "lamp")), SUCCESS);
    assert_eq!(device.connect(OTHER, request(&mosquitto, "lamp")), SUCCESS);
    // Older versions of mosquitto close without a DISCONNECT.
    device.wait_for(LINK, |event| match event {
        BrokerEvent::Disconnected { state: 0, reason: 0x8E } | BrokerEvent::Closed { .. } => Some(()),
        _ => None,
    });
    assert_eq!(device.publish(OTHER, "sensor/lamp", b"1", 0), SUCCESS);
}

#[test]
fn the_will_is_published_when_the_device_goes_without_a_word() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let mut device = Device::new();
    assert_eq!(device.connect(OTHER, request(&mosquitto, "operator")), SUCCESS);
    device.subscribe(OTHER, &[("status/lamp", 1)]);
    let will = Will { topic: b"status/lamp".into(), payload: b"gone".into(), qos: 1, retain: false };
    let lamp = ConnectRequest { will: Some(will), ..request(&mosquitto, "lamp") };
    assert_eq!(device.connect(LINK, lamp), SUCCESS);
    device.abandon(LINK);
    assert_eq!(device.message(OTHER).payload, b"gone");
}

#[test]
fn a_retained_message_is_there_for_later_subscribers() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let mut device = Device::new();
    assert_eq!(device.connect(LINK, request(&mosquitto, "lamp")), SUCCESS);
    let retained = Publish { retain: true, ..publish("state/lamp", b"on", 1) };
    let id = device.request_publish(LINK, retained);
    device.published(LINK, id);
    device.subscribe(LINK, &[("state/lamp", 1)]);
    let message = device.message(LINK);
    assert_eq!((message.payload.as_slice(), message.retain), (&b"on"[..], true));
}

#[test]
fn publishes_that_were_asked_for_are_out_before_the_disconnect() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let mut device = Device::new();
    assert_eq!(device.connect(OTHER, request(&mosquitto, "operator")), SUCCESS);
    device.subscribe(OTHER, &[("sensor/lamp", 1)]);
    assert_eq!(device.connect(LINK, request(&mosquitto, "lamp")), SUCCESS);
    let ids: Vec<_> =
        (0..20u8).map(|n| device.request_publish(LINK, publish("sensor/lamp", &[n], n % 2))).collect();
    assert_eq!(device.disconnect(LINK), SUCCESS);
    for id in ids {
        assert_eq!(device.published(LINK, id), SUCCESS);
    }
    for n in 0..20 {
        let message = device.message(OTHER);
        assert_eq!(message.payload, [n]);
        if message.qos > 0 {
            device.acknowledge(OTHER, message.delivery);
        }
    }
}

#[test]
fn a_payload_of_128_kib_goes_there_and_back() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let mut device = Device::new();
    assert_eq!(device.connect(LINK, request(&mosquitto, "lamp")), SUCCESS);
    device.subscribe(LINK, &[("large", 0)]);
    let payload = vec![b'x'; 128 * 1024];
    assert_eq!(device.publish(LINK, "large", &payload, 1), SUCCESS);
    assert_eq!(device.message(LINK).payload, payload);
}

#[test]
fn the_address_to_connect_to_can_be_another_than_the_name_that_is_verified() {
    let authority = crate::pki::Authority::new("test CA");
    let server = authority.server("broker.example");
    let Some(mosquitto) = Mosquitto::start_with(authority, &server) else { return };
    let mut device = Device::with(BridgeOptions::new().connect_to("127.0.0.1", mosquitto.port));
    let request =
        ConnectRequest { host: b"broker.example".into(), port: 8883, ..request(&mosquitto, "lamp") };
    assert_eq!(device.connect(LINK, request), SUCCESS, "{:?}", device.log());
}

#[test]
fn a_certificate_that_names_its_host_in_the_subject_alone_is_accepted() {
    let authority = crate::pki::Authority::new("test CA");
    let server = authority.server_without_alternative_name("localhost");
    let Some(mosquitto) = Mosquitto::start_with(authority, &server) else { return };
    let mut device = Device::new();
    assert_eq!(device.connect(LINK, request(&mosquitto, "lamp")), SUCCESS, "{:?}", device.log());
}

#[test]
fn dropping_the_bridge_ends_its_connections() {
    let Some(mosquitto) = Mosquitto::start() else { return };
    let mut observer = Device::new();
    assert_eq!(observer.connect(OTHER, request(&mosquitto, "operator")), SUCCESS);
    observer.subscribe(OTHER, &[("status/lamp", 1)]);
    let will = Will { topic: b"status/lamp".into(), payload: b"gone".into(), qos: 1, retain: false };
    let mut device = Device::new();
    let lamp = ConnectRequest { will: Some(will), ..request(&mosquitto, "lamp") };
    assert_eq!(device.connect(LINK, lamp), SUCCESS);
    drop(device);
    assert_eq!(observer.message(OTHER).payload, b"gone");
}
