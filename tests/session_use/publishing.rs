//! Publishing: now, later, too much, and what the broker says.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use embassy_futures::join::{join, join4, join5};
use embassy_futures::select::select;
use embedded_hal_async::delay::DelayNs;
use microvisor::mqtt::{Publish, QoS, ReasonCode, RequestState, TopicName};
use microvisor::session::{Doubt, PublishError, State, WhenOffline};
use microvisor::{Status, sys};
use microvisor_sim::{Fault, NetworkPlan, NetworkStatus, Quirks};

use crate::tasks::Tasks;
use crate::world::{ID, World, subscriptions};

pub const TOPIC: &str = "sensor/device/UV0123456789abcdef0123456789abcdef";
const LONG: WhenOffline = WhenOffline::Wait(Duration::from_secs(100));

pub fn reading(payload: &[u8]) -> Publish<'_> {
    Publish::new(TopicName::new(TOPIC).expect("a topic"), payload).with_qos(QoS::AtLeastOnce)
}

#[test]
fn a_message_that_must_not_wait_fails_at_once_in_every_state_but_online() {
    let world = World::with(|device| device.network(NetworkPlan::never()), |broker| broker);
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    let publish = || async { session.publish(&reading(b"now"), WhenOffline::Fail).await };
    assert_eq!(world.device.block_on(publish()), Err(PublishError::Offline), "stopped");
    let mut refused_in = Vec::new();
    world.broker.refuse_connect(0, 0x88);
    world.device.at(Duration::from_secs(1), |device| device.set_network(NetworkStatus::Connected));
    world.while_running(&session, async {
        while !matches!(session.state(), State::Online) {
            let before = world.now();
            let state = session.state();
            assert_eq!(publish().await, Err(PublishError::Offline), "{state}");
            assert!(world.now() - before < Duration::from_millis(1));
            if !refused_in.contains(&std::mem::discriminant(&state)) {
                refused_in.push(std::mem::discriminant(&state));
            }
            world.device.delay().delay_ms(10).await;
        }
        assert_eq!(publish().await, Ok(Some(ReasonCode::SUCCESS)));
    });
    assert_eq!(refused_in.len(), 5, "offline, fetching, connecting, backing off, subscribing");
}

#[test]
fn a_message_that_may_wait_is_sent_once_the_session_is_online() {
    let world = World::with(|device| device.network(NetworkPlan::never()), |broker| broker);
    let session = world.builder().build().expect("a session");
    world.device.at(Duration::from_secs(60), |device| device.set_network(NetworkStatus::Connected));
    let outcome = world.while_running(&session, session.publish(&reading(b"later"), LONG));
    assert_eq!(outcome, Ok(Some(ReasonCode::SUCCESS)));
    assert!(world.now() < Duration::from_secs(61));
    assert_eq!(world.broker.received().len(), 1);
}

#[test]
fn a_message_that_waited_long_enough_is_not_sent() {
    let world = World::with(|device| device.network(NetworkPlan::never()), |broker| broker);
    let session = world.builder().build().expect("a session");
    world.device.at(Duration::from_secs(60), |device| device.set_network(NetworkStatus::Connected));
    let five = WhenOffline::Wait(Duration::from_secs(5));
    let outcome = world.while_running(&session, session.publish(&reading(b"too late"), five));
    assert_eq!(outcome, Err(PublishError::TimedOut));
    assert!((Duration::from_secs(5)..Duration::from_millis(5_010)).contains(&world.now()));
    world.run(&session, Duration::from_secs(90));
    assert!(world.broker.received().iter().all(|received| received.payload != b"too late"));
}

#[test]
fn one_message_more_than_there_is_room_for_fails_at_once_and_the_others_do_not() {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    let payloads = [b"1", b"2", b"3", b"4", b"5"].map(|payload| reading(payload));
    let [a, b, c, d, fifth] = &payloads;
    let (a, b, c, d, too_many) = world.while_running(
        &session,
        join5(
            session.publish(a, LONG),
            session.publish(b, LONG),
            session.publish(c, LONG),
            session.publish(d, LONG),
            session.publish(fifth, LONG),
        ),
    );
    assert_eq!([a, b, c, d], [Ok(Some(ReasonCode::SUCCESS)); 4]);
    assert_eq!(too_many, Err(PublishError::TooMany));
    // There is room again.
    let again = world.while_running(&session, session.publish(&payloads[4], LONG));
    assert_eq!(again, Ok(Some(ReasonCode::SUCCESS)));
}

#[test]
fn a_message_of_qos_0_is_sent_and_no_more_is_known() {
    for qos0_publish_response in [true, false] {
        let quirks = Quirks { qos0_publish_response, ..Quirks::default() };
        let world = World::with(|device| device.quirks(quirks), |broker| broker);
        let session = world.builder().build().expect("a session");
        for _ in 0..20 {
            let publish = reading(b"QoS 0").with_qos(QoS::AtMostOnce);
            assert_eq!(world.while_running(&session, session.publish(&publish, LONG)), Ok(None));
            world.run(&session, Duration::from_secs(1));
        }
        let received = world.broker.received();
        assert_eq!(received.iter().filter(|received| received.payload == b"QoS 0").count(), 20);
    }
}

