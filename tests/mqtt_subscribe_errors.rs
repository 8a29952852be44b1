//! What can go wrong with subscribing and unsubscribing.

mod bed;

use std::time::Duration;

use bed::scripted_broker::{ACCEPTED, Request, ScriptedBroker};
use bed::session::{Heard, publish, subscription};
use bed::{Bed, options, with_open_broker};
use microvisor::mqtt::{
    EventError, Inbox, LimitError, Limits, ProtocolVersion, QoS, ReasonCode, RequestError, RequestState,
    SessionEnd, TopicFilter,
};
use microvisor::{ClosureReason, Recovery, Status, sys};
use microvisor_sim::broker::BrokerEvent;
use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::{Device, Fault, Quirks, ReasonCodesSize};

fn filter(text: &str) -> TopicFilter<'_> {
    TopicFilter::new(text).expect("a filter")
}

const FILTERS: [&str; 9] = ["a", "b/+", "c/#", "d", "e", "f", "g", "h", "i"];

/// Every combination of what the platform is not clear about here.
fn both_sizes() -> [Quirks; 2] {
    [ReasonCodesSize::Bytes, ReasonCodesSize::Elements]
        .map(|reason_codes_size| Quirks { reason_codes_size, ..Quirks::default() })
}

/// A broker that answers (un)subscribe requests with these reasons.
fn answering(reasons: &[u32]) -> ScriptedBroker {
    let reasons = reasons.to_vec();
    ScriptedBroker::new(move |request| match request {
        Request::Connect(_) => vec![ACCEPTED],
        Request::Subscribe(id, _) => {
            vec![BrokerEvent::Subscribed { correlation_id: *id, state: 0, reasons: reasons.clone() }]
        }
        Request::Unsubscribe(id, _) => {
            vec![BrokerEvent::Unsubscribed { correlation_id: *id, state: 0, reasons: reasons.clone() }]
        }
        _ => Vec::new(),
    })
}

#[test]
fn another_number_of_outcomes_than_filters_is_an_error() {
    for quirks in both_sizes() {
        for received in [0, 1, 3, 8] {
            let broker = answering(&vec![0; received as usize]);
            let bed = bed!(Device::builder().broker(broker).quirks(quirks.clone())).online();
            let mut session = bed.session();
            let wrong = RequestError::WrongOutcomeCount { requested: 2, received };
            let wanted = ["a", "b"].map(|text| subscription(text, QoS::AtMostOnce));
            assert_eq!(session.subscribe(&wanted), Err(wrong));
            if received > 0 {
                assert_eq!(session.unsubscribe(&[filter("a"), filter("b")]), Err(wrong));
            }
            assert_eq!(wrong.recovery(), Recovery::Reopen);
        }
    }
}

#[test]
fn no_request_state_but_completed_is_a_success() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    for state in (1..12).chain([u32::MAX - 1]) {
        let failed = RequestError::Failed(RequestState::from_raw(state));
        broker.answer_subscribe_with(state, &[]);
        assert_eq!(session.subscribe(&[subscription("a", QoS::AtMostOnce)]), Err(failed));
        broker.answer_unsubscribe_with(state, &[]);
        assert_eq!(session.unsubscribe(&[filter("a")]), Err(failed));
    }
    session.subscribe_to("a", QoS::AtMostOnce);
}

#[test]
fn a_failed_request_state_counts_even_beside_codes_that_look_like_success() {
    let broker = ScriptedBroker::new(|request| match request {
        Request::Connect(_) => vec![ACCEPTED],
        Request::Subscribe(id, _) => {
            vec![BrokerEvent::Subscribed { correlation_id: *id, state: 3, reasons: vec![1] }]
        }
        Request::Unsubscribe(id, _) => {
            vec![BrokerEvent::Unsubscribed { correlation_id: *id, state: 3, reasons: vec![0] }]
        }
        _ => Vec::new(),
    });
    let bed = bed!(Device::builder().broker(broker)).online();
    let mut session = bed.session();
    let failed = RequestError::Failed(RequestState::NOT_CONNECTED);
    assert_eq!(session.subscribe(&[subscription("a", QoS::AtLeastOnce)]), Err(failed));
    assert_eq!(session.unsubscribe(&[filter("a")]), Err(failed));
}

