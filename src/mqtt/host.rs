//! The broker's host name.

use core::fmt;

/// The longest host name in characters (DNS, RFC 1035 §2.3.4).
const MAX_HOST_LEN: usize = 253;

/// A broker's host name or address: no scheme, no port, no path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Host<'a>(&'a [u8]);

impl<'a> Host<'a> {
    /// A host name of 1 to 253 letters, digits, `.`, `-`, `_` and, in an IPv6 address, `:`.
    ///
    /// # Errors
    ///
    /// A [`HostError`] that says what does not belong.
    ///
    /// ```
    /// use microvisor::mqtt::{Host, HostError};
    ///
    /// assert!(Host::new("abc123-ats.iot.eu-west-1.amazonaws.com").is_ok());
    /// assert_eq!(Host::new("mqtts://broker.example"), Err(HostError::NotOnlyHost));
    /// ```
    pub fn new(host: &'a str) -> Result<Self, HostError> {
        Self::from_bytes(host.as_bytes())
    }

    /// The same, of a text that nobody has looked at.
    pub(crate) fn from_bytes(host: &'a [u8]) -> Result<Self, HostError> {
        check(host)?;
        Ok(Self(host))
    }

    /// A name that was checked before. It is nobody's loss but the caller's if it was not.
    pub(crate) const fn from_checked(host: &'a [u8]) -> Self {
        Self(host)
    }

    pub(super) const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The name.
    pub const fn as_str(&self) -> &'a str {
        let mut rest = self.0;
        while let [byte, after @ ..] = rest {
            // No host has such a name; a bad span of stored values may be one.
            if !byte.is_ascii() {
                return "";
            }
            rest = after;
        }
        // SAFETY: ASCII is UTF-8.
        unsafe { core::str::from_utf8_unchecked(self.0) }
    }
}

impl AsRef<str> for Host<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.as_str()).finish()
    }
}

fn check(host: &[u8]) -> Result<(), HostError> {
    match host.len() {
        1..=MAX_HOST_LEN if host.iter().all(|byte| is_of_a_name(*byte)) => Ok(()),
        _ => look_closer(host),
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'.' | b'0'..=b'9' | b'_')
}

/// Finds what is wrong with a host name, if it is not an IPv6 address.
#[cold]
fn look_closer(host: &[u8]) -> Result<(), HostError> {
    if host.is_empty() {
        return Err(HostError::Empty);
    }
    if host.len() > MAX_HOST_LEN {
        return Err(HostError::TooLong { len: host.len() });
    }
    let (mut colons, mut wrong, mut before) = (0, None, b' ');
    // An IPv6 address has seven colons, or two together; a port has one before it.
    let (mut is_ipv6, mut has_pair) = (true, false);
    for (at, &byte) in host.iter().enumerate() {
        match byte {
            b'/' => return Err(HostError::NotOnlyHost),
            b':' => {
                colons += 1;
                has_pair |= before == b':';
            }
            b'.' => {}
            _ => is_ipv6 &= byte.is_ascii_hexdigit(),
        }
        if !is_of_a_name(byte) && byte != b':' {
            wrong = wrong.or(Some(at));
        }
        before = byte;
    }
    if colons > 0 && !(is_ipv6 && (colons == 7 || has_pair)) {
        return Err(HostError::NotOnlyHost);
    }
    wrong.map_or(Ok(()), |at| Err(HostError::InvalidCharacter { at }))
}

/// Why a text is not a host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum HostError {
    /// It is empty.
    Empty,
    /// It has more than 253 characters.
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// There is a scheme, a port or a path.
    NotOnlyHost,
    /// There is a character that no host name has, such as a space or a line break.
    InvalidCharacter {
        /// Where, in bytes from the beginning.
        at: usize,
    },
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the broker's host name is empty"),
            Self::TooLong { len } => {
                write!(f, "a host name has at most {MAX_HOST_LEN} characters, the broker's has {len}")
            }
            Self::NotOnlyHost => f.write_str(
                "the broker's host name has a scheme, a port or a path; give the name alone and the port apart",
            ),
            Self::InvalidCharacter { at } => {
                write!(f, "the broker's host name has a character at {at} that no host name has")
            }
        }
    }
}

impl core::error::Error for HostError {}