#[test]
fn a_message_beyond_the_limits_fails_and_the_session_goes_on() {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    let large = vec![0; 128 * 1024 + 1];
    let long = "a/".repeat(8);
    let publishes = [
        reading(&large),
        reading(b"").with_qos(QoS::ExactlyOnce),
        Publish::new(TopicName::new(&long).expect("a topic"), b"").with_qos(QoS::AtLeastOnce),
        Publish::new(TopicName::new("$SYS/x").expect("a topic"), b"").with_qos(QoS::AtLeastOnce),
    ];
    for publish in &publishes {
        let outcome = world.while_running(&session, session.publish(publish, LONG));
        assert!(matches!(outcome, Err(PublishError::Limit(_))), "{outcome:?}");
    }
    let outcome = world.while_running(&session, session.publish(&reading(b"fits"), LONG));
    assert_eq!(outcome, Ok(Some(ReasonCode::SUCCESS)));
    assert_eq!(world.broker.connect_attempts().len(), 1);
    assert!(world.broker.complaints().is_empty());
}

#[test]
fn verdicts_belong_to_their_messages_whatever_the_order_of_the_answers() {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    world.while_running(&session, session.online());
    world.broker.reverse_responses(4);
    for reason in [0x00, 0x10, 0x97, 0x87] {
        world.broker.answer_publish(reason);
    }
    let payloads = [b"1", b"2", b"3", b"4"].map(|payload| reading(payload));
    let [a, b, c, d] = &payloads;
    let verdicts = world.while_running(
        &session,
        join4(
            session.publish(a, LONG),
            session.publish(b, LONG),
            session.publish(c, LONG),
            session.publish(d, LONG),
        ),
    );
    assert_eq!(
        verdicts,
        (
            Ok(Some(ReasonCode::SUCCESS)),
            Ok(Some(ReasonCode::NO_MATCHING_SUBSCRIBERS)),
            Err(PublishError::Refused(ReasonCode::QUOTA_EXCEEDED)),
            Err(PublishError::Refused(ReasonCode::NOT_AUTHORIZED)),
        )
    );
}

#[test]
fn an_answer_behind_a_message_that_nobody_receives_is_in_doubt_and_the_session_stays() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    world.while_running(&session, session.online());
    world.broker.publish(format!("command/device/{ID}"), "unread", 1);
    let outcome = world.while_running(&session, async {
        world.device.delay().delay_ms(1_000).await;
        session.publish(&reading(b"1"), LONG).await
    });
    assert_eq!(outcome, Err(PublishError::Indeterminate(Doubt::MessageWaits)));
    assert_eq!(session.state(), State::Online);
    assert_eq!(world.broker.connect_attempts().len(), 1);
    // Somebody receives, and all is well.
    world.run(&session, Duration::from_secs(30));
    assert_eq!(world.seen.payloads()[0], b"unread");
    assert!(world.seen.last_success().is_some());
    assert_eq!(world.broker.connect_attempts().len(), 1);
}

