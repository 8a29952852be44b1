//! What a broker allows beyond what MQTT allows.

use microvisor::aws::DOCUMENTED_TOPICS;

/// The sizes, counts and rates that a broker holds its clients to.
///
/// [`Limits::AWS_IOT`] has the numbers of AWS IoT Core's quotas, [`Limits::MQTT`] those of the
/// protocol itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The highest QoS of a publish, and the highest that is granted.
    pub qos: u8,
    /// Bytes of a client id.
    pub client_id: usize,
    /// Bytes of a topic name or filter.
    pub topic: usize,
    /// Slashes in a topic name or filter.
    pub slashes: usize,
    /// Filters in one SUBSCRIBE or UNSUBSCRIBE.
    pub filters: usize,
    /// Subscriptions of one session.
    pub subscriptions: usize,
    /// Bytes of a payload.
    pub payload: usize,
    /// The shortest and longest keep-alive in seconds; 0 means the longest.
    pub keep_alive: (u32, u32),
    /// Publishes of one connection in a second.
    pub publishes_per_second: usize,
    /// Messages under way to a client, and publishes under way from it, without an acknowledgement.
    pub unacknowledged: usize,
    /// Whether topics that start with `$` are the broker's own, `$aws` ones that it documents excepted.
    pub reserved_topics: bool,
    /// Whether an empty client id is replaced by one that the broker makes up.
    pub assigns_client_ids: bool,
}

impl Limits {
    /// AWS IoT Core's message broker and protocol quotas.
    pub const AWS_IOT: Self = Self {
        qos: 1,
        client_id: 128,
        topic: 256,
        slashes: 7,
        filters: 8,
        subscriptions: 50,
        payload: 128 * 1024,
        keep_alive: (30, 1200),
        publishes_per_second: 100,
        unacknowledged: 100,
        reserved_topics: true,
        assigns_client_ids: false,
    };

    /// No more than what MQTT itself and one packet can hold.
    pub const MQTT: Self = Self {
        qos: 2,
        client_id: 65_535,
        topic: 65_535,
        slashes: 65_535,
        filters: 65_535,
        subscriptions: usize::MAX,
        payload: 268_435_455,
        keep_alive: (0, 65_535),
        publishes_per_second: usize::MAX,
        unacknowledged: 65_535,
        reserved_topics: false,
        assigns_client_ids: true,
    };

    /// Why `topic` (a name or a filter) goes beyond the limits, if it does.
    pub(super) fn topic_excess(&self, topic: &[u8]) -> Option<String> {
        let counted = without_basic_ingest(topic);
        if counted.len() > self.topic {
            return Some(format!("its topic has {} bytes, {} are allowed", counted.len(), self.topic));
        }
        let slashes = counted.split(|byte| *byte == b'/').count() - 1;
        if slashes > self.slashes {
            return Some(format!("its topic has {slashes} slashes, {} are allowed", self.slashes));
        }
        None
    }

    /// Whether `topic` is one that the broker keeps to itself.
    pub(super) fn is_reserved(&self, topic: &[u8]) -> bool {
        self.reserved_topics
            && topic.first() == Some(&b'$')
            && !DOCUMENTED_TOPICS.iter().any(|prefix| topic.starts_with(prefix.as_bytes()))
    }

    /// The keep-alive that the broker goes by, for one that a client asks for.
    pub(super) fn effective_keep_alive(&self, seconds: u32) -> u32 {
        let (shortest, longest) = self.keep_alive;
        if seconds == 0 && shortest > 0 { longest } else { seconds.clamp(shortest, longest) }
    }
}

/// The topic without a Basic Ingest prefix, `$aws/rules/<rule>/`, which does not count.
fn without_basic_ingest(topic: &[u8]) -> &[u8] {
    topic
        .strip_prefix(b"$aws/rules/".as_slice())
        .and_then(|rest| rest.iter().position(|byte| *byte == b'/').map(|slash| &rest[slash + 1..]))
        .unwrap_or(topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basic_ingest_prefix_counts_neither_for_length_nor_for_slashes() {
        let limits = Limits::AWS_IOT;
        assert_eq!(limits.topic_excess(b"1/2/3/4/5/6/7/8"), None);
        assert!(limits.topic_excess(b"1/2/3/4/5/6/7/8/9").is_some());
        assert_eq!(limits.topic_excess(b"$aws/rules/rule/1/2/3/4/5/6/7/8"), None);
        let long = ["a"; 256].concat();
        assert_eq!(limits.topic_excess(long.as_bytes()), None);
        assert_eq!(limits.topic_excess(format!("$aws/rules/rule/{long}").as_bytes()), None);
        assert!(limits.topic_excess(format!("{long}a").as_bytes()).is_some());
    }

    #[test]
    fn only_documented_dollar_topics_are_open_to_devices() {
        assert!(Limits::AWS_IOT.is_reserved(b"$SYS/broker"));
        assert!(Limits::AWS_IOT.is_reserved(b"$aws/secret/x"));
        assert!(!Limits::AWS_IOT.is_reserved(b"$aws/things/x/shadow/update"));
        assert!(!Limits::AWS_IOT.is_reserved(b"sensor/$aws"));
        assert!(!Limits::MQTT.is_reserved(b"$SYS/broker"));
    }

    #[test]
    fn a_keep_alive_of_zero_means_the_longest() {
        assert_eq!(Limits::AWS_IOT.effective_keep_alive(0), 1200);
        assert_eq!(Limits::AWS_IOT.effective_keep_alive(5), 30);
        assert_eq!(Limits::AWS_IOT.effective_keep_alive(60), 60);
        assert_eq!(Limits::MQTT.effective_keep_alive(0), 0);
    }
}
