//! The managed MQTT client.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use std::ptr::null;

use microvisor::sys;
use microvisor_sim::broker::BrokerEvent;
use microvisor_sim::{Quirks, ReasonCodesSize, SessionEnd, StreamedRequests};
use raw::{
    Asked, Bench, Codes, Received, call, message, publish_request, published, subscribe_request, subscribed,
    subscription, text, unsubscribe_request, unsubscribed,
};

const OKAY: u32 = sys::MV_STATUS_OKAY;
const NOT_CONNECTED: u32 = sys::MV_MQTTREQUESTSTATE_NOTCONNECTED;
const INVALID_PARAMETERS: u32 = sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS;

fn publish_response(channel: u32) -> (u32, u32, u32) {
    let mut response = sys::MvMqttPublishResponse { request_state: 99, correlation_id: 99, reason_code: 99 };
    assert_eq!(call!(mvMqttReadPublishResponse(channel, &mut response)), OKAY);
    (response.request_state, response.correlation_id, response.reason_code)
}

fn disconnect_response(channel: u32) -> (u32, u32) {
    let mut response = sys::MvMqttDisconnectResponse { request_state: 99, disconnect_code: 99 };
    assert_eq!(call!(mvMqttReadDisconnectResponse(channel, &mut response)), OKAY);
    (response.request_state, response.disconnect_code)
}

fn receive(channel: u32) -> Received {
    let mut received = Received::with_room(64, 64);
    assert_eq!(call!(mvMqttReceiveMessage(channel, &received.message())), OKAY);
    received
}

#[test]
fn an_item_stays_at_the_head_until_it_is_read_with_the_right_call_and_enough_room() {
    let bench = Bench::new();
    let channel = bench.connected();
    assert_eq!(bench.publish(channel, 7, 1), OKAY);
    bench.hear(message(1, b"stop", 0));
    bench.hear(published(7));
    let mut response = sys::MvMqttPublishResponse { request_state: 0, correlation_id: 0, reason_code: 0 };
    let status = call!(mvMqttReadPublishResponse(channel, &mut response));
    assert_eq!(status, sys::MV_STATUS_WRONGDATAREQUESTED);
    let mut small = Received::with_room(64, 3);
    assert_eq!(call!(mvMqttReceiveMessage(channel, &small.message())), sys::MV_STATUS_INVALIDBUFFERSIZE);
    assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED);
    let received = receive(channel);
    assert_eq!(&received.topic[..received.topic_len as usize], b"command");
    assert_eq!(&received.payload[..received.payload_len as usize], b"stop");
    assert_eq!((received.qos, received.retain), (0, 0));
    assert_ne!(received.payload[4..], [b'~'; 60], "what lies behind the data is junk");
    assert_eq!(publish_response(channel), (0, 7, 0));
    assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_NONE);
}

#[test]
fn an_acknowledgement_carries_the_broker_s_number() {
    let bench = Bench::new();
    let channel = bench.connected();
    bench.hear(message(1234, b"stop", 1));
    let received = receive(channel);
    assert_eq!(received.qos, 1);
    assert_eq!(call!(mvMqttAcknowledgeMessage(channel, received.correlation_id)), OKAY);
    assert_eq!(bench.broker.asked(), [Asked::Connect, Asked::Acknowledge(1234)]);
    assert_eq!(bench.misuse(), []);
    // There is no status for these.
    assert_eq!(call!(mvMqttAcknowledgeMessage(channel, received.correlation_id)), OKAY);
    assert_eq!(call!(mvMqttAcknowledgeMessage(channel, 5)), OKAY);
    let misuse = bench.misuse();
    assert!(misuse[0].what.ends_with("is acknowledged already"), "{misuse:?}");
    assert!(misuse[1].what.contains("belongs to no message"), "{misuse:?}");
}

