//! `microvisor-provision`: see `--help`.

mod command_line;

use std::process::ExitCode;

use clap::Parser;

use command_line::CommandLine;

fn main() -> ExitCode {
    CommandLine::parse().run()
}
