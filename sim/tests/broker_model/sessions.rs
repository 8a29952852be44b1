//! Sessions: how they begin, outlive connections, and end.

use std::time::Duration;

use microvisor::sys;
use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::broker::{ConnectRequest, Protocol, Will};

use crate::device::{Device, connect_request};

const CLOSED_BY_SERVER: u32 = sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER;

fn will() -> Will {
    Will { topic: b"status/lamp".into(), payload: b"gone".into(), qos: 1, retain: true }
}

#[test]
fn a_client_connects_subscribes_publishes_and_disconnects() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    assert!(broker.is_connected("lamp"));
    assert_eq!(device.subscribe(link, &[("command/device/lamp", 1)]), [1]);
    assert_eq!(broker.subscriptions("lamp"), [("command/device/lamp".to_owned(), 1)]);
    assert_eq!(device.publish(link, "sensor/device/lamp", b"20.5", 1), (0, 0));
    broker.publish("command/device/lamp", "stop", 1);
    let message = device.message(link);
    assert_eq!((message.topic.as_str(), message.qos), ("command/device/lamp", 1));
    assert_eq!(message.payload, b"stop");
    device.acknowledge(link, message.delivery);
    device.run_for(Duration::from_secs(1));
    assert_eq!(device.disconnect(link), (0, 0));
    assert!(!broker.is_connected("lamp"));
    assert_eq!(broker.received()[0].payload, b"20.5");
    assert!(broker.all_acknowledged());
    assert_eq!(broker.acknowledged()[0].payload, b"stop");
    assert_eq!(broker.complaints(), [""; 0]);
}

#[test]
fn a_session_with_clean_start_off_keeps_subscriptions_and_qos_1_messages() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let first = device.connected(connect_request("lamp"));
    device.subscribe(first, &[("command/lamp", 1)]);
    device.disconnect(first);
    broker.publish("command/lamp", "lost", 0);
    broker.publish("command/lamp", "kept", 1);
    device.run_for(Duration::from_mins(1));

    let second = device.connected(connect_request("lamp"));
    assert_eq!(device.message(second).payload, b"kept");
    assert!(broker.connect_attempts()[1].resumed);
    broker.publish("command/lamp", "next", 1);
    assert_eq!(device.message(second).payload, b"next");
}

#[test]
fn a_clean_start_forgets_the_session() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let first = device.connected(connect_request("lamp"));
    device.subscribe(first, &[("command/lamp", 1)]);
    device.disconnect(first);
    broker.publish("command/lamp", "stop", 1);
    device.run_for(Duration::from_secs(1));

    let clean = ConnectRequest { clean_start: true, ..connect_request("lamp") };
    let second = device.connected(clean);
    assert!(device.try_message(second).is_none());
    assert!(broker.subscriptions("lamp").is_empty());
    device.subscribe(second, &[("command/lamp", 1)]);
    device.disconnect(second);
    device.connected(connect_request("lamp"));
    assert!(broker.subscriptions("lamp").is_empty(), "a clean session ends with its connection");
}

#[test]
fn a_session_expires_when_its_client_stays_away() {
    let broker = ModelBroker::open().session_expiry(Duration::from_mins(1)).build();
    let mut device = Device::new(broker.clone());
    let first = device.connected(connect_request("lamp"));
    device.subscribe(first, &[("command/lamp", 1)]);
    device.disconnect(first);
    device.run_for(Duration::from_secs(61));
    device.connected(connect_request("lamp"));
    assert!(!broker.connect_attempts()[1].resumed);
    assert!(broker.subscriptions("lamp").is_empty());
}

#[test]
fn a_connection_with_the_same_client_id_takes_the_session_over() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let first = device.connected(connect_request("lamp"));
    device.subscribe(first, &[("command/lamp", 1)]);
    let second = device.connected(connect_request("lamp"));
    let session_taken_over = 0x8E;
    assert_eq!(device.disconnected(first), Some((0, session_taken_over)));
    broker.publish("command/lamp", "stop", 1);
    assert_eq!(device.message(second).payload, b"stop");
    assert!(broker.is_connected("lamp"));

    broker.take_over("lamp");
    assert_eq!(device.disconnected(second), Some((0, session_taken_over)));
}

#[test]
fn a_client_of_mqtt_3_1_1_is_closed_where_mqtt_5_has_a_disconnect() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let old = ConnectRequest { protocol: Protocol::V3_1_1, ..connect_request("lamp") };
    let first = device.connected(old);
    broker.take_over("lamp");
    assert_eq!(device.closed(first), Some(CLOSED_BY_SERVER));
}

#[test]
fn the_will_is_published_when_the_connection_ends_without_a_disconnect() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(ConnectRequest { will: Some(will()), ..connect_request("lamp") });
    device.abandon(link);
    device.run_for(Duration::from_secs(1));
    let published = &broker.received()[0];
    assert_eq!((published.topic.as_str(), published.payload.as_slice()), ("status/lamp", &b"gone"[..]));
    assert_eq!(broker.retained("status/lamp").as_deref(), Some(&b"gone"[..]));
    assert!(!broker.is_connected("lamp"));
}

