//! What keeps a session from working although it is online.

#[path = "../sim/tests/pki/mod.rs"]
mod pki;

mod stored;
mod tasks;
mod world;

use std::cell::Cell;
use std::time::Duration;

use embassy_futures::select::select;
use embedded_hal_async::delay::DelayNs;
use microvisor::DeviceId;
use microvisor::aws::{StoredProfile, Topics};
use microvisor::mqtt::{Publish, QoS};
use microvisor::session::{PublishError, Session, State, WhenOffline};
use microvisor_sim::{NetworkPlan, Quirks};
use tasks::Tasks;
use world::{ID, Watcher, World, millis, subscriptions};

/// Runs the session without an application.
fn run(world: &World, session: &Session<'_, StoredProfile, Watcher>, duration: Duration) {
    let end = async { world.device.delay().delay_ms(millis(duration)).await };
    world.device.block_on(select(session.run(world.device.delay()), end));
}

#[test]
fn a_kernel_that_waits_for_answers_to_forgotten_messages_is_given_a_new_channel() {
    let quirks = Quirks { max_publishes_in_flight: 1, ..Quirks::default() };
    let world = World::with(|device| device.quirks(quirks), |broker| broker);
    let session = world.builder().build().expect("a session");
    world.broker.lose_responses(1);
    let topics = Topics::new(&DeviceId::parse(ID).expect("an id"));
    let reading = Publish::new(topics.telemetry(), b"forgotten").with_qos(QoS::AtLeastOnce);
    let forget = async {
        session.online().await;
        let publishing = session.publish(&reading, WhenOffline::Fail);
        select(publishing, async { world.device.delay().delay_ms(1).await }).await;
    };
    world.device.block_on(select(session.run(world.device.delay()), forget));
    assert_eq!(world.broker.received().len(), 0, "it is on its way");
    world.run(&session, Duration::from_mins(2));
    let published = world.seen.published.borrow();
    let taken = published.iter().filter(|(_, outcome)| outcome.is_ok()).count();
    assert!(taken >= 8, "{published:?}");
}

#[test]
fn a_channel_that_closes_while_a_message_waits_is_noticed() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    run(&world, &session, Duration::from_secs(2));
    world.broker.publish(format!("command/device/{ID}"), "nobody takes it", 1);
    run(&world, &session, Duration::from_secs(2));
    world.broker.drop_connection();
    run(&world, &session, Duration::from_secs(15));
    assert_eq!(world.broker.connect_attempts().len(), 2);
    assert!(world.broker.is_connected(ID));
}

#[test]
fn a_session_that_is_run_again_while_it_disconnects_ends_and_begins_anew() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    run(&world, &session, Duration::from_secs(2));
    world.broker.fall_silent();
    let stop = async {
        session.stop();
        world.device.delay().delay_ms(1_000).await;
    };
    world.device.block_on(select(session.run(world.device.delay()), stop));
    assert_eq!(session.state(), State::Disconnecting);
    run(&world, &session, Duration::from_secs(1));
    assert_eq!(session.state(), State::Disconnecting);
    world.broker.end_silence();
    run(&world, &session, Duration::from_secs(2));
    assert_eq!(session.state(), State::Online);
    let since = Duration::from_secs(2);
    assert!(matches!(
        world.seen.states_since(since).as_slice(),
        [State::Disconnecting, State::Stopped, .., State::Online]
    ));
    assert_eq!(world.broker.connect_attempts().len(), 2);
}

/// When a message was given up that waits that long, on a device without a network.
fn given_up_after(world: &World, wait: Duration) -> Duration {
    let session = world.builder().build().expect("a session");
    let given_up = Cell::new(Duration::ZERO);
    let topics = Topics::new(&DeviceId::parse(ID).expect("an id"));
    let mut tasks = Tasks::new(&world.device, 1);
    tasks.spawn(async { session.run(world.device.delay()).await });
    tasks.run_for(&world.device, Duration::from_secs(1));
    let start = world.now();
    tasks.spawn(async {
        let reading = Publish::new(topics.telemetry(), b"1");
        let verdict = session.publish(&reading, WhenOffline::Wait(wait)).await;
        assert_eq!(verdict, Err(PublishError::TimedOut));
        given_up.set(world.now().saturating_sub(start));
    });
    tasks.run_for(&world.device, Duration::from_mins(1));
    drop(tasks);
    given_up.get()
}

#[test]
fn a_message_that_waits_in_vain_is_given_up_in_time() {
    let world = World::with(|device| device.network(NetworkPlan::never()), |broker| broker);
    for millis in [0, 100, 3_000, 25_000] {
        let wait = Duration::from_millis(millis);
        let late = given_up_after(&world, wait).checked_sub(wait).expect("not early");
        assert!(late < Duration::from_millis(2), "{late:?} late after {wait:?}");
    }
}
