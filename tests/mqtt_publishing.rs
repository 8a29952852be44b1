//! Publishing, and what becomes of a message.

mod bed;

use std::pin::pin;
use std::time::Duration;

use bed::scripted_broker::{ACCEPTED, Request, ScriptedBroker};
use bed::session::{Ears, Heard, Session, publish};
use bed::{options, poll_once, with_open_broker};
use microvisor::aws;
use microvisor::mqtt::{
    EventError, Inbox, LimitError, Limits, ProtocolVersion, QoS, ReasonCode, RequestError, RequestState,
    SessionEnd,
};
use microvisor::{ClosureReason, Recovery, Status, sys};
use microvisor_sim::broker::BrokerEvent;
use microvisor_sim::{Device, Fault, NetworkStatus, Quirks};

const TERMINATED: SessionEnd = SessionEnd::ChannelClosed(ClosureReason::CONNECTION_TERMINATED);

#[test]
fn a_message_arrives_as_it_was_published() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    let at_most_once = session.publish(&publish("a/0", b"zero", QoS::AtMostOnce)).unwrap();
    assert_eq!(at_most_once, None, "a broker says nothing about QoS 0");
    for (topic, payload, qos) in [
        ("a/1", &b"one"[..], QoS::AtLeastOnce),
        ("a/2", b"", QoS::ExactlyOnce),
        ("ä", &[0, 255], QoS::AtLeastOnce),
    ] {
        assert_eq!(session.publish(&publish(topic, payload, qos)), Ok(Some(ReasonCode::SUCCESS)));
    }
    let kept = publish("kept", b"for later", QoS::AtLeastOnce).retained();
    assert_eq!(session.publish(&kept), Ok(Some(ReasonCode::SUCCESS)));
    let received: Vec<_> = broker
        .received()
        .into_iter()
        .map(|message| (message.topic, message.payload, message.qos, message.retain))
        .collect();
    let expected = [
        ("a/0", &b"zero"[..], 0, false),
        ("a/1", b"one", 1, false),
        ("a/2", b"", 2, false),
        ("ä", &[0, 255], 1, false),
        ("kept", b"for later", 1, true),
    ];
    assert_eq!(
        received,
        expected.map(|(topic, payload, qos, retain)| (topic.to_owned(), payload.to_vec(), qos, retain))
    );
    assert_eq!(broker.retained("kept").as_deref(), Some(&b"for later"[..]));
}

#[test]
fn a_message_that_nobody_is_subscribed_to_was_taken_all_the_same() {
    let (broker, builder) = with_open_broker();
    broker.observe(&[]);
    let bed = bed!(builder).online();
    let verdict = bed.session().publish(&publish("a", b"1", QoS::AtLeastOnce));
    assert_eq!(verdict, Ok(Some(ReasonCode::NO_MATCHING_SUBSCRIBERS)));
    assert_eq!(broker.received().len(), 1);
}

#[test]
fn every_code_below_0x80_is_taken_and_every_other_is_refused() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    for code in (0..0x120).chain([u32::MAX]) {
        broker.answer_publish(code);
        let reason = ReasonCode::from_raw(code);
        let verdict = session.publish(&publish("a", b"1", QoS::AtLeastOnce));
        let expected = if code < 0x80 { Ok(Some(reason)) } else { Err(RequestError::Refused(reason)) };
        assert_eq!(verdict, expected);
    }
    assert_eq!(broker.received().len(), 0x80);
    assert_eq!(RequestError::Refused(ReasonCode::NOT_AUTHORIZED).recovery(), Recovery::GiveUp);
}

#[test]
fn no_request_state_but_completed_is_a_success() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    for state in (1..12).chain([u32::MAX - 1]) {
        broker.answer_publish_with(state, 0);
        let verdict = session.publish(&publish("a", b"1", QoS::AtLeastOnce));
        assert_eq!(verdict, Err(RequestError::Failed(RequestState::from_raw(state))));
    }
    assert!(broker.received().is_empty());
}

