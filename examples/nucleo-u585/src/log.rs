//! Lines for the server log, without `core::fmt`.
//!
//! They need no handle of the log, which may have been lost with what failed. If the log was never started, or is full
//! for now, nothing is logged.

use microvisor::ServerLog;

/// The longest line that is put together, in bytes.
const LINE: usize = 160;

/// Logs one text.
#[inline]
pub fn line(text: &str) {
    // That it fails is no reason to stop.
    let _ = ServerLog::if_started().log(text.as_bytes());
}

/// Logs what it is about, and which, where that fits a line.
#[inline(never)]
pub fn pair(what: &str, which: &[u8]) {
    // As above.
    let _ = ServerLog::if_started().log_pair::<LINE>(what.as_bytes(), which);
}
