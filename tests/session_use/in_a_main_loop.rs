//! A session in the main loop of a program: no futures, no wakers, and no timer but the program's sleep.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use microvisor::aws::StoredProfile;
use microvisor::mqtt::{Inbox, QoS, ReasonCode, RequestState};
use microvisor::session::{Acknowledged, Doubt, MAX_UNACKNOWLEDGED, PublishError, State, WhenOffline};
use microvisor::sys;
use microvisor_sim::{Fault, NetworkPlan, NetworkStatus, Quirks};

use crate::main_loop::{MainLoop, Manners, News};
use crate::publishing::reading;
use crate::receiving::command;
use crate::statuses::Statuses;
use crate::world::{ID, Watcher, World, policy, subscriptions};

type AwsLoop<'w, const N: usize = 4> = MainLoop<'w, StoredProfile, Watcher, N>;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const LONG: WhenOffline = WhenOffline::Wait(MINUTE);

/// A program whose session has the subscriptions of the guide, before its first turn.
fn started<const N: usize>(world: &World) -> AwsLoop<'_, N> {
    let builder = world.builder().subscriptions(subscriptions());
    MainLoop::new(&world.device, builder.build_for().expect("a session"))
}

/// The same, online.
fn online<const N: usize>(world: &World) -> AwsLoop<'_, N> {
    let mut program = started(world);
    let came = program.run_while(world.now() + MINUTE, |program| !program.session.is_online());
    assert!(came, "{}", program.session.state());
    program
}

/// Lets it go until it is online (again).
fn come_online<const N: usize>(world: &World, program: &mut AwsLoop<'_, N>, within: Duration) {
    let end = world.now() + within;
    assert!(program.run_while(end, |program| !program.session.is_online()), "{}", program.session.state());
}

/// Publishes, and lets time pass until the verdict.
fn publish<const N: usize>(
    world: &World,
    program: &mut AwsLoop<'_, N>,
    payload: &[u8],
) -> Result<ReasonCode, PublishError> {
    let ticket = program.session.publish_now(&reading(payload))?;
    let known = program.verdicts().len();
    let end = world.now() + MINUTE;
    assert!(program.run_while(end, |program| program.verdicts().len() == known), "no verdict");
    let verdicts = program.verdicts();
    assert_eq!((verdicts.len(), verdicts[known].0), (known + 1, ticket));
    verdicts[known].1
}

fn payloads(world: &World) -> Vec<String> {
    let received = world.broker.received();
    received.iter().map(|received| String::from_utf8_lossy(&received.payload).into_owned()).collect()
}

/// What is said of a message that does not fit, the first time.
const TOO_LARGE: &str = "a message does not fit the inbox; receive it with a larger one";

/// What is said once more than there may be are not acknowledged.
const TOO_MANY: &str = "too many messages are received and not acknowledged; acknowledge one first";

fn discarded(len: usize) -> String {
    format!("a message of {len} bytes did not fit the inbox twice and was thrown away")
}

fn too_large() -> News {
    News::NotReceived(TOO_LARGE.to_owned())
}

// Its life.

#[test]
fn nothing_happens_before_it_is_started() {
    let world = World::new();
    let mut session = world.builder().build().expect("a session");
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    assert!(session.next(&mut inbox).is_none());
    assert_eq!((session.state(), session.deadline_micros()), (State::Stopped, u64::MAX));
    assert_eq!(world.device.call_count("mvRequestNetwork"), 0);
    session.start();
    assert_eq!(session.deadline_micros(), 0, "it is to be called at once");
    assert!(session.next(&mut inbox).is_none());
    assert_ne!(session.state(), State::Stopped);
    assert_ne!(session.deadline_micros(), 0);
}

#[test]
fn built_started_it_needs_no_word() {
    let world = World::new();
    let mut session = world.builder().started().build().expect("a session");
    assert_eq!((session.state(), session.deadline_micros()), (State::Stopped, 0));
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    assert!(session.next(&mut Inbox::new(&mut topic, &mut payload)).is_none());
    assert_ne!(session.state(), State::Stopped);
    assert_eq!(world.device.call_count("mvRequestNetwork"), 1);
}

#[test]
fn it_comes_online_at_interrupts_and_deadlines_alone() {
    let world = World::new();
    let mut program = started::<4>(&world);
    come_online(&world, &mut program, 10 * SECOND);
    assert_eq!(program.session.state(), State::Online);
    assert!(program.nexts < 60 && program.sleeps < 60, "{} calls, {} sleeps", program.nexts, program.sleeps);
}

