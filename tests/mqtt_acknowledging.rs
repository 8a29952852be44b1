//! The duty to acknowledge messages.

mod bed;

use std::collections::VecDeque;
use std::time::Duration;

use bed::session::{Heard, Session, publish};
use bed::with_open_broker;
use microvisor::mqtt::{AcknowledgeError, Acknowledgement, Event, Inbox, QoS, ReasonCode};
use microvisor::{HandedBack, Recovery, Status, sys};
use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::{Device, Fault, Quirks};

#[test]
fn a_message_acknowledges_itself_once() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    for qos in [0, 1] {
        broker.publish("command", "stop", qos);
        let Event::Message(message) = bed.device.block_on(session.channel.event(&mut inbox)).unwrap() else {
            panic!("a message")
        };
        message.acknowledge().unwrap();
    }
    bed.device.advance(Duration::from_mins(1));
    assert_eq!(session.try_next(), Ok(None), "it does not come again");
    let acknowledged = broker.acknowledged();
    assert_eq!(acknowledged.len(), 1);
    assert_eq!((acknowledged[0].deliveries, acknowledged[0].acknowledgements), (1, 1));
    assert_eq!(bed.device.call_count("mvMqttAcknowledgeMessage"), 1);
}

#[test]
fn a_message_that_is_not_acknowledged_comes_again() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    broker.publish("command", "stop", 1);
    assert_eq!(session.next_payload(), b"stop");
    session.ears.owed.clear();
    assert_eq!(session.next_payload(), b"stop");
    assert!(bed.device.now() > Duration::from_secs(10));
    session.acknowledge();
    bed.device.advance(Duration::from_mins(1));
    assert_eq!(session.try_next(), Ok(None));
    assert!(broker.all_acknowledged());
}

#[test]
fn a_message_that_is_not_acknowledged_comes_again_in_the_next_session() {
    let broker = ModelBroker::open().redelivery(None).build();
    let bed = bed!(Device::builder().broker(broker.clone())).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    broker.publish("command", "stop", 1);
    assert_eq!(session.next_payload(), b"stop");
    session.disconnect();
    let mut session = bed.session();
    assert_eq!(session.next_payload(), b"stop");
    session.acknowledge();
    bed.device.advance(Duration::from_secs(1));
    assert!(broker.all_acknowledged());
}

#[test]
fn an_acknowledgement_that_is_refused_is_handed_back_and_sent_later() {
    let (broker, builder) = with_open_broker();
    let quirks = Quirks { max_acknowledgements_in_flight: 2, ..Quirks::default() };
    let bed = bed!(builder.quirks(quirks)).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    for payload in ["1", "2", "3"] {
        broker.publish("command", payload, 1);
        session.next_payload();
    }
    let third = session.ears.owed.pop().unwrap();
    session.acknowledge();
    let HandedBack { error, value: third } = session.channel.acknowledge(third).unwrap_err();
    assert_eq!(error, AcknowledgeError::Kernel(Status::RATE_LIMITED));
    assert_eq!(error.recovery(), Recovery::Retry);
    bed.device.advance(Duration::from_millis(100));
    session.channel.acknowledge(third).unwrap();
    bed.device.advance(Duration::from_mins(1));
    assert!(broker.all_acknowledged());
    assert!(broker.acknowledged().iter().all(|message| message.acknowledgements == 1));
}

#[test]
fn an_acknowledgement_that_fails_says_so_and_is_handed_back() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    broker.publish("command", "stop", 1);
    session.next_payload();
    let mut owed = session.ears.owed.pop().unwrap();
    for (status, recovery) in [
        (999, Recovery::GiveUp),
        (sys::MV_STATUS_MICROVISORBUSY, Recovery::Retry),
        (sys::MV_STATUS_INVALIDHANDLE, Recovery::GiveUp),
        (sys::MV_STATUS_CHANNELCLOSED, Recovery::GiveUp),
    ] {
        bed.device.inject(Fault::call("mvMqttAcknowledgeMessage").status(status));
        let failed = session.channel.acknowledge(owed).unwrap_err();
        assert_eq!(failed.error, AcknowledgeError::Kernel(Status::check(status).unwrap_err()));
        assert_eq!(failed.error.recovery(), recovery);
        assert!(failed.to_string().contains("will be delivered again"), "{failed}");
        owed = failed.value;
    }
    session.channel.acknowledge(owed).unwrap();
    bed.device.advance(Duration::from_secs(1));
    assert!(broker.all_acknowledged());
}

