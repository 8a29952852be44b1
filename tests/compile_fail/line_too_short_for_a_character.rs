//! A log line has room for one character of UTF-8.

use microvisor::ServerLog;

pub fn three_bytes(log: ServerLog) {
    drop(log.line::<3>()); //~ E0080
}
