//! What is made to go wrong, and when.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use microvisor::sys;
use microvisor_sim::{Fault, NetworkStatus};
use raw::{Bench, Received, call, message};

const OKAY: u32 = sys::MV_STATUS_OKAY;
const BUSY: u32 = sys::MV_STATUS_MICROVISORBUSY;

fn no_op() -> sys::MvStatus {
    call!(mvNoOp())
}

fn trigger(bench: &Bench, tag: u32) {
    let status = call!(mvTempTriggerNotification(bench.center, sys::MV_EVENTTYPE_CHANNELDATAREADABLE, tag));
    assert_eq!(status, OKAY);
}

fn tags(bench: &Bench) -> Vec<u32> {
    bench.events().into_iter().map(|(_, tag)| tag).collect()
}

#[test]
fn calls_are_counted_by_name_from_the_injection() {
    let bench = Bench::new();
    assert_eq!(no_op(), OKAY);
    bench.device.inject(Fault::call("mvNoOp").nth(2).times(3).status(BUSY));
    let answers: Vec<_> = (0..6).map(|_| no_op()).collect();
    assert_eq!(answers, [OKAY, BUSY, BUSY, BUSY, OKAY, OKAY]);
    assert_eq!(call!(mvGetMicroseconds(&mut 0)), OKAY);
}

#[test]
fn a_fault_can_last_until_a_time() {
    let bench = Bench::new();
    bench.device.inject(Fault::call("mvNoOp").until(Duration::from_mins(1)).status(BUSY));
    assert_eq!([no_op(), no_op(), no_op()], [BUSY; 3]);
    bench.device.advance(Duration::from_secs(59));
    assert_eq!(no_op(), BUSY);
    bench.device.advance(Duration::from_secs(1));
    assert_eq!(no_op(), OKAY);
}

#[test]
fn a_call_can_be_named_by_its_index_among_all() {
    let bench = Bench::new();
    let index = bench.device.calls() + 1;
    bench.device.inject(Fault::call_index(index).status(BUSY));
    assert_eq!([no_op(), no_op(), no_op()], [OKAY, BUSY, OKAY]);
}

#[test]
fn a_fault_comes_before_the_effect_or_after_it() {
    let bench = Bench::new();
    bench.device.inject(Fault::call("mvOpenChannel").status(BUSY));
    assert_eq!(bench.try_open(|_| ()), Err(BUSY));
    for _ in 0..4 {
        bench.mqtt();
    }
    drop(bench);

    let bench = Bench::new();
    bench.device.inject(Fault::call("mvOpenChannel").status(BUSY).after_effect());
    assert_eq!(bench.try_open(|_| ()), Err(BUSY));
    for _ in 0..3 {
        bench.mqtt();
    }
    assert_eq!(bench.try_open(|_| ()), Err(sys::MV_STATUS_TOOMANYCHANNELS));
}

#[test]
fn an_injected_late_fault_spoils_the_channel_like_a_real_one() {
    let bench = Bench::new();
    let channel = bench.connected();
    bench.device.inject(Fault::call("mvMqttRequestPublish").status(sys::MV_STATUS_LATEFAULT));
    assert_eq!(bench.publish(channel, 1, 0), sys::MV_STATUS_LATEFAULT);
    assert_eq!(bench.publish(channel, 2, 0), sys::MV_STATUS_CHANNELCLOSED);
}

#[test]
fn an_output_can_be_made_to_lie() {
    let bench = Bench::new();
    let channel = bench.connected();
    for (index, expected) in [(0, (4711, 4)), (3, (0, 4711))] {
        bench.hear(message(1, b"stop", 0));
        bench.device.inject(Fault::call("mvMqttReceiveMessage").output_at(index, 4711));
        let mut received = Received::with_room(64, 64);
        assert_eq!(call!(mvMqttReceiveMessage(channel, &received.message())), OKAY);
        assert_eq!(received.topic_len, 7);
        let told = if index == 0 { received.correlation_id } else { 0 };
        assert_eq!((told, received.payload_len), expected);
        let line = bench.device.trace().pop().expect("a call");
        assert!(line.contains("but 4711") && line.contains("injected"), "{line}");
    }
    // A buffer without room counts as well.
    bench.hear(message(1, b"", 0));
    bench.device.inject(Fault::call("mvMqttReceiveMessage").output_at(5, 4711));
    let mut received = Received::with_room(64, 0);
    assert_eq!(call!(mvMqttReceiveMessage(channel, &received.message())), OKAY);
    assert_eq!((received.payload_len, received.qos), (0, 4711));
}

