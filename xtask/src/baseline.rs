//! The sizes that are recorded, so that an image grows only where somebody says so.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::Result;
use crate::sizes::{Image, Sizes};

/// In percent: linkers and releases of the compiler differ by less.
const TOLERANCE: u64 = 2;

/// Records the sizes of `images`, and leaves others as they are.
///
/// # Errors
///
/// The file cannot be written.
pub(crate) fn record(file: &Path, images: &[Image]) -> Result<()> {
    let mut recorded = if file.exists() { read(file)? } else { Map::new() };
    for image in images {
        recorded
            .insert(image.name.clone(), json!({ "flash": image.sizes.flash(), "ram": image.sizes.ram() }));
    }
    fs::write(file, format!("{:#}\n", Value::Object(recorded)))?;
    println!("recorded in {}", file.display());
    Ok(())
}

/// Compares the sizes of `images` with the recorded ones.
///
/// # Errors
///
/// One has grown by more than 2 %, or is not recorded.
pub(crate) fn compare(file: &Path, images: &[Image]) -> Result<()> {
    let recorded = read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let grown: Vec<String> = images
        .iter()
        .flat_map(|image| growth(&image.name, &image.sizes, recorded.get(&image.name)))
        .collect();
    if grown.is_empty() {
        println!("none is more than {TOLERANCE} % larger than recorded");
        return Ok(());
    }
    Err(format!("{}\nIf it is worth it: cargo xtask size --record", grown.join("\n")).into())
}

fn read(file: &Path) -> Result<Map<String, Value>> {
    Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
}

fn growth(name: &str, sizes: &Sizes, recorded: Option<&Value>) -> Vec<String> {
    [("flash", sizes.flash()), ("ram", sizes.ram())]
        .into_iter()
        .filter_map(|(what, now)| match recorded.and_then(|recorded| recorded.get(what)?.as_u64()) {
            None => Some(format!("{name}: {what} is not recorded")),
            Some(before) if now * 100 > before * (100 + TOLERANCE) => {
                Some(format!("{name}: {what} has grown from {before} to {now} bytes"))
            }
            Some(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { text: 1_000, rodata: 20, data: 0, bss: 100 };

    #[test]
    fn two_percent_more_pass_and_no_more() {
        assert_eq!(growth("a", &SIZES, Some(&json!({ "flash": 1_000, "ram": 100 }))), [] as [String; 0]);
        let grown = growth("a", &SIZES, Some(&json!({ "flash": 999, "ram": 100 })));
        assert_eq!(grown, ["a: flash has grown from 999 to 1020 bytes"]);
    }

    #[test]
    fn what_is_not_recorded_does_not_pass() {
        assert_eq!(growth("a", &SIZES, None).len(), 2);
    }
}
