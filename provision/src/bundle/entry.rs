//! One value for a device's stores.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use microvisor::config::{ConfigKey, KeyError, MAX_VALUE_LEN};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Encoding, Scope, Store};

/// One value for a device's stores, which can hold it: a key of 1 to 100 printable ASCII characters,
/// and a value of 1 to 4,096 characters that is what its encoding says.
///
/// The value is wiped from memory when this is dropped, and `Debug` shows how long it is, no more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Entry {
    store: Store,
    scope: Scope,
    key: String,
    encoding: Encoding,
    value: Zeroizing<String>,
}

impl Entry {
    /// An entry whose value is text, or is encoded already.
    ///
    /// # Errors
    ///
    /// An [`EntryError`] for what no store can hold, or what is not written in `encoding`.
    pub fn new(
        store: Store,
        scope: Scope,
        key: impl Into<String>,
        encoding: Encoding,
        value: impl Into<Zeroizing<String>>,
    ) -> Result<Self, EntryError> {
        let entry = Self { store, scope, key: key.into(), encoding, value: value.into() };
        entry.check()?;
        Ok(entry)
    }

    fn check(&self) -> Result<(), EntryError> {
        let key = || self.key.clone();
        ConfigKey::new(self.scope.into(), self.store.into(), &self.key)
            .map_err(|error| EntryError::Key { key: key(), error })?;
        let characters = self.value.chars().count();
        match characters {
            0 => Err(EntryError::EmptyValue { key: key() }),
            1..=MAX_VALUE_LEN if self.is_as_encoded() => Ok(()),
            1..=MAX_VALUE_LEN => Err(EntryError::NotAsEncoded { key: key(), encoding: self.encoding }),
            _ => Err(EntryError::ValueTooLong { key: key(), characters }),
        }
    }

    fn is_as_encoded(&self) -> bool {
        self.decode().is_some()
    }

    fn decode(&self) -> Option<Zeroizing<Vec<u8>>> {
        let value = self.value.as_bytes();
        let bytes = match self.encoding {
            Encoding::Text => value.to_vec(),
            Encoding::Hex => base16ct::mixed::decode_vec(value).ok()?,
            Encoding::Base64 => Base64::decode_vec(&self.value).ok()?,
        };
        Some(Zeroizing::new(bytes))
    }

    /// The store it goes to.
    pub fn store(&self) -> Store {
        self.store
    }

    /// Whose entry it is.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Its name in the store.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How the value is written.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The value as the store holds it. It may be a secret: see [`store`](Self::store).
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What the value says once it is decoded; of a text, its UTF-8. It may be a secret.
    pub fn decoded(&self) -> Zeroizing<Vec<u8>> {
        // An entry is as it is encoded.
        self.decode().unwrap_or_default()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("store", &self.store)
            .field("scope", &self.scope)
            .field("key", &self.key)
            .field("encoding", &self.encoding)
            .field("value", &format_args!("[{} characters]", self.value.chars().count()))
            .finish()
    }
}

/// An entry as the document has it, not checked yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    store: Store,
    scope: Scope,
    key: String,
    encoding: Encoding,
    value: Zeroizing<String>,
}

impl TryFrom<Fields> for Entry {
    type Error = EntryError;

    fn try_from(fields: Fields) -> Result<Self, EntryError> {
        Self::new(fields.store, fields.scope, fields.key, fields.encoding, fields.value)
    }
}

/// Why something cannot be an entry. No message holds the value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryError {
    /// No store has such a key.
    #[error("the key {key:?} cannot be: {error}")]
    Key {
        /// The key.
        key: String,
        /// What is wrong with it.
        error: KeyError,
    },
    /// There is no value.
    #[error("the value of {key} is empty; leave the entry out, or give it a value")]
    EmptyValue {
        /// The key.
        key: String,
    },
    /// No store holds as much.
    #[error("the value of {key} has {characters} characters, and a store holds {MAX_VALUE_LEN} at most")]
    ValueTooLong {
        /// The key.
        key: String,
        /// The value's length.
        characters: usize,
    },
    /// The value is not written as it says.
    #[error("the value of {key} is not {encoding}, as its entry says; make the bundle again")]
    NotAsEncoded {
        /// The key.
        key: String,
        /// What the entry says.
        encoding: Encoding,
    },
}
