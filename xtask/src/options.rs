//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::Result;
use crate::check::Panics;

pub(crate) const HELP: &str = "\
Usage: cargo xtask firmware [NAME...]   build the board's images into target/firmware
       cargo xtask size [NAME...]       build and measure them, and compare that with what is recorded
       cargo xtask check FILE.elf...    look for calls that go astray, and for panics

Options of firmware and size
  --linker NAME         rust-lld, ld.lld or arm-none-eabi-ld; without it, one that is there
  --vendor-stubs PATH   link the vendor's object with the kernel's entries, not the project's script
  --panic restart|halt  what a panic or a fault does (default: restart)
  --locked              fail if the lock file is not up to date
  --record              (size) record what was measured as what to compare with

Options of check
  --futures             let pass what each async block has for being polled after its end
  --may-panic           look at the calls only

`size` fails where a figure is more than 2 % larger than recorded. Flash and static RAM are read from the
image. Stack and instructions measures the command in the environment variable EMULATOR, if that is set: it
is given the path of an image as its last argument, and prints lines of a figure's name and its number
(see the documentation of xtask).
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Firmware,
    Size,
    Check,
}

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Switches, each on its own.
pub(crate) struct Options {
    pub(crate) command: Command,
    /// Names of images; none means all.
    pub(crate) names: Vec<String>,
    /// Files to check.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) linker: Option<String>,
    pub(crate) vendor_stubs: Option<PathBuf>,
    pub(crate) halts: bool,
    pub(crate) locked: bool,
    pub(crate) record: bool,
    pub(crate) panics: Panics,
}

impl Options {
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Self> {
        let mut command = None;
        let mut words: Vec<OsString> = Vec::new();
        let mut options = Self {
            command: Command::Help,
            names: Vec::new(),
            files: Vec::new(),
            linker: None,
            vendor_stubs: None,
            halts: false,
            locked: false,
            record: false,
            panics: Panics::None,
        };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => command = Some(Command::Help),
                Long("linker") => options.linker = Some(parser.value()?.string()?),
                Long("vendor-stubs") => options.vendor_stubs = Some(PathBuf::from(parser.value()?)),
                Long("panic") => options.halts = halts(&parser.value()?.string()?)?,
                Long("locked") => options.locked = true,
                Long("record") => options.record = true,
                Long("may-panic") => options.panics = Panics::Any,
                Long("futures") => options.panics = Panics::OfFutures,
                Value(word) if command.is_none() => command = Some(Command::of(&word.string()?)?),
                Value(word) => words.push(word),
                _ => return Err(argument.unexpected().into()),
            }
        }
        options.command = command.unwrap_or(Command::Help);
        if options.command == Command::Check {
            options.files = words.into_iter().map(PathBuf::from).collect();
            if options.files.is_empty() {
                return Err("check needs a file".into());
            }
        } else {
            options.names = words.into_iter().map(ValueExt::string).collect::<Result<_, _>>()?;
        }
        Ok(options)
    }
}

impl Command {
    fn of(word: &str) -> Result<Self> {
        match word {
            "help" => Ok(Self::Help),
            "firmware" => Ok(Self::Firmware),
            "size" => Ok(Self::Size),
            "check" => Ok(Self::Check),
            _ => Err(format!("no command {word}; see cargo xtask --help").into()),
        }
    }
}

fn halts(word: &str) -> Result<bool> {
    match word {
        "restart" => Ok(false),
        "halt" => Ok(true),
        _ => Err(format!("--panic is restart or halt, not {word}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options> {
        Options::parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn names_and_options_come_in_any_order() {
        let options =
            parse(&["firmware", "--linker", "ld.lld", "aws_iot", "--panic=halt", "blink_log"]).unwrap();
        assert_eq!(options.command, Command::Firmware);
        assert_eq!(options.names, ["aws_iot", "blink_log"]);
        assert_eq!(options.linker.as_deref(), Some("ld.lld"));
        assert!(options.halts);
    }

    #[test]
    fn check_is_strict_unless_told() {
        assert_eq!(parse(&["check", "a.elf"]).unwrap().panics, Panics::None);
        assert_eq!(parse(&["check", "--futures", "a.elf"]).unwrap().panics, Panics::OfFutures);
        assert_eq!(parse(&["check", "a.elf", "--may-panic"]).unwrap().panics, Panics::Any);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for words in [&["frimware"][..], &["firmware", "--lnker=x"], &["size", "--panic=loop"], &["check"]] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
