//! What to fetch.

use core::fmt;
use core::marker::PhantomData;

use crate::sys;

/// The longest key, in characters (Microvisor's config store).
pub const MAX_KEY_LEN: usize = 100;

/// The longest value, in characters (Microvisor's config store).
pub const MAX_VALUE_LEN: usize = 4096;

/// Whose values are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Scope {
    /// Those that all devices of the account share.
    Account,
    /// Those of this device.
    Device,
}

/// Which store is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Store {
    /// Values that can only be written through the cloud API, such as private keys.
    Secret,
    /// Values that can be read back through the cloud API.
    Config,
}

/// One value to fetch: scope, store and name, checked.
///
/// Laid out as the kernel takes it, so that a `&[ConfigKey]` is the list of a request. Names that
/// are known when the firmware is built are best checked then, by
/// [`config_key!`](crate::config_key).
///
/// ```
/// use microvisor::config::{ConfigKey, KeyError, Scope, Store};
///
/// let key = ConfigKey::new(Scope::Device, Store::Config, "broker-port")?;
/// assert_eq!(key.name(), "broker-port");
/// assert_eq!(
///     ConfigKey::new(Scope::Device, Store::Config, "Gerät").unwrap_err(),
///     KeyError::NotPrintable { at: 3 }
/// );
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct ConfigKey<'a> {
    raw: sys::MvConfigKeyToFetch,
    name: PhantomData<&'a str>,
}

// SAFETY: a `ConfigKey` is a `&str` and two integers, in the kernel's layout; nothing in it changes.
unsafe impl Send for ConfigKey<'_> {}
// SAFETY: as above.
unsafe impl Sync for ConfigKey<'_> {}

impl<'a> ConfigKey<'a> {
    /// The value called `name`, 1 to 100 printable ASCII characters.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] for a name that no store can hold.
    pub const fn new(scope: Scope, store: Store, name: &'a str) -> Result<Self, KeyError> {
        let bytes = name.as_bytes();
        if bytes.is_empty() {
            return Err(KeyError::Empty);
        }
        if bytes.len() > MAX_KEY_LEN {
            return Err(KeyError::TooLong { len: bytes.len() });
        }
        let mut rest = bytes;
        while let [first, tail @ ..] = rest {
            if !matches!(first, b' '..=b'~') {
                return Err(KeyError::NotPrintable { at: bytes.len() - rest.len() });
            }
            rest = tail;
        }
        #[allow(clippy::cast_possible_truncation)] // At most 100.
        let length = bytes.len() as u32;
        Ok(Self {
            raw: sys::MvConfigKeyToFetch {
                scope: match scope {
                    Scope::Account => sys::MV_CONFIGKEYFETCHSCOPE_ACCOUNT,
                    Scope::Device => sys::MV_CONFIGKEYFETCHSCOPE_DEVICE,
                },
                store: match store {
                    Store::Secret => sys::MV_CONFIGKEYFETCHSTORE_SECRET,
                    Store::Config => sys::MV_CONFIGKEYFETCHSTORE_CONFIG,
                },
                key: sys::MvSizedString { data: bytes.as_ptr(), length },
            },
            name: PhantomData,
        })
    }

    /// The name.
    pub const fn name(&self) -> &'a str {
        // SAFETY: pointer and length are those of a `&'a str`, which `new` took apart.
        unsafe {
            let bytes = core::slice::from_raw_parts(self.raw.key.data, self.raw.key.length as usize);
            core::str::from_utf8_unchecked(bytes)
        }
    }

    /// Whose value it is.
    pub const fn scope(&self) -> Scope {
        match self.raw.scope {
            sys::MV_CONFIGKEYFETCHSCOPE_ACCOUNT => Scope::Account,
            _ => Scope::Device,
        }
    }

    /// The store it is in.
    pub const fn store(&self) -> Store {
        match self.raw.store {
            sys::MV_CONFIGKEYFETCHSTORE_SECRET => Store::Secret,
            _ => Store::Config,
        }
    }
}

/// A [`ConfigKey`](crate::config::ConfigKey) that is checked at compile time.
///
/// ```
/// use microvisor::config::ConfigKey;
/// use microvisor::config_key;
///
/// static KEY: ConfigKey = config_key!(Device, Secret, "private_key");
/// ```
///
/// A name that no store can hold does not compile:
///
/// ```compile_fail
/// # use microvisor::config::ConfigKey;
/// # use microvisor::config_key;
/// static KEY: ConfigKey = config_key!(Device, Secret, "");
/// ```
#[macro_export]
macro_rules! config_key {
    ($scope:ident, $store:ident, $name:expr) => {
        const {
            match $crate::config::ConfigKey::new(
                $crate::config::Scope::$scope,
                $crate::config::Store::$store,
                $name,
            ) {
                Ok(key) => key,
                Err(_) => panic!("a config key has 1 to 100 printable ASCII characters"),
            }
        }
    };
}

impl fmt::Debug for ConfigKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigKey")
            .field("scope", &self.scope())
            .field("store", &self.store())
            .field("name", &self.name())
            .finish()
    }
}

/// Why a name cannot be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum KeyError {
    /// It is empty.
    Empty,
    /// It has more than 100 characters.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It holds a byte that is not printable ASCII.
    NotPrintable {
        /// Where, in bytes from the beginning.
        at: usize,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a config key cannot be empty"),
            Self::TooLong { len } => {
                write!(f, "a config key has at most {MAX_KEY_LEN} characters, this one has {len}")
            }
            Self::NotPrintable { at } => {
                write!(f, "a config key is printable ASCII; the byte at {at} is not")
            }
        }
    }
}

impl core::error::Error for KeyError {}
