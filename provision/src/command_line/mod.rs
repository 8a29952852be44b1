//! The commands, one file each: what they take, and what they print.
//!
//! Exit codes: 0 for what was done, 1 for checks and operations that failed, 2 for a command line that
//! is wrong, which is clap's. Results go to the standard output, all else to the standard error.

mod api_options;
mod bundle;
mod check;
mod completions;
mod fleet;
mod policy;
mod upload;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use bundle::BundleArguments;
use check::CheckArguments;
use completions::CompletionsArguments;
use fleet::FleetArguments;
use policy::PolicyArguments;
use upload::UploadArguments;

/// What a command comes to: `Ok` when it could do its work, and then with what outcome.
type Result<T = Outcome, E = Box<dyn Error>> = std::result::Result<T, E>;

/// What was found or done, and printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All of it is good.
    Done,
    /// Some of it is not; what, is printed.
    Failed,
}

/// Provisions Microvisor devices for AWS IoT: from the files that AWS hands out to what a device's
/// config and secret stores hold.
#[derive(Debug, Parser)]
#[command(name = "microvisor-provision", version, max_term_width = 110, after_long_help = EXIT_CODES)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  a check or an operation failed; the messages say which, and what to do
  2  the command line is wrong";

#[derive(Debug, Subcommand)]
enum Command {
    Check(CheckArguments),
    Bundle(BundleArguments),
    Upload(UploadArguments),
    Fleet(FleetArguments),
    Policy(PolicyArguments),
    Completions(CompletionsArguments),
}

impl CommandLine {
    /// Runs the command, and tells of errors.
    pub(crate) fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Check(arguments) => arguments.run(),
            Command::Bundle(arguments) => arguments.run(),
            Command::Upload(arguments) => arguments.run(),
            Command::Fleet(arguments) => arguments.run(),
            Command::Policy(arguments) => arguments.run(),
            Command::Completions(arguments) => arguments.run(),
        };
        match outcome {
            Ok(Outcome::Done) => ExitCode::SUCCESS,
            Ok(Outcome::Failed) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
