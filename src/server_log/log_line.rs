//! What is to be one message, while it is written.

use core::convert::Infallible;
use core::fmt;

use heapless::{Vec, VecView};

use super::{ServerLog, split_text};

/// Gathers what is written to it, and logs each line as one message.
///
/// A line ends at `\n`, which is not logged, and when the `LogLine` is dropped. One longer than `N`
/// bytes, which are 4 at least, is logged in pieces of at most `N`. Empty ones are left out. Writing
/// always succeeds, as to a [`ServerLog`].
#[derive(Debug)]
pub struct LogLine<const N: usize> {
    log: ServerLog,
    line: Vec<u8, N>,
}

impl<const N: usize> LogLine<N> {
    pub(super) const fn new(log: ServerLog) -> Self {
        const { assert!(N >= 4, "a line holds at least one character, of four bytes") };
        Self { log, line: Vec::new() }
    }

    fn append(&mut self, text: &[u8]) {
        append_lines(self.log, &mut self.line, text);
    }

    fn send(&mut self) {
        send(self.log, &mut self.line);
    }
}

fn append_lines(log: ServerLog, line: &mut VecView<u8>, text: &[u8]) {
    let mut rest = text;
    // Not `split_inclusive`, in which a panic is left at some levels of optimisation.
    while let Some(line_end) = rest.iter().position(|byte| *byte == b'\n') {
        let (ended, after) = rest.split_at_checked(line_end).unwrap_or((rest, &[]));
        append(log, line, ended);
        send(log, line);
        rest = after.get(1..).unwrap_or_default();
    }
    append(log, line, rest);
}

fn append(log: ServerLog, line: &mut VecView<u8>, text: &[u8]) {
    let mut rest = text;
    while !rest.is_empty() {
        // Nothing is split off if not even one character fits, which an emptied line helps.
        let (piece, after) = split_text(rest, line.capacity() - line.len());
        // Cannot fail: a piece is no longer than the room there is.
        let _ = line.extend_from_slice(piece);
        rest = after;
        if !rest.is_empty() {
            send(log, line);
        }
    }
}

fn send(log: ServerLog, line: &mut VecView<u8>) {
    log.send(line);
    line.clear();
}

impl<const N: usize> Drop for LogLine<N> {
    fn drop(&mut self) {
        self.send();
    }
}

impl<const N: usize> fmt::Write for LogLine<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append(text.as_bytes());
        Ok(())
    }
}

impl<const N: usize> embedded_io::ErrorType for LogLine<N> {
    type Error = Infallible;
}

/// `flush` ends the line.
impl<const N: usize> embedded_io::Write for LogLine<N> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.send();
        Ok(())
    }
}
