//! Subscribing and unsubscribing, and what the broker grants of it.

mod bed;

use std::pin::pin;
use std::time::Duration;

use bed::scripted_broker::{ACCEPTED, Request, ScriptedBroker};
use bed::session::{Ears, Heard, publish, subscription};
use bed::{options, poll_once, with_open_broker};
use microvisor::Recovery;
use microvisor::mqtt::{
    Inbox, ProtocolVersion, QoS, ReasonCode, RequestError, RetainHandling, TopicFilter, TopicOutcome,
};
use microvisor_sim::broker::BrokerEvent;
use microvisor_sim::{Device, Quirks, ReasonCodesSize};

const FILTERS: [&str; 9] = ["a", "b/+", "c/#", "d", "e", "f", "g", "h", "i"];

fn filter(text: &str) -> TopicFilter<'_> {
    TopicFilter::new(text).expect("a filter")
}

/// Every combination of what the platform is not clear about here.
fn both_sizes() -> [Quirks; 2] {
    [ReasonCodesSize::Bytes, ReasonCodesSize::Elements]
        .map(|reason_codes_size| Quirks { reason_codes_size, ..Quirks::default() })
}

#[test]
fn one_to_eight_filters_are_granted_each_by_its_own() {
    for quirks in both_sizes() {
        for count in 1..=8 {
            let (broker, builder) = with_open_broker();
            let bed = bed!(builder.quirks(quirks.clone())).online();
            let mut session = bed.session();
            let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
            let wanted: Vec<_> = FILTERS[..count].iter().zip(qos.into_iter().cycle()).collect();
            let subscriptions: Vec<_> =
                wanted.iter().map(|(filter, qos)| subscription(filter, *qos)).collect();
            let outcomes = session.subscribe(&subscriptions).unwrap();
            assert!(
                outcomes.iter().eq(wanted
                    .iter()
                    .map(|(_, qos)| TopicOutcome::Granted(*qos))
                    .collect::<Vec<_>>()
                    .iter())
            );
            let subscribed = broker.subscriptions("device");
            assert_eq!(
                subscribed,
                wanted
                    .iter()
                    .map(|(filter, qos)| ((**filter).to_owned(), u8::try_from(qos.raw()).unwrap()))
                    .collect::<Vec<_>>()
            );
            let filters: Vec<_> = FILTERS[..count].iter().map(|text| filter(text)).collect();
            let ended = session.unsubscribe(&filters).unwrap();
            assert_eq!(ended.as_slice(), vec![ReasonCode::SUCCESS; count]);
            assert!(broker.subscriptions("device").is_empty());
        }
    }
}

#[test]
fn a_lower_qos_and_a_refusal_are_told_for_each_filter() {
    for quirks in both_sizes() {
        let (broker, builder) = with_open_broker();
        let bed = bed!(builder.quirks(quirks)).online();
        let mut session = bed.session();
        broker.answer_subscribe(&[0x87, 0x00, 0x01, 0x02, 0x97, 0x03, 0xF0]);
        let subscriptions = FILTERS.map(|text| subscription(text, QoS::ExactlyOnce));
        let outcomes = session.subscribe(&subscriptions[..7]).unwrap();
        let expected = [
            TopicOutcome::Refused(ReasonCode::NOT_AUTHORIZED),
            TopicOutcome::Granted(QoS::AtMostOnce),
            TopicOutcome::Granted(QoS::AtLeastOnce),
            TopicOutcome::Granted(QoS::ExactlyOnce),
            TopicOutcome::Refused(ReasonCode::QUOTA_EXCEEDED),
            TopicOutcome::Refused(ReasonCode::from_raw(0x03)),
            TopicOutcome::Refused(ReasonCode::from_raw(0xF0)),
        ];
        assert_eq!(outcomes.as_slice(), expected);
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_granted()).count(), 3);
    }
}

