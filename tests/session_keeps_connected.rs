//! What a session does when all is well.

#[path = "../sim/tests/pki/mod.rs"]
mod pki;

mod stored;
mod world;

use std::time::Duration;

use microvisor::session::State;
use world::{ID, World, subscriptions};

#[test]
fn a_session_fetches_connects_subscribes_publishes_and_receives() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    world.broker.publish_at(Duration::from_secs(15), format!("command/device/{ID}"), "stop", 1);
    world.run(&session, Duration::from_secs(65));
    assert_eq!(session.state(), State::Online);
    let published = world.seen.published.borrow();
    assert_eq!(published.len(), 7);
    assert!(published.iter().all(|(_, outcome)| outcome.is_ok()), "{published:?}");
    assert_eq!(world.seen.payloads(), [b"stop"]);
    assert!(world.broker.all_acknowledged());
}
