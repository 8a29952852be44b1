//! A device that talks to AWS IoT Core, on this machine; see `--help`.
//!
//! Reading order: `application` is what runs on the device, and names nothing of the host. `laptop`
//! is the device in the application's place on a board: its memory, its interrupt, its stores.
//! `options`, `credentials` and `test_pki` say what is in them; `operator` is the other side of the
//! model broker, `report` prints, and `patience` ends a run that comes to nothing.

mod application;
mod credentials;
mod laptop;
mod operator;
mod options;
mod patience;
mod report;
mod test_pki;

use std::error::Error;
use std::process::ExitCode;

use options::{Command, HELP, Options};

/// As is usual for a wrong command line.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let options = match Command::parse(std::env::args_os().skip(1)) {
        Ok(Command::Run(options)) => options,
        Ok(Command::Help) => {
            report::print(HELP.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(USAGE);
        }
    };
    match run(&options) {
        Ok(summary) => {
            report::print(summary);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the device, and returns the summary.
fn run(options: &Options) -> Result<String, Box<dyn Error>> {
    let far_end = match (&options.credentials, &options.broker) {
        (Some(folder), Some(endpoint)) => laptop::FarEnd::real(endpoint.clone(), report::read(folder)?),
        (Some(folder), None) => laptop::FarEnd::model_for(&options.sid, report::read(folder)?),
        (None, _) => laptop::FarEnd::model_with_test_pki(&options.sid)?,
    };
    laptop::run(options, far_end)
}
