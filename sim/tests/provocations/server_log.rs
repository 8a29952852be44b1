use std::ptr::null;

use microvisor::sys;

use super::rows;
use crate::raw::{call, memory};

fn log(message: &[u8]) -> sys::MvStatus {
    call!(mvServerLog(message.as_ptr(), message.len().try_into().expect("a short message")))
}

fn start() {
    assert_eq!(call!(mvServerLoggingInit(memory(1024), 1024)), sys::MV_STATUS_OKAY);
}

rows! {
    mvServerLoggingInit PARAMETERFAULT "the buffer is NULL" => |_bench| {
        call!(mvServerLoggingInit(std::ptr::null_mut(), 1024))
    };
    mvServerLoggingInit INVALIDBUFFERALIGNMENT "the buffer is on an 8-byte boundary" => |_bench| {
        call!(mvServerLoggingInit(memory(1024).wrapping_add(8), 512))
    };
    mvServerLoggingInit INVALIDBUFFERSIZE "the buffer has 100 bytes" => |_bench| {
        call!(mvServerLoggingInit(memory(1024), 100))
    };
    mvServerLog UNAVAILABLE "there is no log buffer yet" => |_bench| log(b"hello");
    mvServerLog PARAMETERFAULT "the message is NULL" => |_bench| {
        start();
        call!(mvServerLog(null(), 5))
    };
    mvServerLog INVALIDBUFFERSIZE "the buffer is full until it is sent" => |_bench| {
        start();
        assert_eq!(log(&[b'a'; 600]), sys::MV_STATUS_OKAY);
        log(&[b'b'; 600])
    };
    mvServerLog LOGMESSAGETOOLONG "a message of 1025 bytes" => |_bench| {
        start();
        log(&[b'a'; 1025])
    };
    mvServerLog LOGGINGDISABLEDBYSERVER "the server has switched it off" => |bench| {
        start();
        bench.device.set_server_logging(false);
        log(b"hello")
    };
}