#[test]
fn an_answer_that_is_not_ours_is_passed_on_and_not_taken_for_ours() {
    // First the answer to a request that nobody made.
    let both = |id: u32, strange: u32, ours: u32| [(id.wrapping_add(7), strange), (id, ours)];
    let broker = ScriptedBroker::new(move |request| match request {
        Request::Connect(_) => vec![ACCEPTED],
        Request::Subscribe(id, _) => both(*id, 0x87, 0x01)
            .map(|(id, reason)| BrokerEvent::Subscribed {
                correlation_id: id,
                state: 0,
                reasons: vec![reason],
            })
            .to_vec(),
        Request::Unsubscribe(id, _) => both(*id, 0x87, 0x11)
            .map(|(id, reason)| BrokerEvent::Unsubscribed {
                correlation_id: id,
                state: 0,
                reasons: vec![reason],
            })
            .to_vec(),
        _ => Vec::new(),
    });
    let bed = bed!(Device::builder().broker(broker)).online();
    let mut session = bed.session();
    session.subscribe_to("a", QoS::AtLeastOnce);
    let ended = session.unsubscribe(&[filter("a")]).unwrap();
    assert_eq!(ended.as_slice(), [ReasonCode::NO_SUBSCRIPTION_EXISTED]);
    let stray = RequestError::OtherRequest;
    let [Heard::Subscribed(_, Err(first)), Heard::Unsubscribed(_, Err(second))] = &session.ears.heard[..]
    else {
        panic!("{:?}", session.ears.heard)
    };
    assert_eq!((*first, *second), (stray, stray));
}

#[test]
fn a_session_that_ends_before_the_answer_leaves_it_open() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let end = SessionEnd::ChannelClosed(ClosureReason::CONNECTION_TERMINATED);
    for unsubscribes in [false, true] {
        let mut session = bed.session();
        broker.lose_responses(1);
        let soon = bed.device.now() + Duration::from_secs(1);
        broker.at(soon, ModelBroker::drop_connection);
        let outcome = if unsubscribes {
            session.unsubscribe(&[filter("a")]).map(|_| ())
        } else {
            session.subscribe(&[subscription("a", QoS::AtMostOnce)]).map(|_| ())
        };
        assert_eq!(outcome, Err(RequestError::Indeterminate(end)));
        broker.lose_responses(0);
    }
}

#[test]
fn waiting_for_one_that_was_given_up_ends_with_the_session() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    broker.fall_silent();
    session.channel.request_subscribe(&[subscription("a", QoS::AtMostOnce)]).unwrap();
    let soon = bed.device.now() + Duration::from_secs(1);
    broker.at(soon, ModelBroker::drop_connection);
    let end = SessionEnd::ChannelClosed(ClosureReason::CONNECTION_TERMINATED);
    let outcome = session.subscribe(&[subscription("b", QoS::AtMostOnce)]);
    assert_eq!(outcome.map(|_| ()), Err(RequestError::Ended(end)), "the second was never sent");
    assert_eq!(bed.device.call_count("mvMqttRequestSubscribe"), 1);
}