#[test]
fn it_stops_and_starts_when_it_is_told_to_without_an_interrupt_for_that() {
    let world = World::new();
    let mut program = online::<4>(&world);
    program.run_for(5 * SECOND);
    program.session.stop();
    assert_eq!(program.session.deadline_micros(), 0);
    let stopped = |program: &mut AwsLoop<'_>| program.session.state() != State::Stopped;
    assert!(program.run_while(world.now() + SECOND, stopped));
    assert!(!world.broker.is_connected(ID) && !program.session.is_online());
    assert_eq!(program.session.deadline_micros(), u64::MAX);
    assert_eq!(program.session.publish_now(&reading(b"1")), Err(PublishError::Offline));
    let calls = world.device.calls();
    program.run_for(MINUTE);
    assert!(world.device.calls() - calls < 20);
    program.session.start();
    assert_eq!(program.session.deadline_micros(), 0);
    come_online(&world, &mut program, 5 * SECOND);
    assert_eq!(publish(&world, &mut program, b"again"), Ok(ReasonCode::SUCCESS));
}

#[test]
fn it_stops_in_whatever_state_it_is_in_and_is_dropped_in_that_too() {
    for state in 0..8 {
        let world = World::with(
            |device| device.network(NetworkPlan::connected_after(Duration::from_millis(300))),
            |broker| broker,
        );
        let mut program = started::<4>(&world);
        world
            .device
            .inject(Fault::call("mvMqttRequestSubscribe").times(3).status(sys::MV_STATUS_RATELIMITED));
        let mut seen = Vec::new();
        program.run_while(world.now() + 10 * SECOND, |program| {
            let now = program.session.state();
            if seen.last() != Some(&now) {
                seen.push(now);
            }
            seen.len() <= state
        });
        if state % 2 == 0 {
            program.session.stop();
            let stopped = |program: &mut AwsLoop<'_>| program.session.state() != State::Stopped;
            assert!(program.run_while(world.now() + policy().answer_timeout(), stopped), "{seen:?}");
        }
        drop(program);
        assert!(world.memory.take().is_some(), "{seen:?}");
        world.device.advance(SECOND);
        assert!(!world.broker.is_connected(ID), "{seen:?}");
    }
}

#[test]
fn what_time_it_is_is_known_after_each_turn() {
    let world = World::new();
    let mut program = online::<4>(&world);
    program.run_until(world.now() + MINUTE);
    let mut most = Duration::ZERO;
    for _ in 0..100 {
        world.device.advance(Duration::from_millis(777));
        program.turn();
        let looked = Duration::from_micros(program.session.looked_at_micros());
        most = most.max(world.now() - looked);
    }
    assert!(most < Duration::from_millis(1), "{most:?} behind");
}

// Publishing.

#[test]
fn verdicts_come_with_the_tickets_of_their_messages_whatever_the_order_of_the_answers() {
    let world = World::new();
    let mut program = online::<4>(&world);
    world.broker.reverse_responses(4);
    for reason in [0x00, 0x10, 0x97, 0x87] {
        world.broker.answer_publish(reason);
    }
    let tickets =
        [b"1", b"2", b"3", b"4"].map(|payload| program.session.publish_now(&reading(payload)).expect("sent"));
    assert_eq!(program.session.publish_now(&reading(b"5")), Err(PublishError::TooMany));
    program.run_for(2 * SECOND);
    let mut verdicts = program.verdicts();
    verdicts.sort_by_key(|(ticket, _)| tickets.iter().position(|known| known == ticket));
    let expected = [
        Ok(ReasonCode::SUCCESS),
        Ok(ReasonCode::NO_MATCHING_SUBSCRIBERS),
        Err(PublishError::Refused(ReasonCode::QUOTA_EXCEEDED)),
        Err(PublishError::Refused(ReasonCode::NOT_AUTHORIZED)),
    ];
    assert_eq!(verdicts, tickets.into_iter().zip(expected).collect::<Vec<_>>());
    assert_eq!(payloads(&world), ["1", "2"], "the fifth was not sent");
    assert_eq!(publish(&world, &mut program, b"6"), Ok(ReasonCode::SUCCESS));
}

