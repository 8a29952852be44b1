//! Building a session, and what is handed back where that fails.

use std::time::Duration;

use microvisor::mqtt::{ClientId, ConnectOptions, Host, Inbox, QoS, Subscription, TopicFilter};
use microvisor::session::{BuildError, FixedProfile, MemoryPlan, ReceiveError, State};
use microvisor::{HandedBack, MAX_SOURCES, Network, Notifications};
use microvisor_sim::broker::model::ModelBroker;

use crate::world::{Provisioned, World};

#[test]
fn a_plan_that_the_memory_cannot_take_hands_the_builder_back() {
    let world = World::new();
    let plans = [
        MemoryPlan::new(0, 7_168, 3_584),
        // Not 512 bytes more than messages.
        MemoryPlan::new(3_584, 7_168, 3_584),
        MemoryPlan::new(4_096, 7_680, 3_584),
        MemoryPlan::new(4_096, 7_168, 0),
        MemoryPlan::new(4_000, 7_168, 3_584),
        MemoryPlan::new(12_288, 7_168, 3_584),
    ];
    let mut builder = world.builder();
    for plan in plans {
        assert!(!plan.fits(MemoryPlan::AWS_LEN));
        let HandedBack { error, value } = builder.memory_plan(plan).build().expect_err("no such plan");
        assert_eq!(error, BuildError::Memory { len: MemoryPlan::AWS_LEN, plan });
        builder = value;
    }
    let session = builder.memory_plan(MemoryPlan::AWS).build().expect("the builder still works");
    drop(session);
    assert!(world.memory.take().is_some(), "the memory is back");
}

/// As many networks as the centre serves yet.
fn take_all_places(notifications: &Notifications) -> Vec<Network> {
    std::iter::from_fn(|| Network::request(notifications).ok()).collect()
}

#[test]
fn a_centre_that_serves_as_many_as_it_can_hands_the_builder_back() {
    let world = World::new();
    let notifications = world.center.open().expect("the centre opens");
    let mut networks = take_all_places(&notifications);
    let HandedBack { error, value } = world.builder().build().expect_err("no place is left");
    assert_eq!(error, BuildError::TooManySources);
    networks.clear();
    drop(value.build().expect("there are places again"));
    assert!(world.memory.take().is_some(), "the memory is back");
}

#[test]
fn a_builder_that_is_dropped_gives_the_memory_back() {
    let world = World::new();
    drop(world.builder());
    assert!(world.memory.take().is_some());
}

#[test]
fn a_session_keeps_its_places_in_the_centre_from_others_whatever_it_does() {
    let world = World::new();
    let notifications = world.center.open().expect("the centre opens");
    let session = world.builder().build().expect("a session");
    let others = MAX_SOURCES - 1;
    let stopped = take_all_places(&notifications);
    assert_eq!(stopped.len(), others);
    world.run_alone(&session, Duration::from_secs(5));
    assert_eq!(session.state(), State::Online);
    drop(stopped);
    world.broker.drop_connection();
    world.while_running(&session, session.changed_from(State::Online));
    // Now it has no channel.
    assert!(matches!(session.state(), State::BackingOff { .. }));
    let backing_off = take_all_places(&notifications);
    assert_eq!(backing_off.len(), others);
    world.run_alone(&session, Duration::from_secs(5));
    assert_eq!(session.state(), State::Online);
}

#[test]
fn the_smallest_plan_has_room_to_throw_any_message_away() {
    const RECEIVE: usize = 3_584;
    let plan = MemoryPlan::new(RECEIVE + 512, 7_168, RECEIVE);
    let broker = ModelBroker::open().host("broker.example").port(8883).build();
    let world = World::before(Provisioned::new(), broker, |device| device);
    let host = Host::new("broker.example").expect("a host");
    let options = ConnectOptions::new(host, ClientId::new("device-7").expect("an id"));
    let everything = [Subscription::new(TopicFilter::new("#").expect("a filter"), QoS::AtLeastOnce)];
    let builder = world.builder().profile(FixedProfile::new(options)).memory_plan(plan);
    let session = builder.subscriptions(&everything).build().expect("a session");
    world.while_running(&session, session.online());
    // However the receive buffer is filled.
    for topic_len in [1, 256, 511, 512, 513, 1_000, 1_792, 2_048, 2_049, 3_000, RECEIVE] {
        let len = RECEIVE - topic_len;
        world.broker.publish("t".repeat(topic_len), vec![7; len], 1);
        let mut inbox = Inbox::new(&mut [], &mut []);
        let received = world.while_running(&session, session.receive(&mut inbox));
        assert!(matches!(received, Err(ReceiveError::TooLarge)), "{topic_len}: {received:?}");
        let received = world.while_running(&session, session.receive(&mut inbox));
        assert!(
            matches!(received, Err(ReceiveError::Discarded { len: discarded }) if discarded == len),
            "{topic_len}: {received:?}"
        );
    }
    world.run_alone(&session, Duration::from_secs(1));
    assert!(world.broker.all_acknowledged());
    assert_eq!((session.state(), world.broker.connect_attempts().len()), (State::Online, 1));
}
