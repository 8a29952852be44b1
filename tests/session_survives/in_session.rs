//! A session that ends, falls silent, or is refused what it asks for.

use std::time::Duration;

use microvisor::mqtt::{QoS, ReasonCode, RequestState, SessionEnd, Subscription, TopicFilter};
use microvisor::session::{Awaited, Cause, Doubt, PublishError};
use microvisor::sys;
use microvisor_sim::Fault;

use crate::survival::{Case, back_offs};
use crate::world::{ID, World};

const COMMAND: &str = "command/device/UV0123456789abcdef0123456789abcdef";
const BROADCAST: &str = "command/device/all";

/// What a DISCONNECT of a broker can say (MQTT 5 §3.14.2.1), and a code that MQTT does not list.
const DISCONNECT_REASONS: [u32; 18] = [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x93, 0x95, 0x96, 0x97, 0x98, 0x9C, 0x9D, 0xA0,
    0xEE,
];

crate::cases! {
    a_disconnect_by_the_broker_for_any_reason => {
        DISCONNECT_REASONS.into_iter().map(disconnected)
    };
    disconnects_every_few_seconds_for_minutes => [disconnected_again_and_again()];
    a_broker_that_falls_silent => [silent(30, 300), silent(30, 32)];
    a_broker_that_never_answers_one_publish => [unanswered_publish()];
    a_publish_that_the_broker_refuses => {
        [0x80, 0x87, 0x90, 0x97, 0x99, 0xEE].into_iter().map(refused_publish)
    };
    a_publish_whose_request_fails => [1, 3, 7, 4711].into_iter().map(failed_publish);
    a_connection_that_is_cut_with_a_publish_under_way => [
        cut_publish("before", |world| world.broker.cut_before_publish()),
        cut_publish("after", |world| world.broker.cut_after_publish()),
    ];
    responses_that_come_late => [late_responses()];
    a_subscription_that_is_refused => [refused_subscription(0x87), refused_subscription(0x8F)];
    a_subscribe_request_that_is_never_answered => [unanswered_subscribe(1), unanswered_subscribe(4)];
    a_subscribe_request_that_fails_as_a_whole => [3, 7, 8, 4711].into_iter().map(failed_subscribe);
    a_subscribe_request_that_is_called_invalid => [invalid_subscribe()];
    subscriptions_that_have_to_be_made_again_after_each_reconnect => [subscribed_again()];
    more_subscriptions_than_one_request_takes => [many_subscriptions()];
    a_broker_that_forgets_the_session => [forgotten_session()];
}

fn disconnected(reason: u32) -> Case {
    Case::new(format!("DISCONNECT {reason:#04x}"), "online")
        .strikes(30, move |world| world.broker.disconnect_client(reason))
        .passes_for_transient()
        .check(move |world| {
            let waits = back_offs(world, Duration::from_secs(30), Duration::from_secs(60));
            let Some((.., Cause::Ended(SessionEnd::Disconnected { reason: told, .. }))) = waits.first()
            else {
                panic!("{waits:?}");
            };
            assert_eq!(*told, ReasonCode::from_raw(reason));
        })
}

fn disconnected_again_and_again() -> Case {
    Case::new("DISCONNECT 0x8b every 5 s", "online")
        .strikes(30, |world| {
            for second in (30..330).step_by(5) {
                world.broker.at(Duration::from_secs(second), |broker| broker.disconnect_client(0x8B));
            }
        })
        .until(330, |_| ())
        .passes_for_transient()
        .check(|world| {
            // Growing back-offs, since no session was stable: without them there were 60.
            let attempts = world.broker.connect_attempts();
            let during = attempts.iter().filter(|attempt| attempt.at < Duration::from_secs(330)).count();
            assert!((4..=25).contains(&during), "{during} connects in five minutes");
        })
}

