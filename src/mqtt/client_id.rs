//! The name of a client at its broker.

use core::fmt;

use super::utf8_string::{self, MAX_LENGTH, StringFault};
use crate::DeviceId;

/// The name under which a broker knows this client and keeps its session (MQTT 5 §3.1.3.1).
///
/// A broker has one connection for each: a second one under the same name ends the first. MQTT has
/// brokers invent a name for a client that sends an empty one; the platform does not let that
/// pass, so there is no empty `ClientId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ClientId<'a>(&'a str);

impl<'a> ClientId<'a> {
    /// Checks that a client can be called `id`.
    ///
    /// # Errors
    ///
    /// The [`ClientIdError`] that says what is wrong with it.
    pub const fn new(id: &'a str) -> Result<Self, ClientIdError> {
        if id.is_empty() {
            return Err(ClientIdError::Empty);
        }
        match utf8_string::check(id) {
            Ok(()) => Ok(Self(id)),
            Err(StringFault::TooLong { length }) => Err(ClientIdError::TooLong { length, max: MAX_LENGTH }),
            Err(StringFault::NulCharacter { at }) => Err(ClientIdError::NulCharacter { at }),
            Err(StringFault::ControlCharacter { at }) => Err(ClientIdError::ControlCharacter { at }),
            Err(StringFault::NonCharacter { at }) => Err(ClientIdError::NonCharacter { at }),
        }
    }

    /// The id as it came.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

/// A device's id always is one.
impl<'a> From<&'a DeviceId> for ClientId<'a> {
    fn from(id: &'a DeviceId) -> Self {
        Self(id.as_str())
    }
}

impl AsRef<str> for ClientId<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for ClientId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Why a string is not a [`ClientId`].
///
/// Positions are counted in bytes from the start. Repeating does not help against any of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ClientIdError {
    /// The platform needs a client id.
    Empty,
    /// An MQTT string has a limited length (MQTT 5 §1.5.4). Brokers have lower limits of their own.
    TooLong {
        /// The length in bytes.
        length: usize,
        /// The longest allowed, in bytes.
        max: usize,
    },
    /// U+0000, which MQTT does not allow in any string.
    NulCharacter {
        /// Where it is.
        at: usize,
    },
    /// A control character, such as a line end that came along with the id.
    ControlCharacter {
        /// Where it is.
        at: usize,
    },
    /// A Unicode noncharacter.
    NonCharacter {
        /// Where it is.
        at: usize,
    },
}

impl fmt::Display for ClientIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the client id is empty, and the platform needs one"),
            Self::TooLong { length, max } => {
                write!(f, "the client id is {length} bytes long, and at most {max} are allowed")
            }
            Self::NulCharacter { at } => write!(f, "the client id has a NUL character at byte {at}"),
            Self::ControlCharacter { at } => write!(f, "the client id has a control character at byte {at}"),
            Self::NonCharacter { at } => write!(f, "the client id has a Unicode noncharacter at byte {at}"),
        }
    }
}

impl core::error::Error for ClientIdError {}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;

    use super::*;

    #[test]
    fn every_wrong_id_has_its_own_error() {
        let long = String::from("x").repeat(65_536);
        let cases = [
            ("", ClientIdError::Empty),
            (long.as_str(), ClientIdError::TooLong { length: 65_536, max: 65_535 }),
            ("a\0", ClientIdError::NulCharacter { at: 1 }),
            ("device\n", ClientIdError::ControlCharacter { at: 6 }),
            ("a\u{FFFF}", ClientIdError::NonCharacter { at: 1 }),
        ];
        for (id, error) in cases {
            assert_eq!(ClientId::new(id), Err(error), "{id:.20}");
        }
    }

    #[test]
    fn an_id_may_have_wildcards_and_slashes() {
        assert_eq!(ClientId::new("a/+#").map(|id| id.as_str()), Ok("a/+#"));
    }
}
