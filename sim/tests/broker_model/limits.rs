//! AWS IoT's limits.

use std::time::Duration;

use microvisor::sys;
use microvisor_sim::broker::model::{Limits, ModelBroker};
use microvisor_sim::broker::{BrokerEvent, ConnectRequest, LinkId, Protocol, Will};

use crate::device::{Device, any_credentials, connect_request, publish};

fn aws() -> ModelBroker {
    ModelBroker::aws_iot().accept_any_certificate().build()
}

fn request(client_id: &str) -> ConnectRequest {
    ConnectRequest { credentials: Some(any_credentials()), ..connect_request(client_id) }
}

fn connected(broker: &ModelBroker) -> (Device, LinkId) {
    let mut device = Device::new(broker.clone());
    let link = device.connected(request("lamp"));
    (device, link)
}

/// What a publish ends the connection with.
fn punishment(topic: &str, payload: &[u8], qos: u8) -> u32 {
    let (mut device, link) = connected(&aws());
    assert_eq!(device.try_publish(link, publish(topic, payload, qos)), None);
    device.disconnected(link).expect("the end").1
}

#[test]
fn qos_2_is_not_published_and_not_granted() {
    assert_eq!(punishment("sensor", b"1", 2), 0x9B);
    let (mut device, link) = connected(&aws());
    assert_eq!(device.subscribe(link, &[("command", 2)]), [1]);
}

#[test]
fn qos_2_drops_a_client_of_mqtt_3_1_1() {
    let mut device = Device::new(aws());
    let link = device.connected(ConnectRequest { protocol: Protocol::V3_1_1, ..request("lamp") });
    device.request_publish(link, publish("sensor", b"1", 2));
    assert_eq!(device.closed(link), Some(sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER));
}

#[test]
fn a_client_id_has_1_to_128_bytes_and_no_dollar_in_front() {
    let longest = "x".repeat(128);
    let too_long = "x".repeat(129);
    for (id, reason) in
        [(longest.as_str(), 0), (&too_long, 0x85), ("", 0x85), ("$lamp", 0x85), ("a\0b", 0x85)]
    {
        let mut device = Device::new(aws());
        assert_eq!(device.connect(request(id)).1, Some((0, reason)), "{id:?}");
    }
}

#[test]
fn a_topic_has_256_bytes_and_7_slashes_at_most_without_a_basic_ingest_prefix() {
    let (mut device, link) = connected(&aws());
    let long = "x".repeat(256);
    let deep = "1/2/3/4/5/6/7/8";
    for topic in
        [long.clone(), deep.to_owned(), format!("$aws/rules/r/{long}"), format!("$aws/rules/r/{deep}")]
    {
        assert_eq!(device.publish(link, &topic, b"1", 1), (0, 0), "{topic}");
    }
    assert_eq!(punishment(&format!("{long}x"), b"1", 1), 0x90);
    assert_eq!(punishment(&format!("{deep}/9"), b"1", 1), 0x90);
    let reasons = device.subscribe(link, &[(&format!("{long}x"), 1), (&format!("{deep}/9"), 1)]);
    assert_eq!(reasons, [0x8F, 0x8F]);
}

#[test]
fn topics_that_start_with_a_dollar_are_reserved_except_the_documented_ones() {
    assert_eq!(punishment("$SYS/x", b"1", 1), 0x90);
    let (mut device, link) = connected(&aws());
    assert_eq!(device.publish(link, "$aws/things/lamp/shadow/update", b"{}", 1), (0, 0));
    assert_eq!(device.subscribe(link, &[("$SYS/#", 1), ("$aws/things/lamp/shadow/#", 1)]), [0x8F, 1]);
}

#[test]
fn a_payload_has_128_kib_at_most() {
    let (mut device, link) = connected(&aws());
    let largest = vec![0; 128 * 1024];
    assert_eq!(device.publish(link, "sensor", &largest, 1), (0, 0));
    assert_eq!(punishment("sensor", &vec![0; 128 * 1024 + 1], 1), 0x95);
}