#[test]
fn there_is_room_for_the_next_message_when_a_verdict_was_taken_and_not_before() {
    let world = World::new();
    let mut program = online::<1>(&world);
    let first = program.session.publish_now(&reading(b"1")).expect("sent");
    world.device.advance(SECOND);
    assert_eq!(program.session.publish_now(&reading(b"2")), Err(PublishError::TooMany));
    assert_eq!(program.next(), Some(News::Published(first, Ok(ReasonCode::SUCCESS))));
    assert!(program.session.publish_now(&reading(b"2")).is_ok());
}

#[test]
fn a_message_of_qos_0_is_sent_and_has_no_verdict() {
    for qos0_publish_response in [true, false] {
        let quirks = Quirks { qos0_publish_response, ..Quirks::default() };
        let world = World::with(|device| device.quirks(quirks), |broker| broker);
        let mut program = online::<1>(&world);
        for _ in 0..20 {
            // As many at a time as the kernel takes: none is followed.
            for _ in 0..3 {
                let publish = reading(b"QoS 0").with_qos(QoS::AtMostOnce);
                program.session.publish_now(&publish).expect("sent");
            }
            program.run_for(SECOND);
        }
        assert_eq!((program.verdicts(), payloads(&world).len()), (vec![], 60));
        assert_eq!(world.broker.connect_attempts().len(), 1);
    }
}

#[test]
fn a_message_that_nobody_answers_is_in_doubt_in_time_and_so_is_the_session() {
    let world = World::new();
    let mut program = online::<4>(&world);
    world.broker.lose_responses(1);
    let sent = world.now();
    let outcome = publish(&world, &mut program, b"1");
    assert_eq!(outcome, Err(PublishError::Indeterminate(Doubt::NoAnswer)));
    let late = (world.now() - sent).checked_sub(policy().answer_timeout()).expect("not early");
    assert!(late < Duration::from_millis(10), "{late:?} late");
    assert!(matches!(program.session.state(), State::BackingOff { .. }), "{}", program.session.state());
    come_online(&world, &mut program, 10 * SECOND);
    assert_eq!(publish(&world, &mut program, b"2"), Ok(ReasonCode::SUCCESS));
}

#[test]
fn an_answer_has_its_time_whatever_the_message_was_published_after() {
    let almost = policy().answer_timeout() - Duration::from_millis(20);
    let world = World::new();
    let mut program = online::<4>(&world);
    // It looks by itself now.
    program.run_for(2 * policy().answer_timeout());
    for round in 0..3 {
        let looked = Duration::from_micros(program.session.looked_at_micros());
        world.broker.publish_at(looked + almost, command(), "reply", 1);
        world.device.advance(looked + almost + Duration::from_millis(100) - world.now());
        let reply = reading(b"reply");
        let mut replies = Vec::new();
        while let Some(news) = program.next() {
            if matches!(news, News::Message(..)) {
                replies.push(program.session.publish_now(&reply).expect("sent"));
            }
        }
        // And once more when there is nothing left.
        replies.push(program.session.publish_now(&reply).expect("sent"));
        program.run_for(3 * SECOND);
        let verdicts = program.verdicts();
        let success = replies.iter().map(|ticket| (*ticket, Ok(ReasonCode::SUCCESS)));
        assert_eq!(verdicts[2 * round..], success.collect::<Vec<_>>(), "{}", program.session.state());
        assert_eq!(verdicts.len(), 2 * (round + 1));
    }
}

#[test]
fn messages_on_their_way_are_in_doubt_as_soon_as_the_session_ends() {
    let ends: [fn(&World); 4] = [
        |world| world.broker.drop_connection(),
        |world| world.broker.disconnect_client(0x8B),
        |world| world.device.set_network(NetworkStatus::Connecting),
        |world| world.device.close_channels(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER),
    ];
    for end in ends {
        let world = World::new();
        let mut program = online::<2>(&world);
        world.broker.lose_responses(2);
        let tickets =
            [b"1", b"2"].map(|payload| program.session.publish_now(&reading(payload)).expect("sent"));
        program.run_for(SECOND);
        end(&world);
        program.run_for(SECOND);
        let doubt = Err(PublishError::Indeterminate(Doubt::SessionEnded));
        assert_eq!(program.verdicts(), tickets.map(|ticket| (ticket, doubt)));
    }
}