#[test]
fn a_message_that_is_dropped_before_it_is_sent_is_never_sent() {
    let world = World::new();
    let session = world.builder().build_for::<1>().expect("a session");
    {
        let publish = reading(b"dropped");
        let mut publishing = pin!(session.publish(&publish, LONG));
        assert!(publishing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let other = reading(b"no room");
        let refused = world.device.block_on(async { session.publish(&other, LONG).await });
        assert_eq!(refused, Err(PublishError::TooMany));
    }
    let outcome = world.while_running(&session, session.publish(&reading(b"sent"), LONG));
    assert_eq!(outcome, Ok(Some(ReasonCode::SUCCESS)));
    let received = world.broker.received();
    assert_eq!(received.iter().map(|received| received.payload.as_slice()).collect::<Vec<_>>(), [b"sent"]);
}

#[test]
fn a_message_that_waits_when_the_session_is_stopped_is_not_sent() {
    let world = World::with(|device| device.network(NetworkPlan::never()), |broker| broker);
    let session = world.builder().build().expect("a session");
    let publish = reading(b"1");
    let (outcome, ()) = world.while_running(
        &session,
        join(session.publish(&publish, LONG), async {
            world.device.delay().delay_ms(1_000).await;
            session.disconnect().await;
        }),
    );
    assert_eq!(outcome, Err(PublishError::Stopped));
}

/// What becomes of a message that is published when `prepare` has been done to a session that is online.
fn outcome_after(prepare: impl FnOnce(&World)) -> (World, Result<Option<ReasonCode>, PublishError>, State) {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    world.while_running(&session, session.online());
    prepare(&world);
    let outcome = world.while_running(&session, session.publish(&reading(b"1"), WhenOffline::Fail));
    let state = session.state();
    drop(session);
    (world, outcome, state)
}

#[test]
fn a_message_whose_answer_says_that_the_socket_failed_is_in_doubt() {
    let (_, outcome, _) =
        outcome_after(|world| world.broker.answer_publish_with(sys::MV_MQTTREQUESTSTATE_SOCKETERROR, 0));
    let doubt = Doubt::Failed(RequestState::SOCKET_ERROR);
    assert_eq!(outcome, Err(PublishError::Indeterminate(doubt)));
}

#[test]
fn a_message_of_which_a_part_went_out_is_in_doubt() {
    let late_fault = Fault::call("mvMqttRequestPublish").status(sys::MV_STATUS_LATEFAULT).after_effect();
    let (world, outcome, _) = outcome_after(|world| world.device.inject(late_fault));
    assert_eq!(outcome, Err(PublishError::Indeterminate(Doubt::LateFault)));
    world.device.advance(Duration::from_secs(1));
    assert_eq!(world.broker.received().len(), 1, "it was sent");
}

#[test]
fn a_message_that_the_kernel_takes_for_wrong_fails_and_the_session_stays() {
    let statuses = [
        (sys::MV_STATUS_PARAMETERFAULT, Status::PARAMETER_FAULT),
        (sys::MV_STATUS_INVALIDBUFFERSIZE, Status::INVALID_BUFFER_SIZE),
        (sys::MV_STATUS_INPUTTOOLONG, Status::INPUT_TOO_LONG),
        (sys::MV_STATUS_REQUIREDELEMENTMISSING, Status::REQUIRED_ELEMENT_MISSING),
    ];
    for (raw, status) in statuses {
        let refusal = Fault::call("mvMqttRequestPublish").status(raw);
        let (_, outcome, state) = outcome_after(|world| world.device.inject(refusal));
        assert_eq!((outcome, state), (Err(PublishError::Kernel(status)), State::Online));
    }
}

#[test]
fn a_message_that_must_not_wait_fails_at_once_although_the_channel_does_not_close() {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    world.while_running(&session, session.online());
    // It waits for room while the session ends.
    world.device.inject(Fault::call("mvMqttRequestPublish").times(100).status(sys::MV_STATUS_RATELIMITED));
    let close = Fault::call("mvCloseChannel").until(Duration::from_mins(1));
    world.device.inject(close.status(sys::MV_STATUS_MICROVISORBUSY));
    world.broker.drop_connection();
    let outcome = Cell::new(None);
    let publish = reading(b"1");
    let publishing = async { outcome.set(Some(session.publish(&publish, WhenOffline::Fail).await)) };
    let mut tasks = Tasks::new(&world.device, 1);
    tasks.spawn(session.run(world.device.delay()));
    tasks.spawn(publishing);
    tasks.run_for(&world.device, Duration::from_secs(1));
    assert_eq!(outcome.get(), Some(Err(PublishError::Offline)));
    assert!(matches!(session.state(), State::BackingOff { .. }), "{}", session.state());
}

#[test]
fn a_message_tells_whether_the_kernel_has_it() {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    let publish = reading(b"1");
    let mut publishing = pin!(session.publish(&publish, LONG));
    let mut poll = |world: &World| {
        let sent = async { poll_fn(|cx| Poll::Ready(publishing.as_mut().poll(cx))).await };
        let outcome = world.device.block_on(sent);
        (publishing.is_sent(), outcome.is_ready())
    };
    assert_eq!(poll(&world), (false, false), "the session is stopped");
    world.while_running(&session, session.online());
    world.device.inject(Fault::call("mvMqttRequestPublish").times(1).status(sys::MV_STATUS_RATELIMITED));
    assert_eq!(poll(&world), (false, false), "the kernel has no room");
    world.while_running(&session, async { world.device.delay().delay_ms(300).await });
    assert_eq!(poll(&world), (true, false), "it has been taken");
    world.run(&session, Duration::from_secs(1));
    assert_eq!(poll(&world), (true, true), "it has been answered");
}

/// A kernel with one place for a publish loses the answer to one that is given up after a second; then
/// the application publishes.
fn publishes_after_a_lost_answer(qos: QoS) {
    let quirks = Quirks { max_publishes_in_flight: 1, ..Quirks::default() };
    let world = World::with(|device| device.quirks(quirks), |broker| broker);
    let session = world.builder().build().expect("a session");
    world.while_running(&session, session.online());
    world.broker.lose_responses(1);
    let publish = reading(b"given up").with_qos(qos);
    let second = async { world.device.delay().delay_ms(1_000).await };
    world.while_running(&session, select(session.publish(&publish, WhenOffline::Fail), second));
    world.run(&session, Duration::from_mins(2));
    assert!(world.seen.last_success().is_some(), "{:?}", world.seen.published.borrow());
}

#[test]
fn a_message_that_is_given_up_does_not_keep_others_from_the_kernel_for_ever() {
    publishes_after_a_lost_answer(QoS::AtLeastOnce);
}

#[test]
fn a_message_of_qos_0_whose_answer_is_lost_does_not_keep_others_from_the_kernel_for_ever() {
    publishes_after_a_lost_answer(QoS::AtMostOnce);
}
