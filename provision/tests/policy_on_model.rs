//! What the policy allows, on the model of AWS IoT: what the library's topics need. For anything else
//! the connection is dropped.

#[path = "../../sim/tests/broker_model/device.rs"]
#[allow(dead_code, reason = "the model's own tests use the rest")]
mod device;
#[path = "../../sim/tests/pki/mod.rs"]
mod pki;

use std::process::Command;

use device::{Device, connect_request, publish, subscription};
use microvisor::sys;
use microvisor_sim::broker::model::{ModelBroker, Policy, Thing};
use microvisor_sim::broker::{ConnectRequest, LinkId, Publish, TlsCredentials, Will};
use pki::{Authority, Certificate};

const SID: &str = "UV00112233445566778899aabbccddeeff";
const OTHER: &str = "UVffeeddccbbaa99887766554433221100";
const CLOSED_BY_SERVER: Option<u32> = Some(sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER);
const NOT_AUTHORIZED: u32 = 0x87;

/// A device's certificate, and AWS, which knows it by the policy that the program prints.
struct Aws {
    certificate: Certificate,
    broker: ModelBroker,
}

impl Aws {
    fn with(more: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_microvisor-provision");
        let arguments = ["policy", "--region", "eu-west-1", "--account", "123456789012"];
        let output = Command::new(program).args(arguments).args(more).output().expect("the program starts");
        let document = String::from_utf8(output.stdout).expect("text");
        let policy = Policy::from_json(&document).expect("the model takes it");
        let certificate = Authority::new("client CA").client("AWS IoT Certificate");
        let thing = Thing::new(SID, policy);
        let broker = ModelBroker::aws_iot().register_certificate(certificate.der.clone(), thing).build();
        Self { certificate, broker }
    }

    fn request(&self, client_id: &str) -> ConnectRequest {
        let credentials = TlsCredentials {
            ca: vec![],
            chain: vec![self.certificate.der.clone()],
            key: self.certificate.pkcs8(),
        };
        ConnectRequest { credentials: Some(credentials), ..connect_request(client_id) }
    }

    fn connected(&self) -> (Device, LinkId) {
        let mut device = Device::new(self.broker.clone());
        let link = device.connected(self.request(SID));
        (device, link)
    }
}

fn sensor(sid: &str) -> String {
    format!("sensor/device/{sid}")
}

fn command(sid: &str) -> String {
    format!("command/device/{sid}")
}

#[test]
fn all_that_the_librarys_topics_need_is_allowed() {
    for more in [&[][..], &["--fixed-thing", SID]] {
        let aws = Aws::with(more);
        let (mut device, link) = aws.connected();
        let filters = [(&*command(SID), 1), ("command/device/all", 1)];
        assert_eq!(device.subscribe(link, &filters), [1, 1]);
        assert_eq!(device.publish(link, &sensor(SID), b"{}", 1), (0, 0));
        for topic in [command(SID), "command/device/all".to_owned()] {
            aws.broker.publish(topic, "stop", 1);
            assert_eq!(device.message(link).payload, b"stop");
        }
        assert_eq!(aws.broker.complaints(), [""; 0]);
    }
}

#[test]
fn no_other_name_may_connect() {
    for more in [&[][..], &["--fixed-thing", SID]] {
        let aws = Aws::with(more);
        for name in [OTHER, "all", &SID[..33], &SID.to_lowercase(), &format!("{SID}x"), "*"] {
            let outcome = Device::new(aws.broker.clone()).connect(aws.request(name));
            assert_eq!(outcome.1, Some((0, NOT_AUTHORIZED)), "{name}");
        }
    }
    // A policy that is fixed to another device lets this one not in.
    let aws = Aws::with(&["--fixed-thing", OTHER]);
    let outcome = Device::new(aws.broker.clone()).connect(aws.request(SID));
    assert_eq!(outcome.1, Some((0, NOT_AUTHORIZED)));
}

#[test]
fn publishing_anything_else_drops_the_connection() {
    let aws = Aws::with(&[]);
    let others = [
        sensor(OTHER),
        sensor("all"),
        "sensor/device".to_owned(),
        format!("{}/x", sensor(SID)),
        sensor(&SID[..33]),
        format!("/{}", sensor(SID)),
        command(SID),
        "command/device/all".to_owned(),
        format!("$aws/things/{SID}/shadow/update"),
    ];
    for topic in others {
        let (mut device, link) = aws.connected();
        assert_eq!(device.try_publish(link, publish(&topic, b"{}", 1)), None, "{topic}");
        assert_eq!(device.closed(link), CLOSED_BY_SERVER, "{topic}");
    }
    let (mut device, link) = aws.connected();
    let retained = Publish { retain: true, ..publish(&sensor(SID), b"{}", 1) };
    assert_eq!(device.try_publish(link, retained), None);
    assert_eq!(device.closed(link), CLOSED_BY_SERVER);
    assert!(aws.broker.received().is_empty());
}

#[test]
fn subscribing_to_anything_else_drops_the_connection() {
    let aws = Aws::with(&[]);
    let others = [
        command(OTHER),
        command("+"),
        command("#"),
        "#".to_owned(),
        "+/device/all".to_owned(),
        format!("{}/#", command(SID)),
        sensor(SID),
        format!("$share/group/{}", command(SID)),
        format!("$aws/things/{SID}/shadow/update/accepted"),
    ];
    for filter in others {
        let (mut device, link) = aws.connected();
        device.request_subscribe(link, [subscription(&filter, 1)].into());
        assert_eq!(device.closed(link), CLOSED_BY_SERVER, "{filter}");
        assert!(aws.broker.subscriptions(SID).is_empty(), "{filter}");
    }
}

#[test]
fn no_will_but_one_on_the_devices_own_topic_is_allowed() {
    let aws = Aws::with(&[]);
    let will = |topic: String| Will { topic: topic.into(), payload: b"gone".into(), qos: 1, retain: false };
    let connect = |topic| {
        let request = ConnectRequest { will: Some(will(topic)), ..aws.request(SID) };
        Device::new(aws.broker.clone()).connect(request).1
    };
    assert_eq!(connect(format!("status/{SID}")), Some((0, NOT_AUTHORIZED)));
    assert_eq!(connect(sensor(SID)), Some((0, 0)));
}

#[test]
fn topics_that_are_added_are_allowed_and_no_more() {
    let aws = Aws::with(&["--publish", "status/{sid}", "--subscribe", "fleet/#"]);
    let (mut device, link) = aws.connected();
    assert_eq!(device.publish(link, &format!("status/{SID}"), b"{}", 1), (0, 0));
    assert_eq!(device.subscribe(link, &[("fleet/#", 1)]), [1]);
    for topic in ["fleet", "fleet/a", "fleet/a/b"] {
        aws.broker.publish(topic, "x", 1);
        assert_eq!(device.message(link).topic, topic);
    }
    assert_eq!(device.try_publish(link, publish(&format!("status/{OTHER}"), b"{}", 1)), None);
    assert_eq!(device.closed(link), CLOSED_BY_SERVER);
}