#[test]
fn messages_on_their_way_when_it_is_stopped_have_a_verdict() {
    let world = World::new();
    let mut program = online::<4>(&world);
    world.broker.lose_responses(1);
    let lost = program.session.publish_now(&reading(b"1")).expect("sent");
    let answered = program.session.publish_now(&reading(b"2")).expect("sent");
    program.session.stop();
    program.run_for(2 * SECOND);
    assert_eq!(program.session.state(), State::Stopped);
    let mut verdicts = program.verdicts();
    verdicts.sort_by_key(|(ticket, _)| *ticket != lost);
    assert_eq!(verdicts[0], (lost, Err(PublishError::Indeterminate(Doubt::SessionEnded))));
    assert_eq!((verdicts.len(), verdicts[1].0), (2, answered));
}

#[test]
fn a_kernel_without_room_is_asked_again_after_a_pause_however_often_the_program_tries() {
    let world = World::new();
    let mut program = online::<4>(&world);
    let full = Fault::call("mvMqttRequestPublish").until(world.now() + 2 * SECOND);
    world.device.inject(full.status(sys::MV_STATUS_RATELIMITED));
    let before = world.device.call_count("mvMqttRequestPublish");
    while world.device.call_count("mvMqttRequestPublish") < before + 8 {
        assert_eq!(program.session.publish_now(&reading(b"1")), Err(PublishError::NoRoom));
        program.run_for(Duration::from_millis(10));
    }
    let end = world.now() + SECOND;
    assert!(end > 2 * SECOND, "it was asked 8 times by {:?}", world.now());
    assert!(program.run_while(end, |program| program.session.publish_now(&reading(b"1")).is_err()));
}

#[test]
fn a_message_for_which_the_kernel_has_no_room_can_be_tried_again_at_the_deadline() {
    for status in [sys::MV_STATUS_RATELIMITED, sys::MV_STATUS_MICROVISORBUSY] {
        let world = World::new();
        let mut program = online::<4>(&world);
        program.run_for(SECOND);
        world.device.inject(Fault::call("mvMqttRequestPublish").times(3).status(status));
        let (begin, mut tries) = (world.now(), 0);
        let sent = program.run_while(begin + 5 * SECOND, |program| {
            tries += 1;
            match program.session.publish_now(&reading(b"1")) {
                Ok(_) => false,
                Err(error) => {
                    assert_eq!(error, PublishError::NoRoom);
                    true
                }
            }
        });
        assert!(sent, "it is not called");
        assert_eq!(tries, 4);
        assert!(world.now() - begin < SECOND, "{:?}", world.now() - begin);
        program.run_for(SECOND);
        assert_eq!(
            program.verdicts().iter().map(|(_, verdict)| *verdict).collect::<Vec<_>>(),
            [Ok(ReasonCode::SUCCESS)]
        );
    }
}

#[test]
fn a_kernel_that_never_has_room_again_is_given_a_new_channel() {
    let world = World::new();
    let mut program = online::<4>(&world);
    let full = Fault::call("mvMqttRequestPublish").until(world.now() + 5 * policy().answer_timeout());
    world.device.inject(full.status(sys::MV_STATUS_RATELIMITED));
    let end = world.now() + policy().longest_back_off() + 6 * policy().answer_timeout();
    let sent = program.run_while(end, |program| program.session.publish_now(&reading(b"1")).is_err());
    assert!(sent, "{}", program.session.state());
    assert!(world.broker.connect_attempts().len() >= 2);
}

#[test]
fn a_message_is_not_sent_while_it_is_not_online() {
    let world = World::with(|device| device.network(NetworkPlan::never()), |broker| broker);
    let mut program = started::<4>(&world);
    program.turn();
    assert_eq!(program.session.publish_now(&reading(b"1")), Err(PublishError::Offline));
    world.device.set_network(NetworkStatus::Connected);
    let mut refused = 0;
    let end = world.now() + 10 * SECOND;
    assert!(program.run_while(end, |program| {
        let outcome = program.session.publish_now(&reading(b"2"));
        refused += usize::from(outcome == Err(PublishError::Offline));
        outcome.is_err()
    }));
    assert!(refused > 2);
    program.run_for(SECOND);
    assert_eq!(payloads(&world), ["2"]);
}

#[test]
fn a_message_that_meets_a_closed_channel_was_not_sent_and_the_session_begins_again() {
    let world = World::new();
    let mut program = online::<4>(&world);
    program.run_for(SECOND);
    let reset = |device: &microvisor_sim::Device| {
        device.close_channels(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER);
    };
    world.device.inject(Fault::call("mvMqttRequestPublish").run(reset));
    assert_eq!(program.session.publish_now(&reading(b"1")), Err(PublishError::Offline));
    assert!(!program.session.is_online());
    come_online(&world, &mut program, 10 * SECOND);
    assert_eq!(publish(&world, &mut program, b"2"), Ok(ReasonCode::SUCCESS));
    assert_eq!(payloads(&world), ["2"]);
}