fn silent(from: u64, to: u64) -> Case {
    let case = Case::new(format!("silent for {} s", to - from), "online")
        .strikes(from, |world| world.broker.fall_silent())
        .until(to, |world| world.broker.end_silence());
    if to - from < 10 {
        return case.check(|world| assert_eq!(world.broker.connect_attempts().len(), 1));
    }
    case.check(move |world| {
        let waits = back_offs(world, Duration::from_secs(from), Duration::from_secs(to));
        assert_eq!(waits.first().expect("a back-off").2, Cause::NoAnswer(Awaited::Publish));
        gave_verdict(world, Err(PublishError::Indeterminate(Doubt::NoAnswer)));
    })
}

/// Some publish had this verdict.
fn gave_verdict(world: &World, verdict: Result<Option<ReasonCode>, PublishError>) {
    let published = world.seen.published.borrow();
    assert!(published.iter().any(|(_, given)| *given == verdict), "{published:?}");
}

fn unanswered_publish() -> Case {
    Case::new("one publish unanswered", "online").strikes(29, |world| world.broker.lose_responses(1)).check(
        |world| {
            gave_verdict(world, Err(PublishError::Indeterminate(Doubt::NoAnswer)));
            assert_eq!(world.broker.connect_attempts().len(), 2, "the session is renewed once");
        },
    )
}

/// A refusal is this message's alone.
fn refused_publish(reason: u32) -> Case {
    Case::new(format!("PUBACK {reason:#04x}"), "online")
        .strikes(29, move |world| world.broker.answer_publish(reason))
        .check(move |world| {
            gave_verdict(world, Err(PublishError::Refused(ReasonCode::from_raw(reason))));
            assert_eq!(world.broker.connect_attempts().len(), 1, "the session goes on");
        })
}

fn failed_publish(state: u32) -> Case {
    Case::new(format!("publish: request state {state}"), "online")
        .strikes(29, move |world| world.broker.answer_publish_with(state, 0))
        .check(move |world| {
            let state = RequestState::from_raw(state);
            let not_sent = matches!(state, RequestState::INVALID_PARAMETERS | RequestState::NOT_CONNECTED);
            let doubt = PublishError::Indeterminate(Doubt::Failed(state));
            gave_verdict(world, Err(if not_sent { PublishError::Failed(state) } else { doubt }));
        })
}

fn cut_publish(when: &str, cut: impl FnOnce(&World) + 'static) -> Case {
    Case::new(format!("cut {when} the publish is taken"), "online")
        .strikes(29, cut)
        .passes_for_transient()
        .check(|world| {
            gave_verdict(world, Err(PublishError::Indeterminate(Doubt::SessionEnded)));
        })
}

fn late_responses() -> Case {
    Case::new("answers 8 s late", "online")
        .strikes(29, |world| world.broker.delay_responses(Duration::from_secs(8)))
        .check(|world| {
            assert!(world.seen.published.borrow().iter().all(|(_, verdict)| verdict.is_ok()));
            assert_eq!(world.broker.connect_attempts().len(), 1);
        })
}

/// The other works, and it is asked for again with the next connection.
fn refused_subscription(reason: u32) -> Case {
    Case::new(format!("SUBACK {reason:#04x} for one of two topics"), "subscribing")
        .strikes(0, move |world| {
            world.broker.answer_subscribe(&[reason, 1]);
            world.broker.publish_at(Duration::from_secs(10), BROADCAST, "to all", 1);
            world.broker.publish_at(Duration::from_secs(10), COMMAND, "too early", 1);
            world
                .broker
                .at(Duration::from_secs(30), microvisor_sim::broker::model::ModelBroker::drop_connection);
            world.broker.publish_at(Duration::from_secs(60), COMMAND, "to this one", 1);
        })
        .tells(format!("the broker refused the subscription to {COMMAND}"))
        .tells(format!("subscribed to {COMMAND}, QoS 1"))
        .check(|world| {
            assert_eq!(world.seen.payloads(), [&b"to all"[..], b"to this one"]);
            assert_eq!(world.broker.connect_attempts().len(), 2);
        })
}

