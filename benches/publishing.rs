//! A publish of QoS 1, from request to verdict, on the simulator: by the library and by the raw calls.
//! Most of it is the simulator's own work; the difference is what counts.

#[path = "../tests/bed/mod.rs"]
mod bed;
mod raw_calls;

use std::hint::black_box;
use std::ptr;

use criterion::{Criterion, criterion_group, criterion_main};
use microvisor::mqtt::{Inbox, Publish, QoS, TopicName};
use microvisor::sys;
use microvisor_sim::NetworkPlan;
use raw_calls::{RawDevice, check, sized_string};

const TOPIC: &str = "sensor/device/UV0123456789abcdef0123456789abcdef";
const PAYLOAD: &[u8] = br#"{"temperature_celsius":21.5}"#;

fn publishing(criterion: &mut Criterion) {
    let builder = || bed::with_open_broker().1.network(NetworkPlan::connected_at_boot());
    let mut group = criterion.benchmark_group("publishing");

    let bed = bed!(builder()).online();
    let mut session = bed.connect();
    let (mut topic, mut payload) = ([0; 128], [0; 128]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let message = Publish::new(TopicName::new(TOPIC).expect("a topic"), PAYLOAD).with_qos(QoS::AtLeastOnce);
    group.bench_function("library", |bencher| {
        bencher.iter(|| {
            let verdict = bed.device.block_on(session.publish(&message, &mut inbox, |_| ()));
            black_box(verdict.expect("the broker takes it"))
        });
    });
    drop(session);
    drop(bed);

    let raw = RawDevice::boot(builder());
    let channel = connect_raw(&raw);
    let mut correlation_id = 0;
    group.bench_function("raw calls", |bencher| {
        bencher.iter(|| {
            correlation_id += 1;
            black_box(publish_raw(&raw, channel, correlation_id))
        });
    });
    group.finish();
}

fn connect_raw(raw: &RawDevice) -> u32 {
    let channel = raw.open(sys::MV_CHANNELTYPE_MQTT);
    let empty = sized_string(b"");
    let request = sys::MvMqttConnectRequest {
        protocol_version: sys::MV_MQTTPROTOCOLVERSION_V5,
        host: sized_string(b"broker.example"),
        port: 8883,
        clientid: sized_string(b"device"),
        authentication: sys::MvMqttAuthentication {
            method: sys::MV_MQTTAUTHENTICATIONMETHOD_NONE,
            username_password: sys::MvUsernamePassword { username: empty, password: empty },
        },
        tls_credentials: ptr::null(),
        keepalive: 60,
        clean_start: 0,
        will: ptr::null(),
    };
    // SAFETY: all pointers are to locals, for the duration of the call.
    check(unsafe { sys::mvMqttRequestConnect(channel, &raw const request) });
    raw.wait();
    let mut response = sys::MvMqttConnectResponse { request_state: u32::MAX, reason_code: u32::MAX };
    // SAFETY: the pointer is to a local, for the duration of the call.
    check(unsafe { sys::mvMqttReadConnectResponse(channel, &raw mut response) });
    assert_eq!((response.request_state, response.reason_code), (0, 0));
    channel
}

fn publish_raw(raw: &RawDevice, channel: u32, correlation_id: u32) -> u32 {
    let request = sys::MvMqttPublishRequest {
        correlation_id,
        topic: sized_string(TOPIC.as_bytes()),
        payload: sized_string(PAYLOAD),
        desired_qos: 1,
        retain: 0,
    };
    // SAFETY: all pointers are to locals, for the duration of the call.
    check(unsafe { sys::mvMqttRequestPublish(channel, &raw const request) });
    raw.wait();
    let mut response =
        sys::MvMqttPublishResponse { request_state: u32::MAX, correlation_id: 0, reason_code: u32::MAX };
    // SAFETY: the pointer is to a local, for the duration of the call.
    check(unsafe { sys::mvMqttReadPublishResponse(channel, &raw mut response) });
    assert_eq!((response.request_state, response.correlation_id), (0, correlation_id));
    response.reason_code
}

criterion_group!(benches, publishing);
criterion_main!(benches);
