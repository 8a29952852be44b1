use core::fmt;
use std::collections::HashMap;
use std::io;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use microvisor::DeviceId;

use super::fingerprint;
use crate::bundle::Bundle;
use crate::{BundleOptions, EncodingChoice, Endpoint, Provisioning, ProvisioningError};

/// The columns that a list may have; the first two have to be there.
const COLUMNS: [&str; 5] = ["sid", "folder", "endpoint", "port", "encoding"];

/// What holds for a device whose row does not say otherwise.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The broker.
    pub endpoint: Option<Endpoint>,
    /// The broker's port, also for endpoints that rows give; 8883 if not given.
    pub port: Option<NonZeroU16>,
    /// How values are written.
    pub encoding: EncodingChoice,
}

/// One device of a list.
#[derive(Clone, Debug)]
pub struct Row {
    /// The line of the file, from 1.
    pub line: u64,
    /// The device.
    pub sid: DeviceId,
    /// The folder with its files, as the list has it.
    pub folder: String,
    path: PathBuf,
    endpoint: Endpoint,
    encoding: EncodingChoice,
}

impl Row {
    /// Reads the device's files, checks them, and makes its bundle.
    ///
    /// # Errors
    ///
    /// A [`ProvisioningError`]: what is wrong with the files.
    pub fn bundle(&self) -> Result<Bundle, ProvisioningError> {
        let options = BundleOptions::new(self.endpoint.clone()).sid(self.sid).encoding(self.encoding);
        Provisioning::from_folder(&self.path)?.bundle(&options)
    }
}

/// The devices to provision.
#[derive(Clone, Debug)]
pub struct DeviceList {
    /// The devices, in the list's order; none twice.
    pub rows: Vec<Row>,
    /// Changes when the file does.
    pub fingerprint: String,
}

impl DeviceList {
    /// Reads a CSV file with a header. Folders are relative to the file's own.
    ///
    /// # Errors
    ///
    /// - [`ListError::Unreadable`]: the file is not there.
    /// - [`ListError::Column`], [`ListError::NoDevices`]: what is wrong with it as a whole.
    /// - [`ListError::Rows`]: all that is wrong with its rows.
    pub fn read(path: &Path, defaults: &Defaults) -> Result<Self, ListError> {
        let bytes = std::fs::read(path).map_err(|error| ListError::Unreadable(path.to_owned(), error))?;
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut reader =
            Reader { base, defaults, seen: HashMap::new(), rows: Vec::new(), errors: Vec::new() };
        // Spreadsheets put a byte order mark in front.
        reader.read(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes))?;
        if !reader.errors.is_empty() {
            return Err(ListError::Rows(reader.errors));
        }
        if reader.rows.is_empty() {
            return Err(ListError::NoDevices);
        }
        Ok(Self { rows: reader.rows, fingerprint: fingerprint::of_bytes(&bytes) })
    }
}

struct Reader<'a> {
    base: PathBuf,
    defaults: &'a Defaults,
    /// SIDs in lower case, and their lines.
    seen: HashMap<String, u64>,
    rows: Vec<Row>,
    errors: Vec<RowError>,
}