#[test]
fn answers_in_another_order_find_their_requests() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    let codes = [0x00, 0x10, 0x87, 0x97, 0xF0];
    broker.reverse_responses(codes.len());
    let mut sent = Vec::new();
    for code in codes {
        broker.answer_publish(code);
        sent.push((session.channel.request_publish(&publish("a", b"1", QoS::AtLeastOnce)).unwrap(), code));
    }
    let mut answered = Vec::new();
    for _ in &sent {
        let Heard::Published(id, outcome) = session.next().unwrap() else { panic!("an answer") };
        answered.push(id);
        let code = sent.iter().find(|(sent, _)| *sent == id).expect("a request of this session").1;
        let reason = ReasonCode::from_raw(code);
        assert_eq!(outcome, if code < 0x80 { Ok(reason) } else { Err(RequestError::Refused(reason)) });
    }
    assert!(answered.iter().rev().eq(sent.iter().map(|(id, _)| id)), "each once, in reverse");
    assert_eq!(session.try_next(), Ok(None));
}

#[test]
fn waiting_for_one_answer_passes_the_others_on_in_order() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    broker.delay_responses(Duration::from_secs(1));
    let earlier = session.channel.request_publish(&publish("a", b"1", QoS::AtLeastOnce)).unwrap();
    broker.publish("command", "stop", 0);
    broker.publish("command", "restart", 0);
    assert_eq!(session.publish(&publish("a", b"2", QoS::AtLeastOnce)), Ok(Some(ReasonCode::SUCCESS)));
    assert_eq!(session.ears.payloads(), [&b"stop"[..], b"restart"]);
    assert_eq!(session.ears.heard.last(), Some(&Heard::Published(earlier, Ok(ReasonCode::SUCCESS))));
    assert_eq!(session.ears.heard.len(), 3);
}

#[test]
fn an_answer_that_is_not_ours_is_passed_on_and_not_taken_for_ours() {
    let broker = ScriptedBroker::new(|request| match request {
        Request::Connect(_) => vec![ACCEPTED],
        Request::Publish(id, _) => [id.wrapping_add(1), id.wrapping_sub(1), *id]
            .into_iter()
            .zip([0x87, 0x97, 0x00])
            .map(|(correlation_id, reason)| BrokerEvent::Published { correlation_id, state: 0, reason })
            .collect(),
        _ => Vec::new(),
    });
    let bed = bed!(Device::builder().broker(broker)).online();
    let mut session = bed.session();
    let verdict = session.publish(&publish("a", b"1", QoS::AtLeastOnce));
    assert_eq!(verdict, Ok(Some(ReasonCode::SUCCESS)));
    assert_eq!(session.ears.heard.len(), 2);
}

#[test]
fn more_than_the_kernel_takes_at_once_is_for_later() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    let message = publish("a", b"1", QoS::AtLeastOnce);
    for _ in 0..10 {
        session.channel.request_publish(&message).unwrap();
    }
    assert_eq!(session.channel.request_publish(&message), Err(RequestError::RateLimited));
    assert_eq!(session.publish(&message), Err(RequestError::RateLimited));
    assert_eq!(RequestError::RateLimited.recovery(), Recovery::Retry);
    assert!(matches!(session.next(), Ok(Heard::Published(_, Ok(_)))));
    assert_eq!(session.publish(&message), Ok(Some(ReasonCode::SUCCESS)));
    assert_eq!(broker.received().len(), 11);
}

#[test]
fn a_link_that_dies_before_the_broker_has_it_leaves_it_open() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    broker.cut_before_publish();
    let verdict = session.publish(&publish("a", b"1", QoS::AtLeastOnce));
    assert_eq!(verdict, Err(RequestError::Indeterminate(TERMINATED)));
    assert!(broker.received().is_empty());
}

#[test]
fn a_link_that_dies_after_the_broker_had_it_leaves_it_open() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    broker.cut_after_publish();
    let verdict = session.publish(&publish("a", b"1", QoS::ExactlyOnce));
    assert_eq!(verdict, Err(RequestError::Indeterminate(TERMINATED)));
    assert_eq!(broker.received().len(), 1);
    let error = verdict.unwrap_err();
    assert_eq!(error.recovery(), Recovery::Reopen);
    assert!(error.to_string().contains("may have taken the request or not"), "{error}");
}

