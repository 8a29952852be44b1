use core::fmt;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::Row;
use crate::upload::{EntryReport, Outcome, UploadReport};
use crate::write_private;

/// How a device fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// All entries are stored.
    Done,
    /// All entries were stored by earlier runs.
    DoneEarlier,
    /// Some entry is not stored, or not for sure.
    Failed,
    /// Nothing was sent for it.
    NotTried,
}

/// What became of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceReport {
    /// The line of the list, from 1.
    pub line: u64,
    /// The device.
    #[serde(serialize_with = "as_text")]
    pub sid: microvisor::DeviceId,
    /// The folder with its files, as the list has it.
    pub folder: String,
    /// How it fared.
    pub state: DeviceState,
    /// How many entries are as they should be.
    pub stored: usize,
    /// How many there are.
    pub entries: usize,
    /// What went wrong.
    #[serde(serialize_with = "joined")]
    pub problems: Vec<String>,
    /// What to do.
    #[serde(serialize_with = "joined")]
    pub advice: Vec<String>,
}

fn as_text<S: Serializer>(sid: &microvisor::DeviceId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(sid.as_str())
}

/// One field, for spreadsheets.
#[expect(clippy::ptr_arg, reason = "serde's signature")]
fn joined<S: Serializer>(sentences: &Vec<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&sentences.join("; "))
}

impl DeviceReport {
    pub(super) fn of_upload(row: &Row, report: &UploadReport) -> Self {
        let is_untried = |outcome: &Outcome| matches!(outcome, Outcome::NotTried(_));
        let bad: Vec<&EntryReport> = report.entries.iter().filter(|entry| !entry.outcome.is_good()).collect();
        let (untried, tried): (Vec<&EntryReport>, _) =
            bad.iter().partition(|entry| is_untried(&entry.outcome));
        let state = match (bad.len(), untried.len()) {
            (0, _) => DeviceState::Done,
            (_, untried) if untried == report.entries.len() => DeviceState::NotTried,
            _ => DeviceState::Failed,
        };
        // One reason is enough for all that were left alone.
        let told = if tried.is_empty() { &untried[..untried.len().min(1)] } else { &tried[..] };
        let mut problems: Vec<String> =
            told.iter().map(|entry| format!("{}: {}", entry.address, entry.outcome)).collect();
        if !tried.is_empty() && !untried.is_empty() {
            problems.push(format!("entries not tried after that: {}", untried.len()));
        }
        let advice: BTreeSet<&str> = told.iter().filter_map(|entry| entry.outcome.advice()).collect();
        Self {
            line: row.line,
            sid: row.sid,
            folder: row.folder.clone(),
            state,
            stored: report.good(),
            entries: report.entries.len(),
            problems,
            advice: advice.into_iter().map(str::to_owned).collect(),
        }
    }

    pub(super) fn without_upload(
        row: &Row,
        state: DeviceState,
        entries: usize,
        problem: Option<String>,
    ) -> Self {
        let advice = problem.as_ref().map(|_| "mend the cause and run again".to_owned());
        Self {
            line: row.line,
            sid: row.sid,
            folder: row.folder.clone(),
            state,
            stored: if state == DeviceState::DoneEarlier { entries } else { 0 },
            entries,
            problems: problem.into_iter().collect(),
            advice: advice.into_iter().collect(),
        }
    }
}

/// What became of all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FleetReport {
    /// The devices, in the list's order.
    pub devices: Vec<DeviceReport>,
    /// Why it ended before all were tried, if it did.
    pub stopped: Option<String>,
}

impl FleetReport {
    /// How many devices fared so.
    pub fn count(&self, state: DeviceState) -> usize {
        self.devices.iter().filter(|device| device.state == state).count()
    }

    /// Whether all devices are provisioned.
    pub fn is_good(&self) -> bool {
        self.devices.iter().all(|device| matches!(device.state, DeviceState::Done | DeviceState::DoneEarlier))
    }

    /// Writes a file, which is there whole or as it was before.
    ///
    /// # Errors
    ///
    /// [`ReportError::Unwritable`].
    pub fn write(&self, path: &Path, format: ReportFormat) -> Result<(), ReportError> {
        let unwritable = |error| ReportError::Unwritable { path: path.to_owned(), error };
        let contents = match format {
            ReportFormat::Json => {
                serde_json::to_vec_pretty(self).map_err(|error| unwritable(error.into()))?
            }
            ReportFormat::Csv => self.to_csv().map_err(unwritable)?,
        };
        write_private(path, &contents).map_err(unwritable)
    }

    fn to_csv(&self) -> io::Result<Vec<u8>> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        for device in &self.devices {
            csv.serialize(device)?;
        }
        csv.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }
}

impl fmt::Display for FleetReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (done, earlier) = (self.count(DeviceState::Done), self.count(DeviceState::DoneEarlier));
        write!(formatter, "{} of {} devices provisioned", done + earlier, self.devices.len())?;
        if earlier > 0 {
            write!(formatter, " ({earlier} of them by earlier runs)")?;
        }
        for (state, label) in [(DeviceState::Failed, "failed"), (DeviceState::NotTried, "not tried")] {
            if self.count(state) > 0 {
                write!(formatter, ", {} {label}", self.count(state))?;
            }
        }
        Ok(())
    }
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// A line for each device, with a header.
    Csv,
    /// An object.
    Json,
}

impl ReportFormat {
    /// As the file's name ends.
    ///
    /// # Errors
    ///
    /// [`ReportError::Format`]: neither in `.csv` nor in `.json`.
    pub fn of(path: &Path) -> Result<Self, ReportError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("json") => Ok(Self::Json),
            _ => Err(ReportError::Format { path: path.to_owned() }),
        }
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The name does not tell its format.
    #[error("the report {} is neither .csv nor .json: give it a name that ends so", path.display())]
    Format {
        /// The report.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write the report {}: {error}; the journal has what was done, so run again", path.display())]
    Unwritable {
        /// The report.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
}
