//! What is measured of an image.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;
use crate::sizes::Sizes;

/// A figure. The smaller it is, the better.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) meaning: &'static str,
}

const fn figure(name: &'static str, unit: &'static str, meaning: &'static str) -> Figure {
    Figure { name, unit, meaning }
}

const BYTES: &str = "bytes";
const INSTRUCTIONS: &str = "instructions";

/// All figures, in the order in which they are shown. The first two are read from the ELF.
pub(crate) const FIGURES: [Figure; 10] = [
    figure("flash", BYTES, "code, constants, vectors and initial values"),
    figure("ram", BYTES, "statics, without the stack"),
    figure("max_stack", BYTES, "deepest stack of all runs"),
    figure("publish_total", INSTRUCTIONS, "a publish, from the request to the verdict"),
    figure("message", INSTRUCTIONS, "a command, received and acknowledged"),
    figure("flood_per_message", INSTRUCTIONS, "a command of many that come at once"),
    figure("isr_per_interrupt", INSTRUCTIONS, "an interrupt for notifications"),
    figure("decode_per_byte", INSTRUCTIONS, "a byte of the credentials, decoded"),
    figure("config_without_decoding", INSTRUCTIONS, "from the settings to the connect request, without that"),
    figure("idle_per_wake", INSTRUCTIONS, "a wake-up with nothing to do"),
];

/// What was measured, by the names of figures.
pub(crate) type Measured = BTreeMap<&'static str, f64>;

#[allow(clippy::cast_precision_loss)] // Sizes in bytes.
pub(crate) fn of_sizes(sizes: &Sizes) -> Measured {
    Measured::from([("flash", sizes.flash() as f64), ("ram", sizes.ram() as f64)])
}

/// Has `emulator`, a command of the shell, measure an image.
///
/// # Errors
///
/// It failed, or printed none of the figures.
pub(crate) fn by_emulator(emulator: &str, elf: &Path) -> Result<Measured> {
    let shell = ["-c", &format!("{emulator} \"$1\""), "sh"];
    let output = Command::new("sh").args(shell).arg(elf).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("{}: {emulator}: {}\n{text}", elf.display(), output.status).into());
    }
    let measured = parse(&text);
    if measured.is_empty() {
        return Err(format!("{}: {emulator} prints no figures", elf.display()).into());
    }
    Ok(measured)
}

/// Lines of a name, a number and whatever else. Those of other names are left out.
fn parse(text: &str) -> Measured {
    let figure = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        // What the ELF tells is not the emulator's to say.
        let figure = FIGURES.iter().skip(2).find(|figure| figure.name == name)?;
        let number: f64 = words.next()?.parse().ok()?;
        number.is_finite().then_some((figure.name, number))
    };
    text.lines().filter_map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_lines_of_names_and_numbers() {
        let text = "max_stack    416 bytes  deepest\n  decode_per_byte 17.06\nflash 12\nboot 3\nmessage -\nidle_per_wake\n\n";
        assert_eq!(parse(text), Measured::from([("max_stack", 416.0), ("decode_per_byte", 17.06)]));
    }

    #[test]
    fn an_emulator_is_given_the_image_and_must_print_figures() {
        let image = Path::new("an image.elf");
        let measured = by_emulator("test 'an image.elf' = \"$1\" && echo message 201 #", image).unwrap();
        assert_eq!(measured, Measured::from([("message", 201.0)]));
        assert!(by_emulator("echo", image).is_err());
        assert!(by_emulator("echo message 201; exit 1 #", image).is_err());
    }
}
