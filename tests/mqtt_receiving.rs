//! Messages from the broker, and what can be in the way of reading them.

mod bed;

use std::time::Duration;

use bed::scripted_broker::{ACCEPTED, Request, ScriptedBroker};
use bed::session::{Heard, publish};
use bed::with_open_broker;
use microvisor::mqtt::{Event, EventError, Inbox, LostReason, QoS, ReasonCode, SessionEnd};
use microvisor::{ClosureReason, Recovery, Status, sys};
use microvisor_sim::broker::BrokerEvent;
use microvisor_sim::{Device, Fault, Quirks};

fn message(payload: &str, qos: QoS, retained: bool) -> Heard {
    Heard::Message { topic: "command".into(), payload: payload.into(), qos: Some(qos), retained }
}

#[test]
fn a_message_arrives_as_it_was_published() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    broker.publish_retained("command", "kept", 1);
    bed.device.advance(Duration::from_secs(1));
    session.subscribe_to("command", QoS::ExactlyOnce);
    assert_eq!(session.next(), Ok(message("kept", QoS::AtLeastOnce, true)));
    for (payload, raw, qos) in
        [("", 0, QoS::AtMostOnce), ("one", 1, QoS::AtLeastOnce), ("two", 2, QoS::ExactlyOnce)]
    {
        broker.publish("command", payload, raw);
        assert_eq!(session.next(), Ok(message(payload, qos, false)));
    }
    assert_eq!(session.ears.owed.len(), 3, "QoS 0 needs no acknowledgement");
    session.acknowledge();
    bed.device.advance(Duration::from_secs(1));
    assert!(broker.all_acknowledged());
    assert_eq!(broker.acknowledged().len(), 3);
}

#[test]
fn a_small_inbox_leaves_the_message_for_a_larger_one() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    broker.publish("command", "a long command", 1);
    for (topic_len, payload_len) in [(6, 100), (100, 13), (0, 0)] {
        let (mut topic, mut payload) = (vec![0; topic_len], vec![0; payload_len]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        let error = bed.device.block_on(session.channel.event(&mut inbox)).unwrap_err();
        assert_eq!(error, EventError::InboxTooSmall { topic: topic_len, payload: payload_len });
        assert_eq!(error.recovery(), Recovery::Retry);
        assert_eq!(session.channel.try_event(&mut inbox).unwrap_err(), error);
    }
    let (mut topic, mut payload) = ([0; 7], [0; 14]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let Event::Message(message) = bed.device.block_on(session.channel.event(&mut inbox)).unwrap() else {
        panic!("a message")
    };
    assert_eq!((message.topic(), message.payload()), (&b"command"[..], &b"a long command"[..]));
    message.acknowledge().unwrap();
    bed.device.advance(Duration::from_secs(1));
    assert!(broker.all_acknowledged());
}

#[test]
fn a_small_inbox_does_not_cost_a_publish_its_answer() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    broker.delay_responses(Duration::from_secs(1));
    broker.publish("command", "a long command", 0);
    let (mut topic, mut payload) = ([0; 7], [0; 4]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let message = publish("sensor", b"1", QoS::AtLeastOnce);
    let verdict = bed.device.block_on(session.channel.publish(&message, &mut inbox, |_| ()));
    let error = EventError::InboxTooSmall { topic: 7, payload: 4 };
    assert_eq!(verdict, Err(microvisor::mqtt::RequestError::Event(error)));
    assert_eq!(session.next_payload(), b"a long command");
    assert!(matches!(session.next(), Ok(Heard::Published(_, Ok(ReasonCode::SUCCESS)))));
}

#[test]
fn a_message_larger_than_the_receive_buffer_is_reported_as_lost() {
    for acknowledges_lost_messages in [true, false] {
        let (broker, builder) = with_open_broker();
        let quirks = Quirks { acknowledges_lost_messages, ..Quirks::default() };
        let bed = bed!(builder.quirks(quirks)).online();
        let mut session = bed.session();
        session.subscribe_to("command", QoS::AtLeastOnce);
        broker.publish("command", vec![0; 7200], 1);
        let lost =
            Heard::Lost { topic: "command".into(), len: 7200, reason: LostReason::ReceiveBufferTooSmall };
        assert_eq!(session.next(), Ok(lost));
        assert!(session.ears.owed.is_empty());
        broker.publish("command", "small", 0);
        assert_eq!(session.next_payload(), b"small");
    }
}

#[test]
fn a_report_of_a_lost_message_waits_for_an_inbox_that_holds_its_topic() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    broker.publish("command", vec![0; 7200], 0);
    let mut topic = [0; 6];
    let mut inbox = Inbox::new(&mut topic, &mut []);
    let error = bed.device.block_on(session.channel.event(&mut inbox)).unwrap_err();
    assert_eq!(error, EventError::InboxTooSmall { topic: 6, payload: 0 });
    assert!(matches!(session.next(), Ok(Heard::Lost { len: 7200, .. })));
}