#[test]
fn a_message_that_is_larger_than_the_receive_buffer_is_lost() {
    let bench = Bench::new();
    let channel = bench.connected();
    bench.hear(message(1, &[b'x'; 1024 - 7], 0));
    bench.hear(message(2, &[b'x'; 1024 - 6], 1));
    let mut received = Received::with_room(64, 1024);
    assert_eq!(call!(mvMqttReceiveMessage(channel, &received.message())), OKAY);
    assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST);
    let mut lost = Received::with_room(64, 0);
    assert_eq!(call!(mvMqttReceiveLostMessageInfo(channel, &lost.lost())), OKAY);
    assert_eq!(lost.qos, sys::MV_MQTTLOSTMESSAGEREASON_DEVICERECEIVEBUFFERTOOSMALL);
    assert_eq!((&lost.topic[..lost.topic_len as usize], lost.payload_len), (&b"command"[..], 1018));
    assert_eq!(bench.broker.asked(), [Asked::Connect, Asked::Acknowledge(2)]);
}

#[test]
fn a_message_waits_for_the_room_that_unread_ones_take() {
    for shared in [true, false] {
        let quirks = Quirks { unread_messages_share_buffer: shared, ..Quirks::default() };
        let bench = Bench::with(|builder| builder.quirks(quirks));
        let channel = bench.connected();
        assert_eq!(bench.publish(channel, 7, 1), OKAY);
        for (delivery, size) in [(1, 600), (2, 500), (3, 1)] {
            bench.hear(message(delivery, &vec![b'x'; size], 1));
        }
        bench.hear(published(7));
        let mut received = Received::with_room(64, 1024);
        assert_eq!(call!(mvMqttReceiveMessage(channel, &received.message())), OKAY);
        assert_eq!(received.payload_len, 600);
        if shared {
            // The response is read ahead of the messages that were held back.
            assert_eq!(publish_response(channel), (0, 7, 0));
            assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_NONE);
            bench.events();
            bench.settle();
            assert_eq!(bench.events(), [(sys::MV_EVENTTYPE_CHANNELDATAREADABLE, raw::CHANNEL_TAG); 2]);
        }
        for size in [500, 1] {
            assert_eq!(call!(mvMqttReceiveMessage(channel, &received.message())), OKAY);
            assert_eq!(received.payload_len, size);
        }
    }
}

#[test]
fn a_message_that_is_held_back_goes_with_the_session() {
    let bench = Bench::new();
    let channel = bench.connected();
    bench.hear(message(1, &[b'x'; 1000], 1));
    bench.hear(message(2, &[b'x'; 1000], 1));
    bench.hear(BrokerEvent::Disconnected { state: 0, reason: 0x8e });
    let mut received = Received::with_room(64, 1024);
    assert_eq!(call!(mvMqttReceiveMessage(channel, &received.message())), OKAY);
    assert_eq!(disconnect_response(channel), (0, 0x8e));
    bench.settle();
    assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_NONE);
}

#[test]
fn requests_without_a_session_are_answered_not_connected() {
    let bench = Bench::new();
    let channel = bench.mqtt();
    assert_eq!(bench.publish(channel, 3, 1), OKAY);
    assert_eq!(bench.subscribe(channel, 4), OKAY);
    assert_eq!(bench.unsubscribe(channel, 5), OKAY);
    assert_eq!(call!(mvMqttRequestDisconnect(channel)), OKAY);
    bench.settle();
    assert_eq!(publish_response(channel), (NOT_CONNECTED, 3, 0));
    let mut codes = Codes::new();
    assert_eq!(call!(mvMqttReadSubscribeResponse(channel, &codes.subscribe(32))), OKAY);
    assert_eq!((codes.state, codes.correlation_id, codes.len), (NOT_CONNECTED, 4, 0));
    assert_eq!(call!(mvMqttReadUnsubscribeResponse(channel, &codes.unsubscribe(32))), OKAY);
    assert_eq!((codes.state, codes.correlation_id, codes.len), (NOT_CONNECTED, 5, 0));
    assert_eq!(disconnect_response(channel), (NOT_CONNECTED, 0));
    assert_eq!(bench.broker.asked(), []);
    assert_eq!(bench.subscribe(channel, 6), OKAY, "the one before is answered");
}