#[test]
fn something_can_happen_just_before_a_call_or_just_after_it() {
    let bench = Bench::new();
    let lose = |device: &microvisor_sim::Device| device.set_network(NetworkStatus::Connecting);
    bench.device.inject(Fault::call("mvOpenChannel").run(lose));
    assert_eq!(bench.try_open(|_| ()), Err(sys::MV_STATUS_NETWORKNOTCONNECTED));
    bench.device.set_network(NetworkStatus::Connected);
    bench.device.inject(Fault::call("mvOpenChannel").run(lose).after_effect());
    let channel = bench.mqtt();
    assert_eq!(bench.closure_reason(channel), sys::MV_CLOSUREREASON_NETWORKDISCONNECTED);
}

#[test]
fn an_action_at_a_call_may_use_system_calls() {
    let bench = Bench::new();
    let runs = Rc::new(Cell::new(0));
    let counted = runs.clone();
    bench.device.inject(Fault::call("mvNoOp").times(10).run(move |_| {
        counted.set(counted.get() + 1);
        assert_eq!(no_op(), OKAY);
    }));
    assert_eq!(no_op(), OKAY);
    assert_eq!(runs.get(), 1, "the action's own call does not run it again");
    assert_eq!(bench.device.call_count("mvNoOp"), 2);
}

#[test]
fn notifications_get_lost_doubled_and_late() {
    let bench = Bench::new();
    bench.device.inject(Fault::notifications().skip(1).drop(2));
    (1..=4).for_each(|tag| trigger(&bench, tag));
    assert_eq!(tags(&bench), [1, 4]);

    bench.device.inject(Fault::notifications().duplicate(1));
    trigger(&bench, 5);
    assert_eq!(tags(&bench), [5, 5]);

    bench.device.inject(Fault::notifications().delay(1, Duration::from_millis(10)));
    trigger(&bench, 6);
    trigger(&bench, 7);
    assert_eq!(tags(&bench), [7]);
    bench.settle();
    assert_eq!(tags(&bench), [6]);
}

#[test]
fn a_fault_can_be_for_some_notifications_only() {
    let bench = Bench::new();
    bench.device.inject(Fault::notifications().tagged(2).drop(1));
    bench.device.inject(Fault::notifications().of_type(sys::MV_EVENTTYPE_NETWORKSTATUSCHANGED).drop(1));
    (1..=3).for_each(|tag| trigger(&bench, tag));
    bench.device.set_network(NetworkStatus::Connecting);
    assert_eq!(tags(&bench), [1, 3]);
}

#[test]
fn something_can_happen_at_a_notification() {
    let bench = Bench::new();
    bench.device.inject(Fault::notifications().skip(1).run(|device| {
        device.set_network(NetworkStatus::DisconnectedWithLinkUp);
    }));
    trigger(&bench, 1);
    assert_eq!(bench.device.network(), NetworkStatus::Connected);
    trigger(&bench, 2);
    assert_eq!(bench.device.network(), NetworkStatus::DisconnectedWithLinkUp);
}

#[test]
fn something_can_happen_at_a_time() {
    let bench = Bench::new();
    bench.device.at(Duration::from_secs(5), |device| device.close_channels(4));
    let channel = bench.mqtt();
    bench.device.advance(Duration::from_secs(4));
    assert_eq!(bench.closure_reason(channel), 0);
    bench.device.advance(Duration::from_secs(1));
    assert_eq!(bench.closure_reason(channel), 4);
}

#[test]
fn opens_can_be_rate_limited() {
    let bench = Bench::new();
    bench.device.rate_limit_opens(2);
    assert_eq!(bench.try_open(|_| ()), Err(sys::MV_STATUS_RATELIMITED));
    assert_eq!(bench.try_open(|_| ()), Err(sys::MV_STATUS_RATELIMITED));
    bench.mqtt();
}

#[test]
#[should_panic(expected = "there is no system call mvOpenChanel")]
fn a_misspelt_call_is_found_when_the_fault_is_injected() {
    Bench::new().device.inject(Fault::call("mvOpenChanel"));
}
