//! The broker's host name.

use core::fmt;

/// The shortest name that a public server can have, such as `a.io`, in characters.
const MIN_HOST_LEN: usize = 1;
/// The longest host name in characters (DNS, RFC 1035 §2.3.4).
const MAX_HOST_LEN: usize = 253;

/// A broker's host name or address: no scheme, no port, no path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Host<'a>(&'a [u8]);

impl<'a> Host<'a> {
    /// A host name of 1 to 253 characters.
    ///
    /// A scheme, a port and a path are found, and of what cannot be a part of a name, all that is not ASCII or
    /// lies before `-` or after `z` in it: white space, quotation marks and the like.
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

    /// The name, where its characters do not matter.
    pub const fn as_bytes(&self) -> &'a [u8] {
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
    let len = host.len();
    match len {
        0..MIN_HOST_LEN => return Err(HostError::TooShort { len }),
        MIN_HOST_LEN..=MAX_HOST_LEN => {}
        _ => return Err(HostError::TooLong { len }),
    }
    // Four characters at a time, as long as there is nothing to look at more closely.
    let mut at = 0;
    for word in host.as_chunks().0 {
        if !may_be_of_a_name(u32::from_le_bytes(*word)) {
            break;
        }
        at += 4;
    }
    while let Some(byte) = host.get(at) {
        match byte {
            b':' if is_ipv6(host) => return Ok(()),
            b':' | b'/' => return Err(HostError::NotOnlyHost),
            b'-'..=b'z' => at += 1,
            _ => return Err(HostError::InvalidCharacter { at }),
        }
    }
    Ok(())
}

/// Whether it is an address with more than one colon, unlike a name with a port.
fn is_ipv6(host: &[u8]) -> bool {
    let mut colons = 0;
    host.iter().all(|byte| {
        colons += u32::from(*byte == b':');
        byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
    }) && colons > 1
}

/// Whether all bytes are from `-` to `z`, and none is `/` or `:`.
fn may_be_of_a_name(word: u32) -> bool {
    const EACH: u32 = 0x0101_0101;

    let differs = |byte: u8| word ^ (EACH * u32::from(byte));
    let (slash, colon) = (differs(b'/'), differs(b':'));
    let is_slash = slash.wrapping_sub(EACH) & !slash;
    let is_colon = colon.wrapping_sub(EACH) & !colon;
    let is_below = word.wrapping_sub(EACH * u32::from(b'-'));
    let is_above = word.wrapping_add(EACH * u32::from(0x7F - b'z'));
    (word | is_below | is_above | is_slash | is_colon) & (EACH * 0x80) == 0
}

/// Why a text is not a host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum HostError {
    /// It is empty.
    TooShort {
        /// Its length in bytes.
        len: usize,
    },
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
            Self::TooShort { .. } => f.write_str("the broker's host name is empty"),
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

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;

    use super::*;

    #[test]
    fn each_byte_is_looked_at_wherever_it_is() {
        for len in MIN_HOST_LEN..14 {
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    let mut host = std::vec![b'a'; len];
                    host[at] = byte;
                    let expected = match byte {
                        b'/' | b':' => Err(HostError::NotOnlyHost),
                        b'-'..=b'z' => Ok(()),
                        _ => Err(HostError::InvalidCharacter { at }),
                    };
                    assert_eq!(check(&host), expected, "{byte:#04x} at {at} of {len}");
                }
            }
        }
    }

    #[test]
    fn of_several_wrong_characters_the_first_is_told() {
        for (host, at) in [("ab cd\n\0é", 2), ("größe.example", 2), ("broker.exa,pl e", 10)] {
            assert_eq!(check(host.as_bytes()), Err(HostError::InvalidCharacter { at }), "{host}");
        }
    }

    #[test]
    fn addresses_are_hosts_and_ports_schemes_and_paths_are_none() {
        for host in ["10.0.0.7", "::ffff:10.0.0.7", "fe80::1", "2001:db8::1", "::1", "mq", "broker_1.example"]
        {
            assert_eq!(check(host.as_bytes()), Ok(()), "{host}");
        }
        for host in
            ["mqtt://broker.example", "ws://broker", "broker.example:8883", "10.0.0.7:1", "broker/mqtt"]
        {
            assert_eq!(check(host.as_bytes()), Err(HostError::NotOnlyHost), "{host}");
        }
        for host in ["a.io:8883", "x.de:1", "ab:cd/ef", "fe80::1/path", "::1 "] {
            assert_eq!(check(host.as_bytes()), Err(HostError::NotOnlyHost), "{host}");
        }
        assert_eq!(check(b""), Err(HostError::TooShort { len: 0 }));
        let long = String::from("a").repeat(MAX_HOST_LEN + 1);
        assert_eq!(check(long.as_bytes()), Err(HostError::TooLong { len: MAX_HOST_LEN + 1 }));
        assert_eq!(check(&long.as_bytes()[1..]), Ok(()));
    }
}
