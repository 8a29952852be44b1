use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use crate::kernel::{Key, is_key, is_value};

/// The version of the document that is read.
const VERSION: u64 = 1;

/// What `microvisor-provision bundle` writes: the values of a device's stores.
pub(super) struct Bundle {
    pub(super) sid: Option<String>,
    pub(super) values: Vec<(Key, String)>,
}

impl Bundle {
    pub(super) fn from_json(json: &str) -> Result<Self, BundleError> {
        let Header { version } = parse(json)?;
        if version != VERSION {
            return Err(BundleError::Version { found: version });
        }
        let Document { version: _, sid, entries } = parse(json)?;
        let mut values = Vec::new();
        for Entry { store, scope, key, encoding: _, value } in entries {
            if !is_key(key.as_bytes()) || !is_value(&value) {
                return Err(BundleError::CannotBeStored { key: key.into_owned() });
            }
            let key = Key {
                secret: matches!(store, Store::Secret),
                account: matches!(scope, Scope::Account),
                name: key.into_owned(),
            };
            values.push((key, value.into_owned()));
        }
        Ok(Self { sid: sid.map(Cow::into_owned), values })
    }
}

#[derive(Deserialize)]
struct Header {
    version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[expect(dead_code, reason = "checked before the rest is read")]
    version: u64,
    #[serde(borrow, default)]
    sid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    store: Store,
    scope: Scope,
    #[serde(borrow)]
    key: Cow<'a, str>,
    /// Stores hold text, and do not know how it is written.
    #[expect(dead_code, reason = "it has to be there")]
    encoding: Encoding,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Store {
    Config,
    Secret,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scope {
    Device,
    Account,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Text,
    Hex,
    Base64,
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, BundleError> {
    serde_json::from_str(json).map_err(|error| BundleError::Malformed {
        line: error.line(),
        column: error.column(),
        is_json: error.is_data(),
    })
}

/// Why a text is not a bundle. No message holds a value of it, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleError {
    /// It is not JSON, or not that of a bundle.
    Malformed {
        /// Where it is not, counted from 1.
        line: usize,
        /// Where in the line, counted from 1.
        column: usize,
        /// Whether it is JSON at all.
        is_json: bool,
    },
    /// It is of another version.
    Version {
        /// The version it says.
        found: u64,
    },
    /// No store holds such a key, or such a value.
    CannotBeStored {
        /// The key.
        key: String,
    },
    /// The device's SID is not one.
    Sid {
        /// What it says.
        sid: String,
    },
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { line, column, is_json } => {
                let what =
                    if *is_json { "a field is missing, unknown, or something else" } else { "not JSON" };
                write!(f, "not a bundle: {what} at line {line}, column {column}")
            }
            Self::Version { found } => {
                write!(f, "the bundle has version {found}, and version {VERSION} is what can be loaded")
            }
            Self::CannotBeStored { key } => write!(
                f,
                "the bundle's entry {key:?} cannot be stored: a key has 1 to 100 printable ASCII characters, and a \
                 value 4096 characters at most"
            ),
            Self::Sid { sid } => write!(f, "the bundle's sid {sid:?} is not `UV` and 32 hex digits"),
        }
    }
}

impl std::error::Error for BundleError {}
