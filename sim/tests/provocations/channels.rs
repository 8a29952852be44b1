use std::ptr::{null, null_mut};

use microvisor::sys;
use microvisor_sim::NetworkStatus;

use super::{NOTHING, rows};
use crate::raw::{Bench, call, memory, text};

type Params = sys::MvOpenChannelParams__bindgen_ty_1__bindgen_ty_1;

fn refused(bench: &Bench, change: impl FnOnce(&mut Params)) -> sys::MvStatus {
    bench.try_open(change).expect_err("the channel must not open")
}

rows! {
    mvOpenChannel PARAMETERFAULT "the parameters are NULL" => |_bench| call!(mvOpenChannel(null(), &mut 0));
    mvOpenChannel INVALIDHANDLE "the network handle names nothing" => |bench| {
        refused(bench, |params| params.network_handle = NOTHING)
    };
    mvOpenChannel INVALIDBUFFERALIGNMENT "the send buffer is on a 256-byte boundary" => |bench| {
        refused(bench, |params| params.send_buffer = memory(1024).wrapping_add(256))
    };
    mvOpenChannel INVALIDBUFFERSIZE "the receive buffer has 1000 bytes" => |bench| {
        refused(bench, |params| params.receive_buffer_len = 1000)
    };
    mvOpenChannel UNKNOWNCHANNELENDPOINT "the endpoint is not empty" => |bench| {
        refused(bench, |params| params.endpoint = text(b"cloud"))
    };
    mvOpenChannel UNKNOWNCHANNELTYPE "there is no channel type 7" => |bench| {
        refused(bench, |params| params.channel_type = 7)
    };
    mvOpenChannel NETWORKNOTCONNECTED "the network is lost" => |bench| {
        bench.device.set_network(NetworkStatus::Connecting);
        refused(bench, |_| ())
    };
    mvOpenChannel RATELIMITED "a ninth attempt within a second" => |bench| {
        for _ in 0..8 {
            bench.close(bench.mqtt());
        }
        refused(bench, |_| ())
    };
    mvOpenChannel UNAVAILABLE "an HTTP channel, which the model does not have" => |bench| {
        refused(bench, |params| params.channel_type = sys::MV_CHANNELTYPE_HTTP)
    };
    mvOpenChannel TOOMANYCHANNELS "a fifth channel" => |bench| {
        for _ in 0..4 {
            bench.mqtt();
        }
        refused(bench, |_| ())
    };
    mvCloseChannel PARAMETERFAULT "the handle's address is NULL" => |_bench| call!(mvCloseChannel(null_mut()));
    mvCloseChannel INVALIDHANDLE "the channel is closed already" => |bench| {
        let channel = bench.mqtt();
        bench.close(channel);
        call!(mvCloseChannel(&mut channel.clone()))
    };
    mvGetChannelClosureReason PARAMETERFAULT "the output is NULL" => |bench| {
        call!(mvGetChannelClosureReason(bench.mqtt(), null_mut()))
    };
    mvGetChannelClosureReason INVALIDHANDLE "the handle is that of the network" => |bench| {
        call!(mvGetChannelClosureReason(bench.network, &mut 0))
    };
}