#[test]
fn mqtt_3_1_1_refuses_without_saying_why() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session_with(&options().with_version(ProtocolVersion::V3_1_1));
    broker.answer_subscribe(&[0x01, 0x87]);
    let outcomes = session
        .subscribe(&[subscription("a", QoS::ExactlyOnce), subscription("b", QoS::ExactlyOnce)])
        .unwrap();
    let refused = TopicOutcome::Refused(ReasonCode::UNSPECIFIED_ERROR);
    assert_eq!(outcomes.as_slice(), [TopicOutcome::Granted(QoS::AtLeastOnce), refused]);
}

#[test]
fn the_broker_sees_the_options_of_each_filter() {
    let broker = ScriptedBroker::new(|request| match request {
        Request::Connect(_) => vec![ACCEPTED],
        Request::Subscribe(id, _) => {
            vec![BrokerEvent::Subscribed { correlation_id: *id, state: 0, reasons: vec![0, 1, 2, 0] }]
        }
        _ => Vec::new(),
    });
    let bed = bed!(Device::builder().broker(broker.clone())).online();
    let subscriptions = [
        subscription("plain", QoS::AtMostOnce),
        subscription("local", QoS::AtLeastOnce).no_local().retain_handling(RetainHandling::SendAtSubscribe),
        subscription("kept", QoS::ExactlyOnce)
            .retain_as_published()
            .retain_handling(RetainHandling::SendIfNew),
        subscription("all", QoS::AtMostOnce)
            .no_local()
            .retain_as_published()
            .retain_handling(RetainHandling::DoNotSend),
    ];
    bed.session().subscribe(&subscriptions).unwrap();
    let seen: Vec<_> = broker
        .requests()
        .into_iter()
        .filter_map(|request| match request {
            Request::Subscribe(_, seen) => Some(seen),
            _ => None,
        })
        .flatten()
        .map(|seen| (seen.filter, seen.qos, seen.no_local, seen.retain_as_published, seen.retain_handling))
        .collect();
    let expected = [
        (b"plain".to_vec(), 0, false, false, 0),
        (b"local".to_vec(), 1, true, false, 0),
        (b"kept".to_vec(), 2, false, true, 1),
        (b"all".to_vec(), 0, true, true, 2),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn no_local_keeps_the_devices_own_messages_away() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe(&[subscription("a", QoS::AtMostOnce).no_local()]).unwrap();
    session.publish(&publish("a", b"mine", QoS::AtLeastOnce)).unwrap();
    broker.publish("a", "another's", 0);
    assert_eq!(session.next_payload(), b"another's");
    assert!(session.ears.payloads().is_empty());
}

#[test]
fn retained_messages_come_as_the_subscription_wants_them() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    broker.publish_retained("kept", "old", 0);
    bed.device.run_until_idle();
    let mut session = bed.session();
    let kept = subscription("kept", QoS::AtMostOnce);
    let heard = |session: &mut bed::session::Session<'_>| {
        bed.device.advance(Duration::from_secs(1));
        session.try_next().unwrap()
    };
    session.subscribe(&[kept.retain_handling(RetainHandling::DoNotSend)]).unwrap();
    assert_eq!(heard(&mut session), None);
    session.subscribe(&[kept.retain_handling(RetainHandling::SendIfNew)]).unwrap();
    assert_eq!(heard(&mut session), None, "the subscription is not new");
    let message = |payload: &str, retained| {
        let qos = Some(QoS::AtMostOnce);
        Some(Heard::Message { topic: "kept".into(), payload: payload.into(), qos, retained })
    };
    session.subscribe(&[kept]).unwrap();
    assert_eq!(heard(&mut session), message("old", true));
    broker.publish_retained("kept", "new", 0);
    assert_eq!(heard(&mut session), message("new", false), "it comes as it is published");
    session.subscribe(&[kept.retain_as_published().retain_handling(RetainHandling::DoNotSend)]).unwrap();
    broker.publish_retained("kept", "newer", 0);
    assert_eq!(heard(&mut session), message("newer", true));
}

