//! Memory that the kernel owns, and pointers that it must not follow.

#![allow(clippy::borrow_as_ptr)] // Arguments of system calls.

mod raw;

use microvisor::sys;
use raw::{Bench, call, memory};

type Params = sys::MvOpenChannelParams__bindgen_ty_1__bindgen_ty_1;

/// A channel whose receive buffer is known.
fn channel_with(bench: &Bench, receive: *mut u8) -> Result<u32, sys::MvStatus> {
    bench.try_open(|params: &mut Params| (params.receive_buffer, params.receive_buffer_len) = (receive, 1024))
}

/// Writes where the application must not.
fn scribble(at: *mut u8, byte: u8) {
    // SAFETY: the memory is never freed, and nobody has a reference to it.
    unsafe { at.write_volatile(byte) };
}

fn peek(at: *mut u8) -> [u8; 16] {
    // SAFETY: as in `scribble`.
    unsafe { at.cast::<[u8; 16]>().read_volatile() }
}

#[test]
fn a_write_to_a_channel_s_buffer_is_found_at_the_next_call() {
    let bench = Bench::new();
    let receive = memory(1024);
    let channel = channel_with(&bench, receive).expect("the channel opens");
    let before = peek(receive.wrapping_add(96))[4];
    scribble(receive.wrapping_add(100), !before);
    assert_eq!(call!(mvGetMicroseconds(&mut 0)), sys::MV_STATUS_OKAY);
    let misuse = bench.misuse();
    assert_eq!(misuse.len(), 1, "{misuse:?}");
    assert_eq!(misuse[0].call, "mvGetMicroseconds");
    assert!(misuse[0].what.contains("receive buffer of MQTT channel"), "{}", misuse[0].what);
    assert!(misuse[0].what.contains("byte 100 of 1024"), "{}", misuse[0].what);
    bench.close(channel);
    assert_eq!(bench.misuse(), []);
}

#[test]
fn a_channel_s_buffer_holds_new_junk_after_each_call() {
    let bench = Bench::new();
    let receive = memory(1024);
    channel_with(&bench, receive).expect("the channel opens");
    let first = peek(receive);
    assert_eq!(call!(mvNoOp()), sys::MV_STATUS_OKAY);
    let second = peek(receive);
    assert_ne!(first, [0; 16]);
    assert_ne!(first, second);
}

#[test]
fn a_buffer_is_the_application_s_again_once_the_channel_is_closed() {
    let bench = Bench::new();
    let receive = memory(1024);
    let channel = channel_with(&bench, receive).expect("the channel opens");
    assert_eq!(channel_with(&bench, receive), Err(sys::MV_STATUS_BUFFERALREADYINUSE));
    assert_eq!(bench.misuse().len(), 1);
    bench.close(channel);
    scribble(receive, 1);
    assert_eq!(call!(mvNoOp()), sys::MV_STATUS_OKAY);
    channel_with(&bench, receive).expect("the channel opens");
    assert_eq!(bench.misuse(), []);
}

#[test]
fn a_channel_that_the_server_closed_keeps_its_buffers_until_it_is_given_back() {
    let bench = Bench::new();
    let receive = memory(1024);
    let channel = channel_with(&bench, receive).expect("the channel opens");
    bench.device.close_channels(sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER);
    assert_eq!(channel_with(&bench, receive), Err(sys::MV_STATUS_BUFFERALREADYINUSE));
    assert_eq!(bench.closure_reason(channel), sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER);
    bench.close(channel);
    bench.misuse();
    channel_with(&bench, receive).expect("the channel opens");
}

#[test]
fn the_buffers_of_a_channel_must_not_overlap() {
    let bench = Bench::new();
    let both = memory(1536);
    let overlapping = bench.try_open(|params| {
        (params.receive_buffer, params.receive_buffer_len) = (both, 1024);
        (params.send_buffer, params.send_buffer_len) = (both.wrapping_add(512), 512);
    });
    assert_eq!(overlapping, Err(sys::MV_STATUS_BUFFERALREADYINUSE));
    assert_eq!(bench.misuse().len(), 1);
}

#[test]
fn records_may_be_cleared_but_not_written() {
    let bench = Bench::new();
    bench.device.set_network(microvisor_sim::NetworkStatus::Connecting);
    raw::clear(bench.ring, 0);
    assert_eq!(call!(mvNoOp()), sys::MV_STATUS_OKAY);
    assert_eq!(bench.misuse(), []);
    scribble(bench.ring.cast::<u8>().wrapping_add(16 + 12), 0x55);
    assert_eq!(call!(mvNoOp()), sys::MV_STATUS_OKAY);
    let misuse = bench.misuse();
    assert!(misuse[0].what.contains("byte 12 of record 1"), "{misuse:?}");
}

#[test]
fn the_log_buffer_is_the_kernel_s_for_ever() {
    let bench = Bench::new();
    let log = memory(1024);
    assert_eq!(call!(mvServerLoggingInit(log, 1024)), sys::MV_STATUS_OKAY);
    let before = peek(log)[0];
    scribble(log, !before);
    let misuse = bench.misuse();
    assert!(misuse[0].what.contains("log buffer"), "{misuse:?}");
    assert_eq!(misuse[0].call, "", "noticed by the test, between two calls");
    assert_eq!(call!(mvServerLoggingInit(memory(1024), 1024)), sys::MV_STATUS_BUFFERALREADYINUSE);
}