#[test]
fn fields_out_of_range_are_answered_invalid_parameters() {
    let bench = Bench::new();
    let channel = bench.connected();
    assert_eq!(bench.publish(channel, 1, 3), OKAY);
    let topics = [sys::MvMqttSubscription { rh: 3, ..subscription(b"command") }];
    assert_eq!(call!(mvMqttRequestSubscribe(channel, &subscribe_request(2, &topics))), OKAY);
    bench.settle();
    assert_eq!(publish_response(channel), (INVALID_PARAMETERS, 1, 0));
    let mut codes = Codes::new();
    assert_eq!(call!(mvMqttReadSubscribeResponse(channel, &codes.subscribe(32))), OKAY);
    assert_eq!(codes.state, INVALID_PARAMETERS);
    let misuse: Vec<_> = bench.misuse().into_iter().map(|misuse| misuse.what).collect();
    assert_eq!(
        misuse,
        ["desired_qos is 3, at most 2 is allowed", "subscriptions[0].rh is 3, at most 2 is allowed"]
    );
    assert_eq!(bench.broker.asked(), [Asked::Connect]);
}

#[test]
fn a_publish_or_subscribe_fits_the_send_buffer_unless_the_kernel_sends_it_in_parts() {
    let long = [b'x'; 507];
    for (streams, size, state) in [
        (StreamedRequests::Connect, 506, 0),
        (StreamedRequests::Connect, 507, INVALID_PARAMETERS),
        (StreamedRequests::Nothing, 507, INVALID_PARAMETERS),
        (StreamedRequests::Everything, 507, 0),
    ] {
        let quirks = Quirks { streams_large_requests: streams, ..Quirks::default() };
        let bench = Bench::with(|builder| builder.quirks(quirks));
        let channel = bench.connected();
        let request = sys::MvMqttPublishRequest { payload: text(&long[..size]), ..publish_request(3, 1) };
        assert_eq!(call!(mvMqttRequestPublish(channel, &request)), OKAY);
        let topics = [text(&long[..size]), text(b"sensor")];
        let filters =
            topics.map(|topic| sys::MvMqttSubscription { topic, desired_qos: 1, nl: 0, rap: 0, rh: 0 });
        assert_eq!(call!(mvMqttRequestSubscribe(channel, &subscribe_request(4, &filters))), OKAY);
        assert_eq!(call!(mvMqttRequestUnsubscribe(channel, &unsubscribe_request(5, &topics))), OKAY);
        bench.settle();
        if state == 0 {
            assert_eq!(
                bench.broker.asked()[1..],
                [Asked::Publish(3), Asked::Subscribe(4), Asked::Unsubscribe(5)]
            );
            continue;
        }
        assert_eq!(publish_response(channel), (state, 3, 0), "{streams:?}, {size}");
        assert_eq!(bench.broker.asked(), [Asked::Connect]);
        let misuse = bench.misuse();
        assert_eq!(misuse.len(), 3);
        assert_eq!(misuse[0].what, "a publish request of 513 bytes does not fit the send buffer of 512");
    }
}

#[test]
fn a_late_fault_makes_the_channel_unusable() {
    let bench = Bench::new();
    let channel = bench.connected();
    let mut request = publish_request(1, 0);
    request.topic.data = null();
    assert_eq!(call!(mvMqttRequestPublish(channel, &request)), sys::MV_STATUS_LATEFAULT);
    assert_eq!(bench.publish(channel, 2, 0), sys::MV_STATUS_CHANNELCLOSED);
    assert_eq!(bench.closure_reason(channel), sys::MV_CLOSUREREASON_CONNECTIONTERMINATED);
    assert_eq!(bench.broker.asked(), [Asked::Connect, Asked::Abandon]);
    bench.close(channel);
    bench.misuse();
}

#[test]
fn reason_codes_are_counted_in_bytes_or_in_elements() {
    for (size, enough) in [(ReasonCodesSize::Bytes, 8), (ReasonCodesSize::Elements, 2)] {
        let quirks = Quirks { reason_codes_size: size, ..Quirks::default() };
        let bench = Bench::with(|builder| builder.quirks(quirks));
        let channel = bench.connected();
        assert_eq!(bench.subscribe(channel, 5), OKAY);
        bench.hear(subscribed(5, &[1, 0x87]));
        let mut codes = Codes::new();
        let too_small = call!(mvMqttReadSubscribeResponse(channel, &codes.subscribe(enough - 1)));
        assert_eq!(too_small, sys::MV_STATUS_INVALIDBUFFERSIZE, "{size:?}");
        assert_eq!(call!(mvMqttReadSubscribeResponse(channel, &codes.subscribe(enough))), OKAY, "{size:?}");
        assert_eq!((codes.correlation_id, codes.len, &codes.reasons[..2]), (5, 2, &[1, 0x87][..]));
        // An array of 4·n words with 4·n for its size is right either way.
        assert_eq!(bench.unsubscribe(channel, 6), OKAY);
        bench.hear(unsubscribed(6, &[0]));
        assert_eq!(call!(mvMqttReadUnsubscribeResponse(channel, &codes.unsubscribe(32))), OKAY, "{size:?}");
        assert_eq!((codes.len, codes.reasons[0]), (1, 0));
    }
}

