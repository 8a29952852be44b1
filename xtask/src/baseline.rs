//! The figures that are recorded, so that an image grows only where somebody says so.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Map, Number, Value};

use crate::Result;
use crate::figures::{FIGURES, Figure, Measured};

/// In percent: linkers and releases of the compiler differ by less.
const TOLERANCE: f64 = 2.0;

/// The recorded figures, by images.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Baseline(Map<String, Value>);

/// What came of a comparison: a table, and what is to be said about it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) table: String,
    /// For each of these it fails.
    pub(crate) grown: Vec<String>,
    pub(crate) shrunk: Vec<String>,
}

impl Baseline {
    /// # Errors
    ///
    /// The file is there, but cannot be read or is no JSON.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        if !file.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let images = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Self(images))
    }

    /// # Errors
    ///
    /// The file cannot be written.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        fs::write(file, format!("{:#}\n", Value::Object(self.0.clone())))?;
        println!("recorded in {}", file.display());
        Ok(())
    }

    /// Takes over what was measured, and leaves the other figures and images as they are.
    pub(crate) fn record(&mut self, image: &str, measured: &Measured) {
        let figures = self.0.entry(image).or_insert_with(|| Value::Object(Map::new()));
        if !figures.is_object() {
            *figures = Value::Object(Map::new());
        }
        let Some(figures) = figures.as_object_mut() else { return };
        for (name, number) in measured {
            figures.insert((*name).to_owned(), value(*number));
        }
    }

    /// Compares what was measured of an image with what is recorded.
    pub(crate) fn compare(&self, image: &str, measured: &Measured) -> Comparison {
        let mut comparison = Comparison::default();
        // Never fails, as all writing here.
        let _ = writeln!(comparison.table, "{image:<70}{:>12}{:>12}{:>12}", "measured", "recorded", "change");
        for figure in &FIGURES {
            let recorded = self.0.get(image).and_then(|figures| figures.get(figure.name)?.as_f64());
            let measured = measured.get(figure.name).copied();
            if measured.or(recorded).is_some() {
                comparison.add(image, figure, measured, recorded);
            }
        }
        comparison
    }
}

impl Comparison {
    fn add(&mut self, image: &str, figure: &Figure, measured: Option<f64>, recorded: Option<f64>) {
        let change = measured.zip(recorded).map(|(now, before)| percent(now, before));
        let label = format!("  {}, {}", figure.meaning, figure.unit);
        let [now, before] =
            [measured, recorded].map(|number| number.map_or("-".to_owned(), |n| n.to_string()));
        let change_text = change.map_or(String::new(), |change| format!("{change:+.1} %"));
        let _ = writeln!(self.table, "{label:<70}{now:>12}{before:>12}{change_text:>12}");
        let what = format!("{image}: {} ({})", figure.name, figure.meaning);
        match change {
            Some(change) if change > TOLERANCE => {
                self.grown.push(format!("{what} has grown from {before} to {now} {}", figure.unit));
            }
            Some(change) if change < -TOLERANCE => {
                self.shrunk.push(format!("{what} has shrunk from {before} to {now} {}", figure.unit));
            }
            None if measured.is_some() => self.grown.push(format!("{what} is not recorded")),
            _ => {}
        }
    }
}

/// By how much `now` is more than `before`.
fn percent(now: f64, before: f64) -> f64 {
    if before > 0.0 {
        (now - before) / before * 100.0
    } else if now > 0.0 {
        f64::INFINITY
    } else {
        0.0
    }
}

/// A whole number where it is one.
#[allow(clippy::cast_possible_truncation)] // Sizes and counts.
fn value(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Value::from(number as i64)
    } else {
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn baseline(images: &Value) -> Baseline {
        Baseline(images.as_object().unwrap().clone())
    }

    #[test]
    fn two_percent_more_pass_and_no_more() {
        let baseline = baseline(&json!({ "a": { "flash": 1_000, "ram": 100, "message": 201 } }));
        let measured = Measured::from([("flash", 1_020.0), ("ram", 100.0), ("message", 201.0)]);
        assert_eq!(baseline.compare("a", &measured).grown, [""; 0]);
        let measured = Measured::from([("flash", 1_021.0), ("ram", 100.0), ("message", 206.0)]);
        let grown = baseline.compare("a", &measured).grown;
        assert_eq!(grown.len(), 2);
        assert!(grown[0].contains("flash") && grown[0].ends_with("has grown from 1000 to 1021 bytes"));
        assert!(grown[1].contains("message") && grown[1].ends_with("from 201 to 206 instructions"));
    }

    #[test]
    fn what_has_shrunk_is_told_and_passes() {
        let baseline = baseline(&json!({ "a": { "decode_per_byte": 17.06 } }));
        let comparison = baseline.compare("a", &Measured::from([("decode_per_byte", 10.5)]));
        assert_eq!(comparison.grown, [""; 0]);
        assert!(comparison.shrunk[0].ends_with("has shrunk from 17.06 to 10.5 instructions"));
        let comparison = baseline.compare("a", &Measured::from([("decode_per_byte", 16.9)]));
        assert_eq!(comparison.shrunk, [""; 0]);
    }

    #[test]
    fn what_is_not_recorded_does_not_pass_and_what_is_not_measured_does() {
        let baseline = baseline(&json!({ "a": { "flash": 1_000, "max_stack": 416 } }));
        let comparison = baseline.compare("a", &Measured::from([("flash", 1_000.0), ("ram", 1.0)]));
        assert_eq!(comparison.grown, ["a: ram (statics, without the stack) is not recorded"]);
        assert_eq!(baseline.compare("b", &Measured::from([("flash", 1.0)])).grown.len(), 1);
    }

    #[test]
    fn the_table_has_a_line_for_what_is_measured_or_recorded() {
        let baseline = baseline(&json!({ "a": { "flash": 1_000, "max_stack": 416 } }));
        let table = baseline.compare("a", &Measured::from([("flash", 1_010.0)])).table;
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines.len(), 3, "{table}");
        assert!(lines[1].ends_with(&["bytes", "1010", "1000", "+1.0", "%"]), "{table}");
        assert!(lines[2].ends_with(&["bytes", "-", "416"]), "{table}");
    }

    #[test]
    fn recording_keeps_what_was_not_measured() {
        let mut baseline =
            baseline(&json!({ "a": { "flash": 1_000, "max_stack": 416 }, "b": { "flash": 1 } }));
        baseline.record("a", &Measured::from([("flash", 900.0), ("decode_per_byte", 17.06)]));
        baseline.record("c", &Measured::from([("ram", 12.0)]));
        let expected = json!({
            "a": { "flash": 900, "max_stack": 416, "decode_per_byte": 17.06 }, "b": { "flash": 1 }, "c": { "ram": 12 }
        });
        assert_eq!(Value::Object(baseline.0), expected);
    }
}
