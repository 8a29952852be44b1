//! How sessions end, and what can be done after that.

mod bed;

use std::pin::pin;
use std::time::Duration;

use bed::scripted_broker::{ACCEPTED, Request, ScriptedBroker};
use bed::session::{Heard, Session, publish, subscription};
use bed::{CLOSURE_REASONS, options, poll_once, with_open_broker};
use microvisor::mqtt::{
    EventError, Inbox, ProtocolVersion, QoS, ReasonCode, RequestError, RequestState, SessionEnd, TopicFilter,
};
use microvisor::{ClosureReason, HandedBack, Recovery, Status, sys};
use microvisor_sim::broker::BrokerEvent;
use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::{Device, Fault, NetworkStatus, Quirks};

const NORMAL: SessionEnd =
    SessionEnd::Disconnected { state: RequestState::REQUEST_COMPLETED, reason: ReasonCode::SUCCESS };

fn disconnected(reason: ReasonCode) -> SessionEnd {
    SessionEnd::Disconnected { state: RequestState::REQUEST_COMPLETED, reason }
}

/// The payloads of the wills that a broker has published.
fn wills(broker: &ModelBroker) -> usize {
    broker.received().iter().filter(|message| message.topic == "will").count()
}

/// A session that has a will.
fn with_will(bed: &bed::Bed) -> Session<'_> {
    bed.session_with(&options().with_will(publish("will", b"gone", QoS::AtMostOnce)))
}

#[test]
fn a_disconnect_is_orderly_and_leaves_no_will() {
    for version in [ProtocolVersion::V5, ProtocolVersion::V3_1_1] {
        let (broker, builder) = with_open_broker();
        let bed = bed!(builder).online();
        let will = publish("will", b"gone", QoS::AtMostOnce);
        let session = bed.session_with(&options().with_version(version).with_will(will));
        assert_eq!(session.disconnect(), NORMAL);
        bed.device.advance(Duration::from_mins(1));
        assert!(!broker.is_connected("device"));
        assert_eq!(wills(&broker), 0);
        drop(bed.buffers());
    }
}

#[test]
fn closing_without_a_disconnect_publishes_the_will() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let session = with_will(&bed);
    drop(session.channel.close().unwrap());
    bed.device.advance(Duration::from_mins(1));
    assert_eq!(wills(&broker), 1);
    drop(with_will(&bed));
    bed.device.advance(Duration::from_mins(1));
    assert_eq!(wills(&broker), 2, "dropping closes too");
}

#[test]
fn messages_before_the_answer_to_a_disconnect_are_passed_on() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtMostOnce);
    broker.publish("command", "stop", 0);
    let unanswered = session.channel.request_publish(&publish("a", b"1", QoS::AtLeastOnce)).unwrap();
    let Session { channel, mut ears, .. } = session;
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let ending = channel.disconnect(&mut inbox, |event| ears.take(event));
    let (channel, end) = bed.device.block_on(ending).unwrap();
    assert_eq!(end, NORMAL);
    assert_eq!(ears.payloads(), [b"stop"]);
    assert!(ears.heard.contains(&Heard::Published(unanswered, Ok(ReasonCode::SUCCESS))));
    drop(channel.close().unwrap());
}

#[test]
fn a_disconnect_that_is_rate_limited_hands_the_session_back() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut channel = bed.connect();
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    let errors = [
        (sys::MV_STATUS_RATELIMITED, RequestError::RateLimited),
        (sys::MV_STATUS_INVALIDHANDLE, RequestError::Kernel(Status::INVALID_HANDLE)),
        (999, RequestError::Kernel(Status::check(999).unwrap_err())),
    ];
    for (status, error) in errors {
        bed.device.inject(Fault::call("mvMqttRequestDisconnect").status(status));
        let failed = bed.device.block_on(channel.disconnect(&mut inbox, |_| ())).unwrap_err();
        assert_eq!(failed.error, error);
        channel = failed.value;
    }
    assert!(broker.is_connected("device"));
    let (_, end) = bed.device.block_on(channel.disconnect(&mut inbox, |_| ())).unwrap();
    assert_eq!(end, NORMAL);
}

