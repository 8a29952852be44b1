use microvisor::sys;

use super::memory::Use;
use super::{Event, Kernel, Outcome};
use crate::trace::shown;

/// The owner of the log buffer's memory; no handle is 0.
const LOG: u32 = 0;
/// How long the buffer takes to be sent, in microseconds.
const DRAIN_DELAY: u64 = 20_000;
/// What a message takes in the buffer besides its bytes.
const OVERHEAD: u32 = 4;

/// The log that the kernel sends to the server.
#[derive(Debug, Default)]
pub(super) struct ServerLog {
    /// The size of the buffer, once there is one.
    size: Option<u32>,
    used: u32,
    disabled: bool,
    lines: Vec<String>,
}

impl ServerLog {
    pub(super) fn holds_lines(&self) -> bool {
        self.used > 0
    }
}

impl Kernel {
    pub(crate) fn server_logging_init(&mut self, buffer: *mut u8, size: u32) -> Outcome {
        if self.memory.owns(LOG) {
            // The kernel keeps the first buffer for ever; a second one would be lost as well.
            return Err(sys::MV_STATUS_BUFFERALREADYINUSE);
        }
        self.check_buffer(buffer, size, "the log buffer")?;
        self.memory.claim(buffer, size as usize, Use::Private, "log buffer".to_owned(), LOG);
        self.log.size = Some(size);
        Ok(())
    }

    pub(crate) fn server_log(&mut self, message: *const u8, len: u16) -> Outcome {
        let message = self.bytes(message, u32::from(len), "message")?;
        self.note("message", shown(&message));
        let Some(size) = self.log.size else { return Err(sys::MV_STATUS_UNAVAILABLE) };
        if self.log.disabled {
            return Err(sys::MV_STATUS_LOGGINGDISABLEDBYSERVER);
        }
        if len > self.quirks.max_log_message {
            return Err(sys::MV_STATUS_LOGMESSAGETOOLONG);
        }
        let needed = u32::from(len) + OVERHEAD;
        if self.log.used + needed > size {
            return Err(sys::MV_STATUS_INVALIDBUFFERSIZE);
        }
        if !self.log.holds_lines() && self.network().is_up() {
            self.schedule(DRAIN_DELAY, Event::LogDrained);
        }
        self.log.used += needed;
        self.log.lines.push(String::from_utf8_lossy(&message).into_owned());
        Ok(())
    }

    pub(super) fn drain_log(&mut self) {
        if self.network().is_up() {
            self.log.used = 0;
        }
    }

    pub(crate) fn set_server_logging(&mut self, enabled: bool) {
        self.log.disabled = !enabled;
    }

    pub(crate) fn logged(&self) -> &[String] {
        &self.log.lines
    }
}