#[test]
fn the_broker_s_end_of_a_session_is_a_response_or_a_closed_channel() {
    let taken_over = || BrokerEvent::Disconnected { state: 0, reason: 0x8e };
    let bench = Bench::new();
    let channel = bench.connected();
    bench.hear(taken_over());
    assert_eq!(disconnect_response(channel), (0, 0x8e));
    assert_eq!(bench.closure_reason(channel), sys::MV_CLOSUREREASON_NONE);
    drop(bench);

    let quirks = Quirks { session_end: SessionEnd::ChannelNotConnected, ..Quirks::default() };
    let bench = Bench::with(|builder| builder.quirks(quirks));
    let channel = bench.connected();
    bench.events();
    bench.hear(taken_over());
    assert_eq!(bench.events(), [(sys::MV_EVENTTYPE_CHANNELNOTCONNECTED, raw::CHANNEL_TAG)]);
    assert_eq!(bench.closure_reason(channel), sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER);
    // An end that the application asked for is a response either way.
    let channel = bench.connected();
    assert_eq!(call!(mvMqttRequestDisconnect(channel)), OKAY);
    bench.hear(BrokerEvent::Disconnected { state: 0, reason: 0 });
    assert_eq!(disconnect_response(channel), (0, 0));
}

#[test]
fn a_lost_connection_closes_the_channel_and_its_unread_items_are_gone() {
    let bench = Bench::new();
    let channel = bench.connected();
    bench.hear(message(1, b"stop", 1));
    bench.hear(BrokerEvent::Closed { closure_reason: sys::MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED });
    assert_eq!(call!(mvMqttGetNextReadableDataType(channel, &mut 0)), sys::MV_STATUS_CHANNELCLOSED);
    assert_eq!(bench.closure_reason(channel), sys::MV_CLOSUREREASON_UNEXPECTEDLYTERMINATED);
}

#[test]
fn a_publish_of_qos_0_has_a_response_or_none() {
    for wanted in [true, false] {
        let quirks = Quirks { qos0_publish_response: wanted, ..Quirks::default() };
        let bench = Bench::with(|builder| builder.quirks(quirks));
        let channel = bench.connected();
        for id in 0..20 {
            assert_eq!(bench.publish(channel, id, 0), OKAY);
            bench.hear(published(id));
            if wanted {
                assert_eq!(publish_response(channel), (0, id, 0));
            }
            assert_eq!(bench.readable(channel), sys::MV_MQTTREADABLEDATATYPE_NONE);
        }
    }
}

#[test]
fn a_refused_application_hears_of_space_where_the_platform_tells() {
    for tells in [true, false] {
        let quirks = Quirks { write_space_events: tells, ..Quirks::default() };
        let bench = Bench::with(|builder| builder.quirks(quirks));
        let channel = bench.connected();
        for id in 0..10 {
            assert_eq!(bench.publish(channel, id, 1), OKAY);
        }
        assert_eq!(bench.publish(channel, 10, 1), sys::MV_STATUS_RATELIMITED);
        bench.events();
        bench.hear(published(0));
        let space = bench.events().contains(&(sys::MV_EVENTTYPE_CHANNELDATAWRITESPACE, raw::CHANNEL_TAG));
        assert_eq!(space, tells);
        assert_eq!(bench.publish(channel, 10, 1), OKAY);
    }
}

#[test]
fn closing_a_channel_ends_its_connection_without_a_disconnect() {
    let bench = Bench::new();
    bench.close(bench.connected());
    assert_eq!(bench.broker.asked(), [Asked::Connect, Asked::Abandon]);
    bench.hear(message(1, b"stop", 1));
    assert_eq!(bench.misuse(), []);
}
