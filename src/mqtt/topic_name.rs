//! The name of one topic.

use core::fmt;

use super::TopicError;
use super::utf8_string::{self, MAX_LENGTH, StringFault};

/// The name of the one topic that a message is published to (MQTT 5 §4.7).
///
/// ```
/// use microvisor::mqtt::{TopicError, TopicName};
///
/// let topic = TopicName::new("sensor/device/17")?;
/// assert_eq!(topic.as_str(), "sensor/device/17");
/// assert_eq!(TopicName::new("sensor/+"), Err(TopicError::WildcardInName { at: 7 }));
/// # Ok::<(), TopicError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TopicName<'a> {
    name: &'a str,
    /// Brokers limit their number, and should not have to be asked each time that a message is published.
    slashes: u16,
    /// It begins with `$`: the broker may keep it for itself.
    is_special: bool,
}

impl<'a> TopicName<'a> {
    /// Checks that a message can be published to `name`.
    ///
    /// # Errors
    ///
    /// The [`TopicError`] that says what is wrong with it, and where.
    pub const fn new(name: &'a str) -> Result<Self, TopicError> {
        if let Err(error) = check_topic(name) {
            return Err(error);
        }
        let mut rest = name.as_bytes();
        let mut slashes = 0;
        while let [byte, after @ ..] = rest {
            match byte {
                b'#' | b'+' => return Err(TopicError::WildcardInName { at: name.len() - rest.len() }),
                // A name has no more bytes than a `u16` counts.
                b'/' => slashes += 1,
                _ => {}
            }
            rest = after;
        }
        Ok(Self { name, slashes, is_special: matches!(name.as_bytes(), [b'$', ..]) })
    }

    /// A name that is known to be valid and to begin with no `$`, with the number of its slashes.
    pub(crate) const fn from_ordinary(name: &'a str, slashes: u16) -> Self {
        Self { name, slashes, is_special: false }
    }

    /// The name as it came.
    pub const fn as_str(&self) -> &'a str {
        self.name
    }

    pub(super) const fn slashes(&self) -> usize {
        self.slashes as usize
    }

    pub(super) const fn is_special(&self) -> bool {
        self.is_special
    }
}

impl AsRef<str> for TopicName<'_> {
    fn as_ref(&self) -> &str {
        self.name
    }
}

impl fmt::Display for TopicName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What names and filters have in common.
pub(super) const fn check_topic(topic: &str) -> Result<(), TopicError> {
    if topic.is_empty() {
        return Err(TopicError::Empty);
    }
    match utf8_string::check(topic) {
        Ok(()) => Ok(()),
        Err(StringFault::TooLong { length }) => Err(TopicError::TooLong { length, max: MAX_LENGTH }),
        Err(StringFault::NulCharacter { at }) => Err(TopicError::NulCharacter { at }),
        Err(StringFault::ControlCharacter { at }) => Err(TopicError::ControlCharacter { at }),
        Err(StringFault::NonCharacter { at }) => Err(TopicError::NonCharacter { at }),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;

    use super::*;

    #[test]
    fn ordinary_names_are_taken_as_they_are() {
        const CONSTANT: Result<TopicName<'static>, TopicError> = TopicName::new("a/b");
        assert_eq!(CONSTANT.map(|name| name.as_str()), Ok("a/b"));
        for name in ["/", "a", "/a", "a//b", "$aws/things/x/shadow/update", "räume/küche 1", "a b"] {
            assert_eq!(TopicName::new(name).map(|name| name.as_str()), Ok(name));
        }
    }

    #[test]
    fn every_wrong_name_has_its_own_error() {
        let long = String::from("x").repeat(65_536);
        let cases = [
            ("", TopicError::Empty),
            (long.as_str(), TopicError::TooLong { length: 65_536, max: 65_535 }),
            ("a\0b", TopicError::NulCharacter { at: 1 }),
            ("a/b\n", TopicError::ControlCharacter { at: 3 }),
            ("a/\u{FFFE}", TopicError::NonCharacter { at: 2 }),
            ("a/#", TopicError::WildcardInName { at: 2 }),
            ("+", TopicError::WildcardInName { at: 0 }),
            ("a/b+c", TopicError::WildcardInName { at: 3 }),
        ];
        for (name, error) in cases {
            assert_eq!(TopicName::new(name), Err(error), "{name:.20}");
        }
    }
}
