//! Why a string cannot be used in an MQTT packet, as a topic or otherwise.

use core::fmt;

/// Why a string is not a [`TopicName`](super::TopicName) or [`TopicFilter`](super::TopicFilter).
///
/// Positions are counted in bytes from the start. Repeating does not help against any of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TopicError {
    /// A topic has at least one character (MQTT 5 §4.7.3).
    Empty,
    /// An MQTT string has a limited length (MQTT 5 §1.5.4).
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
    /// A control character, such as a line end that came along with the topic.
    ControlCharacter {
        /// Where it is.
        at: usize,
    },
    /// A Unicode noncharacter.
    NonCharacter {
        /// Where it is.
        at: usize,
    },
    /// `#` or `+` in the name of one topic.
    WildcardInName {
        /// Where it is.
        at: usize,
    },
    /// `#` elsewhere than alone in the last level, or `+` not alone in its level.
    MisplacedWildcard {
        /// Where it is.
        at: usize,
    },
    /// A filter that starts with `$share/` goes on with a name, `/` and another filter; the name has
    /// neither `#` nor `+` (MQTT 5 §4.8.2).
    MalformedShare,
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the topic is empty"),
            Self::TooLong { length, max } => {
                write!(f, "the topic is {length} bytes long, and at most {max} are allowed")
            }
            Self::NulCharacter { at } => write!(f, "the topic has a NUL character at byte {at}"),
            Self::ControlCharacter { at } => write!(f, "the topic has a control character at byte {at}"),
            Self::NonCharacter { at } => write!(f, "the topic has a Unicode noncharacter at byte {at}"),
            Self::WildcardInName { at } => {
                write!(f, "the topic name has a wildcard at byte {at}; only filters can have them")
            }
            Self::MisplacedWildcard { at } => write!(
                f,
                "the wildcard at byte {at} is misplaced: \
                 `+` is a whole level, `#` is the whole last level"
            ),
            Self::MalformedShare => {
                f.write_str("a shared subscription is `$share/`, a name without wildcards, `/` and a filter")
            }
        }
    }
}

impl core::error::Error for TopicError {}
