use std::ptr::{null, null_mut};

use microvisor::sys;
use microvisor_sim::broker::BrokerEvent;

use super::{NOTHING, rows};
use crate::raw::{Bench, Codes, Received, call, memory, message, published, subscribed, unsubscribed};

/// A channel with something to read, on which the session is up.
fn with(bench: &Bench, event: BrokerEvent) -> u32 {
    let channel = bench.connected();
    match event {
        BrokerEvent::Published { correlation_id, .. } => {
            assert_eq!(bench.publish(channel, correlation_id, 1), sys::MV_STATUS_OKAY);
        }
        BrokerEvent::Subscribed { correlation_id, .. } => {
            assert_eq!(bench.subscribe(channel, correlation_id), sys::MV_STATUS_OKAY);
        }
        BrokerEvent::Unsubscribed { correlation_id, .. } => {
            assert_eq!(bench.unsubscribe(channel, correlation_id), sys::MV_STATUS_OKAY);
        }
        _ => (),
    }
    bench.hear(event);
    channel
}

/// An MQTT channel that the server has closed.
fn closed(bench: &Bench) -> u32 {
    let channel = bench.connected();
    bench.device.close_channels(sys::MV_CLOSUREREASON_CHANNELRESETBYSERVER);
    channel
}

/// Too large for the receive buffer of the bench.
fn large_message() -> BrokerEvent {
    message(1, &[b'x'; 2000], 0)
}

fn disconnected() -> BrokerEvent {
    BrokerEvent::Disconnected { state: 0, reason: 0x8e }
}

/// A place in memory that the kernel owns: the receive buffer of a channel of its own.
fn owned<T>(bench: &Bench) -> *mut T {
    let start = memory(512);
    let change = |params: &mut sys::MvOpenChannelParams__bindgen_ty_1__bindgen_ty_1| {
        (params.receive_buffer, params.receive_buffer_len) = (start, 512);
    };
    bench.try_open(change).expect("the channel opens");
    start.cast()
}

fn read_subscribe(channel: u32, size: u32) -> sys::MvStatus {
    call!(mvMqttReadSubscribeResponse(channel, &Codes::new().subscribe(size)))
}

fn read_unsubscribe(channel: u32, size: u32) -> sys::MvStatus {
    call!(mvMqttReadUnsubscribeResponse(channel, &Codes::new().unsubscribe(size)))
}

fn receive(channel: u32, topic: usize, payload: usize) -> sys::MvStatus {
    call!(mvMqttReceiveMessage(channel, &Received::with_room(topic, payload).message()))
}

fn receive_lost(channel: u32, topic: usize) -> sys::MvStatus {
    call!(mvMqttReceiveLostMessageInfo(channel, &Received::with_room(topic, 1).lost()))
}

fn read_connect(channel: u32) -> sys::MvStatus {
    let mut response = sys::MvMqttConnectResponse { request_state: 0, reason_code: 0 };
    call!(mvMqttReadConnectResponse(channel, &mut response))
}

fn read_publish(channel: u32) -> sys::MvStatus {
    let mut response = sys::MvMqttPublishResponse { request_state: 0, correlation_id: 0, reason_code: 0 };
    call!(mvMqttReadPublishResponse(channel, &mut response))
}

fn read_disconnect(channel: u32) -> sys::MvStatus {
    let mut response = sys::MvMqttDisconnectResponse { request_state: 0, disconnect_code: 0 };
    call!(mvMqttReadDisconnectResponse(channel, &mut response))
}