#[test]
fn a_disconnect_whose_answer_cannot_be_read_hands_the_session_back() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let channel = bed.connect();
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut inbox = Inbox::new(&mut topic, &mut payload);
    bed.device.inject(Fault::call("mvMqttReadDisconnectResponse").status(999));
    let HandedBack { error, mut value } =
        bed.device.block_on(channel.disconnect(&mut inbox, |_| ())).unwrap_err();
    assert_eq!(error, RequestError::Event(EventError::Kernel(Status::check(999).unwrap_err())));
    let event = bed.device.block_on(value.event(&mut inbox)).unwrap();
    assert!(matches!(event, microvisor::mqtt::Event::Ended(NORMAL)));
}

#[test]
fn a_disconnect_that_the_platform_does_not_carry_out_ends_the_session_all_the_same() {
    let broker = ScriptedBroker::new(|request| match request {
        Request::Connect(_) => vec![ACCEPTED],
        Request::Disconnect => vec![BrokerEvent::Disconnected { state: 3, reason: 0 }],
        _ => Vec::new(),
    });
    let bed = bed!(Device::builder().broker(broker)).online();
    let end = bed.session().disconnect();
    assert_eq!(
        end,
        SessionEnd::Disconnected { state: RequestState::NOT_CONNECTED, reason: ReasonCode::SUCCESS }
    );
}

#[test]
fn giving_a_disconnect_up_closes_the_channel() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let channel = bed.connect();
    broker.fall_silent();
    {
        let (mut topic, mut payload) = ([0; 64], [0; 64]);
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        let mut ending = pin!(channel.disconnect(&mut inbox, |_| ()));
        assert!(poll_once(ending.as_mut()).is_pending());
        bed.device.advance(Duration::from_mins(1));
        assert!(poll_once(ending.as_mut()).is_pending());
    }
    assert_eq!(bed.device.call_count("mvCloseChannel"), 1);
    drop(bed.buffers());
}

#[test]
fn the_broker_says_why_it_ends_a_session_where_the_platform_passes_it_on() {
    let reasons = [0x8E, 0x8B, 0x98, 0x00, 0x04, 0xF0, 0x1FF];
    for raw in reasons {
        let (broker, builder) = with_open_broker();
        let bed = bed!(builder).online();
        let mut session = bed.session();
        let end = disconnected(ReasonCode::from_raw(raw));
        assert_eq!(session.channel.end(), None);
        broker.disconnect_client(raw);
        assert_eq!(session.next(), Ok(Heard::Ended(end)));
        assert_eq!(session.channel.end(), Some(end));
        drop(session.channel.close().unwrap());
    }
}

#[test]
fn the_broker_cannot_say_why_where_the_platform_closes_the_channel() {
    let (broker, builder) = with_open_broker();
    let quirks = Quirks { session_end: microvisor_sim::SessionEnd::ChannelNotConnected, ..Quirks::default() };
    let bed = bed!(builder.quirks(quirks)).online();
    let mut session = bed.session();
    broker.disconnect_client(0x8E);
    let end = SessionEnd::ChannelClosed(ClosureReason::CLOSED_BY_SERVER);
    assert_eq!(session.next(), Ok(Heard::Ended(end)));
    drop(session);
    assert_eq!(bed.session().disconnect(), NORMAL, "the application's own disconnect is answered");
}

#[test]
fn a_client_of_the_same_name_takes_the_session_over() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = with_will(&bed);
    broker.take_over("device");
    let Ok(Heard::Ended(end)) = session.next() else { panic!("an end") };
    assert_eq!(end, disconnected(ReasonCode::SESSION_TAKEN_OVER));
    assert!(end.to_string().contains("same client id"), "{end}");
}