#[test]
fn a_subscribe_has_8_filters_and_a_session_50_subscriptions_at_most() {
    let (mut device, link) = connected(&aws());
    let filters: Vec<_> = (0..56).map(|n| format!("command/{n}")).collect();
    let mut reasons = Vec::new();
    for eight in filters.chunks(8) {
        let eight: Vec<_> = eight.iter().map(|filter| (filter.as_str(), 1)).collect();
        reasons.extend(device.subscribe(link, &eight));
    }
    assert_eq!(reasons[..50], [1; 50]);
    assert_eq!(reasons[50..], [0x97; 6]);
    assert_eq!(device.subscribe(link, &[("command/0", 0)]), [0], "an old one can be changed");

    let nine = (0..9).map(|n| crate::device::subscription(&format!("more/{n}"), 1)).collect();
    device.request_subscribe(link, nine);
    assert_eq!(device.disconnected(link), Some((0, 0x97)));
}

#[test]
fn a_publish_beyond_100_in_a_second_is_discarded() {
    let broker = aws();
    let (mut device, link) = connected(&broker);
    for _ in 0..101 {
        device.request_publish(link, publish("sensor", b"1", 0));
    }
    device.run_for(Duration::from_millis(500));
    let refused = device
        .events
        .iter()
        .filter(|(_, event)| matches!(event, BrokerEvent::Published { reason: 0x97, .. }));
    assert_eq!(refused.count(), 1);
    assert_eq!(broker.received().len(), 100);
    device.run_for(Duration::from_secs(1));
    assert_eq!(device.publish(link, "sensor", b"1", 0), (0, 0));
}

#[test]
fn messages_beyond_100_unacknowledged_wait() {
    let broker = aws();
    let (mut device, link) = connected(&broker);
    device.subscribe(link, &[("command", 1)]);
    for n in 0..102u8 {
        broker.publish("command", [n], 1);
    }
    let first = device.message(link);
    device.run_for(Duration::from_secs(1));
    assert_eq!(device.events.len(), 99);
    device.acknowledge(link, first.delivery);
    device.run_for(Duration::from_secs(1));
    assert_eq!(device.events.len(), 100);
}

#[test]
fn publishes_beyond_100_without_an_answer_end_the_connection() {
    let limits = Limits::AWS_IOT;
    let mut roomy = limits.clone();
    roomy.publishes_per_second = 1000;
    let broker = ModelBroker::aws_iot().accept_any_certificate().limits(roomy).build();
    let (mut device, link) = connected(&broker);
    for _ in 0..101 {
        device.request_publish(link, publish("sensor", b"1", 1));
    }
    let receive_maximum_exceeded = 0x93;
    assert_eq!(device.disconnected(link), Some((0, receive_maximum_exceeded)));
}

#[test]
fn a_keep_alive_out_of_range_is_taken_as_the_nearest_and_remarked_on() {
    let broker = aws();
    let mut device = Device::new(broker.clone());
    device.connected(ConnectRequest { keep_alive: 0, ..request("lamp") });
    assert!(broker.complaints().is_empty());
    device.connected(ConnectRequest { keep_alive: 10, ..request("lamp") });
    assert!(broker.complaints()[0].contains("taken as 30 s"), "{:?}", broker.complaints());
}

#[test]
fn a_will_keeps_to_the_limits_as_well() {
    let will = |topic: &str, qos| Will { topic: topic.into(), payload: b"x".into(), qos, retain: false };
    for (will, reason) in
        [(will("a/+", 1), 0x90), (will("$SYS/x", 1), 0x90), (will("a", 2), 0x9B), (will("a", 1), 0)]
    {
        let mut device = Device::new(aws());
        assert_eq!(
            device.connect(ConnectRequest { will: Some(will), ..request("lamp") }).1,
            Some((0, reason))
        );
    }
}
