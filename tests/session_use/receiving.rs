//! Receiving, with inboxes that are large enough, and not.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use embedded_hal_async::delay::DelayNs;
use microvisor::aws::StoredProfile;
use microvisor::mqtt::{Inbox, QoS};
use microvisor::session::{Acknowledged, MAX_UNACKNOWLEDGED, ReceiveError, Session, State};

use crate::tasks::Tasks;
use crate::world::{ID, Watcher, World, subscriptions};

pub type AwsSession = Session<'static, StoredProfile, Watcher>;

/// A session with the subscriptions of the guide.
pub fn online(world: &World) -> AwsSession {
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    world.while_running(&session, session.online());
    session
}

pub fn command() -> String {
    format!("command/device/{ID}")
}

#[test]
fn a_message_that_does_not_fit_is_received_with_a_larger_inbox() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    world.while_running(&session, session.online());
    world.broker.publish(command(), vec![7; 2_000], 1);
    let (mut topic, mut small, mut large) = ([0; 256], [0; 100], [0; 2_000]);
    world.while_running(&session, async {
        let mut inbox = Inbox::new(&mut topic, &mut small);
        assert!(matches!(session.receive(&mut inbox).await, Err(ReceiveError::TooLarge)));
        let mut inbox = Inbox::new(&mut topic, &mut large);
        let message = session.receive(&mut inbox).await.expect("a message");
        assert_eq!((message.payload().len(), message.qos()), (2_000, Some(QoS::AtLeastOnce)));
        assert_eq!(message.topic_str(), Ok(command().as_str()));
        assert_eq!(message.acknowledge(), Some(Acknowledged::Sent));
    });
    world.run(&session, Duration::from_secs(20));
    assert!(world.broker.all_acknowledged());
}

#[test]
fn a_message_that_does_not_fit_twice_is_thrown_away_and_the_next_one_comes() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    world.while_running(&session, session.online());
    world.broker.publish(command(), vec![7; 2_000], 1);
    world.broker.publish(command(), "next", 1);
    let (mut topic, mut small) = ([0; 256], [0; 100]);
    world.while_running(&session, async {
        let mut inbox = Inbox::new(&mut topic, &mut small);
        assert!(matches!(session.receive(&mut inbox).await, Err(ReceiveError::TooLarge)));
        assert!(matches!(session.receive(&mut inbox).await, Err(ReceiveError::Discarded { len: 2_000 })));
        let next = session.receive(&mut inbox).await.expect("the next");
        assert_eq!(next.payload(), b"next");
        let _ = next.acknowledge();
    });
    world.run(&session, Duration::from_secs(20));
    assert!(world.broker.all_acknowledged());
    assert_eq!(world.broker.connect_attempts().len(), 1);
}

#[test]
fn what_a_session_of_old_delivers_is_thrown_away_where_nobody_subscribes_or_receives() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    world.while_running(&session, session.online());
    world.while_running(&session, session.disconnect());
    drop(session);
    for number in 0..20 {
        world.broker.publish(command(), number.to_string(), 1);
    }
    world.broker.publish(command(), vec![0; 5_000], 1);
    // The next program publishes alone.
    let session = world.builder().build().expect("a session");
    world.while_running(&session, session.online());
    let publish = crate::publishing::reading(b"alive");
    let wait = microvisor::session::WhenOffline::Wait(Duration::from_secs(10));
    let outcome = world.while_running(&session, session.publish(&publish, wait));
    assert!(outcome.is_ok(), "{outcome:?}");
    // The last acknowledgements are on their way.
    world.while_running(&session, async { world.device.delay().delay_ms(1_000).await });
    let events = world.seen.events.borrow();
    assert_eq!(events.iter().filter(|event| event.ends_with("bytes was thrown away")).count(), 20);
    assert!(events.iter().any(|event| event.starts_with("a message of 5000 bytes was lost")), "{events:?}");
    assert!(world.broker.all_acknowledged());
    assert_eq!(session.state(), State::Online);
}

#[test]
fn a_message_that_the_kernel_lost_is_told_to_the_receiver() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build().expect("a session");
    world.while_running(&session, session.online());
    world.broker.publish(command(), vec![7; 5_000], 1);
    let (mut topic, mut payload) = ([0; 256], [0; 100]);
    world.while_running(&session, async {
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        match session.receive(&mut inbox).await {
            Err(ReceiveError::Lost(lost)) => {
                assert_eq!((lost.topic(), lost.message_len()), (command().as_bytes(), 5_000));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn who_may_receive_no_more_is_told_once_and_waits_until_there_is_room() {
    let world = World::new();
    let session = online(&world);
    for number in 0..=MAX_UNACKNOWLEDGED {
        world.broker.publish(command(), number.to_string(), 1);
    }
    let (held, is_told) = (RefCell::new(Vec::new()), Cell::new(false));
    let receiver = async {
        let (mut topic, mut payload) = ([0; 256], [0; 256]);
        loop {
            match session.receive(&mut Inbox::new(&mut topic, &mut payload)).await {
                Ok(message) => {
                    let payload = message.payload().to_vec();
                    held.borrow_mut().push((payload, message.into_obligation().expect("QoS 1")));
                }
                Err(ReceiveError::TooManyUnacknowledged) => {
                    // Over and over, nobody else would get a turn.
                    assert!(!is_told.replace(true), "it is told again");
                }
                Err(other) => panic!("{other}"),
            }
        }
    };
    let worker = async {
        world.device.delay().delay_ms(2_000).await;
        assert_eq!((held.borrow().len(), is_told.get()), (MAX_UNACKNOWLEDGED, true));
        let (_, first) = held.borrow_mut().remove(0);
        assert_eq!(first.acknowledge(), Acknowledged::Sent);
        world.device.delay().delay_ms(1_000).await;
    };
    let mut tasks = Tasks::new(&world.device, 1);
    tasks.spawn(session.run(world.device.delay()));
    tasks.spawn(receiver);
    let worker = tasks.spawn(worker);
    tasks.run_for(&world.device, Duration::from_secs(5));
    assert!(tasks.is_done(worker));
    drop(tasks);
    let mut held = held.into_inner();
    assert_eq!(held.len(), MAX_UNACKNOWLEDGED);
    assert_eq!(held[MAX_UNACKNOWLEDGED - 1].0, MAX_UNACKNOWLEDGED.to_string().as_bytes());
    for (_, obligation) in held.drain(..) {
        assert_eq!(obligation.acknowledge(), Acknowledged::Sent);
    }
    world.run_alone(&session, Duration::from_secs(1));
    assert!(world.broker.all_acknowledged());
}
