//! The document as a whole.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use microvisor::DeviceId;
use microvisor::aws::{Encodings, KEYS};
use microvisor::config::{self, ConfigKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{BundleError, Encoding, Entry, Scope, Store};
use crate::write_private;

/// The version of the document that is read and written.
pub const VERSION: u64 = 1;

/// All that one device's stores are to hold, each key of a store once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    sid: Option<DeviceId>,
    entries: Vec<Entry>,
}

impl Bundle {
    /// A bundle for the device `sid`, or for whichever one.
    ///
    /// # Errors
    ///
    /// [`Duplicate`](BundleError::Duplicate): two entries would go to the same place.
    pub fn new(sid: Option<DeviceId>, entries: Vec<Entry>) -> Result<Self, BundleError> {
        let mut places = HashSet::new();
        for entry in &entries {
            let (store, scope, key) = (entry.store(), entry.scope(), entry.key());
            if !places.insert((store, scope, key)) {
                return Err(BundleError::Duplicate { store, scope, key: key.to_owned() });
            }
        }
        Ok(Self { sid, entries })
    }

    /// Reads the file `path`.
    ///
    /// # Errors
    ///
    /// A [`BundleError`] that says what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, BundleError> {
        let json = fs::read_to_string(path)
            .map_err(|error| BundleError::Unreadable { path: path.to_path_buf(), error })?;
        Self::from_json(&Zeroizing::new(json))
    }

    /// Reads the document's text.
    ///
    /// # Errors
    ///
    /// A [`BundleError`] that says what is wrong with it.
    pub fn from_json(json: &str) -> Result<Self, BundleError> {
        let Header { version } = parse(json)?;
        if version != VERSION {
            return Err(BundleError::Version { found: version });
        }
        let Document { version: _, sid, entries } = parse(json)?;
        let sid = sid.map(|sid| DeviceId::parse(&sid)).transpose().map_err(BundleError::Sid)?;
        Self::new(sid, entries)
    }

    /// The document's text.
    ///
    /// # Errors
    ///
    /// [`Malformed`](BundleError::Malformed), which no bundle is known to lead to.
    pub fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, BundleError> {
        let values = self.entries.iter().map(|entry| entry.value().len()).sum::<usize>();
        // Never moved while it grows, which would leave a copy of a secret behind.
        let mut json = Zeroizing::new(Vec::with_capacity(6 * values + 1024 * (self.entries.len() + 1)));
        let document = Written {
            version: VERSION,
            sid: self.sid.as_ref().map(DeviceId::as_str),
            entries: &self.entries,
        };
        serde_json::to_writer_pretty(&mut *json, &document).map_err(|error| malformed(&error))?;
        json.push(b'\n');
        Ok(json)
    }

    /// Writes the file `path`, which nobody but its owner may read (mode 0600 on Unix). It is written
    /// beside it first and then renamed, so that it is never there in part; what had the name before
    /// is replaced.
    ///
    /// # Errors
    ///
    /// [`Unwritable`](BundleError::Unwritable): then `path` is as it was before.
    pub fn write(&self, path: &Path) -> Result<(), BundleError> {
        write_private(path, &self.to_json()?)
            .map_err(|error| BundleError::Unwritable { path: path.to_path_buf(), error })
    }

    /// The device it is for, if for one only.
    pub fn sid(&self) -> Option<&DeviceId> {
        self.sid.as_ref()
    }

    /// The entries, in the order of the document.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How the three TLS values of [`microvisor::aws::KEYS`] are written, for a
    /// [`StoredProfile`](microvisor::aws::StoredProfile) to read them by. `None` if one of them is
    /// missing, or is text.
    pub fn encodings(&self) -> Option<Encodings> {
        let [private_key, root_ca, certificate, ..] = &KEYS;
        let encoding = |key: &ConfigKey<'_>| {
            let entry = self.entry(key.store().into(), key.scope().into(), key.name())?;
            match entry.encoding() {
                Encoding::Hex => Some(config::Encoding::HEX),
                Encoding::Base64 => Some(config::Encoding::BASE64),
                Encoding::Text => None,
            }
        };
        let encodings = Encodings::HEX.private_key(encoding(private_key)?);
        Some(encodings.root_ca(encoding(root_ca)?).certificate(encoding(certificate)?))
    }

    /// The entry `key` of a store, if there is one.
    pub fn entry(&self, store: Store, scope: Scope, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| (entry.store(), entry.scope(), entry.key()) == (store, scope, key))
    }
}

/// What a document of any version has.
#[derive(Deserialize)]
struct Header {
    version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[expect(dead_code, reason = "checked before the rest is read")]
    version: u64,
    #[serde(default)]
    sid: Option<String>,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    entries: &'a [Entry],
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, BundleError> {
    serde_json::from_str(json).map_err(|error| malformed(&error))
}

/// The parser's message, without what it quotes of the document, which may be a secret.
fn malformed(error: &serde_json::Error) -> BundleError {
    let mut message = String::new();
    let mut quoted = String::new();
    let mut quote = None;
    for character in error.to_string().chars() {
        match quote {
            None => {
                message.push(character);
                if matches!(character, '"' | '`') {
                    quote = Some(character);
                }
            }
            Some(end) if character == end => {
                message.push_str(if quoted.len() <= LONGEST_NAME { &quoted } else { "…" });
                message.push(end);
                quoted.clear();
                quote = None;
            }
            Some(_) => quoted.push(character),
        }
    }
    BundleError::Malformed { message }
}

/// The longest name of a field, or of what one can be, and then some.
const LONGEST_NAME: usize = 16;
