//! Disconnecting, in whatever state, and running again.

use std::time::Duration;

use embedded_hal_async::delay::DelayNs;
use microvisor::mqtt::Inbox;
use microvisor::session::{Acknowledged, State};
use microvisor::sys;
use microvisor_sim::{Fault, NetworkStatus};

use crate::receiving::{command, online};
use crate::world::{ID, World, policy, subscriptions};

/// Disconnects after so long, and connects again.
fn disconnects(prepare: impl FnOnce(&World), after: Duration, in_state: fn(&State) -> bool) {
    disconnects_within(policy().answer_timeout(), prepare, after, in_state);
}

fn disconnects_within(
    longest: Duration,
    prepare: impl FnOnce(&World),
    after: Duration,
    in_state: fn(&State) -> bool,
) {
    let world = World::new();
    prepare(&world);
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    let took = world.while_running(&session, async {
        let left = after.saturating_sub(world.now());
        world.device.delay().delay_us(u32::try_from(left.as_micros()).expect("short")).await;
        assert!(in_state(&session.state()), "{:?}", session.state());
        let from = world.now();
        session.disconnect().await;
        world.now() - from
    });
    assert!(took <= longest + Duration::from_millis(1), "{took:?}");
    assert_eq!(session.state(), State::Stopped);
    world.broker.end_refusals();
    world.broker.end_silence();
    world.device.advance(Duration::from_secs(1));
    assert!(!world.broker.is_connected(ID));
    assert_eq!(world.device.network(), NetworkStatus::DeliberatelyOffline, "the network is given up");
    let calls = world.device.calls();
    world.device.advance(Duration::from_hours(1));
    assert_eq!(world.device.calls(), calls, "it rests");
    world.while_running(&session, session.online());
}

#[test]
fn disconnecting_works_in_every_state() {
    let ms = Duration::from_millis;
    disconnects(|_| (), ms(100), |state| matches!(state, State::Offline));
    disconnects(|_| (), ms(250), |state| matches!(state, State::FetchingSettings));
    disconnects(|_| (), ms(400), |state| matches!(state, State::Connecting));
    disconnects(|_| (), ms(560), |state| matches!(state, State::Subscribing));
    disconnects(|_| (), ms(5_000), |state| matches!(state, State::Online));
    let refuse = |world: &World| world.broker.refuse_connect(0, 0x88);
    disconnects(refuse, ms(1_000), |state| matches!(state, State::BackingOff { .. }));
}

#[test]
fn disconnecting_waits_for_a_channel_that_does_not_close() {
    let refuse_to_close = |world: &World| {
        let close = Fault::call("mvCloseChannel").until(Duration::from_secs(8));
        world.device.inject(close.status(sys::MV_STATUS_MICROVISORBUSY));
    };
    // Until the channel can be closed, and one pause.
    let longest = Duration::from_secs(5) + policy().longest_back_off() / 8;
    disconnects_within(longest, refuse_to_close, Duration::from_secs(3), |state| {
        matches!(state, State::BackingOff { .. })
    });
}

#[test]
fn a_broker_that_does_not_answer_is_not_waited_for_longer_than_for_any_answer() {
    let silent = |world: &World| {
        world.broker.at(Duration::from_secs(4), microvisor_sim::broker::model::ModelBroker::fall_silent);
    };
    disconnects(silent, Duration::from_secs(5), |state| matches!(state, State::Online));
}

#[test]
fn a_session_that_has_not_run_disconnects_at_once() {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    world.device.block_on(session.disconnect());
    assert_eq!(session.state(), State::Stopped);
    assert_eq!(world.device.call_count("mvRequestNetwork"), 0);
}

#[test]
fn a_run_that_is_cancelled_goes_on_when_it_is_run_again() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    // Every 7 ms, so in every state.
    for _ in 0..200 {
        world.while_running(&session, async { world.device.delay().delay_ms(7).await });
    }
    world.run(&session, Duration::from_secs(20));
    assert_eq!(session.state(), State::Online);
    assert_eq!(world.broker.connect_attempts().len(), 1);
}

#[test]
fn a_disconnect_request_that_the_kernel_has_no_room_for_is_made_again() {
    let world = World::new();
    let session = online(&world);
    world.device.inject(Fault::call("mvMqttRequestDisconnect").status(sys::MV_STATUS_RATELIMITED));
    world.while_running(&session, session.disconnect());
    assert_eq!(session.state(), State::Stopped);
    assert_eq!(world.device.call_count("mvMqttRequestDisconnect"), 2);
    assert_eq!(world.device.call_count("mvMqttReadDisconnectResponse"), 1, "it ended in order");
}

#[test]
fn an_acknowledgement_that_is_queued_is_sent_before_the_session_ends() {
    let world = World::new();
    let session = online(&world);
    world.broker.publish(command(), "reboot", 1);
    world.device.inject(Fault::call("mvMqttAcknowledgeMessage").status(sys::MV_STATUS_RATELIMITED));
    world.while_running(&session, async {
        let (mut topic, mut payload) = ([0; 256], [0; 256]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        let message = session.receive(&mut inbox).await.expect("a message");
        assert_eq!(message.acknowledge(), Some(Acknowledged::Queued));
        session.disconnect().await;
    });
    assert_eq!(session.state(), State::Stopped);
    assert!(world.broker.all_acknowledged());
}