#[test]
fn a_network_that_dies_at_any_time_never_makes_it_ok() {
    for millis in 0..120 {
        let (broker, builder) = with_open_broker();
        let bed = bed!(builder).online();
        let mut session = bed.session();
        let at = bed.device.now() + Duration::from_millis(millis);
        bed.device.at(at, |device| device.set_network(NetworkStatus::Connecting));
        match session.publish(&publish("a", b"1", QoS::AtLeastOnce)) {
            Ok(verdict) => {
                assert_eq!(verdict, Some(ReasonCode::SUCCESS));
                assert_eq!(broker.received().len(), 1, "after {millis} ms");
            }
            Err(error) => {
                let lost = SessionEnd::ChannelClosed(ClosureReason::NETWORK_DISCONNECTED);
                assert!(
                    matches!(error, RequestError::Indeterminate(end) | RequestError::Ended(end) if end == lost),
                    "after {millis} ms: {error}"
                );
            }
        }
    }
}

#[test]
fn a_broker_that_disconnects_instead_of_answering_leaves_it_open() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    broker.lose_responses(1);
    let soon = bed.device.now() + Duration::from_secs(1);
    broker.at(soon, |broker| broker.disconnect_client(0x8B));
    let end = SessionEnd::Disconnected {
        state: RequestState::REQUEST_COMPLETED,
        reason: ReasonCode::SERVER_SHUTTING_DOWN,
    };
    let verdict = session.publish(&publish("a", b"1", QoS::AtLeastOnce));
    assert_eq!(verdict, Err(RequestError::Indeterminate(end)));
    assert_eq!(broker.received().len(), 1);
}

#[test]
fn qos_0_works_whether_or_not_the_kernel_reports_it() {
    for reports in [true, false] {
        let (broker, builder) = with_open_broker();
        let quirks = Quirks { qos0_publish_response: reports, ..Quirks::default() };
        let bed = bed!(builder.quirks(quirks)).online();
        let mut session = bed.session();
        let id = session.channel.request_publish(&publish("a", b"0", QoS::AtMostOnce)).unwrap();
        bed.device.run_until_idle();
        let report = reports.then_some(Heard::Published(id, Ok(ReasonCode::SUCCESS)));
        assert_eq!(session.try_next().unwrap(), report);
        for _ in 0..30 {
            assert_eq!(session.publish(&publish("a", b"0", QoS::AtMostOnce)), Ok(None));
            bed.device.advance(Duration::from_millis(100));
        }
        assert_eq!(session.publish(&publish("a", b"1", QoS::AtLeastOnce)), Ok(Some(ReasonCode::SUCCESS)));
        assert_eq!(session.ears.heard.len(), if reports { 30 } else { 0 });
        assert_eq!(broker.received().len(), 32);
    }
}

static LIMITS: Limits = aws::LIMITS.max_payload(4);

#[test]
fn what_is_beyond_the_limits_is_not_sent() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session_with(&options().with_limits(&LIMITS));
    let too_high = session.publish(&publish("a", b"1", QoS::ExactlyOnce));
    let limit = LimitError::QosTooHigh { qos: QoS::ExactlyOnce, max: QoS::AtLeastOnce };
    assert_eq!(too_high, Err(RequestError::Limit(limit)));
    let too_long = session.publish(&publish("a", b"12345", QoS::AtLeastOnce));
    assert_eq!(too_long, Err(RequestError::Limit(LimitError::PayloadTooLong { len: 5, max: 4 })));
    let reserved = session.publish(&publish("$SYS/a", b"", QoS::AtLeastOnce));
    assert_eq!(reserved, Err(RequestError::Limit(LimitError::ReservedTopic)));
    assert_eq!(bed.device.call_count("mvMqttRequestPublish"), 0);
    assert_eq!(session.publish(&publish("a", b"1234", QoS::AtLeastOnce)), Ok(Some(ReasonCode::SUCCESS)));
    assert_eq!(broker.complaints(), Vec::<String>::new());
}

#[test]
fn what_the_kernel_answers_to_the_request_is_kept() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    let message = publish("a", b"1", QoS::AtLeastOnce);
    for status in [sys::MV_STATUS_PARAMETERFAULT, sys::MV_STATUS_INVALIDHANDLE, 999] {
        bed.device.inject(Fault::call("mvMqttRequestPublish").status(status));
        let error = session.publish(&message).unwrap_err();
        assert_eq!(error, RequestError::Kernel(Status::check(status).unwrap_err()));
        assert_eq!(error.recovery(), Recovery::Reopen);
    }
    bed.device.inject(Fault::call("mvMqttRequestPublish").status(sys::MV_STATUS_RATELIMITED));
    assert_eq!(session.publish(&message), Err(RequestError::RateLimited));
    assert_eq!(session.publish(&message), Ok(Some(ReasonCode::SUCCESS)));
}

