//! What is printed, line by line.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use microvisor::mqtt::ReasonCode;
use microvisor::session::{Event, PublishError, ReceiveError, State};

use crate::application::Log;
use crate::credentials::{Credentials, CredentialsError};
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

impl<C: Fn() -> Duration> Log for Printer<'_, C> {
    fn line(&self, parts: &[&str]) {
        self.print(parts.concat());
    }

    fn event(&self, event: &Event<'_>) {
        let now = (self.clock)();
        if let Event::State(state) = event {
            self.patience.state(now, *state);
        }
        match event {
            // The next event says to whom.
            Event::State(State::Connecting) => {}
            Event::State(State::BackingOff { until, cause }) => {
                let wait = until.saturating_sub(now).as_secs_f64();
                self.print(format_args!("{cause}; next attempt in {wait:.1} s"));
            }
            event => self.print(event),
        }
    }

    fn published(&self, number: u32, reading: &str, reason: ReasonCode) {
        self.patience.published();
        self.print(format_args!("published {number}/{} {reading}: {reason}", self.publishes));
    }

    fn not_published(&self, reading: &str, error: &PublishError) {
        self.patience.not_published((self.clock)(), error);
        self.print(format_args!("not published: {reading}: {error}"));
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

/// Reads a folder of credentials, and tells what was found.
pub(crate) fn read(folder: &Path) -> Result<Credentials, CredentialsError> {
    let credentials = Credentials::read(folder)?;
    credentials.notes.iter().for_each(print);
    for warning in &credentials.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(credentials)
}
