//! What keeps a session from working although it is online.

#[path = "../sim/tests/pki/mod.rs"]
mod pki;

mod stored;
mod world;

use std::time::Duration;

use embassy_futures::select::select;
use embedded_hal_async::delay::DelayNs;
use microvisor::DeviceId;
use microvisor::aws::Topics;
use microvisor::mqtt::{Publish, QoS};
use microvisor::session::{State, WhenOffline};
use microvisor_sim::Quirks;
use world::{ID, World, millis, subscriptions};

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
    world.run(&session, Duration::from_secs(120));
    let published = world.seen.published.borrow();
    let taken = published.iter().filter(|(_, outcome)| outcome.is_ok()).count();
    assert!(taken >= 8, "{published:?}");
}

#[test]
fn a_channel_that_closes_while_a_message_waits_is_noticed() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    let live = |duration: Duration| {
        let end = async { world.device.delay().delay_ms(millis(duration)).await };
        world.device.block_on(select(session.run(world.device.delay()), end));
    };
    live(Duration::from_secs(2));
    world.broker.publish(format!("command/device/{ID}"), "nobody takes it", 1);
    live(Duration::from_secs(2));
    world.broker.drop_connection();
    live(Duration::from_secs(15));
    assert_eq!(world.broker.connect_attempts().len(), 2);
    assert!(world.broker.is_connected(ID));
    assert_eq!(session.state(), State::Online);
}
