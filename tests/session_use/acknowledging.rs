//! The duty to acknowledge, fulfilled, put off, forgotten, and too late.

use std::time::Duration;

use microvisor::mqtt::Inbox;
use microvisor::session::{Acknowledged, MAX_UNACKNOWLEDGED, Obligation, ReceiveError};

use crate::receiving::{AwsSession, command, online};
use crate::world::World;

fn receive<'s>(world: &World, session: &'s AwsSession) -> (Vec<u8>, Obligation<'s>) {
    let (mut topic, mut payload) = ([0; 256], [0; 256]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let message = world.while_running(session, session.receive(&mut inbox)).expect("a message");
    (message.payload().to_vec(), message.into_obligation().expect("QoS 1"))
}

fn forgotten(world: &World) -> Vec<String> {
    let events = world.seen.events.borrow();
    events.iter().filter(|event| event.contains("dropped without acknowledgement")).cloned().collect()
}

#[test]
fn a_message_that_is_dropped_is_told_and_comes_again() {
    let world = World::new();
    let session = online(&world);
    world.broker.publish(command(), "1", 1);
    drop(receive(&world, &session));
    assert_eq!(session.unacknowledged(), 0);
    let (payload, obligation) = receive(&world, &session);
    assert_eq!(payload, b"1", "the broker redelivers");
    assert_eq!(forgotten(&world), ["1 messages were dropped without acknowledgement"]);
    assert_eq!(obligation.acknowledge(), Acknowledged::Sent);
    world.run(&session, Duration::from_secs(20));
    assert!(world.broker.all_acknowledged());
}

#[test]
fn a_message_that_is_left_is_not_told_and_comes_again() {
    let world = World::new();
    let session = online(&world);
    world.broker.publish(command(), "1", 1);
    receive(&world, &session).1.leave();
    let (payload, obligation) = receive(&world, &session);
    assert_eq!(payload, b"1");
    assert!(forgotten(&world).is_empty());
    assert_eq!(obligation.acknowledge(), Acknowledged::Sent);
}

#[test]
fn so_many_messages_can_be_unacknowledged_and_no_more() {
    let world = World::new();
    let session = online(&world);
    for number in 0..=MAX_UNACKNOWLEDGED {
        world.broker.publish(command(), number.to_string(), 1);
    }
    let mut held: Vec<_> = (0..MAX_UNACKNOWLEDGED).map(|_| receive(&world, &session)).collect();
    assert_eq!(session.unacknowledged(), MAX_UNACKNOWLEDGED);
    let (mut topic, mut payload) = ([0; 256], [0; 256]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let error = world.while_running(&session, session.receive(&mut inbox)).expect_err("too many");
    assert!(matches!(error, ReceiveError::TooManyUnacknowledged));
    assert_eq!(held.remove(0).1.acknowledge(), Acknowledged::Sent);
    let (payload, obligation) = receive(&world, &session);
    assert_eq!(payload, MAX_UNACKNOWLEDGED.to_string().as_bytes());
    held.push((payload, obligation));
    for (_, obligation) in held {
        assert_eq!(obligation.acknowledge(), Acknowledged::Sent);
    }
    world.run(&session, Duration::from_secs(1));
    assert!(world.broker.all_acknowledged());
}

#[test]
fn an_acknowledgement_after_the_session_ended_is_too_late_and_the_message_comes_again() {
    let world = World::new();
    let session = online(&world);
    world.broker.publish(command(), "1", 1);
    let (_, obligation) = receive(&world, &session);
    world.broker.drop_connection();
    let (payload, again) = receive(&world, &session);
    assert_eq!(payload, b"1");
    assert_eq!(obligation.acknowledge(), Acknowledged::TooLate);
    assert_eq!(again.acknowledge(), Acknowledged::Sent);
    world.run(&session, Duration::from_secs(1));
    assert!(world.broker.all_acknowledged());
}