#[test]
fn an_argument_inside_the_kernel_s_memory_is_refused() {
    let bench = Bench::new();
    let receive = memory(1024);
    channel_with(&bench, receive).expect("the channel opens");
    assert_eq!(call!(mvGetMicroseconds(receive.cast())), sys::MV_STATUS_PARAMETERFAULT);
    let misuse = bench.misuse();
    assert!(misuse[0].what.starts_with("ms lies in the receive buffer"), "{misuse:?}");
}

#[test]
fn addresses_that_cannot_be_right_are_refused() {
    let bench = Bench::new();
    let mut hz = [0_u32; 2];
    let misaligned = hz.as_mut_ptr().wrapping_byte_add(2);
    for wrong in [std::ptr::null_mut(), misaligned, std::ptr::without_provenance_mut(64)] {
        assert_eq!(call!(mvGetSysClk(wrong)), sys::MV_STATUS_PARAMETERFAULT);
    }
    let misuse: Vec<_> = bench.misuse().into_iter().map(|misuse| misuse.what).collect();
    assert_eq!(misuse[0], "hz is NULL");
    assert!(misuse[1].ends_with("is not 4-byte aligned"), "{misuse:?}");
    assert!(misuse[2].ends_with("is no memory that the application can write"), "{misuse:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn outputs_in_constants_and_in_unmapped_memory_are_refused() {
    static CONSTANT: u32 = 7;
    let bench = Bench::new();
    let unmapped = std::ptr::without_provenance_mut(0x10_0000);
    assert_eq!(call!(mvGetSysClk((&raw const CONSTANT).cast_mut())), sys::MV_STATUS_PARAMETERFAULT);
    assert_eq!(call!(mvGetSysClk(unmapped)), sys::MV_STATUS_PARAMETERFAULT);
    assert_eq!((bench.misuse().len(), CONSTANT), (2, 7));
}

#[test]
fn outputs_are_exactly_as_wide_as_the_abi_says() {
    let bench = Bench::new();
    // Each output lies between two guards.
    let mut bytes = [0xa5_u8; 3];
    assert_eq!(call!(mvGetWakeReason(&mut bytes[1])), sys::MV_STATUS_OKAY);
    assert_eq!(bytes, [0xa5, sys::MV_WAKEREASON_COLDBOOT, 0xa5]);
    let mut words = [0xa5a5_a5a5_u32; 3];
    assert_eq!(call!(mvGetNetworkStatus(bench.network, &mut words[1])), sys::MV_STATUS_OKAY);
    assert_eq!(words, [0xa5a5_a5a5, sys::MV_NETWORKSTATUS_CONNECTED, 0xa5a5_a5a5]);
    let mut long = [u64::MAX; 3];
    assert_eq!(call!(mvGetMicroseconds(&mut long[1])), sys::MV_STATUS_OKAY);
    assert!(long[0] == u64::MAX && long[1] < 1_000 && long[2] == u64::MAX);
}

#[test]
fn a_failed_call_leaves_junk_in_its_outputs() {
    let bench = Bench::with(|builder| builder.wall_clock(microvisor_sim::WallClock::never_set(0)));
    let mut time = 0;
    assert_eq!(call!(mvGetWallTime(&mut time)), sys::MV_STATUS_TIMENOTSET);
    assert_ne!(time, 0);
    let quiet = microvisor_sim::Quirks { junk_in_outputs: false, ..Default::default() };
    drop(bench);
    let _bench =
        Bench::with(|builder| builder.wall_clock(microvisor_sim::WallClock::never_set(0)).quirks(quiet));
    time = 0;
    assert_eq!(call!(mvGetWallTime(&mut time)), sys::MV_STATUS_TIMENOTSET);
    assert_eq!(time, 0);
}

#[test]
fn a_closing_call_that_fails_leaves_the_handle_alone() {
    let bench = Bench::new();
    let mut handle = bench.center;
    assert_eq!(call!(mvCloseChannel(&mut handle)), sys::MV_STATUS_INVALIDHANDLE);
    assert_eq!(handle, bench.center);
    let misuse = bench.misuse();
    assert!(misuse[0].what.ends_with("is that of a notification centre"), "{misuse:?}");
}

#[test]
fn two_outputs_in_one_place_are_misuse() {
    let bench = Bench::new();
    let mut word = 0;
    let place = &raw mut word;
    assert_eq!(call!(mvGetNetworkReasons(place, place)), sys::MV_STATUS_OKAY);
    assert_eq!(bench.misuse()[0].what, "request_ref_count overlaps another output of the same call");
}

#[test]
fn a_stale_handle_is_known_as_such() {
    let bench = Bench::new();
    let channel = bench.mqtt();
    bench.close(channel);
    assert_eq!(call!(mvMqttRequestDisconnect(channel)), sys::MV_STATUS_INVALIDHANDLE);
    let misuse = bench.misuse();
    assert!(misuse[0].what.contains("is stale: that MQTT channel was closed at"), "{misuse:?}");
}
