//! Authentication by user name and password.

use core::fmt;

use crate::secret::Secret;

/// The longest user name or password, in bytes (MQTT 5 §1.5.4, §1.5.6).
const MAX_LEN: usize = 65_535;

/// A user name and a password.
#[derive(Clone, Copy)]
pub struct User<'a> {
    name: &'a str,
    password: &'a [u8],
}

impl<'a> User<'a> {
    /// The user `name`, of 65,535 bytes at most and without NUL, whose password has 65,535 bytes at
    /// most.
    ///
    /// # Errors
    ///
    /// A [`UserError`] that says which of them MQTT cannot carry.
    pub fn new(name: &'a str, password: &'a Secret<'_>) -> Result<Self, UserError> {
        Self::with_password_bytes(name, password.expose())
    }

    /// The same, of a password that somebody else keeps secret.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_password_bytes(name: &'a str, password: &'a [u8]) -> Result<Self, UserError> {
        if name.len() > MAX_LEN {
            return Err(UserError::NameTooLong { len: name.len() });
        }
        if let Some(at) = name.bytes().position(|byte| byte == 0) {
            return Err(UserError::NulInName { at });
        }
        if password.len() > MAX_LEN {
            return Err(UserError::PasswordTooLong { len: password.len() });
        }
        Ok(Self { name, password })
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    pub(super) fn password(&self) -> &'a [u8] {
        self.password
    }
}

impl fmt::Debug for User<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why MQTT cannot carry a user name or a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UserError {
    /// The name has more than 65,535 bytes.
    NameTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The name holds a NUL character.
    NulInName {
        /// Where, in bytes from the beginning.
        at: usize,
    },
    /// The password has more than 65,535 bytes.
    PasswordTooLong {
        /// Its length in bytes.
        len: usize,
    },
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTooLong { len } => {
                write!(f, "a user name has at most {MAX_LEN} bytes, this one has {len}")
            }
            Self::NulInName { at } => write!(f, "the user name has a NUL character at byte {at}"),
            Self::PasswordTooLong { len } => {
                write!(f, "a password has at most {MAX_LEN} bytes, this one has {len}")
            }
        }
    }
}

impl core::error::Error for UserError {}