rows! {
    mvMqttGetNextReadableDataType PARAMETERFAULT "the output is NULL" => |bench| {
        call!(mvMqttGetNextReadableDataType(bench.connected(), null_mut()))
    };
    mvMqttGetNextReadableDataType INVALIDHANDLE "the channel is a config channel" => |bench| {
        call!(mvMqttGetNextReadableDataType(bench.config(), &mut 0))
    };
    mvMqttGetNextReadableDataType CHANNELCLOSED "the server has closed the channel" => |bench| {
        call!(mvMqttGetNextReadableDataType(closed(bench), &mut 0))
    };
    mvMqttReadConnectResponse PARAMETERFAULT "the output is NULL" => |bench| {
        call!(mvMqttReadConnectResponse(bench.connected_unread(), null_mut()))
    };
    mvMqttReadConnectResponse LATEFAULT "the output lies in a channel's buffer" => |bench| {
        call!(mvMqttReadConnectResponse(bench.connected_unread(), owned(bench)))
    };
    mvMqttReadConnectResponse INVALIDHANDLE "the handle names nothing" => |_bench| read_connect(NOTHING);
    mvMqttReadConnectResponse CHANNELCLOSED "the server has closed the channel" => |bench| {
        read_connect(closed(bench))
    };
    mvMqttReadPublishResponse PARAMETERFAULT "the output is NULL" => |bench| {
        call!(mvMqttReadPublishResponse(with(bench, published(1)), null_mut()))
    };
    mvMqttReadPublishResponse LATEFAULT "the output lies in a channel's buffer" => |bench| {
        call!(mvMqttReadPublishResponse(with(bench, published(1)), owned(bench)))
    };
    mvMqttReadPublishResponse INVALIDHANDLE "the handle names nothing" => |_bench| read_publish(NOTHING);
    mvMqttReadPublishResponse CHANNELCLOSED "the server has closed the channel" => |bench| {
        read_publish(closed(bench))
    };
    mvMqttReadDisconnectResponse PARAMETERFAULT "the output is NULL" => |bench| {
        call!(mvMqttReadDisconnectResponse(with(bench, disconnected()), null_mut()))
    };
    mvMqttReadDisconnectResponse LATEFAULT "the output lies in a channel's buffer" => |bench| {
        call!(mvMqttReadDisconnectResponse(with(bench, disconnected()), owned(bench)))
    };
    mvMqttReadDisconnectResponse INVALIDHANDLE "the handle names nothing" => |_bench| read_disconnect(NOTHING);
    mvMqttReadDisconnectResponse CHANNELCLOSED "the server has closed the channel" => |bench| {
        read_disconnect(closed(bench))
    };
    mvMqttReadSubscribeResponse PARAMETERFAULT "the outputs are NULL" => |bench| {
        call!(mvMqttReadSubscribeResponse(with(bench, subscribed(1, &[1])), null()))
    };
    mvMqttReadSubscribeResponse LATEFAULT "the output for the state is NULL" => |bench| {
        let mut codes = Codes::new();
        let response = sys::MvMqttSubscribeResponse { request_state: null_mut(), ..codes.subscribe(32) };
        call!(mvMqttReadSubscribeResponse(with(bench, subscribed(1, &[1])), &response))
    };
    mvMqttReadSubscribeResponse INVALIDHANDLE "the handle names nothing" => |_bench| read_subscribe(NOTHING, 32);
    mvMqttReadSubscribeResponse CHANNELCLOSED "the server has closed the channel" => |bench| {
        read_subscribe(closed(bench), 32)
    };
    mvMqttReadSubscribeResponse INVALIDBUFFERSIZE "two reason codes, room for one" => |bench| {
        read_subscribe(with(bench, subscribed(1, &[1, 1])), 4)
    };
    mvMqttReadUnsubscribeResponse PARAMETERFAULT "the outputs are NULL" => |bench| {
        call!(mvMqttReadUnsubscribeResponse(with(bench, unsubscribed(1, &[0])), null()))
    };
    mvMqttReadUnsubscribeResponse LATEFAULT "the reason codes lie in a channel's buffer" => |bench| {
        let mut codes = Codes::new();
        let response =
            sys::MvMqttUnsubscribeResponse { reason_codes: owned(bench), ..codes.unsubscribe(32) };
        call!(mvMqttReadUnsubscribeResponse(with(bench, unsubscribed(1, &[0])), &response))
    };
    mvMqttReadUnsubscribeResponse INVALIDHANDLE "the handle names nothing" => |_bench| {
        read_unsubscribe(NOTHING, 32)
    };
    mvMqttReadUnsubscribeResponse CHANNELCLOSED "the server has closed the channel" => |bench| {
        read_unsubscribe(closed(bench), 32)
    };
    mvMqttReadUnsubscribeResponse INVALIDBUFFERSIZE "two reason codes, room for one" => |bench| {
        read_unsubscribe(with(bench, unsubscribed(1, &[0, 0])), 4)
    };
    mvMqttReceiveMessage PARAMETERFAULT "the outputs are NULL" => |bench| {
        call!(mvMqttReceiveMessage(with(bench, message(1, b"stop", 1)), null()))
    };
    mvMqttReceiveMessage LATEFAULT "the output for the QoS is NULL" => |bench| {
        let mut received = Received::with_room(64, 64);
        let outputs = sys::MvMqttMessage { qos: null_mut(), ..received.message() };
        call!(mvMqttReceiveMessage(with(bench, message(1, b"stop", 1)), &outputs))
    };
    mvMqttReceiveMessage INVALIDHANDLE "the handle names nothing" => |_bench| receive(NOTHING, 64, 64);
    mvMqttReceiveMessage CHANNELCLOSED "the server has closed the channel" => |bench| {
        receive(closed(bench), 64, 64)
    };
    mvMqttReceiveMessage INVALIDBUFFERSIZE "the payload's buffer is too small" => |bench| {
        receive(with(bench, message(1, b"stop", 1)), 64, 3)
    };
    mvMqttReceiveLostMessageInfo PARAMETERFAULT "the outputs are NULL" => |bench| {
        call!(mvMqttReceiveLostMessageInfo(with(bench, large_message()), null()))
    };
    mvMqttReceiveLostMessageInfo LATEFAULT "the output for the length is NULL" => |bench| {
        let mut received = Received::with_room(64, 1);
        let outputs = sys::MvMqttLostMessageInfo { message_len: null_mut(), ..received.lost() };
        call!(mvMqttReceiveLostMessageInfo(with(bench, large_message()), &outputs))
    };
    mvMqttReceiveLostMessageInfo INVALIDHANDLE "the handle names nothing" => |_bench| receive_lost(NOTHING, 64);
    mvMqttReceiveLostMessageInfo CHANNELCLOSED "the server has closed the channel" => |bench| {
        receive_lost(closed(bench), 64)
    };
    mvMqttReceiveLostMessageInfo INVALIDBUFFERSIZE "the topic's buffer is too small" => |bench| {
        receive_lost(with(bench, large_message()), 3)
    };
}
