//! Reading what the kernel has, when notifications are lost, reads fail and messages lie before answers.

use std::cell::Cell;
use std::time::Duration;

use embassy_futures::select::select;
use embedded_hal_async::delay::DelayNs;
use microvisor::mqtt::{Inbox, ReasonCode};
use microvisor::session::{Acknowledged, State, WhenOffline};
use microvisor::sys;
use microvisor_sim::{Fault, NetworkStatus};

use crate::publishing::reading;
use crate::receiving::{AwsSession, command, online};
use crate::tasks::Tasks;
use crate::world::{World, millis, policy, subscriptions};

/// Looks for a message now and then, and acknowledges it; for so long.
async fn look_every(world: &World, session: &AwsSession, interval: Duration, duration: Duration) {
    let (mut topic, mut payload) = ([0; 256], [0; 256]);
    let looking = async {
        loop {
            let mut inbox = Inbox::new(&mut topic, &mut payload);
            if let Some(message) = session.try_receive(&mut inbox).expect("no error") {
                assert_eq!(message.acknowledge(), Some(Acknowledged::Sent));
            }
            world.device.delay().delay_ms(millis(interval)).await;
        }
    };
    let end = async { world.device.delay().delay_ms(millis(duration)).await };
    select(looking, end).await;
}

#[test]
fn a_message_before_the_answer_to_a_subscribe_request_reaches_who_receives_only_while_online() {
    let world = World::new();
    let session = online(&world);
    world.broker.drop_connection();
    world.broker.publish(command(), "early", 1);
    world.run_alone(&session, Duration::from_secs(5));
    // The answer can be read only when the message is received.
    assert_eq!(session.state(), State::Online);
    let (mut topic, mut payload) = ([0; 256], [0; 256]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let message = world.while_running(&session, session.receive(&mut inbox)).expect("a message");
    assert_eq!((message.payload(), message.acknowledge()), (&b"early"[..], Some(Acknowledged::Sent)));
    world.run_alone(&session, Duration::from_mins(1));
    assert_eq!((session.state(), world.broker.connect_attempts().len()), (State::Online, 2));
    assert!(world.broker.all_acknowledged());
}

#[test]
fn a_session_whose_message_nobody_receives_sees_that_the_network_is_gone() {
    let world = World::new();
    let session = online(&world);
    world.broker.publish(command(), "unread", 1);
    world.run_alone(&session, Duration::from_secs(5));
    world.device.set_network(NetworkStatus::Connecting);
    world.run_alone(&session, policy().answer_timeout());
    assert_eq!(session.state(), State::Offline);
}

#[test]
fn an_answer_whose_notification_was_lost_is_read_before_it_is_missed() {
    let world = World::new();
    let session = world.builder().build().expect("a session");
    world.while_running(&session, session.online());
    world.run_alone(&session, Duration::from_secs(1));
    // Just before the session looks by itself, so that it does not again before the answer is due.
    let look = session.deadline().expect("it is online");
    let wait = look - world.now() - Duration::from_millis(1);
    let outcome = world.while_running(&session, async {
        world.device.delay().delay_us(u32::try_from(wait.as_micros()).expect("short")).await;
        world.device.inject(Fault::notifications().drop(1));
        session.publish(&reading(b"1"), WhenOffline::Fail).await
    });
    assert_eq!(outcome, Ok(Some(ReasonCode::SUCCESS)));
    assert_eq!(session.state(), State::Online);
}

#[test]
fn subscribing_goes_on_when_the_receiver_came_upon_the_answer() {
    let world = World::new();
    // One more than a request takes.
    let many = [subscriptions()[0]; 9];
    let session = world.builder().subscriptions(Box::leak(Box::new(many))).build().expect("a session");
    let lose_the_answer = |device: &microvisor_sim::Device| device.inject(Fault::notifications().drop(1));
    world.device.inject(Fault::call("mvMqttRequestSubscribe").run(lose_the_answer));
    let looking = look_every(
        &world,
        &session,
        Duration::from_millis(500),
        policy().answer_timeout() + Duration::from_secs(5),
    );
    world.while_running(&session, looking);
    assert_eq!((session.state(), world.broker.connect_attempts().len()), (State::Online, 1));
    assert_eq!(world.device.call_count("mvMqttRequestSubscribe"), 2);
}

#[test]
fn reads_that_fail_for_a_moment_do_not_end_the_session_however_often_the_receiver_looks() {
    let world = World::new();
    let session = online(&world);
    let read = Fault::call("mvMqttGetNextReadableDataType").times(5);
    world.device.inject(read.status(sys::MV_STATUS_MICROVISORBUSY));
    world.broker.publish(command(), "1", 1);
    world.while_running(
        &session,
        look_every(&world, &session, Duration::from_millis(5), Duration::from_secs(1)),
    );
    world.run_alone(&session, Duration::from_secs(1));
    assert_eq!((session.state(), world.broker.connect_attempts().len()), (State::Online, 1));
    assert!(world.broker.all_acknowledged());
}

#[test]
fn a_read_that_fails_several_times_is_tried_again_soon_although_nobody_receives() {
    for times in 1..=4 {
        let world = World::new();
        let session = world.builder().build().expect("a session");
        world.while_running(&session, session.online());
        world.run_alone(&session, Duration::from_secs(1));
        let read = Fault::call("mvMqttGetNextReadableDataType").times(times);
        world.device.inject(read.status(sys::MV_STATUS_MICROVISORBUSY));
        let verdict = Cell::new(None);
        let mut tasks = Tasks::new(&world.device, 1);
        tasks.spawn(session.run(world.device.delay()));
        tasks.spawn(async {
            verdict.set(Some(session.publish(&reading(b"1"), WhenOffline::Fail).await));
        });
        tasks.run_for(&world.device, Duration::from_secs(2));
        assert_eq!(verdict.get(), Some(Ok(Some(ReasonCode::SUCCESS))), "after {times} failures");
    }
}