#[test]
fn a_message_that_is_wrong_is_refused_and_the_session_stays() {
    let world = World::new();
    let mut program = online::<4>(&world);
    let large = vec![0; 128 * 1024 + 1];
    assert!(matches!(program.session.publish_now(&reading(&large)), Err(PublishError::Limit(_))));
    world.device.inject(Fault::call("mvMqttRequestPublish").status(sys::MV_STATUS_INPUTTOOLONG));
    assert!(matches!(program.session.publish_now(&reading(b"1")), Err(PublishError::Kernel(_))));
    // Larger than the send buffer: the kernel says so in its answer.
    let outcome = publish(&world, &mut program, &large[..6_000]);
    assert_eq!(outcome, Err(PublishError::Failed(RequestState::INVALID_PARAMETERS)));
    assert_eq!(world.device.take_misuse().len(), 1);
    world.broker.answer_publish_with(sys::MV_MQTTREQUESTSTATE_SOCKETERROR, 0);
    let doubt = Doubt::Failed(RequestState::SOCKET_ERROR);
    assert_eq!(publish(&world, &mut program, b"3"), Err(PublishError::Indeterminate(doubt)));
    assert_eq!(publish(&world, &mut program, b"4"), Ok(ReasonCode::SUCCESS));
    assert_eq!(world.broker.connect_attempts().len(), 1);
}

// Receiving.

