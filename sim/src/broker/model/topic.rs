//! Topic names and filters (MQTT 5 §4.7).

/// Whether a message published to `topic` goes to a subscription of `filter`.
pub(super) fn matches(filter: &[u8], topic: &[u8]) -> bool {
    let system_topic = topic.first() == Some(&b'$');
    if system_topic && matches!(filter.first(), Some(b'#' | b'+')) {
        return false;
    }
    let mut levels = topic.split(|byte| *byte == b'/');
    for wanted in filter.split(|byte| *byte == b'/') {
        if wanted == b"#" {
            return true;
        }
        match levels.next() {
            Some(level) if wanted == b"+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// What every topic name and filter has to be: text, not empty, without NUL, 65535 bytes at most.
fn is_text(topic: &[u8]) -> bool {
    !topic.is_empty()
        && u16::try_from(topic.len()).is_ok()
        && !topic.contains(&0)
        && std::str::from_utf8(topic).is_ok()
}

/// Whether a message can be published to `topic`.
pub(super) fn is_name(topic: &[u8]) -> bool {
    is_text(topic) && !topic.iter().any(|byte| matches!(byte, b'#' | b'+'))
}

/// Whether `filter` can be subscribed to: wildcards fill a whole level, and `#` is the last one.
pub(super) fn is_filter(filter: &[u8]) -> bool {
    let mut ended = false;
    is_text(filter)
        && filter.split(|byte| *byte == b'/').all(|level| {
            let fits = !ended && (level.len() == 1 || !level.iter().any(|byte| matches!(byte, b'#' | b'+')));
            ended = level == b"#";
            fits
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_stands_for_one_level_and_a_hash_for_the_rest_and_the_parent() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/b/c", "a/b", false),
            ("a/+", "a/b", true),
            ("a/+", "a/", true),
            ("a/+", "a", false),
            ("+/+", "/b", true),
            ("/+", "/b", true),
            ("+", "/b", false),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("#", "a/b", true),
            ("+/b/#", "a/b", true),
        ] {
            assert_eq!(matches(filter.as_bytes(), topic.as_bytes()), expected, "{filter} on {topic}");
        }
    }

    #[test]
    fn a_leading_wildcard_does_not_reach_topics_that_start_with_a_dollar() {
        assert!(!matches(b"#", b"$aws/things/x"));
        assert!(!matches(b"+/things/x", b"$aws/things/x"));
        assert!(matches(b"$aws/#", b"$aws/things/x"));
        assert!(matches(b"$aws/things/+", b"$aws/things/x"));
    }

    #[test]
    fn wildcards_belong_in_filters_and_fill_whole_levels() {
        assert!(is_filter(b"a/+/c") && is_filter(b"#") && is_filter(b"a/#") && is_filter(b"/"));
        assert!(!is_filter(b"a/b+") && !is_filter(b"#/a") && !is_filter(b"a#") && !is_filter(b""));
        assert!(is_name(b"a/b") && is_name("ä/ö".as_bytes()));
        assert!(!is_name(b"a/+") && !is_name(b"a\0") && !is_name(b"\xff") && !is_name(b""));
    }
}