#[test]
fn a_late_fault_of_a_publish_ends_the_session() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    bed.device.inject(Fault::call("mvMqttRequestPublish").status(sys::MV_STATUS_LATEFAULT));
    let message = publish("a", b"1", QoS::AtLeastOnce);
    assert_eq!(session.publish(&message), Err(RequestError::Kernel(Status::LATE_FAULT)));
    assert_eq!(session.publish(&message), Err(RequestError::Ended(TERMINATED)));
    assert_eq!(session.next(), Ok(Heard::Ended(TERMINATED)));
    drop(session.channel.close().unwrap());
    drop(bed.session());
}

#[test]
fn an_answer_that_cannot_be_read_now_is_read_later() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    for call in ["mvMqttReadPublishResponse", "mvMqttGetNextReadableDataType"] {
        bed.device.inject(Fault::call(call).nth(if call.contains("Next") { 2 } else { 1 }).status(999));
        let verdict = session.publish(&publish("a", b"1", QoS::AtLeastOnce));
        assert_eq!(
            verdict,
            Err(RequestError::Event(EventError::Kernel(Status::check(999).unwrap_err()))),
            "{call}"
        );
        assert!(matches!(session.next(), Ok(Heard::Published(_, Ok(ReasonCode::SUCCESS)))), "{call}");
    }
    assert_eq!(broker.received().len(), 2);
}

#[test]
fn a_publish_that_is_given_up_is_answered_by_an_event() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut channel = bed.connect();
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let mut ears = Ears::default();
    let message = publish("a", b"1", QoS::AtLeastOnce);
    {
        let mut publishing = pin!(channel.publish(&message, &mut inbox, |event| ears.take(event)));
        assert!(poll_once(publishing.as_mut()).is_pending());
    }
    let second = bed.device.block_on(channel.publish(&message, &mut inbox, |event| ears.take(event)));
    assert_eq!(second, Ok(Some(ReasonCode::SUCCESS)));
    assert!(matches!(ears.heard[..], [Heard::Published(_, Ok(ReasonCode::SUCCESS))]), "{:?}", ears.heard);
    assert_eq!(broker.received().len(), 2);
}

#[test]
fn an_answer_that_never_comes_can_be_given_up_and_the_session_goes_on() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    broker.lose_responses(1);
    let lost = session.channel.request_publish(&publish("a", b"1", QoS::AtLeastOnce)).unwrap();
    bed.device.advance(Duration::from_mins(1));
    assert_eq!(session.try_next(), Ok(None));
    assert_eq!(session.publish(&publish("a", b"2", QoS::AtLeastOnce)), Ok(Some(ReasonCode::SUCCESS)));
    assert!(!session.ears.heard.iter().any(|heard| matches!(heard, Heard::Published(id, _) if *id == lost)));
}

#[test]
fn mqtt_3_1_1_acknowledges_without_a_reason() {
    let (broker, builder) = with_open_broker();
    broker.observe(&[]);
    let bed = bed!(builder).online();
    let mut session: Session<'_> = bed.session_with(&options().with_version(ProtocolVersion::V3_1_1));
    assert_eq!(session.publish(&publish("a", b"1", QoS::AtLeastOnce)), Ok(Some(ReasonCode::SUCCESS)));
    assert_eq!(broker.received().len(), 1);
}

#[test]
fn mqtt_3_1_1_has_no_reason_code_whatever_the_kernel_writes() {
    let broker = ScriptedBroker::new(|request| match request {
        Request::Connect(_) => vec![ACCEPTED],
        Request::Publish(id, _) => {
            vec![BrokerEvent::Published { correlation_id: *id, state: 0, reason: 0x87 }]
        }
        _ => vec![],
    });
    let bed = bed!(Device::builder().broker(broker)).online();
    let mut session = bed.session_with(&options().with_version(ProtocolVersion::V3_1_1));
    assert_eq!(session.publish(&publish("a", b"1", QoS::AtLeastOnce)), Ok(Some(ReasonCode::SUCCESS)));
}
