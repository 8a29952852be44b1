//! Which topics a subscription is for.

use core::fmt;

use super::TopicError;
use super::topic_name::check_topic;

/// The topics that a subscription is for (MQTT 5 §4.7): one, or with `+` and `#` several, or a share of
/// them with `$share/` (§4.8.2).
///
/// ```
/// use microvisor::mqtt::{TopicError, TopicFilter};
///
/// let filter = TopicFilter::new("command/+/all")?;
/// assert!(filter.matches("command/device/all"));
/// assert_eq!(TopicFilter::new("command/#/all"), Err(TopicError::MisplacedWildcard { at: 8 }));
/// # Ok::<(), TopicError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TopicFilter<'a>(&'a str);

impl<'a> TopicFilter<'a> {
    /// Checks that `filter` can be subscribed to.
    ///
    /// # Errors
    ///
    /// The [`TopicError`] that says what is wrong with it, and where.
    pub const fn new(filter: &'a str) -> Result<Self, TopicError> {
        if let Err(error) = check_topic(filter) {
            return Err(error);
        }
        if without_share(filter.as_bytes()).is_none() {
            return Err(TopicError::MalformedShare);
        }
        match misplaced_wildcard(filter.as_bytes()) {
            Some(at) => Err(TopicError::MisplacedWildcard { at }),
            None => Ok(Self(filter)),
        }
    }

    /// The filter as it came.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// A filter that was taken apart and is known to be valid.
    pub(crate) const fn from_valid(filter: &'a str) -> Self {
        Self(filter)
    }

    /// Whether a message published to `topic`, a [`TopicName`](super::TopicName) or the topic of a
    /// received message, is one of those that the filter is for.
    ///
    /// A topic that begins with `$` is not matched by a filter that begins with a wildcard
    /// (MQTT 5 §4.7.2).
    pub fn matches(&self, topic: impl AsRef<str>) -> bool {
        without_share(self.0.as_bytes()).is_some_and(|filter| matches(filter, topic.as_ref().as_bytes()))
    }
}

impl AsRef<str> for TopicFilter<'_> {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for TopicFilter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The filter within a shared subscription, or all of another filter; `None` if the share has no name,
/// one with a wildcard, or nothing after it.
const fn without_share(filter: &[u8]) -> Option<&[u8]> {
    let [b'$', b's', b'h', b'a', b'r', b'e', b'/', name @ ..] = filter else { return Some(filter) };
    let mut rest = name;
    loop {
        match rest {
            [] | [b'#' | b'+', ..] | [b'/'] => return None,
            [b'/', filter @ ..] if rest.len() < name.len() => return Some(filter),
            [b'/', ..] => return None,
            [_, after @ ..] => rest = after,
        }
    }
}

const fn misplaced_wildcard(filter: &[u8]) -> Option<usize> {
    let mut rest = filter;
    let mut at_level_start = true;
    while let [byte, after @ ..] = rest {
        let in_place = match byte {
            b'#' => at_level_start && after.is_empty(),
            b'+' => at_level_start && matches!(after, [] | [b'/', ..]),
            _ => true,
        };
        if !in_place {
            return Some(filter.len() - rest.len());
        }
        at_level_start = *byte == b'/';
        rest = after;
    }
    None
}

fn matches(filter: &[u8], topic: &[u8]) -> bool {
    if matches!((filter, topic), ([b'#' | b'+', ..], [b'$', ..])) {
        return false;
    }
    let levels = |bytes| <[u8]>::split(bytes, |byte: &u8| *byte == b'/');
    let (mut wanted, mut found) = (levels(filter), levels(topic));
    loop {
        match (wanted.next(), found.next()) {
            // Also where the topic has just ended: `a/#` is for `a` as well (MQTT 5 §4.7.1.2).
            (Some(b"#"), _) | (None, None) => return true,
            (Some(b"+"), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;

    use super::super::TopicName;
    use super::*;

    #[test]
    fn every_filter_that_mqtt_allows_is_taken() {
        for filter in [
            "a",
            "/",
            "#",
            "+",
            "+/+",
            "/+",
            "a/#",
            "+/#",
            "a/+/b",
            "a//b",
            "$SYS/#",
            "$share/group/a/#",
            "$share/g/+",
            "$share/g//",
            "$share",
            "$shared/+",
            "räume/+",
        ] {
            assert_eq!(TopicFilter::new(filter).map(|filter| filter.as_str()), Ok(filter));
        }
    }

    #[test]
    fn every_wrong_filter_has_its_own_error() {
        let long = String::from("x").repeat(65_536);
        let cases = [
            ("", TopicError::Empty),
            (long.as_str(), TopicError::TooLong { length: 65_536, max: 65_535 }),
            ("a\0", TopicError::NulCharacter { at: 1 }),
            ("a/#\r\n", TopicError::ControlCharacter { at: 3 }),
            ("\u{FDD0}/#", TopicError::NonCharacter { at: 0 }),
            ("#/a", TopicError::MisplacedWildcard { at: 0 }),
            ("a/#/b", TopicError::MisplacedWildcard { at: 2 }),
            ("a#", TopicError::MisplacedWildcard { at: 1 }),
            ("a/b#", TopicError::MisplacedWildcard { at: 3 }),
            ("##", TopicError::MisplacedWildcard { at: 0 }),
            ("a+", TopicError::MisplacedWildcard { at: 1 }),
            ("+a/b", TopicError::MisplacedWildcard { at: 0 }),
            ("a/++", TopicError::MisplacedWildcard { at: 2 }),
            ("$share/", TopicError::MalformedShare),
            ("$share/group", TopicError::MalformedShare),
            ("$share/group/", TopicError::MalformedShare),
            ("$share//a", TopicError::MalformedShare),
            ("$share/+/a", TopicError::MalformedShare),
            ("$share/gr#up/a", TopicError::MalformedShare),
            ("$share/group/a+", TopicError::MisplacedWildcard { at: 14 }),
        ];
        for (filter, error) in cases {
            assert_eq!(TopicFilter::new(filter), Err(error), "{filter:.20}");
        }
    }

    #[test]
    fn filters_match_as_the_standard_says() {
        let cases = [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/tennis/player1/#", "sport/tennis/player10", false),
            ("sport/#", "sport", true),
            ("#", "any/thing", true),
            ("#", "/", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("+/#", "sport", true),
            ("+/+/#", "sport", false),
            ("a/b", "a/b", true),
            ("a/b", "A/b", false),
            ("a/b", "a/b/", false),
            ("a/b", "a", false),
            ("a//b", "a//b", true),
            ("a/+/b", "a//b", true),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("$SYS/+", "$SYS/uptime", true),
            ("a/+", "a/$b", true),
            ("$share/group/a/#", "a/b", true),
            ("$share/group/a/#", "$share/group/a/b", false),
            ("$share/group/#", "$SYS/uptime", false),
            ("$share/group/#", "group/a", true),
        ];
        for (filter, topic, expected) in cases {
            let filter = TopicFilter::new(filter).expect("valid");
            assert_eq!(filter.matches(topic), expected, "{filter} on {topic}");
            assert_eq!(filter.matches(TopicName::new(topic).expect("valid")), expected);
        }
    }
}