#[test]
fn the_will_is_published_when_the_broker_ends_the_connection() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(ConnectRequest { will: Some(will()), ..connect_request("lamp") });
    broker.drop_connection();
    assert_eq!(device.closed(link), Some(sys::MV_CLOSUREREASON_CONNECTIONTERMINATED));
    assert_eq!(broker.received().len(), 1);
}

#[test]
fn a_disconnect_takes_the_will_back() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(ConnectRequest { will: Some(will()), ..connect_request("lamp") });
    device.disconnect(link);
    device.run_for(Duration::from_secs(1));
    assert!(broker.received().is_empty());
}

#[test]
fn a_message_comes_again_with_the_same_number_until_it_is_acknowledged() {
    let broker = ModelBroker::open().redelivery(Some(Duration::from_secs(5))).build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    device.subscribe(link, &[("command/lamp", 1)]);
    broker.publish("command/lamp", "stop", 1);
    let first = device.message(link);
    let again = device.message(link);
    assert_eq!((again.delivery, again.payload), (first.delivery, first.payload));
    assert_eq!(broker.unacknowledged(), [b"stop"]);
    device.acknowledge(link, first.delivery);
    device.run_for(Duration::from_mins(1));
    assert!(device.events.is_empty(), "{:?}", device.events);
    let acknowledged = &broker.acknowledged()[0];
    assert_eq!((acknowledged.deliveries, acknowledged.acknowledgements), (2, 1));
}

#[test]
fn a_message_that_was_not_acknowledged_comes_again_after_a_reconnect() {
    let broker = ModelBroker::open().redelivery(None).build();
    let mut device = Device::new(broker.clone());
    let first = device.connected(connect_request("lamp"));
    device.subscribe(first, &[("command/lamp", 1)]);
    broker.publish("command/lamp", "one", 1);
    broker.publish("command/lamp", "two", 1);
    device.message(first);
    device.message(first);
    device.run_for(Duration::from_mins(1));
    assert!(device.events.is_empty(), "without a timer nothing comes by itself");
    device.abandon(first);

    let second = device.connected(connect_request("lamp"));
    let one = device.message(second);
    let two = device.message(second);
    assert_eq!((one.payload.as_slice(), two.payload.as_slice()), (&b"one"[..], &b"two"[..]));
    device.acknowledge(second, one.delivery);
    device.acknowledge(second, two.delivery);
    device.run_for(Duration::from_secs(1));
    assert!(broker.all_acknowledged());
}

#[test]
fn an_acknowledgement_of_nothing_ends_the_connection() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    device.acknowledge(link, 99);
    let protocol_error = 0x82;
    assert_eq!(device.disconnected(link), Some((0, protocol_error)));
    assert!(broker.complaints()[0].contains("never sent"));
}

#[test]
fn acknowledging_more_often_than_delivered_is_noticed() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    device.subscribe(link, &[("command/lamp", 1)]);
    broker.duplicate_deliveries(1);
    broker.publish("command/lamp", "stop", 1);
    for _ in 0..2 {
        let delivery = device.message(link).delivery;
        device.acknowledge(link, delivery);
    }
    device.run_for(Duration::from_secs(1));
    assert!(broker.all_acknowledged() && broker.complaints().is_empty());
    let delivery = broker.acknowledged()[0].delivery;
    device.acknowledge(link, delivery);
    device.run_for(Duration::from_secs(1));
    assert!(!broker.all_acknowledged());
    assert!(broker.complaints()[0].contains("more often"));
}

#[test]
fn nothing_of_a_link_comes_after_it_was_abandoned() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    device.subscribe(link, &[("command/lamp", 1)]);
    device.request_publish(link, crate::device::publish("command/lamp", b"1", 1));
    device.abandon(link);
    device.run_for(Duration::from_mins(1));
    assert!(device.events.is_empty(), "{:?}", device.events);
    assert_eq!(broker.received().len(), 1, "what was sent before the end still arrives");
}

#[test]
fn requests_before_the_session_stands_are_not_carried_out() {
    let broker = ModelBroker::open().build();
    broker.silent_connect();
    let mut device = Device::new(broker.clone());
    let (link, answer) = device.connect(connect_request("lamp"));
    assert_eq!(answer, None);
    let not_connected = sys::MV_MQTTREQUESTSTATE_NOTCONNECTED;
    assert_eq!(device.publish(link, "sensor/lamp", b"1", 1), (not_connected, 0));
    assert!(broker.received().is_empty());
}

#[test]
fn a_client_without_an_id_gets_one_where_the_broker_gives_them() {
    let broker = ModelBroker::open().build();
    let mut device = Device::new(broker.clone());
    device.connected(connect_request(""));
    let identifier_rejected = 2;
    let old = ConnectRequest { protocol: Protocol::V3_1_1, ..connect_request("") };
    assert_eq!(device.connect(old).1, Some((0, identifier_rejected)));
}
