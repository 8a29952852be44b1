use std::ptr::{null, null_mut};

use microvisor::sys;

use super::{NOTHING, rows};
use crate::raw::{Bench, buffer, call, fetch_params};

fn read_item(channel: u32, item_index: u32) -> sys::MvStatus {
    let (mut result, mut value, mut length) = (0, [0; 64], 0);
    let params = sys::MvConfigResponseReadItemParams {
        item_index,
        result: &mut result,
        buf: buffer(&mut value, &mut length),
    };
    call!(mvReadConfigResponseItem(channel, &params))
}

fn read_data(channel: u32) -> sys::MvStatus {
    let mut data = sys::MvConfigResponseData { result: 0, num_items: 0 };
    call!(mvReadConfigFetchResponseData(channel, &mut data))
}

fn closed(bench: &Bench) -> u32 {
    let channel = bench.config();
    bench.device.close_channels(sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER);
    channel
}

rows! {
    mvSendConfigFetchRequest PARAMETERFAULT "it asks for nothing" => |bench| {
        call!(mvSendConfigFetchRequest(bench.config(), &fetch_params(&[])))
    };
    mvSendConfigFetchRequest LATEFAULT "the list of keys is NULL" => |bench| {
        let params = sys::MvConfigKeyFetchParams { num_items: 1, keys_to_fetch: null() };
        call!(mvSendConfigFetchRequest(bench.config(), &params))
    };
    mvSendConfigFetchRequest INVALIDHANDLE "the channel is an MQTT channel" => |bench| {
        bench.fetch(bench.mqtt(), &["key"])
    };
    mvSendConfigFetchRequest INVALIDBUFFERSIZE "the keys do not fit the send buffer" => |bench| {
        let key = "k".repeat(100);
        bench.fetch(bench.config(), &[key.as_str(); 6])
    };
    mvSendConfigFetchRequest CHANNELCLOSED "the server has closed the channel" => |bench| {
        bench.fetch(closed(bench), &["key"])
    };
    mvSendConfigFetchRequest REQUESTALREADYSENT "a second request" => |bench| {
        bench.fetch(bench.fetched(&["key"]), &["key"])
    };
    mvReadConfigFetchResponseData PARAMETERFAULT "the output is NULL" => |bench| {
        call!(mvReadConfigFetchResponseData(bench.fetched(&["key"]), null_mut()))
    };
    mvReadConfigFetchResponseData CHANNELCLOSED "the server has closed the channel" => |bench| {
        read_data(closed(bench))
    };
    mvReadConfigResponseItem PARAMETERFAULT "the value's length output is NULL" => |bench| {
        let (mut result, mut value) = (0, [0; 64]);
        let mut buf = buffer(&mut value, &mut 0);
        buf.length = null_mut();
        let params = sys::MvConfigResponseReadItemParams { item_index: 0, result: &mut result, buf };
        call!(mvReadConfigResponseItem(bench.fetched(&["key"]), &params))
    };
    mvReadConfigResponseItem INVALIDHANDLE "the handle names nothing" => |_bench| read_item(NOTHING, 0);
    mvReadConfigResponseItem RESPONSENOTPRESENT "the response has not come yet" => |bench| {
        let channel = bench.config();
        assert_eq!(bench.fetch(channel, &["key"]), sys::MV_STATUS_OKAY);
        read_item(channel, 0)
    };
    mvReadConfigResponseItem CHANNELCLOSED "the server has closed the channel" => |bench| {
        read_item(closed(bench), 0)
    };
    mvReadConfigResponseItem INDEXINVALID "item 1 of 1" => |bench| read_item(bench.fetched(&["key"]), 1);
}
