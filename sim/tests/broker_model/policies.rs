//! What AWS IoT policies let a connected client do.

use std::time::Duration;

use microvisor::sys;
use microvisor_sim::broker::model::{Denial, ModelBroker, ModelBrokerBuilder, Policy, Thing};
use microvisor_sim::broker::{ConnectRequest, LinkId, Protocol, Publish, TlsCredentials, Will};

use crate::device::{Device, connect_request, publish};
use crate::pki::{Authority, Certificate};

const CLOSED_BY_SERVER: Option<u32> = Some(sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER);
const NOT_AUTHORIZED: u32 = 0x87;

struct Lamp(Certificate);

impl Lamp {
    fn new() -> Self {
        Self(Authority::new("client CA").client("lamp"))
    }

    /// A broker where the lamp has the least privileges of the guide, and what is added to them.
    fn builder(&self, more: &[&str]) -> ModelBrokerBuilder {
        let mut thing = Thing::new("lamp", Policy::least_privilege("eu-west-1", "123456789012"));
        for statement in more {
            let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
            thing = thing.policy(Policy::from_json(&policy).unwrap());
        }
        ModelBroker::aws_iot().register_certificate(self.0.der.clone(), thing)
    }

    fn request(&self, client_id: &str) -> ConnectRequest {
        let credentials = TlsCredentials { ca: vec![], chain: vec![self.0.der.clone()], key: self.0.pkcs8() };
        ConnectRequest { credentials: Some(credentials), ..connect_request(client_id) }
    }

    fn connected(&self, broker: &ModelBroker) -> (Device, LinkId) {
        let mut device = Device::new(broker.clone());
        let link = device.connected(self.request("lamp"));
        (device, link)
    }
}

#[test]
fn the_guides_policy_allows_what_the_guide_does() {
    let lamp = Lamp::new();
    let broker = lamp.builder(&[]).build();
    let (mut device, link) = lamp.connected(&broker);
    assert_eq!(device.subscribe(link, &[("command/device/lamp", 1), ("command/device/all", 1)]), [1, 1]);
    assert_eq!(device.publish(link, "sensor/device/lamp", b"{}", 1), (0, 0));
    broker.publish("command/device/all", "stop", 1);
    assert_eq!(device.message(link).payload, b"stop");
    assert_eq!(broker.complaints(), [""; 0]);
}

#[test]
fn a_client_id_that_is_not_the_things_name_is_not_authorised() {
    let lamp = Lamp::new();
    let broker = lamp.builder(&[]).build();
    let mut device = Device::new(broker.clone());
    assert_eq!(device.connect(lamp.request("other")).1, Some((0, NOT_AUTHORIZED)));
    let old = ConnectRequest { protocol: Protocol::V3_1_1, ..lamp.request("other") };
    assert_eq!(device.connect(old).1, Some((0, 5)));
    assert!(broker.complaints()[0].contains("iot:Connect"), "{:?}", broker.complaints());
}

#[test]
fn publishing_elsewhere_drops_the_connection() {
    let lamp = Lamp::new();
    let broker = lamp.builder(&[]).build();
    let (mut device, link) = lamp.connected(&broker);
    assert_eq!(device.try_publish(link, publish("sensor/device/other", b"{}", 1)), None);
    assert_eq!(device.closed(link), CLOSED_BY_SERVER);
    assert!(broker.received().is_empty());
    assert!(broker.complaints()[0].contains("iot:Publish to sensor/device/other"));
}

#[test]
fn subscribing_elsewhere_drops_the_connection_and_subscribes_to_nothing() {
    let lamp = Lamp::new();
    let broker = lamp.builder(&[]).build();
    let (mut device, link) = lamp.connected(&broker);
    let wanted = ["command/device/lamp", "command/device/+"];
    let id =
        device.request_subscribe(link, wanted.map(|filter| crate::device::subscription(filter, 1)).into());
    assert_eq!(device.closed(link), CLOSED_BY_SERVER, "request {id}");
    assert!(broker.subscriptions("lamp").is_empty());
}

#[test]
fn publishing_with_the_retain_flag_needs_a_permission_of_its_own() {
    let lamp = Lamp::new();
    let retained = Publish { retain: true, ..publish("sensor/device/lamp", b"{}", 1) };
    let broker = lamp.builder(&[]).build();
    let (mut device, link) = lamp.connected(&broker);
    assert_eq!(device.try_publish(link, retained.clone()), None);
    assert_eq!(device.closed(link), CLOSED_BY_SERVER);

    let more = r#"{"Effect":"Allow","Action":"iot:RetainPublish","Resource":"*"}"#;
    let (mut device, link) = lamp.connected(&lamp.builder(&[more]).build());
    assert_eq!(device.try_publish(link, retained), Some((0, 0)));
}

#[test]
fn a_message_that_may_not_be_received_is_withheld_and_complained_about() {
    let lamp = Lamp::new();
    let more = r#"{"Effect":"Allow","Action":"iot:Subscribe","Resource":"arn:aws:iot:*:topicfilter/secret"}"#;
    let broker = lamp.builder(&[more]).build();
    let (mut device, link) = lamp.connected(&broker);
    assert_eq!(device.subscribe(link, &[("secret", 1)]), [1]);
    broker.publish("secret", "x", 1);
    device.run_for(Duration::from_secs(30));
    assert!(device.events.is_empty(), "{:?}", device.events);
    assert!(broker.is_connected("lamp"));
    assert!(broker.complaints()[0].contains("iot:Receive of secret"));
}

#[test]
fn a_will_needs_the_permission_to_publish_it() {
    let lamp = Lamp::new();
    let will = |topic: &str| Will { topic: topic.into(), payload: b"gone".into(), qos: 1, retain: false };
    let mut device = Device::new(lamp.builder(&[]).build());
    let forbidden = ConnectRequest { will: Some(will("status/lamp")), ..lamp.request("lamp") };
    assert_eq!(device.connect(forbidden).1, Some((0, NOT_AUTHORIZED)));
    let allowed = ConnectRequest { will: Some(will("sensor/device/lamp")), ..lamp.request("lamp") };
    assert_eq!(device.connect(allowed).1, Some((0, 0)));
}

#[test]
fn the_way_in_which_a_denial_shows_is_a_switch() {
    let lamp = Lamp::new();
    let forbidden = || publish("elsewhere", b"{}", 1);
    let broker = lamp.builder(&[]).denial(Denial::Disconnect).build();
    let (mut device, link) = lamp.connected(&broker);
    device.request_publish(link, forbidden());
    assert_eq!(device.disconnected(link), Some((0, NOT_AUTHORIZED)));

    let reset = sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER;
    let broker = lamp.builder(&[]).denial(Denial::Drop(reset)).build();
    let (mut device, link) = lamp.connected(&broker);
    device.request_publish(link, forbidden());
    assert_eq!(device.closed(link), Some(reset));
}

#[test]
fn resources_are_those_of_the_brokers_region_and_account() {
    let lamp = Lamp::new();
    let elsewhere = lamp.builder(&[]).host("a1-ats.iot.us-east-1.amazonaws.com").build();
    let mut device = Device::new(elsewhere);
    let request =
        || ConnectRequest { host: b"a1-ats.iot.us-east-1.amazonaws.com".into(), ..lamp.request("lamp") };
    assert_eq!(device.connect(request()).1, Some((0, NOT_AUTHORIZED)));
    let other_account = lamp.builder(&[]).account_id("999999999999").build();
    assert_eq!(Device::new(other_account).connect(lamp.request("lamp")).1, Some((0, NOT_AUTHORIZED)));
}