#[test]
fn one_subscribe_and_one_unsubscribe_are_in_flight_at_most() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    let wanted = [subscription("a", QoS::AtMostOnce)];
    let subscribe = session.channel.request_subscribe(&wanted).unwrap();
    let unsubscribe = session.channel.request_unsubscribe(&[filter("b")]).unwrap();
    assert_eq!(session.channel.request_subscribe(&wanted), Err(RequestError::InFlight));
    assert_eq!(session.channel.request_unsubscribe(&[filter("b")]), Err(RequestError::InFlight));
    assert_eq!(RequestError::InFlight.recovery(), Recovery::Retry);
    let mut answers = [session.next().unwrap(), session.next().unwrap()];
    answers.sort_by_key(|heard| matches!(heard, Heard::Unsubscribed(..)));
    let [Heard::Subscribed(first, Ok(granted)), Heard::Unsubscribed(second, Ok(ended))] = &answers else {
        panic!("both answers, not {answers:?}")
    };
    assert_eq!((*first, *second), (subscribe, unsubscribe));
    assert_eq!(granted.as_slice(), [TopicOutcome::Granted(QoS::AtMostOnce)]);
    assert_eq!(ended.as_slice(), [ReasonCode::NO_SUBSCRIPTION_EXISTED]);
    session.subscribe_to("a", QoS::AtLeastOnce);
}

#[test]
fn a_subscribe_waits_for_one_that_was_given_up() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut channel = bed.connect();
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let mut ears = Ears::default();
    {
        let wanted = [subscription("a", QoS::AtLeastOnce), subscription("b", QoS::AtLeastOnce)];
        let mut subscribing = pin!(channel.subscribe(&wanted, &mut inbox, |event| ears.take(event)));
        assert!(poll_once(subscribing.as_mut()).is_pending());
    }
    let wanted = [subscription("c", QoS::AtMostOnce)];
    let outcomes = bed.device.block_on(channel.subscribe(&wanted, &mut inbox, |event| ears.take(event)));
    assert_eq!(outcomes.unwrap().as_slice(), [TopicOutcome::Granted(QoS::AtMostOnce)]);
    let [Heard::Subscribed(_, Ok(first))] = &ears.heard[..] else { panic!("{:?}", ears.heard) };
    assert_eq!(first.as_slice(), [TopicOutcome::Granted(QoS::AtLeastOnce); 2]);
    assert_eq!(broker.subscriptions("device").len(), 3);
}

#[test]
fn an_unsubscribe_waits_for_one_that_was_given_up() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("a", QoS::AtMostOnce);
    session.subscribe_to("b", QoS::AtMostOnce);
    session.channel.request_unsubscribe(&[filter("a")]).unwrap();
    assert_eq!(session.unsubscribe(&[filter("b")]).unwrap().as_slice(), [ReasonCode::SUCCESS]);
    assert!(matches!(session.ears.heard[..], [Heard::Unsubscribed(_, Ok(_))]));
    assert!(broker.subscriptions("device").is_empty());
}

#[test]
fn an_unsubscribe_says_what_became_of_each_filter() {
    for quirks in both_sizes() {
        let (broker, builder) = with_open_broker();
        let bed = bed!(builder.quirks(quirks)).online();
        let mut session = bed.session();
        session.subscribe_to("a", QoS::AtMostOnce);
        session.subscribe_to("b/+", QoS::AtMostOnce);
        broker.answer_unsubscribe_with(0, &[0x00, 0x00, 0x87]);
        let outcomes = session.unsubscribe(&[filter("a"), filter("never"), filter("b/+")]).unwrap();
        let expected = [ReasonCode::SUCCESS, ReasonCode::NO_SUBSCRIPTION_EXISTED, ReasonCode::NOT_AUTHORIZED];
        assert_eq!(outcomes.as_slice(), expected);
        assert_eq!(broker.subscriptions("device"), [("b/+".to_owned(), 0)]);
    }
}

#[test]
fn messages_that_waited_for_the_device_come_before_the_answer() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    session.disconnect();
    broker.publish("command", "while away", 1);
    bed.device.run_until_idle();
    let mut session = bed.session();
    bed.device.advance(Duration::from_secs(1));
    session.subscribe_to("command", QoS::AtLeastOnce);
    assert_eq!(session.ears.payloads(), [b"while away"]);
    session.acknowledge();
    bed.device.run_until_idle();
    assert!(broker.all_acknowledged());
}
