//! Who gets which message, and how.

use std::time::Duration;

use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::broker::{ConnectRequest, LinkId, Protocol, Publish, Subscription};

use crate::device::{Device, connect_request, publish, subscription};

fn connected(broker: &ModelBroker) -> (Device, LinkId) {
    let mut device = Device::new(broker.clone());
    let link = device.connected(connect_request("lamp"));
    (device, link)
}

#[test]
fn a_message_has_the_lower_of_its_own_and_the_granted_qos() {
    let broker = ModelBroker::open().build();
    let (mut device, link) = connected(&broker);
    assert_eq!(device.subscribe(link, &[("zero", 0), ("one", 1), ("two", 2)]), [0, 1, 2]);
    for (topic, published, received) in [("zero", 2, 0), ("one", 2, 1), ("two", 1, 1), ("two", 2, 2)] {
        broker.publish(topic, "x", published);
        let message = device.message(link);
        assert_eq!(message.qos, received, "{topic} published with {published}");
        if received > 0 {
            device.acknowledge(link, message.delivery);
        }
    }
}

#[test]
fn overlapping_subscriptions_get_one_copy_with_the_highest_qos() {
    let broker = ModelBroker::open().build();
    let (mut device, link) = connected(&broker);
    device.subscribe(link, &[("command/#", 0), ("command/+", 1)]);
    broker.publish("command/lamp", "stop", 1);
    assert_eq!(device.message(link).qos, 1);
    device.run_for(Duration::from_secs(1));
    assert!(device.events.is_empty(), "{:?}", device.events);
}

#[test]
fn a_subscription_that_is_made_again_replaces_the_earlier_one() {
    let broker = ModelBroker::open().build();
    let (mut device, link) = connected(&broker);
    device.subscribe(link, &[("command", 1)]);
    device.subscribe(link, &[("command", 0)]);
    assert_eq!(broker.subscriptions("lamp"), [("command".to_owned(), 0)]);
}

#[test]
fn unsubscribing_says_which_subscription_there_was() {
    let broker = ModelBroker::open().build();
    let (mut device, link) = connected(&broker);
    device.subscribe(link, &[("a", 1), ("b", 1)]);
    let no_subscription_existed = 0x11;
    assert_eq!(device.unsubscribe(link, &["a", "c"]), [0, no_subscription_existed]);
    broker.publish("a", "x", 1);
    broker.publish("b", "y", 1);
    assert_eq!(device.message(link).payload, b"y");
}

#[test]
fn a_publish_that_nobody_is_subscribed_to_is_told_so_if_it_is_acknowledged() {
    let broker = ModelBroker::open().build();
    broker.observe(&["sensor/+"]);
    let (mut device, link) = connected(&broker);
    let no_matching_subscribers = 0x10;
    assert_eq!(device.publish(link, "sensor/lamp", b"1", 1), (0, 0));
    assert_eq!(device.publish(link, "other", b"1", 1), (0, no_matching_subscribers));
    assert_eq!(device.publish(link, "other", b"1", 0), (0, 0));
    device.subscribe(link, &[("other", 1)]);
    assert_eq!(device.publish(link, "other", b"1", 1), (0, 0));
}

#[test]
fn mqtt_3_1_1_has_no_reason_codes_beyond_failure() {
    let broker = ModelBroker::open().build();
    broker.observe(&[]);
    let mut device = Device::new(broker.clone());
    let link = device.connected(ConnectRequest { protocol: Protocol::V3_1_1, ..connect_request("lamp") });
    assert_eq!(device.publish(link, "other", b"1", 1), (0, 0));
    assert_eq!(device.unsubscribe(link, &["never"]), [0]);
    assert_eq!(device.subscribe(link, &[("$share/group/a", 1), ("a", 1)]), [0x80, 1]);
}

#[test]
fn shared_subscriptions_and_impossible_filters_are_refused_one_by_one() {
    let broker = ModelBroker::open().build();
    let (mut device, link) = connected(&broker);
    let reasons = device.subscribe(link, &[("$share/group/a", 1), ("a#", 1), ("", 1), ("a/#", 1)]);
    assert_eq!(reasons, [0x9E, 0x8F, 0x8F, 1]);
}

#[test]
fn a_topic_that_cannot_be_published_to_ends_the_connection() {
    let broker = ModelBroker::open().build();
    let (mut device, link) = connected(&broker);
    assert_eq!(device.try_publish(link, publish("sensor/+", b"1", 1)), None);
    let topic_name_invalid = 0x90;
    assert_eq!(device.disconnected(link), Some((0, topic_name_invalid)));
}

#[test]
fn a_retained_message_waits_for_subscribers_until_an_empty_one_removes_it() {
    let broker = ModelBroker::open().build();
    let (mut device, link) = connected(&broker);
    let on = Publish { retain: true, ..publish("state/lamp", b"on", 1) };
    device.try_publish(link, on.clone());
    device.subscribe(link, &[("state/+", 0)]);
    let message = device.message(link);
    assert_eq!((message.payload.as_slice(), message.retain, message.qos), (&b"on"[..], true, 0));
    assert_eq!(broker.retained("state/lamp").as_deref(), Some(&b"on"[..]));

    device.try_publish(link, Publish { payload: Vec::new(), ..on });
    assert_eq!(device.message(link).payload, b"", "removing is a message, too");
    assert_eq!(broker.retained("state/lamp"), None);
}

#[test]
fn retain_handling_says_when_retained_messages_are_wanted() {
    let broker = ModelBroker::open().build();
    broker.publish_retained("state", "on", 1);
    let (mut device, link) = connected(&broker);
    let handling = |retain_handling| vec![Subscription { retain_handling, ..subscription("state", 1) }];
    device.subscribe_to(link, handling(2));
    assert!(device.try_message(link).is_none(), "never");
    device.subscribe_to(link, handling(1));
    assert!(device.try_message(link).is_none(), "the subscription is not new");
    device.subscribe_to(link, handling(0));
    assert_eq!(device.message(link).payload, b"on");
    device.unsubscribe(link, &["state"]);
    device.subscribe_to(link, handling(1));
    assert_eq!(device.message(link).payload, b"on");
}

#[test]
fn the_retain_flag_is_forwarded_to_those_who_ask_for_it() {
    let broker = ModelBroker::open().build();
    let (mut device, link) = connected(&broker);
    for retain_as_published in [false, true] {
        device.subscribe_to(link, vec![Subscription { retain_as_published, ..subscription("a", 0) }]);
        while device.try_message(link).is_some() {}
        broker.publish_retained("a", "x", 0);
        assert_eq!(device.message(link).retain, retain_as_published);
    }
}

#[test]
fn no_local_keeps_a_clients_own_messages_away() {
    let broker = ModelBroker::open().build();
    let (mut device, link) = connected(&broker);
    device.subscribe_to(link, vec![Subscription { no_local: true, ..subscription("a", 1) }]);
    device.publish(link, "a", b"own", 1);
    broker.publish("a", "other", 1);
    assert_eq!(device.message(link).payload, b"other");
}

#[test]
fn clients_get_each_others_messages() {
    let broker = ModelBroker::open().build();
    let (mut device, lamp) = connected(&broker);
    let switch = device.connected(connect_request("switch"));
    device.subscribe(lamp, &[("command/lamp", 1)]);
    device.publish(switch, "command/lamp", b"on", 1);
    assert_eq!(device.message(lamp).payload, b"on");
    assert_eq!(broker.received()[0].client_id, b"switch");
}
