//! Where an entry goes, and how its value is written.

use std::fmt;

use microvisor::config;
use serde::{Deserialize, Serialize};

/// Which store an entry goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// Values that the platform hands to the device, but never back to people: the private key.
    Secret,
    /// Values that the platform's API reads back.
    Config,
}

/// Whose entry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One device's.
    Device,
    /// That of all devices of the account.
    Account,
}

/// How an entry's value is written. The device's program has to be told the same: nothing guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// The value is text.
    Text,
    /// The value is binary, in lower-case hex: at most 2,048 bytes.
    Hex,
    /// The value is binary, in base64 with padding: at most 3,072 bytes.
    Base64,
}

impl From<Store> for config::Store {
    fn from(store: Store) -> Self {
        match store {
            Store::Secret => Self::Secret,
            Store::Config => Self::Config,
        }
    }
}

impl From<Scope> for config::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Device => Self::Device,
            Scope::Account => Self::Account,
        }
    }
}

impl From<config::Store> for Store {
    fn from(store: config::Store) -> Self {
        match store {
            config::Store::Secret => Self::Secret,
            config::Store::Config => Self::Config,
        }
    }
}

impl From<config::Scope> for Scope {
    fn from(scope: config::Scope) -> Self {
        match scope {
            config::Scope::Device => Self::Device,
            config::Scope::Account => Self::Account,
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Secret => "secret",
            Self::Config => "config",
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Device => "device",
            Self::Account => "account",
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Text => "text",
            Self::Hex => "hex",
            Self::Base64 => "base64",
        })
    }
}
