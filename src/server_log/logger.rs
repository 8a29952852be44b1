//! The server log as the logger of the `log` crate.

use core::fmt::Write as _;

use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use super::ServerLog;

/// Bytes on the stack for one record. A longer one is logged in pieces.
const LINE: usize = 256;

impl ServerLog {
    /// Makes this the logger of the `log` crate, for records up to `level`.
    ///
    /// # Errors
    ///
    /// `SetLoggerError` if there is a logger already, which then stays.
    pub fn install(self, level: LevelFilter) -> Result<(), SetLoggerError> {
        static LOGGER: ServerLog = ServerLog(());
        log::set_logger(&LOGGER)?;
        log::set_max_level(level);
        Ok(())
    }
}

/// Logs each record as one line: level, target and message.
impl Log for ServerLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut line = self.line::<LINE>();
        // Only the formatting of an argument can fail; what it wrote before that is logged.
        let _ = write!(line, "{} {}: {}", record.level(), record.target(), record.args());
    }

    fn flush(&self) {}
}