#[test]
fn a_message_may_be_lost_for_a_reason_of_a_newer_kernel() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    broker.publish("command", vec![0; 7200], 0);
    bed.device.inject(Fault::call("mvMqttReceiveLostMessageInfo").output(4711));
    assert!(matches!(session.next(), Ok(Heard::Lost { reason: LostReason::Unknown(4711), .. })));
}

#[test]
fn a_message_of_a_qos_that_does_not_exist_is_handed_on_and_can_be_acknowledged() {
    let broker = ScriptedBroker::new(|request| match request {
        Request::Connect(_) => vec![
            ACCEPTED,
            BrokerEvent::Message {
                delivery: 7,
                topic: b"t".to_vec(),
                payload: vec![1],
                qos: 9,
                retain: false,
            },
        ],
        _ => Vec::new(),
    });
    let bed = bed!(Device::builder().broker(broker.clone())).online();
    let mut session = bed.session();
    let heard = session.next().unwrap();
    assert!(matches!(heard, Heard::Message { qos: None, .. }));
    session.acknowledge();
    assert!(broker.requests().iter().any(|request| matches!(request, Request::Acknowledge(7))));
}

#[test]
fn a_topic_that_is_not_utf_8_is_handed_on_as_bytes() {
    let broker = ScriptedBroker::new(|request| match request {
        Request::Connect(_) => vec![
            ACCEPTED,
            BrokerEvent::Message { delivery: 7, topic: vec![0xFF], payload: vec![], qos: 0, retain: false },
        ],
        _ => Vec::new(),
    });
    let bed = bed!(Device::builder().broker(broker)).online();
    let mut channel = bed.connect();
    let (mut topic, mut payload) = ([0; 8], [0; 8]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let Event::Message(message) = bed.device.block_on(channel.event(&mut inbox)).unwrap() else { panic!() };
    assert_eq!(message.topic(), [0xFF]);
    assert!(message.topic_str().is_err());
    message.acknowledge().unwrap();
}

#[test]
fn an_item_of_a_newer_kernel_is_an_error_and_not_taken_for_another() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    broker.publish("command", "stop", 0);
    bed.device.advance(Duration::from_secs(1));
    bed.device.inject(Fault::call("mvMqttGetNextReadableDataType").output(4711));
    assert_eq!(session.next(), Err(EventError::UnknownKind(4711)));
    assert_eq!(EventError::UnknownKind(4711).recovery(), Recovery::Reopen);
    drop(session.channel.close().unwrap());
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    bed.device.inject(
        Fault::call("mvMqttGetNextReadableDataType").output(sys::MV_MQTTREADABLEDATATYPE_CONNECTRESPONSE),
    );
    let connect_response = EventError::UnknownKind(sys::MV_MQTTREADABLEDATATYPE_CONNECTRESPONSE);
    assert_eq!(session.next(), Err(connect_response));
}

#[test]
fn a_kernel_that_names_the_wrong_kind_is_asked_again() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    broker.publish("command", "stop", 0);
    bed.device.advance(Duration::from_secs(1));
    for kind in [
        sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST,
        sys::MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE,
        sys::MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE,
        sys::MV_MQTTREADABLEDATATYPE_UNSUBSCRIBERESPONSE,
        sys::MV_MQTTREADABLEDATATYPE_DISCONNECTRESPONSE,
    ] {
        bed.device.inject(Fault::call("mvMqttGetNextReadableDataType").output(kind));
        let error = session.next().unwrap_err();
        assert_eq!(error, EventError::Kernel(Status::WRONG_DATA_REQUESTED));
        assert_eq!(error.recovery(), Recovery::Retry);
    }
    assert_eq!(session.next_payload(), b"stop");
}

