//! A device that talks to AWS IoT Core, on this machine; see `--help`.
//!
//! Reading order: `application` is what runs on the device, and names nothing of the host. `laptop`
//! is the device in the application's place on a board: its memory, its interrupt, its stores.
//! `options`, `stores` and `test_pki` say what is in them; `operator` is the other side of the model
//! broker, `report` prints, and `patience` ends a run that comes to nothing.

mod application;
mod laptop;
mod operator;
mod options;
mod patience;
mod report;
mod stores;
mod test_pki;

use std::error::Error;
use std::process::ExitCode;

use options::{Broker, Command, HELP, Options, Source};
use stores::Stores;

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
    let stores = match &options.source {
        Source::MadeForThisRun => return laptop::run(options, laptop::FarEnd::model_with_test_pki(options)?),
        Source::Folder(folder) => Stores::of_folder(folder, options)?,
        Source::Bundle(file) => Stores::of_bundle(file, options)?,
    };
    let far_end = match options.broker {
        Broker::Model => laptop::FarEnd::model(stores)?,
        Broker::Stored | Broker::At(_) => laptop::FarEnd::real(stores),
    };
    laptop::run(options, far_end)
}