#[test]
fn what_the_kernel_answers_to_the_request_is_kept_and_nothing_is_in_flight() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    let statuses = [
        (sys::MV_STATUS_PARAMETERFAULT, RequestError::Kernel(Status::PARAMETER_FAULT)),
        (sys::MV_STATUS_INVALIDHANDLE, RequestError::Kernel(Status::INVALID_HANDLE)),
        (sys::MV_STATUS_RATELIMITED, RequestError::RateLimited),
        (sys::MV_STATUS_TOOMANYELEMENTS, RequestError::Kernel(Status::TOO_MANY_ELEMENTS)),
        (999, RequestError::Kernel(Status::check(999).unwrap_err())),
    ];
    for (status, error) in statuses {
        bed.device.inject(Fault::call("mvMqttRequestSubscribe").status(status));
        assert_eq!(session.subscribe(&[subscription("a", QoS::AtMostOnce)]), Err(error));
        bed.device.inject(Fault::call("mvMqttRequestUnsubscribe").status(status));
        assert_eq!(session.unsubscribe(&[filter("a")]), Err(error));
    }
    session.subscribe_to("a", QoS::AtMostOnce);
    assert_eq!(session.unsubscribe(&[filter("a")]).unwrap().as_slice(), [ReasonCode::SUCCESS]);
}

#[test]
fn an_answer_that_cannot_be_read_now_is_read_later() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    for status in
        [sys::MV_STATUS_PARAMETERFAULT, sys::MV_STATUS_INVALIDHANDLE, sys::MV_STATUS_INVALIDBUFFERSIZE, 999]
    {
        let error = RequestError::Event(EventError::Kernel(Status::check(status).unwrap_err()));
        bed.device.inject(Fault::call("mvMqttReadSubscribeResponse").status(status));
        assert_eq!(session.subscribe(&[subscription("a", QoS::AtMostOnce)]), Err(error));
        assert!(matches!(session.next(), Ok(Heard::Subscribed(_, Ok(_)))));
        bed.device.inject(Fault::call("mvMqttReadUnsubscribeResponse").status(status));
        assert_eq!(session.unsubscribe(&[filter("a")]), Err(error));
        assert!(matches!(session.next(), Ok(Heard::Unsubscribed(_, Ok(_)))));
    }
    session.subscribe_to("a", QoS::AtMostOnce);
}

#[test]
fn too_few_and_too_many_filters_are_not_sent() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    let subscriptions = FILTERS.map(|text| subscription(text, QoS::AtMostOnce));
    let too_many = Err(RequestError::Limit(LimitError::TooManyTopics { count: 9 }));
    let none = Err(RequestError::Limit(LimitError::NoTopics));
    assert_eq!(session.subscribe(&[]).map(|_| ()), none);
    assert_eq!(session.subscribe(&subscriptions).map(|_| ()), too_many);
    assert_eq!(session.unsubscribe(&[]).map(|_| ()), none);
    assert_eq!(session.unsubscribe(&FILTERS.map(filter)).map(|_| ()), too_many);
    assert_eq!(session.channel.request_subscribe(&[]).map(|_| ()), none);
    assert_eq!(bed.device.call_count("mvMqttRequestSubscribe"), 0);
    assert_eq!(bed.device.call_count("mvMqttRequestUnsubscribe"), 0);
    session.subscribe_to("a", QoS::AtMostOnce);
}

static LIMITS: Limits = Limits::MQTT.max_qos(QoS::AtLeastOnce).max_topic(5, 1);

#[test]
fn what_is_beyond_the_brokers_limits_is_not_sent() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session_with(&options().with_limits(&LIMITS));
    let cases = [
        (
            subscription("a", QoS::ExactlyOnce),
            LimitError::QosTooHigh { qos: QoS::ExactlyOnce, max: QoS::AtLeastOnce },
        ),
        (subscription("abcdef", QoS::AtMostOnce), LimitError::TopicTooLong { len: 6, max: 5 }),
        (subscription("a/b/c", QoS::AtMostOnce), LimitError::TooManySlashes { count: 2, max: 1 }),
    ];
    for (wrong, limit) in cases {
        let outcome = session.subscribe(&[subscription("a", QoS::AtMostOnce), wrong]);
        assert_eq!(outcome.map(|_| ()), Err(RequestError::Limit(limit)));
    }
    assert_eq!(bed.device.call_count("mvMqttRequestSubscribe"), 0);
}