#[test]
fn a_fault_at_reading_a_message_leaves_the_message() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    for call in ["mvMqttGetNextReadableDataType", "mvMqttReceiveMessage"] {
        for status in [sys::MV_STATUS_PARAMETERFAULT, sys::MV_STATUS_INVALIDHANDLE, 999] {
            broker.publish("command", "stop", 1);
            bed.device.advance(Duration::from_secs(1));
            bed.device.inject(Fault::call(call).status(status));
            let error = EventError::Kernel(Status::check(status).unwrap_err());
            assert_eq!(session.next(), Err(error), "{call}");
            assert_eq!(session.next_payload(), b"stop", "{call}");
            session.acknowledge();
        }
    }
    bed.device.advance(Duration::from_secs(1));
    assert!(broker.all_acknowledged());
    assert_eq!(broker.acknowledged().len(), 6);
}

#[test]
fn a_fault_at_reading_a_lost_message_leaves_the_report() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    broker.publish("command", vec![0; 7200], 0);
    bed.device.inject(Fault::call("mvMqttReceiveLostMessageInfo").status(999));
    assert_eq!(session.next(), Err(EventError::Kernel(Status::check(999).unwrap_err())));
    assert!(matches!(session.next(), Ok(Heard::Lost { len: 7200, .. })));
}

#[test]
fn a_late_fault_at_reading_ends_the_session() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    broker.publish("command", "stop", 1);
    bed.device.inject(Fault::call("mvMqttReceiveMessage").status(sys::MV_STATUS_LATEFAULT));
    let error = session.next().unwrap_err();
    assert_eq!((error, error.recovery()), (EventError::Kernel(Status::LATE_FAULT), Recovery::Reopen));
    let end = SessionEnd::ChannelClosed(ClosureReason::CONNECTION_TERMINATED);
    assert_eq!(session.next(), Ok(Heard::Ended(end)));
    drop(session.channel.close().unwrap());
    let mut session = bed.session();
    assert_eq!(session.next_payload(), b"stop", "it was not acknowledged");
}

#[test]
fn lost_and_repeated_notifications_cost_no_message() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    bed.device.inject(Fault::notifications().drop(2));
    for payload in ["1", "2", "3"] {
        broker.publish("command", payload, 0);
    }
    for payload in ["1", "2", "3"] {
        assert_eq!(session.next_payload(), payload.as_bytes());
    }
    bed.device.inject(Fault::notifications().duplicate(9));
    broker.publish("command", "4", 0);
    assert_eq!(session.next_payload(), b"4");
    assert_eq!(session.try_next(), Ok(None));
}

#[test]
fn masked_interrupts_and_an_overrun_ring_cost_no_message() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    let center = bed.center;
    for round in 0..4 {
        bed.device.unbind_interrupt(bed::IRQ);
        for number in 0..20 {
            broker.publish("command", format!("{round}/{number}"), 0);
        }
        bed.device.advance(Duration::from_secs(1));
        bed.device.bind_interrupt(bed::IRQ, || center.on_interrupt());
        for number in 0..20 {
            assert_eq!(session.next_payload(), format!("{round}/{number}").as_bytes());
        }
    }
    assert!(center.overruns() >= 4);
    assert!(bed.device.overruns() > 0);
}

#[test]
fn a_length_beyond_the_inbox_is_not_believed() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    for length in [1, 3] {
        broker.publish("command", "stop", 1);
        bed.device.advance(Duration::from_secs(1));
        bed.device.inject(Fault::call("mvMqttReceiveMessage").output_at(length, 1_000_000));
        let (mut topic, mut payload) = ([0; 16], [0; 16]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        let Ok(Some(Event::Message(message))) = session.channel.try_event(&mut inbox) else {
            panic!("a message is there")
        };
        let expected = if length == 1 { (16, 4) } else { (7, 16) };
        assert_eq!((message.topic().len(), message.payload().len()), expected);
        message.acknowledge().unwrap();
    }
    bed.device.advance(Duration::from_secs(1));
    assert!(broker.all_acknowledged());
}
