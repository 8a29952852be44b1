//! The broker's host name.

use core::fmt;

/// The longest host name in characters (DNS, RFC 1035 §2.3.4).
const MAX_HOST_LEN: usize = 253;

/// A broker's host name or address: no scheme, no port, no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'a>(&'a str);

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
        if host.is_empty() {
            return Err(HostError::Empty);
        }
        if host.len() > MAX_HOST_LEN {
            return Err(HostError::TooLong { len: host.len() });
        }
        let (mut wrong, mut colons) = (None, false);
        for (at, byte) in host.bytes().enumerate() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'A'..=b'Z' | b'_' => {}
                b'/' => return Err(HostError::NotOnlyHost),
                b':' => colons = true,
                _ => wrong = wrong.or(Some(at)),
            }
        }
        if colons && !is_like_ipv6(host) {
            return Err(HostError::NotOnlyHost);
        }
        match wrong {
            Some(at) => Err(HostError::InvalidCharacter { at }),
            None => Ok(Self(host)),
        }
    }

    /// A name that was checked before.
    pub(crate) const fn from_valid(host: &'a str) -> Self {
        Self(host)
    }

    /// The name.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

impl AsRef<str> for Host<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whether the colons are those of an IPv6 address, and not a port's.
fn is_like_ipv6(host: &str) -> bool {
    let colons = host.bytes().filter(|&byte| byte == b':').count();
    let characters = host.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
    characters && (colons == 7 || host.as_bytes().windows(2).any(|pair| pair == b"::"))
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
