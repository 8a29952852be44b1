//! The log that the kernel sends to the server.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use microvisor::sys;
use microvisor_sim::{NetworkPlan, NetworkStatus, Quirks};
use raw::{Bench, call, memory};

fn start() {
    assert_eq!(call!(mvServerLoggingInit(memory(512), 512)), sys::MV_STATUS_OKAY);
}

fn log(message: &str) -> sys::MvStatus {
    call!(mvServerLog(message.as_ptr(), message.len().try_into().expect("a short message")))
}

#[test]
fn messages_arrive_in_order() {
    let bench = Bench::new();
    start();
    for message in ["one", "two", ""] {
        assert_eq!(log(message), sys::MV_STATUS_OKAY);
    }
    assert_eq!(bench.device.server_log(), ["one", "two", ""]);
}

#[test]
fn a_full_buffer_is_empty_again_once_it_was_sent() {
    let bench = Bench::new();
    start();
    let message = "x".repeat(400);
    assert_eq!(log(&message), sys::MV_STATUS_OKAY);
    assert_eq!(log(&message), sys::MV_STATUS_INVALIDBUFFERSIZE);
    bench.settle();
    assert_eq!(log(&message), sys::MV_STATUS_OKAY);
    assert_eq!(bench.device.server_log().len(), 2);
}

#[test]
fn without_the_network_the_buffer_stays_full() {
    let bench = Bench::with(|builder| builder.network(NetworkPlan::never()));
    start();
    let message = "x".repeat(400);
    assert_eq!(log(&message), sys::MV_STATUS_OKAY);
    bench.settle();
    assert_eq!(log(&message), sys::MV_STATUS_INVALIDBUFFERSIZE);
    bench.device.set_network(NetworkStatus::Connected);
    bench.settle();
    assert_eq!(log(&message), sys::MV_STATUS_OKAY);
}

#[test]
fn the_longest_message_is_a_quirk() {
    let quirks = Quirks { max_log_message: 10, ..Quirks::default() };
    let _bench = Bench::with(|builder| builder.quirks(quirks));
    start();
    assert_eq!(log("0123456789"), sys::MV_STATUS_OKAY);
    assert_eq!(log("0123456789a"), sys::MV_STATUS_LOGMESSAGETOOLONG);
}

#[test]
fn the_server_can_switch_it_off_and_on() {
    let bench = Bench::new();
    start();
    bench.device.set_server_logging(false);
    assert_eq!(log("lost"), sys::MV_STATUS_LOGGINGDISABLEDBYSERVER);
    bench.device.set_server_logging(true);
    assert_eq!(log("kept"), sys::MV_STATUS_OKAY);
    assert_eq!(bench.device.server_log(), ["kept"]);
}