#[test]
fn a_channel_that_closes_ends_the_session_with_its_reason() {
    for (raw, reason) in CLOSURE_REASONS {
        let (broker, builder) = with_open_broker();
        let bed = bed!(builder).online();
        let mut session = with_will(&bed);
        bed.device.at(Duration::from_secs(30), move |device| device.close_channels(raw));
        assert_eq!(session.next(), Ok(Heard::Ended(SessionEnd::ChannelClosed(reason))));
        assert!(bed.device.now() >= Duration::from_secs(30));
        drop(session.channel.close().expect("a channel that is closed has to be given back"));
        bed.device.advance(Duration::from_secs(1));
        assert_eq!(wills(&broker), 1);
    }
}

#[test]
fn a_closed_channel_whose_reason_the_kernel_does_not_tell_has_none() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    bed.device.inject(Fault::call("mvGetChannelClosureReason").status(999));
    broker.drop_connection();
    assert_eq!(session.next(), Ok(Heard::Ended(SessionEnd::ChannelClosed(ClosureReason::NONE))));
}

#[test]
fn a_network_that_goes_away_ends_the_session_and_comes_back_for_another() {
    let (_broker, builder) = with_open_broker();
    let mut bed = bed!(builder).online();
    let mut session = bed.session();
    bed.device
        .at(Duration::from_secs(30), |device| device.set_network(NetworkStatus::DisconnectedWithLinkUp));
    bed.device.at(Duration::from_secs(90), |device| device.set_network(NetworkStatus::Connected));
    let end = SessionEnd::ChannelClosed(ClosureReason::NETWORK_DISCONNECTED);
    assert_eq!(session.next(), Ok(Heard::Ended(end)));
    drop(session.channel.close().unwrap());
    let network = bed.network.as_mut().unwrap();
    bed.device.block_on(network.connected()).unwrap();
    assert!(bed.device.now() >= Duration::from_secs(90));
    assert_eq!(bed.session().disconnect(), NORMAL);
}

#[test]
fn an_end_is_told_again_and_every_request_after_it_is_refused() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    broker.disconnect_client(0x8E);
    let end = disconnected(ReasonCode::SESSION_TAKEN_OVER);
    for _ in 0..3 {
        assert_eq!(session.next(), Ok(Heard::Ended(end)));
        assert_eq!(session.try_next(), Ok(Some(Heard::Ended(end))));
    }
    let calls = bed.device.calls();
    let over = RequestError::Ended(end);
    let filter = TopicFilter::new("a").unwrap();
    assert_eq!(session.publish(&publish("a", b"", QoS::AtMostOnce)), Err(over));
    assert_eq!(session.publish(&publish("a", b"", QoS::AtLeastOnce)), Err(over));
    assert_eq!(session.subscribe(&[subscription("a", QoS::AtMostOnce)]), Err(over));
    assert_eq!(session.unsubscribe(&[filter]), Err(over));
    assert_eq!(session.channel.request_disconnect(), Err(over));
    assert_eq!(over.recovery(), Recovery::Reopen);
    assert_eq!(bed.device.calls(), calls, "nothing is asked of the kernel");
    assert_eq!(session.disconnect(), end, "disconnecting what is over says how it ended");
}

#[test]
fn a_request_on_a_closed_channel_says_how_it_ended_before_that_is_read() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let over = RequestError::Ended(SessionEnd::ChannelClosed(ClosureReason::CONNECTION_TERMINATED));
    let filter = TopicFilter::new("a").unwrap();
    let requests: [fn(&mut Session<'_>, TopicFilter<'static>) -> Option<RequestError>; 4] = [
        |session, _| session.channel.request_publish(&publish("a", b"", QoS::AtLeastOnce)).err(),
        |session, _| session.channel.request_subscribe(&[subscription("a", QoS::AtMostOnce)]).err(),
        |session, filter| session.channel.request_unsubscribe(&[filter]).err(),
        |session, _| session.channel.request_disconnect().err(),
    ];
    for request in requests {
        let mut session = bed.session();
        broker.drop_connection();
        bed.device.advance(Duration::from_secs(1));
        assert_eq!(request(&mut session, filter), Some(over));
        assert_eq!(
            session.next(),
            Ok(Heard::Ended(SessionEnd::ChannelClosed(ClosureReason::CONNECTION_TERMINATED)))
        );
    }
}