#[test]
fn messages_come_in_order_and_are_acknowledged() {
    let world = World::new();
    let mut program = online::<4>(&world);
    for number in 0..15 {
        world.broker.publish(command(), number.to_string(), 1);
    }
    program.run_for(5 * SECOND);
    assert_eq!(program.payloads(), (0..15).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(world.broker.all_acknowledged());
    for (_, news) in &program.news {
        assert!(matches!(news, News::Message(_, Some(Acknowledged::Sent))), "{news:?}");
    }
}

#[test]
fn a_message_that_does_not_fit_is_told_of_once_and_can_be_received_with_a_larger_inbox() {
    let world = World::new();
    let mut program = online::<4>(&world);
    program.resize_inbox(100);
    world.broker.publish(command(), vec![b'7'; 2_000], 1);
    world.device.advance(SECOND);
    assert_eq!(program.next(), Some(too_large()));
    program.resize_inbox(2_000);
    assert_eq!(program.next(), Some(News::Message(vec![b'7'; 2_000], Some(Acknowledged::Sent))));
}

#[test]
fn a_message_that_does_not_fit_twice_is_thrown_away_and_the_session_goes_on() {
    let world = World::new();
    let mut program = online::<4>(&world);
    program.resize_inbox(100);
    for payload in [vec![b'7'; 2_000], vec![b'8'; 1_000], b"fits".to_vec()] {
        world.broker.publish(command(), payload, 1);
    }
    program.run_for(5 * SECOND);
    let expected = [TOO_LARGE, &discarded(2_000), TOO_LARGE, &discarded(1_000)];
    assert_eq!(program.troubles(), expected);
    assert_eq!(program.payloads(), ["fits"]);
    assert!(world.broker.all_acknowledged());
    assert_eq!(publish(&world, &mut program, b"1"), Ok(ReasonCode::SUCCESS));
    assert_eq!(world.broker.connect_attempts().len(), 1);
    // The settings are fetched anew for the next connection, since their memory was used.
    world.broker.drop_connection();
    program.run_for(SECOND);
    come_online(&world, &mut program, 10 * SECOND);
    assert_eq!(world.device.call_count("mvSendConfigFetchRequest"), 2);
}

#[test]
fn a_program_that_takes_one_thing_a_turn_reaches_its_deadlines_although_a_message_does_not_fit() {
    let world = World::new();
    let mut program = online::<4>(&world);
    program.resize_inbox(100);
    world.broker.lose_responses(1);
    let ticket = program.session.publish_now(&reading(b"1")).expect("sent");
    world.broker.publish(command(), vec![b'7'; 2_000], 1);
    let sent = world.now();
    let mut taken = Vec::new();
    while taken.len() < 3 {
        taken.extend(program.next());
        assert!(world.now() < sent + MINUTE, "{taken:?}");
        world.device.advance(SECOND);
    }
    let doubt = Err(PublishError::Indeterminate(Doubt::NoAnswer));
    assert_eq!(taken, [too_large(), News::NotReceived(discarded(2_000)), News::Published(ticket, doubt)]);
}

#[test]
fn a_message_that_the_kernel_lost_is_told() {
    let world = World::new();
    let mut program = online::<4>(&world);
    world.broker.publish(command(), vec![7; 5_000], 1);
    world.broker.publish(command(), "next", 1);
    program.run_for(5 * SECOND);
    assert_eq!(
        (program.troubles(), program.payloads()),
        (
            vec!["a message of 5000 bytes was lost, since the receive buffer is too small for it"],
            vec!["next".to_owned()]
        )
    );
}

#[test]
fn too_many_unacknowledged_messages_are_told_once_and_the_session_keeps_its_deadlines() {
    let world = World::new();
    let mut program = online::<4>(&world);
    // Obligations are counted where a session can be shared.
    let (mut topic, mut payload) = ([0; 8], [0; 8]);
    assert!(matches!(program.session.try_receive(&mut Inbox::new(&mut topic, &mut payload)), Ok(None)));
    program.manners = Manners::Leak;
    for number in 0..12 {
        world.broker.publish(command(), number.to_string(), 1);
    }
    program.run_for(10 * SECOND);
    assert_eq!((program.payloads().len(), program.troubles()), (MAX_UNACKNOWLEDGED, vec![TOO_MANY]));
    let (nexts, calls) = (program.nexts, world.device.calls());
    program.run_for(MINUTE);
    assert!(program.nexts - nexts < 30, "{} calls of next", program.nexts - nexts);
    assert!(world.device.calls() - calls < 200, "{} calls", world.device.calls() - calls);
    // The channel is looked after all the same.
    world.device.set_network(NetworkStatus::Connecting);
    program.run_for(policy().answer_timeout() + SECOND);
    assert!(!program.session.is_online(), "{}", program.session.state());
}

#[test]
fn acknowledgements_for_which_the_kernel_has_no_room_are_sent_when_it_has() {
    let world = World::new();
    let mut program = online::<4>(&world);
    let end = world.now() + 4 * SECOND;
    world
        .device
        .inject(Fault::call("mvMqttAcknowledgeMessage").until(end).status(sys::MV_STATUS_RATELIMITED));
    for number in 0..20 {
        world.broker.publish(command(), number.to_string(), 1);
    }
    program.run_until(end - SECOND);
    assert_eq!((program.payloads().len(), program.troubles()), (MAX_UNACKNOWLEDGED, Vec::<&str>::new()));
    assert_eq!(program.session.unacknowledged(), 0);
    assert!(program.nexts < 300, "{} calls of next", program.nexts);
    program.run_until(end + 5 * SECOND);
    assert_eq!(program.payloads(), (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(world.broker.all_acknowledged());
    assert_eq!(world.broker.connect_attempts().len(), 1);
}

#[test]
fn an_acknowledgement_that_fails_begins_another_session_in_which_the_message_comes_again() {
    let world = World::new();
    let mut program = online::<4>(&world);
    world.device.inject(Fault::call("mvMqttAcknowledgeMessage").status(sys::MV_STATUS_RESPONSENOTPRESENT));
    world.broker.publish(command(), "1", 1);
    program.run_for(10 * SECOND);
    assert_eq!(program.payloads(), ["1", "1"]);
    assert_eq!(world.broker.connect_attempts().len(), 2);
    assert!(world.broker.all_acknowledged());
}

#[test]
fn a_message_that_is_dropped_is_told_to_the_observer_at_once() {
    let world = World::new();
    let mut session = online::<4>(&world).session;
    world.broker.publish(command(), "1", 1);
    world.device.advance(SECOND);
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    assert!(session.next(&mut inbox).is_some());
    assert_eq!(session.deadline_micros(), 0);
    assert!(session.next(&mut inbox).is_none());
    let events = world.seen.events.borrow();
    assert!(events.iter().any(|event| event.contains("dropped without acknowledgement")), "{events:?}");
}

// What goes wrong.

#[test]
fn an_end_that_is_read_at_the_last_of_several_attempts_is_not_overlooked() {
    for call in ["mvMqttGetNextReadableDataType", "mvMqttReadDisconnectResponse"] {
        for status in [sys::MV_STATUS_WRONGDATAREQUESTED, sys::MV_STATUS_MICROVISORBUSY] {
            for times in 1..=4 {
                let world = World::new();
                let mut program = online::<4>(&world);
                program.run_for(SECOND);
                world.device.inject(Fault::call(call).times(times).status(status));
                world.broker.disconnect_client(0x8B);
                program.run_for(3 * SECOND);
                let ended =
                    world.seen.events.borrow().iter().any(|event| event.contains("server shutting down"));
                assert!(ended, "{call} answers {status} {times} times: {:?}", world.seen.events.borrow());
            }
        }
    }
}

#[test]
fn a_verdict_is_not_left_behind_when_the_session_ends_at_a_message_that_cannot_be_read() {
    for status in [sys::MV_STATUS_INTERNALERROR, sys::MV_STATUS_MICROVISORBUSY, sys::MV_STATUS_CHANNELCLOSED]
    {
        let world = World::new();
        let mut program = online::<4>(&world);
        program.run_for(SECOND);
        world.broker.lose_responses(1);
        let ticket = program.session.publish_now(&reading(b"1")).expect("sent");
        world.broker.publish(command(), "1", 1);
        let unreadable = Fault::call("mvMqttReceiveMessage").times(100).status(status);
        world.device.inject(unreadable);
        let online = |program: &mut AwsLoop<'_>| program.session.is_online();
        assert!(program.run_while(world.now() + 5 * SECOND, online), "{status}");
        // There was nothing left, so that this was in it.
        let doubt = Err(PublishError::Indeterminate(Doubt::SessionEnded));
        assert_eq!(program.verdicts(), [(ticket, doubt)], "{status}: {}", program.session.state());
    }
}

#[test]
fn reads_that_fail_for_a_moment_end_nothing_and_are_tried_again_soon() {
    for call in ["mvMqttGetNextReadableDataType", "mvMqttReceiveMessage", "mvMqttReadPublishResponse"] {
        for status in [sys::MV_STATUS_WRONGDATAREQUESTED, sys::MV_STATUS_MICROVISORBUSY] {
            for times in 1..=4 {
                let world = World::new();
                let mut program = online::<4>(&world);
                program.run_for(SECOND);
                world.device.inject(Fault::call(call).times(times).status(status));
                world.broker.publish(command(), "1", 1);
                program.session.publish_now(&reading(b"1")).expect("sent");
                program.run_for(2 * SECOND);
                let doing = format!("{call} answers {status} {times} times: {}", program.session.state());
                assert_eq!((program.verdicts().len(), program.payloads().len()), (1, 1), "{doing}");
                assert_eq!(world.broker.connect_attempts().len(), 1, "{doing}");
            }
        }
    }
}

#[test]
fn notifications_that_are_lost_cost_an_answer_time_at_most() {
    let world = World::new();
    let mut program = online::<4>(&world);
    program.run_for(SECOND);
    // A message and an answer.
    world.device.inject(Fault::notifications().drop(2));
    program.session.publish_now(&reading(b"1")).expect("sent");
    world.broker.publish(command(), "1", 1);
    program.run_for(policy().answer_timeout() + SECOND);
    let verdicts: Vec<_> = program.verdicts().iter().map(|(_, verdict)| *verdict).collect();
    assert_eq!((verdicts, program.payloads()), (vec![Ok(ReasonCode::SUCCESS)], vec!["1".to_owned()]));
    // The end of the network.
    world.device.inject(Fault::notifications().drop(u64::MAX));
    world.device.set_network(NetworkStatus::Connecting);
    program.run_for(policy().answer_timeout() + SECOND);
    assert!(!program.session.is_online());
    world.device.set_network(NetworkStatus::Connected);
    // The network, the settings, the connection and the subscriptions.
    let end = world.now() + 5 * policy().answer_timeout();
    let came = program.run_while(end, |program| !program.session.is_online());
    assert!(came || !matches!(program.session.state(), State::Offline), "{}", program.session.state());
}

#[test]
fn futures_and_a_main_loop_take_turns_on_one_session() {
    let world = World::new();
    let session = world.builder().subscriptions(subscriptions()).build_for::<2>().expect("a session");
    world.while_running(&session, session.online());
    let mut program = MainLoop::new(&world.device, session);
    assert_eq!(publish(&world, &mut program, b"loop"), Ok(ReasonCode::SUCCESS));
    for _ in 0..5 {
        // One future is dropped when its message is sent, and one message of the loop is on its way.
        let dropped = reading(b"dropped");
        {
            let polled = pin!(program.session.publish(&dropped, WhenOffline::Fail));
            assert!(polled.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let ticket = program.session.publish_now(&reading(b"loop")).expect("sent");
        let outcome =
            world.while_running(&program.session, program.session.publish(&reading(b"future"), LONG));
        assert_eq!(outcome, Ok(Some(ReasonCode::SUCCESS)));
        program.turn();
        assert_eq!(program.verdicts().last(), Some(&(ticket, Ok(ReasonCode::SUCCESS))));
        world.broker.publish(command(), "to the future", 1);
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        let received = program.session.receive(&mut inbox);
        let message = world.while_running(&program.session, received).expect("a message");
        assert_eq!(message.acknowledge(), Some(Acknowledged::Sent));
        world.broker.publish(command(), "to the loop", 1);
        program.run_for(SECOND);
    }
    assert_eq!((program.payloads(), program.verdicts().len()), (vec!["to the loop".to_owned(); 5], 6));
    assert_eq!(payloads(&world).len(), 16);
    assert_eq!(world.broker.connect_attempts().len(), 1);
    assert!(world.broker.all_acknowledged());
}

/// What a session calls, but for the clock, without which no sleep ends in time.
const CALLS: [&str; 21] = [
    "mvRequestNetwork",
    "mvGetNetworkStatus",
    "mvOpenChannel",
    "mvGetChannelClosureReason",
    "mvCloseChannel",
    "mvSendConfigFetchRequest",
    "mvReadConfigFetchResponseData",
    "mvReadConfigResponseItem",
    "mvMqttRequestConnect",
    "mvMqttReadConnectResponse",
    "mvMqttGetNextReadableDataType",
    "mvMqttRequestSubscribe",
    "mvMqttReadSubscribeResponse",
    "mvMqttRequestPublish",
    "mvMqttReadPublishResponse",
    "mvMqttReceiveMessage",
    "mvMqttAcknowledgeMessage",
    "mvMqttReceiveLostMessageInfo",
    "mvMqttRequestDisconnect",
    "mvMqttReadDisconnectResponse",
    "mvReleaseNetwork",
];

/// `calls` fail for good with `status`, from the start or while it is online: the most calls of `next` and of
/// the kernel in a minute.
fn busiest_minute(calls: &[&str], status: u32, online: bool) -> (u64, u64) {
    let world = World::new();
    let mut program = started::<2>(&world);
    if online {
        come_online(&world, &mut program, MINUTE);
    }
    for call in calls {
        world.device.inject(Fault::call(call).times(u64::MAX).status(status));
    }
    world.broker.publish(command(), "command", 1);
    world.broker.publish(command(), vec![0; 5_000], 1);
    let mut most = (0, 0);
    for minute in 0..4 {
        let before = (program.nexts, world.device.calls());
        let end = world.now() + MINUTE;
        let mut due = world.now();
        program.work_until(end, |program| {
            if world.now() >= due {
                match program.session.publish_now(&reading(b"1")) {
                    Err(PublishError::NoRoom | PublishError::Offline) => return Duration::MAX,
                    _ => due = world.now() + 10 * SECOND,
                }
            }
            due
        });
        most = (most.0.max(program.nexts - before.0), most.1.max(world.device.calls() - before.1));
        match minute {
            1 => world.broker.drop_connection(),
            2 => program.session.stop(),
            _ => {}
        }
    }
    drop(program);
    // A kernel that denies a channel that is open is told of it by the way.
    world.device.take_misuse();
    most
}

#[test]
fn a_program_sleeps_whatever_fails_for_good() {
    let statuses = Statuses::read();
    let mut most = (0, 0);
    let mut check = |what: &str, calls: &[&str], status: u32| {
        for online in [false, true] {
            let (nexts, made) = busiest_minute(calls, status, online);
            assert!(
                nexts < 1_000 && made < 2_000,
                "{what} {status}, {online}: {nexts} of next, {made} of the kernel"
            );
            most = (most.0.max(nexts), most.1.max(made));
        }
    };
    let mut all = BTreeSet::new();
    for call in CALLS {
        for status in statuses.of(call) {
            check(call, &[call], status);
            all.insert(status);
        }
    }
    for status in all {
        check("everything", &CALLS, status);
    }
    println!("at most {} calls of next and {} of the kernel in a minute", most.0, most.1);
}