fn unanswered_subscribe(times: usize) -> Case {
    Case::new(format!("{times} SUBACKs lost"), "subscribing")
        .strikes(0, move |world| world.broker.lose_responses(times))
        .until(15 * times as u64, |_| ())
        .tells("the broker did not answer the subscribe request in time")
        .passes_for_transient()
}

fn failed_subscribe(state: u32) -> Case {
    Case::new(format!("subscribe: request state {state}"), "subscribing")
        .strikes(0, move |world| world.broker.answer_subscribe_with(state, &[]))
        .tells("cannot subscribe: ")
        .passes_for_transient()
        .check(|world| assert_eq!(world.broker.subscriptions(ID).len(), 2))
}

/// To repeat it could not help, and the rest of the session works.
fn invalid_subscribe() -> Case {
    Case::new("subscribe: invalid parameters", "subscribing")
        .strikes(0, |world| {
            world.broker.answer_subscribe_with(sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS, &[]);
        })
        .tells(format!("not subscribed to {COMMAND}"))
        .check(|world| assert_eq!(world.broker.connect_attempts().len(), 1))
}

fn subscribed_again() -> Case {
    Case::new("connection cut three times", "online")
        .broker(|broker| broker.session_expiry(Duration::ZERO))
        .strikes(30, |world| {
            for (number, second) in [30, 80, 130].into_iter().enumerate() {
                world.broker.at(
                    Duration::from_secs(second),
                    microvisor_sim::broker::model::ModelBroker::drop_connection,
                );
                world.broker.publish_at(Duration::from_secs(second + 45), COMMAND, number.to_string(), 1);
            }
        })
        .until(130, |_| ())
        .check(|world| {
            assert_eq!(world.seen.payloads(), [b"0", b"1", b"2"]);
            assert_eq!(world.device.call_count("mvMqttRequestSubscribe"), 4);
        })
}

/// As many as AWS IoT allows, in chunks of eight.
fn fifty() -> &'static [Subscription<'static>] {
    let all: Vec<_> = (0..50)
        .map(|number| {
            let filter: &'static str = Box::leak(format!("{COMMAND}/{number}").into_boxed_str());
            Subscription::new(TopicFilter::new(filter).expect("a filter"), QoS::AtLeastOnce)
        })
        .collect();
    Box::leak(all.into_boxed_slice())
}

fn many_subscriptions() -> Case {
    Case::new("connection cut", "online with 50 subscriptions")
        .broker(microvisor_sim::broker::model::ModelBrokerBuilder::accept_any_certificate)
        .subscriptions(fifty())
        .strikes(30, |world| {
            world.broker.drop_connection();
            for number in [0, 7, 8, 49] {
                world.broker.publish_at(
                    Duration::from_secs(60),
                    format!("{COMMAND}/{number}"),
                    number.to_string(),
                    1,
                );
            }
        })
        .check(|world| {
            assert_eq!(world.broker.subscriptions(ID).len(), 50);
            assert_eq!(world.device.call_count("mvMqttRequestSubscribe"), 14);
            assert_eq!(world.seen.payloads(), [&b"0"[..], b"7", b"8", b"49"]);
        })
}

fn forgotten_session() -> Case {
    Case::new("session forgotten by the broker", "online")
        .broker(|broker| broker.session_expiry(Duration::from_secs(1)))
        .strikes(30, |world| {
            let close = Fault::call("mvOpenChannel").status(sys::MV_STATUS_RATELIMITED).times(3);
            world.device.inject(close);
            world.broker.drop_connection();
            world.broker.publish_at(Duration::from_secs(90), COMMAND, "late", 1);
        })
        .until(60, |_| ())
        .check(|world| assert_eq!(world.seen.payloads(), [b"late"]))
}
