//! What is printed, line by line.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use microvisor::mqtt::ReasonCode;
use microvisor::session::{Event, PublishError, ReceiveError, State};
use microvisor_provision::check::Report;

use crate::application::{Command, Log, Reading};
use crate::patience::Patience;

/// Prints what the device does, and when, by its own clock; all that is to be said of each thing.
pub(crate) struct Printer<'p, C> {
    clock: C,
    publishes: u32,
    patience: &'p Patience,
}

impl<'p, C: Fn() -> Duration> Printer<'p, C> {
    pub(crate) fn new(clock: C, publishes: u32, patience: &'p Patience) -> Self {
        Self { clock, publishes, patience }
    }

    fn print(&self, what: impl Display) {
        line((self.clock)(), what);
    }
}

fn json(reading: Reading) -> String {
    String::from_utf8_lossy(&reading.to_json()).into_owned()
}

impl<C: Fn() -> Duration> Log for &Printer<'_, C> {
    fn line(&self, what: &str, which: &[u8]) {
        self.print(format_args!("{what}{}", String::from_utf8_lossy(which)));
    }

    fn event(&self, event: &Event<'_>) {
        let now = (self.clock)();
        if let Event::State(state) = event {
            self.patience.state(now, *state);
        }
        match event {
            // The next event says to whom.
            Event::State(State::Connecting) => {}
            Event::State(State::BackingOff { until_micros, cause }) => {
                let wait = Duration::from_micros(*until_micros).saturating_sub(now).as_secs_f64();
                self.print(format_args!("{cause}; next attempt in {wait:.1} s"));
            }
            event => self.print(event),
        }
    }

    fn published(&self, number: u32, reading: Reading, reason: ReasonCode) {
        self.patience.published();
        self.print(format_args!("published {number}/{} {}: {reason}", self.publishes, json(reading)));
    }

    fn not_published(&self, reading: Reading, error: &PublishError) {
        self.patience.not_published((self.clock)(), error);
        self.print(format_args!("not published: {}: {error}", json(reading)));
    }

    fn command(&self, command: Command, topic: &[u8]) {
        let name = match command {
            Command::Stop => "command stop",
            Command::Restart => "command restart",
            Command::Unknown => "no command that is known,",
        };
        self.print(format_args!("{name} on {}", String::from_utf8_lossy(topic)));
    }

    fn not_received(&self, error: &ReceiveError<'_>) {
        self.print(error);
    }
}

/// One line of what happens, with the time since the device started.
pub(crate) fn line(at: Duration, what: impl Display) {
    print(format_args!("{:8.3} s  {what}", at.as_secs_f64()));
}

/// One line. Who reads no further, such as `head`, is no reason to end.
pub(crate) fn print(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// What was found in a folder of credentials.
pub(crate) fn found(report: &Report) {
    for part in &report.parts {
        print(format_args!("{}: {} ({})", part.role, part.file, part.description));
    }
    for unused in &report.left_aside {
        print(format_args!("{} {}: ignored", unused.file, unused.why));
    }
    for problem in &report.problems {
        eprintln!("warning: {problem}");
    }
}
