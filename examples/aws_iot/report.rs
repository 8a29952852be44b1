//! What is printed, line by line.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::application::{Observer, Step};
use crate::credentials::{Credentials, CredentialsError};

/// Prints what the device does, and when, by its own clock.
pub(crate) struct Printer<C> {
    clock: C,
}

impl<C: Fn() -> Duration> Printer<C> {
    pub(crate) fn new(clock: C) -> Self {
        Self { clock }
    }
}

impl<C: Fn() -> Duration> Observer for Printer<C> {
    fn step(&mut self, step: &Step<'_>) {
        line((self.clock)(), step);
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