#[test]
fn mqtt_3_1_1_ends_subscriptions_without_reason_codes() {
    let bed = bed!(Device::builder().broker(answering(&[]))).online();
    let mut session = bed.session_with(&options().with_version(ProtocolVersion::V3_1_1));
    let outcomes = session.unsubscribe(&[filter("a"), filter("b"), filter("c")]).unwrap();
    assert_eq!(outcomes.as_slice(), [ReasonCode::SUCCESS; 3]);
}

#[test]
fn an_unsubscribe_answer_without_codes_is_a_success_with_mqtt_3_1_1_alone() {
    let both = [filter("a"), filter("b")];
    for (version, expected) in [
        (ProtocolVersion::V3_1_1, Ok(vec![ReasonCode::SUCCESS; 2])),
        (ProtocolVersion::V5, Err(RequestError::WrongOutcomeCount { requested: 2, received: 0 })),
    ] {
        let bed = Bed::boot_fresh(Device::builder().broker(answering(&[]))).online();
        let mut session = bed.session_with(&options().with_version(version));
        assert_eq!(session.unsubscribe(&both).map(|codes| codes.to_vec()), expected);
    }
}

#[test]
fn a_subscribe_whose_turn_does_not_come_says_that_nothing_was_sent() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut channel = bed.connect();
    let (mut topic, mut payload) = ([0; 64], [0; 4]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let wanted = [subscription("a", QoS::AtMostOnce)];
    bed.device.block_on(channel.subscribe(&wanted, &mut inbox, |_| ())).unwrap();
    broker.publish("a", "longer than the inbox", 0);
    bed.device.run_until_idle();
    // This one's answer lies behind the message.
    channel.request_subscribe(&wanted).unwrap();
    let sent = bed.device.call_count("mvMqttRequestSubscribe");
    let outcome = bed.device.block_on(channel.subscribe(&wanted, &mut inbox, |_| ()));
    let error = RequestError::NotSent(EventError::InboxTooSmall { topic: 64, payload: 4 });
    assert_eq!(outcome, Err(error));
    assert_eq!(error.recovery(), Recovery::Retry);
    assert_eq!(bed.device.call_count("mvMqttRequestSubscribe"), sent);
}

#[test]
fn what_is_not_in_flight_is_not_waited_for() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let mut earlier = bed.connect();
    let published = earlier.request_publish(&publish("a", b"1", QoS::AtLeastOnce)).unwrap();
    let subscribed = earlier.request_subscribe(&[subscription("a", QoS::AtMostOnce)]).unwrap();
    let unsubscribed = earlier.request_unsubscribe(&[filter("a")]).unwrap();
    drop(earlier);
    let mut channel = bed.connect();
    let device = &bed.device;
    // Another session's.
    let other = RequestError::OtherRequest;
    assert_eq!(device.block_on(channel.published(published, &mut inbox, |_| ())), Err(other));
    assert_eq!(device.block_on(channel.subscribed(subscribed, &mut inbox, |_| ())), Err(other));
    assert_eq!(device.block_on(channel.unsubscribed(unsubscribed, &mut inbox, |_| ())), Err(other));
    // Answered already.
    let subscribed = channel.request_subscribe(&[subscription("a", QoS::AtMostOnce)]).unwrap();
    assert!(device.block_on(channel.subscribed(subscribed, &mut inbox, |_| ())).is_ok());
    assert_eq!(device.block_on(channel.subscribed(subscribed, &mut inbox, |_| ())), Err(other));
    let unsubscribed = channel.request_unsubscribe(&[filter("a")]).unwrap();
    assert!(device.block_on(channel.unsubscribed(unsubscribed, &mut inbox, |_| ())).is_ok());
    assert_eq!(device.block_on(channel.unsubscribed(unsubscribed, &mut inbox, |_| ())), Err(other));
}
