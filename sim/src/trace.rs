use std::fmt::Write as _;

/// How many lines are kept; later ones only go to the stream.
const KEPT: usize = 200_000;

/// The call log: one line for a system call or an event, like strace.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    lines: Vec<String>,
    /// Lines for the stream that have not been written yet.
    unsent: Vec<String>,
    streaming: bool,
    /// Events in the middle of a call, which follow the call's own line.
    held: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(streaming: bool) -> Self {
        Self { streaming, ..Self::default() }
    }

    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    pub(crate) fn take_unsent(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unsent)
    }

    /// Holds lines back until the call's own line is there.
    pub(crate) fn begin_call(&mut self) {
        self.held = Some(Vec::new());
    }

    pub(crate) fn end_call(&mut self, at: u64, text: &str) {
        let held = self.held.take().unwrap_or_default();
        self.keep(stamped(at, text));
        for line in held {
            self.keep(line);
        }
    }

    /// Something that happened, other than a call.
    pub(crate) fn event(&mut self, at: u64, text: &str) {
        let line = stamped(at, &format!("-- {text}"));
        match &mut self.held {
            Some(held) => held.push(line),
            None => self.keep(line),
        }
    }

    fn keep(&mut self, line: String) {
        if self.streaming {
            self.unsent.push(line.clone());
        }
        if self.lines.len() < KEPT {
            self.lines.push(line);
        }
    }
}

fn stamped(at: u64, text: &str) -> String {
    format!("[{:3}.{:06}] {text}", at / 1_000_000, at % 1_000_000)
}

/// Data as the log shows it: text in quotes, anything else as hex, both cut short.
pub(crate) fn shown(data: &[u8]) -> String {
    const TEXT: usize = 64;
    const HEX: usize = 8;
    match std::str::from_utf8(data) {
        Ok(text) if !text.contains(|c: char| c.is_control()) => {
            let mut short: String = text.chars().take(TEXT).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            format!("{short:?}")
        }
        _ => {
            let mut short = format!("<{} bytes", data.len());
            for (index, byte) in data.iter().take(HEX).enumerate() {
                let _ = write!(short, "{}{byte:02x}", if index == 0 { ": " } else { "" });
            }
            short.push_str(if data.len() > HEX { "…>" } else { ">" });
            short
        }
    }
}

/// Data that the log must not show.
pub(crate) fn redacted(length: usize) -> String {
    format!("<{length} bytes, redacted>")
}

#[cfg(test)]
mod tests {
    use super::{shown, stamped};

    #[test]
    fn a_stamp_is_in_seconds_with_microseconds() {
        assert_eq!(stamped(200_013, "x"), "[  0.200013] x");
        assert_eq!(stamped(61_000_000, "x"), "[ 61.000000] x");
    }

    #[test]
    fn long_and_binary_data_is_cut_short() {
        assert_eq!(shown(b"stop"), "\"stop\"");
        assert!(shown(&[b'a'; 100]).ends_with("…\""));
        assert_eq!(shown(&[0x30, 0x82]), "<2 bytes: 3082>");
        assert_eq!(shown(&[0; 100]), "<100 bytes: 0000000000000000…>");
    }
}