#[test]
fn what_the_broker_sent_before_its_disconnect_is_read_first() {
    let (broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.subscribe_to("command", QoS::AtLeastOnce);
    broker.publish("command", "stop", 1);
    let soon = bed.device.now() + Duration::from_millis(1);
    broker.at(soon, |broker| broker.disconnect_client(0x8B));
    bed.device.advance(Duration::from_secs(1));
    assert_eq!(session.next_payload(), b"stop");
    assert_eq!(session.next(), Ok(Heard::Ended(disconnected(ReasonCode::SERVER_SHUTTING_DOWN))));
}

#[test]
fn junk_in_the_outputs_of_failed_calls_is_never_read() {
    for seed in 0..8 {
        let (broker, builder) = with_open_broker();
        let bed = bed!(builder.seed(seed)).online();
        let mut session = bed.session();
        session.subscribe_to("command", QoS::AtLeastOnce);
        for call in [
            "mvMqttGetNextReadableDataType",
            "mvMqttReceiveMessage",
            "mvMqttReadPublishResponse",
            "mvMqttReadSubscribeResponse",
            "mvMqttReadUnsubscribeResponse",
        ] {
            bed.device.inject(Fault::call(call).status(999));
        }
        let unknown = EventError::Kernel(Status::check(999).unwrap_err());
        broker.publish("command", "stop", 1);
        assert_eq!(session.next(), Err(unknown));
        assert_eq!(session.next(), Err(unknown));
        assert_eq!(session.next_payload(), b"stop");
        session.acknowledge();
        let id = session.channel.request_publish(&publish("a", b"1", QoS::AtLeastOnce)).unwrap();
        assert_eq!(session.next(), Err(unknown));
        assert_eq!(session.next(), Ok(Heard::Published(id, Ok(ReasonCode::SUCCESS))));
        assert_eq!(session.disconnect(), NORMAL);
        assert!(broker.all_acknowledged());
    }
}

#[test]
fn a_channel_that_does_not_close_keeps_its_buffers_for_another_try() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let channel = bed.connect();
    bed.device.inject(Fault::call("mvCloseChannel").times(2).status(999));
    let first = channel.close().unwrap_err();
    assert!(first.to_string().contains("keeps its buffers"), "{first}");
    let second = first.value.close().unwrap_err();
    assert_eq!(second.error.status(), Status::check(999).unwrap_err());
    assert!(bed.memory.take().is_none());
    drop(second.value);
    drop(bed.buffers());
}

#[test]
fn a_channel_that_never_closes_keeps_its_buffers_for_good() {
    let (_broker, builder) = with_open_broker();
    let bed = bed::Bed::boot_fresh(builder).online();
    let channel = bed.connect();
    bed.device.inject(Fault::call("mvCloseChannel").times(u64::MAX).status(sys::MV_STATUS_INVALIDHANDLE));
    drop(channel);
    assert!(bed.memory.take().is_none());
}

#[test]
fn a_disconnect_is_requested_once() {
    let broker = ScriptedBroker::accepting();
    let bed = bed!(Device::builder().broker(broker.clone())).online();
    let mut session = bed.session();
    assert_eq!(session.channel.request_disconnect(), Ok(()));
    assert_eq!(session.channel.request_disconnect(), Ok(()));
    let disconnects =
        broker.requests().iter().filter(|request| matches!(request, Request::Disconnect)).count();
    assert_eq!(disconnects, 1);
}

#[test]
fn a_channel_that_closes_between_the_look_and_the_read_ends_the_session() {
    let (_broker, builder) = with_open_broker();
    let bed = bed!(builder).online();
    let mut session = bed.session();
    session.channel.request_publish(&publish("a", b"1", QoS::AtLeastOnce)).unwrap();
    bed.device.run_until_idle();
    let close = |device: &Device| device.close_channels(sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER);
    bed.device.inject(Fault::call("mvMqttReadPublishResponse").run(close));
    let end = Heard::Ended(SessionEnd::ChannelClosed(ClosureReason::CLOSED_BY_SERVER));
    assert_eq!(session.next(), Ok(end));
}
