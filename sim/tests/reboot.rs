//! A broker outlives the device that it serves.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use std::time::Duration;

use microvisor::sys;
use microvisor_sim::WallClock;
use microvisor_sim::broker::model::ModelBroker;
use raw::{Bench, Received, call, subscribe_request, subscription};

const OKAY: u32 = sys::MV_STATUS_OKAY;
const BOOTED_AT: u64 = 1_767_225_600;

fn boot(broker: &ModelBroker, unix: u64) -> Bench {
    let clock = WallClock::set_at_boot(unix);
    Bench::with(|builder| builder.broker(broker.clone()).wall_clock(clock))
}

/// Connects and subscribes.
fn subscribed(bench: &Bench) -> u32 {
    let channel = bench.connected();
    let topics = [subscription(b"command")];
    assert_eq!(call!(mvMqttRequestSubscribe(channel, &subscribe_request(1, &topics))), OKAY);
    bench.settle();
    channel
}

#[test]
fn a_message_waits_for_a_device_that_reboots() {
    let broker = ModelBroker::open().build();
    let bench = boot(&broker, BOOTED_AT);
    let channel = subscribed(&bench);
    bench.device.advance(Duration::from_mins(5));
    broker.publish("command", "stop", 1);
    bench.settle();
    assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE);
    drop(bench);
    assert!(!broker.is_connected("client"), "the connection ends with the device");

    let bench = boot(&broker, BOOTED_AT);
    broker.publish_at(Duration::from_secs(2), "command", "go", 1);
    let channel = bench.connected();
    for expected in [b"stop".as_slice(), b"go"] {
        bench.device.advance(Duration::from_secs(3));
        assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED);
        let mut received = Received::with_room(64, 64);
        assert_eq!(call!(mvMqttReceiveMessage(channel, &received.message())), OKAY);
        assert_eq!(&received.payload[..received.payload_len as usize], expected);
        assert_eq!(call!(mvMqttAcknowledgeMessage(channel, received.correlation_id)), OKAY);
    }
    bench.settle();
    assert!(broker.all_acknowledged());
    assert!(broker.connect_attempts()[1].resumed);
    assert_eq!(bench.closure_reason(channel), sys::MV_CLOSUREREASON_NONE);
    assert_eq!(broker.complaints(), [""; 0]);
}

#[test]
fn a_session_expires_by_the_date_and_not_by_the_clock_that_restarts() {
    let lifetime = Duration::from_hours(1);
    for (away, resumed) in [(0, true), (3500, true), (3700, false)] {
        let broker = ModelBroker::open().session_expiry(lifetime).build();
        let bench = boot(&broker, BOOTED_AT);
        subscribed(&bench);
        bench.device.advance(Duration::from_hours(5));
        let switched_off = BOOTED_AT + bench.device.now().as_secs();
        drop(bench);

        let bench = boot(&broker, switched_off + away);
        bench.connected();
        assert_eq!(broker.connect_attempts()[1].resumed, resumed, "after {away} s");
    }
}

#[test]
fn what_was_planned_for_the_first_kernel_comes_that_much_later_in_the_second() {
    let broker = ModelBroker::open().build();
    let bench = boot(&broker, BOOTED_AT);
    subscribed(&bench);
    broker.publish_at(bench.device.now() + Duration::from_secs(10), "command", "late", 0);
    drop(bench);

    let bench = boot(&broker, BOOTED_AT);
    let channel = bench.connected();
    bench.device.advance(Duration::from_secs(8));
    assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_NONE);
    bench.device.advance(Duration::from_secs(2));
    assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED);
}
