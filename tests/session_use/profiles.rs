//! Sessions with other brokers than AWS IoT.

use std::time::Duration;

use microvisor::mqtt::{ClientId, ConnectOptions, Host, ProtocolVersion};
use microvisor::session::{FixedProfile, State, StoredUserProfile};
use microvisor_sim::broker::model::ModelBroker;

use crate::world::{Provisioned, World, subscriptions};

const HOST: &str = "broker.example";

#[test]
fn a_connection_that_is_known_beforehand_fetches_nothing_and_speaks_mqtt_3_1_1() {
    let broker = ModelBroker::open().host(HOST).port(8883).build();
    let world = World::before(Provisioned::new(), broker, |device| device);
    let options =
        ConnectOptions::new(Host::new(HOST).expect("a host"), ClientId::new("device-7").expect("an id"))
            .with_version(ProtocolVersion::V3_1_1);
    let session = world
        .builder()
        .profile(FixedProfile::new(options))
        .subscriptions(subscriptions())
        .build()
        .expect("a session");
    world.broker.at(Duration::from_secs(30), microvisor_sim::broker::model::ModelBroker::drop_connection);
    world.broker.publish_at(Duration::from_secs(50), "command/device/all", "hello", 1);
    world.run(&session, Duration::from_secs(60));
    assert_eq!(session.state(), State::Online);
    assert_eq!(world.device.call_count("mvSendConfigFetchRequest"), 0);
    assert_eq!(world.broker.connect_attempts().len(), 2);
    assert_eq!(world.broker.connect_attempts()[0].client_id, b"device-7");
    assert!(world.seen.last_success() > Some(Duration::from_secs(40)));
    assert_eq!(world.seen.payloads(), [b"hello"]);
}

fn with_user() -> World {
    let broker = ModelBroker::open().host(HOST).port(8883).user("device", "secret").build();
    let world = World::before(Provisioned::new(), broker, |device| device);
    for (key, value) in
        [("username", "device"), ("client-id", "device-7"), ("broker-host", HOST), ("broker-port", "8883")]
    {
        world.device.set_config(key, value);
    }
    world
}

#[test]
fn a_user_name_and_a_password_from_the_stores_log_in() {
    let world = with_user();
    world.device.set_secret("password", "secret");
    let session = world.builder().profile(StoredUserProfile::new()).build().expect("a session");
    world.run(&session, Duration::from_secs(30));
    assert_eq!(session.state(), State::Online);
    assert!(world.seen.last_success().is_some());
}

#[test]
fn a_password_that_is_put_right_logs_in_without_a_reset() {
    let world = with_user();
    world.device.set_secret("password", "wrong");
    let session = world.builder().profile(StoredUserProfile::new()).build().expect("a session");
    world.run(&session, Duration::from_secs(120));
    let State::BackingOff { cause, .. } = session.state() else { panic!("{:?}", session.state()) };
    assert!(cause.is_permanent());
    assert!(cause.to_string().contains("the user name and password"), "{cause}");
    world.device.set_secret("password", "secret");
    world.run(&session, Duration::from_secs(70));
    assert_eq!(session.state(), State::Online);
}

#[test]
fn a_missing_user_name_is_named_and_no_connection_tried() {
    let world = with_user();
    world.device.set_secret("password", "secret");
    world.device.remove_config("username");
    let session = world.builder().profile(StoredUserProfile::new()).build().expect("a session");
    world.run(&session, Duration::from_secs(120));
    let State::BackingOff { cause, .. } = session.state() else { panic!("{:?}", session.state()) };
    assert_eq!(cause.key(), Some("username"));
    assert!(world.broker.connect_attempts().is_empty());
}