impl Reader<'_> {
    fn read(&mut self, bytes: &[u8]) -> Result<(), ListError> {
        let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(bytes);
        let header = csv.headers().map_err(|error| ListError::Column(error.to_string()))?.clone();
        let columns = columns(&header)?;
        for record in csv.records() {
            match record {
                Ok(record) => self.take(&columns, &record),
                Err(error) => self.errors.push(unreadable_row(&error)),
            }
        }
        Ok(())
    }

    fn take(&mut self, columns: &HashMap<&str, usize>, record: &csv::StringRecord) {
        let line = record.position().map_or(0, csv::Position::line);
        let field = |column: &str| {
            let index = columns.get(column)?;
            record.get(*index).filter(|field| !field.is_empty())
        };
        let sid = self.sid(line, field("sid"));
        let folder = self.folder(line, field("folder"));
        let endpoint = self.endpoint(line, field("endpoint"), field("port"));
        let encoding = self.parse(line, "encoding", field("encoding"), str::parse::<EncodingChoice>);
        let encoding = encoding.map(|encoding| encoding.unwrap_or(self.defaults.encoding));
        if let (Some(sid), Some((folder, path)), Some(endpoint), Some(encoding)) =
            (sid, folder, endpoint, encoding)
        {
            self.rows.push(Row { line, sid, folder, path, endpoint, encoding });
        }
    }

    fn sid(&mut self, line: u64, field: Option<&str>) -> Option<DeviceId> {
        let Some(text) = field else {
            self.complain(line, "sid", "it is empty");
            return None;
        };
        let sid = self.parse(line, "sid", Some(text), DeviceId::parse)??;
        if let Some(before) = self.seen.insert(text.to_ascii_lowercase(), line) {
            self.complain(line, "sid", format!("{text} is in line {before} already: leave one"));
            return None;
        }
        Some(sid)
    }

    fn folder(&mut self, line: u64, field: Option<&str>) -> Option<(String, PathBuf)> {
        let Some(folder) = field else {
            self.complain(line, "folder", "it is empty");
            return None;
        };
        let path = self.base.join(folder);
        if !path.is_dir() {
            self.complain(line, "folder", format!("{} is not a folder", path.display()));
            return None;
        }
        Some((folder.to_owned(), path))
    }

    fn endpoint(&mut self, line: u64, host: Option<&str>, port: Option<&str>) -> Option<Endpoint> {
        let own = self.parse(line, "endpoint", host, Endpoint::new);
        let port = self.parse(line, "port", port, |text| {
            text.parse::<NonZeroU16>().map_err(|_| format!("{text} is no port: 1 to 65535"))
        });
        let (own, port) = (own?, port?.or(self.defaults.port));
        let Some(endpoint) = own.or_else(|| self.defaults.endpoint.clone()) else {
            self.complain(line, "endpoint", "there is none: give --endpoint, or one in the list");
            return None;
        };
        Some(match port {
            Some(port) => endpoint.with_port(port),
            None => endpoint,
        })
    }

    /// `None` after a complaint, `Some(None)` if there is no such field.
    #[expect(clippy::option_option, reason = "an absent field is no mistake")]
    fn parse<'t, T, E: fmt::Display>(
        &mut self,
        line: u64,
        column: &'static str,
        field: Option<&'t str>,
        parse: impl Fn(&'t str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match field.map(parse).transpose() {
            Ok(value) => Some(value),
            Err(error) => {
                self.complain(line, column, error.to_string());
                None
            }
        }
    }

    fn complain(&mut self, line: u64, column: &'static str, message: impl Into<String>) {
        self.errors.push(RowError { line, column: Some(column), message: message.into() });
    }
}

fn columns(header: &csv::StringRecord) -> Result<HashMap<&'static str, usize>, ListError> {
    let mut columns = HashMap::new();
    for (index, name) in header.iter().enumerate() {
        let known = COLUMNS.into_iter().find(|column| *column == name);
        let column = known.ok_or_else(|| ListError::Column(format!("there is no column {name:?}")))?;
        if columns.insert(column, index).is_some() {
            return Err(ListError::Column(format!("the column {name} is there twice")));
        }
    }
    for needed in &COLUMNS[..2] {
        if !columns.contains_key(needed) {
            return Err(ListError::Column(format!("the column {needed} is missing")));
        }
    }
    Ok(columns)
}

fn unreadable_row(error: &csv::Error) -> RowError {
    let line = error.position().map_or(0, csv::Position::line);
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, and the header {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    RowError { line, column: None, message }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The line of the file, from 1.
    pub line: u64,
    /// The column, unless it is the row as a whole.
    pub column: Option<&'static str>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(formatter, "line {}, {column}: {}", self.line, self.message),
            None => write!(formatter, "line {}: {}", self.line, self.message),
        }
    }
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The file cannot be read.
    #[error("cannot read the list {}: {error}; check the path and its permissions", .0.display(), error = .1)]
    Unreadable(PathBuf, #[source] io::Error),
    /// The header is not as it should be.
    #[error(
        "the list's first line is not its header: {0}; it names the columns, separated by commas: sid,folder and, \
         where wanted, endpoint,port,encoding"
    )]
    Column(String),
    /// There is a header alone.
    #[error("the list has no devices: add a line for each below the header")]
    NoDevices,
    /// Some rows are wrong.
    #[error("the list has mistakes, and nothing was sent:\n{}", lines(.0))]
    Rows(Vec<RowError>),
}

/// More would scroll away what is above.
const SHOWN: usize = 20;

pub(super) fn lines(errors: &[RowError]) -> String {
    let mut lines: Vec<String> = errors.iter().take(SHOWN).map(|error| format!("  {error}")).collect();
    if errors.len() > SHOWN {
        lines.push(format!("  and {} more", errors.len() - SHOWN));
    }
    lines.join("\n")
}
