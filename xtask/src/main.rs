//! `cargo xtask`: what the board's images need beside cargo.
//!
//! - [`firmware`] builds and links them, with the [`toolchain`] that is there;
//! - [`sizes`] reads from an image what it takes, and [`baseline`] compares that with what is recorded;
//! - [`check`] looks for calls that go astray, and for panics.

mod baseline;
mod check;
mod entries;
mod firmware;
mod flash_image;
mod options;
mod sizes;
mod toolchain;

use std::error::Error;
use std::path::Path;
use std::process::{Command as Process, ExitCode};
use std::{env, fs};

use options::{Command, Options};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The command of an emulator, which is given an image's path as its last argument.
const EMULATOR: &str = "EMULATOR";

fn main() -> ExitCode {
    match Options::parse(lexopt::Parser::from_env()).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    match options.command {
        Command::Help => {
            print!("{}", options::HELP);
            Ok(())
        }
        Command::Firmware => firmware::build(options).map(|images| print!("{}", sizes::table(&images))),
        Command::Size => size(options),
        Command::Check => options.files.iter().try_for_each(|file| check_file(file, options.may_panic)),
    }
}

fn size(options: &Options) -> Result<()> {
    let images = firmware::build(options)?;
    print!("{}", sizes::table(&images));
    let file = firmware::package().join("sizes.json");
    if options.record {
        baseline::record(&file, &images)?;
    } else {
        baseline::compare(&file, &images)?;
    }
    let Ok(emulator) = env::var(EMULATOR) else {
        println!("no instruction counts and no stack: {EMULATOR} names no emulator");
        return Ok(());
    };
    images.iter().try_for_each(|image| emulate(&emulator, &image.elf))
}

fn emulate(emulator: &str, elf: &Path) -> Result<()> {
    let status = Process::new("sh").args(["-c", &format!("{emulator} \"$1\""), "sh"]).arg(elf).status()?;
    if status.success() { Ok(()) } else { Err(format!("{}: {emulator}: {status}", elf.display()).into()) }
}

fn check_file(file: &Path, may_panic: bool) -> Result<()> {
    let elf = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let calls = check::check(&elf, may_panic).map_err(|error| format!("{}: {error}", file.display()))?;
    let panics = if may_panic { "" } else { "; no panics, no floats as text" };
    println!("{}: {calls} system calls, all to entries of the kernel{panics}", file.display());
    Ok(())
}
