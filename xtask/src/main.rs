//! `cargo xtask`: what the board's images need beside cargo.
//!
//! - [`firmware`] builds and links them, with the [`toolchain`] that is there;
//! - [`figures`] are what is measured of an image, and [`baseline`] compares them with what is recorded;
//! - [`check`] looks for calls that go astray, and for panics.
//!
//! What the ELF does not tell, an emulator measures: the command in the environment variable `EMULATOR`, which
//! runs in the shell with the path of an image of the main example as its last argument. It prints a line a
//! figure: the name, the number and whatever else, between spaces. Lines of other names are left out.
//!
//! | name | what |
//! |---|---|
//! | `max_stack` | the deepest stack in any of its runs, in bytes |
//! | `publish_total` | instructions for a publish of QoS 1: the wake in which it is sent, and that in which its verdict is read |
//! | `message` | instructions for a wake in which a command is read and acknowledged |
//! | `flood_per_message` | the same for one of 200 commands that come at once |
//! | `isr_per_interrupt` | instructions for an interrupt of the notifications |
//! | `decode_per_byte` | instructions for a byte of the credentials |
//! | `config_without_decoding` | instructions from the response with the settings to the connect request, without decoding |
//! | `idle_per_wake` | instructions for a wake in which there is nothing to do |
//!
//! The kernel's own instructions do not count. Should the image misbehave, its status is not 0.

mod baseline;
mod check;
mod entries;
mod figures;
mod firmware;
mod flash_image;
mod options;
mod sizes;
mod toolchain;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use baseline::{Baseline, Comparison};
use check::Panics;
use figures::Measured;
use options::{Command, Options};
use sizes::Image;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The command of an emulator.
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
        Command::Check => options.files.iter().try_for_each(|file| check_file(file, options.panics)),
    }
}

fn size(options: &Options) -> Result<()> {
    let images = firmware::build(options)?;
    print!("{}", sizes::table(&images));
    let emulator = env::var(EMULATOR).ok();
    if emulator.is_none() {
        println!("\nStack and instructions were not measured: {EMULATOR} names no emulator.");
    }
    let file = firmware::package().join("sizes.json");
    let mut baseline = Baseline::read(&file)?;
    let mut comparisons = Vec::new();
    for image in &images {
        let measured = measure(image, emulator.as_deref())?;
        let comparison = baseline.compare(&image.name, &measured);
        print!("\n{}", comparison.table);
        comparisons.push(comparison);
        baseline.record(&image.name, &measured);
    }
    println!();
    if options.record { baseline.write(&file) } else { judge(&comparisons) }
}

fn measure(image: &Image, emulator: Option<&str>) -> Result<Measured> {
    let mut measured = figures::of_sizes(&image.sizes);
    if let Some(emulator) = emulator.filter(|_| firmware::is_application(&image.name)) {
        measured.extend(figures::by_emulator(emulator, &image.elf)?);
    }
    Ok(measured)
}

fn judge(comparisons: &[Comparison]) -> Result<()> {
    let shrunk: Vec<&str> =
        comparisons.iter().flat_map(|comparison| &comparison.shrunk).map(String::as_str).collect();
    if !shrunk.is_empty() {
        println!("{}\nSo that it stays so: cargo xtask size --record", shrunk.join("\n"));
    }
    let grown: Vec<&str> =
        comparisons.iter().flat_map(|comparison| &comparison.grown).map(String::as_str).collect();
    if grown.is_empty() {
        println!("no figure is more than 2 % larger than recorded");
        return Ok(());
    }
    Err(format!("{}\nIf it is worth it: cargo xtask size --record", grown.join("\n")).into())
}

fn check_file(file: &Path, panics: Panics) -> Result<()> {
    let elf = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let calls = check::check(&elf, panics).map_err(|error| format!("{}: {error}", file.display()))?;
    println!("{}: {calls} system calls, all to entries of the kernel{}", file.display(), panics.verdict());
    Ok(())
}
