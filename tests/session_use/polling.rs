//! A session that a loop polls, without `run` and without an executor.

use std::task::{Context, Waker};
use std::time::Duration;

use microvisor::mqtt::Inbox;
use microvisor::session::State;

use crate::receiving::command;
use crate::world::{ID, World, subscriptions};

#[test]
fn a_loop_that_polls_at_interrupts_and_deadlines_keeps_connected_and_receives() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    let mut context = Context::from_waker(Waker::noop());
    assert!(session.poll(&mut context).is_ready(), "it is stopped until it is started");
    assert_eq!(session.deadline(), None);
    session.start();
    world.broker.publish_at(Duration::from_secs(10), command(), "1", 1);
    world.broker.at(Duration::from_secs(30), microvisor_sim::broker::model::ModelBroker::drop_connection);
    world.broker.publish_at(Duration::from_secs(60), command(), "2", 1);
    let (mut topic, mut payload) = ([0; 256], [0; 256]);
    let mut received = Vec::new();
    while world.now() < Duration::from_secs(90) {
        assert!(session.poll(&mut context).is_pending());
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        while let Some(message) = session.try_receive(&mut inbox).expect("no error") {
            received.push(message.payload().to_vec());
            let _ = message.acknowledge();
        }
        // To the next event of the device, or to the deadline.
        let deadline = session.deadline().expect("it is started");
        let step = deadline.saturating_sub(world.now()).min(Duration::from_millis(5));
        world.device.advance(step.max(Duration::from_micros(100)));
    }
    assert_eq!(session.state(), State::Online);
    assert_eq!(received, [b"1", b"2"]);
    assert!(world.broker.all_acknowledged());
    session.stop();
    while session.poll(&mut context).is_pending() {
        world.device.advance(Duration::from_millis(5));
    }
    assert!(!world.broker.is_connected(ID));
}