/// One acknowledgement, owed by a session that is still there.
fn owing(broker: &ModelBroker, session: &mut Session<'_>) -> Acknowledgement {
    session.subscribe_to("command", QoS::AtLeastOnce);
    broker.publish("command", "stop", 1);
    session.next_payload();
    session.ears.owed.pop().expect("an acknowledgement")
}

#[test]
fn an_acknowledgement_outlives_its_session_but_is_of_no_use_then() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    let owed = owing(&broker, &mut session);
    broker.drop_connection();
    assert!(matches!(session.next(), Ok(Heard::Ended(_))));
    let HandedBack { error, value: owed } = session.channel.acknowledge(owed).unwrap_err();
    assert_eq!(error, AcknowledgeError::Kernel(Status::CHANNEL_CLOSED));
    assert_eq!(error.recovery(), Recovery::GiveUp);
    drop(session.channel.close().unwrap());
    // Nor does it acknowledge anything in another session.
    let mut other = bed.session();
    let asked = bed.device.call_count("mvMqttAcknowledgeMessage");
    let HandedBack { error, .. } = other.channel.acknowledge(owed).unwrap_err();
    assert_eq!((error, error.recovery()), (AcknowledgeError::OtherSession, Recovery::GiveUp));
    assert_eq!(bed.device.call_count("mvMqttAcknowledgeMessage"), asked, "the kernel is not asked");
    assert!(broker.acknowledged().is_empty());
    assert_eq!(other.next_payload(), b"stop");
    other.acknowledge();
    bed.device.advance(Duration::from_secs(1));
    assert!(broker.all_acknowledged());
}

#[test]
fn a_message_that_is_sent_twice_is_acknowledged_twice_at_most() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    broker.duplicate_deliveries(1);
    broker.publish("command", "stop", 1);
    assert_eq!(session.next_payload(), b"stop");
    assert_eq!(session.next_payload(), b"stop");
    session.acknowledge();
    bed.device.advance(Duration::from_mins(1));
    assert_eq!(session.try_next(), Ok(None));
    assert_eq!(broker.complaints(), Vec::<String>::new());
    assert!(broker.all_acknowledged());
}

#[test]
fn a_burst_of_500_is_acknowledged_in_order_and_once_while_the_device_publishes() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    for number in 0..500 {
        broker.publish("command", format!("{number}"), 1);
    }
    let mut owed = VecDeque::new();
    let mut published = 0;
    while session.ears.payloads().len() < 500 || !owed.is_empty() {
        published += 1;
        let payload = format!("reading {published}");
        let verdict = session.publish(&publish("sensor", payload.as_bytes(), QoS::AtLeastOnce));
        assert_eq!(verdict, Ok(Some(ReasonCode::SUCCESS)));
        owed.extend(session.ears.owed.drain(..));
        while let Some(acknowledgement) = owed.pop_front() {
            if let Err(HandedBack { error, value }) = session.channel.acknowledge(acknowledgement) {
                assert_eq!(error, AcknowledgeError::Kernel(Status::RATE_LIMITED));
                owed.push_front(value);
                break;
            }
        }
        assert!(published < 200, "{} of 500", session.ears.payloads().len());
    }
    bed.device.advance(Duration::from_mins(1));
    assert_eq!(session.try_next(), Ok(None), "nothing comes again");
    let expected: Vec<_> = (0..500).map(|number| number.to_string()).collect();
    assert!(
        session.ears.payloads().iter().eq(expected.iter().map(String::as_bytes).collect::<Vec<_>>().iter())
    );
    let acknowledged = broker.acknowledged();
    assert_eq!(
        acknowledged.iter().map(|message| &message.payload[..]).collect::<Vec<_>>(),
        session.ears.payloads()
    );
    assert!(acknowledged.iter().all(|message| (message.deliveries, message.acknowledgements) == (1, 1)));
    assert_eq!(broker.received().len(), published);
    assert_eq!(broker.complaints(), Vec::<String>::new());
}
