//! What is to be one message, while it is written.

use core::convert::Infallible;
use core::fmt;

use super::{ServerLog, split_text};

/// Gathers what is written to it, and logs each line as one message.
///
/// A line ends at `\n`, which is not logged, and when the `LogLine` is dropped. One longer than `N`
/// bytes, which are 4 at least, is logged in pieces of at most `N`. Empty ones are left out. Writing
/// always succeeds, as to a [`ServerLog`].
#[derive(Debug)]
pub struct LogLine<const N: usize> {
    log: ServerLog,
    line: heapless::Vec<u8, N>,
}

impl<const N: usize> LogLine<N> {
    pub(super) const fn new(log: ServerLog) -> Self {
        const { assert!(N >= 4, "a line holds at least one character, of four bytes") };
        Self { log, line: heapless::Vec::new() }
    }

    fn append_lines(&mut self, text: &[u8]) {
        let mut rest = text;
        // Not `split_inclusive`, in which a panic is left at some levels of optimisation.
        while let Some(line_end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at_checked(line_end).unwrap_or((rest, &[]));
            self.append(line);
            self.send();
            rest = after.get(1..).unwrap_or_default();
        }
        self.append(rest);
    }

    fn append(&mut self, text: &[u8]) {
        let mut rest = text;
        while !rest.is_empty() {
            // Nothing is split off if not even one character fits, which an emptied line helps.
            let (piece, after) = split_text(rest, N - self.line.len());
            // Cannot fail: a piece is no longer than the room there is.
            let _ = self.line.extend_from_slice(piece);
            rest = after;
            if !rest.is_empty() {
                self.send();
            }
        }
    }

    fn send(&mut self) {
        self.log.send(&self.line);
        self.line.clear();
    }
}

impl<const N: usize> Drop for LogLine<N> {
    fn drop(&mut self) {
        self.send();
    }
}

impl<const N: usize> fmt::Write for LogLine<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append_lines(text.as_bytes());
        Ok(())
    }
}

impl<const N: usize> embedded_io::ErrorType for LogLine<N> {
    type Error = Infallible;
}

/// `flush` ends the line.
impl<const N: usize> embedded_io::Write for LogLine<N> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.append_lines(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.send();
        Ok(())
    }
}
