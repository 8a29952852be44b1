//! What a broker takes, beyond what MQTT itself allows.

use core::fmt;

use super::{Publish, QoS, Subscription, TopicFilter};

/// The most topic filters that one subscribe or unsubscribe request can carry (Microvisor).
pub const MAX_TOPICS: usize = 8;

/// A broker's limits, checked before anything is sent.
///
/// [`Limits::MQTT`] are those of the protocol and the platform alone, `aws::LIMITS` those of AWS
/// IoT Core. For another broker's, start from either and change what differs.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    max_qos: QoS,
    max_topic_len: usize,
    max_topic_slashes: usize,
    max_payload_len: usize,
    reserved: fn(&str) -> bool,
    counted: fn(&str) -> &str,
}

impl Limits {
    /// MQTT's own limits: QoS 2, topics of 65,535 bytes, payloads of 256 MiB.
    pub const MQTT: Self = Self {
        max_qos: QoS::ExactlyOnce,
        max_topic_len: 65_535,
        max_topic_slashes: usize::MAX,
        max_payload_len: 268_435_455,
        reserved: |_| false,
        counted: |topic| topic,
    };

    /// The highest quality of service that the broker takes.
    #[must_use]
    pub const fn max_qos(mut self, qos: QoS) -> Self {
        self.max_qos = qos;
        self
    }

    /// The longest topic or filter in bytes, and the most slashes in it.
    #[must_use]
    pub const fn max_topic(mut self, len: usize, slashes: usize) -> Self {
        self.max_topic_len = len;
        self.max_topic_slashes = slashes;
        self
    }

    /// The largest payload in bytes.
    #[must_use]
    pub const fn max_payload(mut self, len: usize) -> Self {
        self.max_payload_len = len;
        self
    }

    /// Which of the topics that begin with `$` the broker keeps for itself. All others are the
    /// applications' (MQTT 5 §4.7.2).
    #[must_use]
    pub const fn reserved_topics(mut self, reserved: fn(&str) -> bool) -> Self {
        self.reserved = reserved;
        self
    }

    /// Which part of a topic that begins with `$` counts towards its length and slashes. Of all others
    /// all counts.
    #[must_use]
    pub const fn counted_part(mut self, counted: fn(&str) -> &str) -> Self {
        self.counted = counted;
        self
    }

    /// Checks a publish.
    ///
    /// # Errors
    ///
    /// The limit that it breaks.
    #[inline]
    pub fn check_publish(&self, publish: &Publish<'_>) -> Result<(), LimitError> {
        let topic = publish.topic();
        if publish.qos().raw() <= self.max_qos.raw()
            && publish.payload().len() <= self.max_payload_len
            && topic.as_str().len() <= self.max_topic_len
            && topic.slashes() <= self.max_topic_slashes
            && !has_special_meaning(topic.as_str())
        {
            return Ok(());
        }
        self.look_closer(publish)
    }

    /// Finds the limit that a publish breaks, unless its topic begins with `$` and is within them.
    #[cold]
    fn look_closer(&self, publish: &Publish<'_>) -> Result<(), LimitError> {
        self.check_qos(publish.qos())?;
        self.check_topic(publish.topic().as_str())?;
        let len = publish.payload().len();
        if len > self.max_payload_len {
            return Err(LimitError::PayloadTooLong { len, max: self.max_payload_len });
        }
        Ok(())
    }

    /// Checks the filters of a subscribe request, and how many there are.
    ///
    /// # Errors
    ///
    /// The first limit that is broken.
    pub fn check_subscriptions(&self, subscriptions: &[Subscription<'_>]) -> Result<(), LimitError> {
        Self::check_count(subscriptions.len())?;
        for subscription in subscriptions {
            self.check_qos(subscription.qos())?;
            self.check_filter(subscription.filter())?;
        }
        Ok(())
    }

    /// Checks the filters of an unsubscribe request, and how many there are.
    ///
    /// # Errors
    ///
    /// The first limit that is broken.
    pub fn check_filters(&self, filters: &[TopicFilter<'_>]) -> Result<(), LimitError> {
        Self::check_count(filters.len())?;
        filters.iter().try_for_each(|&filter| self.check_filter(filter))
    }

    fn check_count(count: usize) -> Result<(), LimitError> {
        match count {
            0 => Err(LimitError::NoTopics),
            1..=MAX_TOPICS => Ok(()),
            _ => Err(LimitError::TooManyTopics { count }),
        }
    }

    fn check_qos(&self, qos: QoS) -> Result<(), LimitError> {
        if qos.raw() > self.max_qos.raw() {
            return Err(LimitError::QosTooHigh { qos, max: self.max_qos });
        }
        Ok(())
    }

    /// What a shared subscription shares is a filter like any other.
    fn check_filter(&self, filter: TopicFilter<'_>) -> Result<(), LimitError> {
        let filter = filter.as_str();
        self.check_topic(behind_level(filter, "$share/").unwrap_or(filter))
    }

    fn check_topic(&self, topic: &str) -> Result<(), LimitError> {
        let counted = match has_special_meaning(topic) {
            true if (self.reserved)(topic) => return Err(LimitError::ReservedTopic),
            true => (self.counted)(topic),
            false => topic,
        };
        if counted.len() > self.max_topic_len {
            return Err(LimitError::TopicTooLong { len: counted.len(), max: self.max_topic_len });
        }
        let slashes = counted.bytes().filter(|&byte| byte == b'/').count();
        if slashes > self.max_topic_slashes {
            return Err(LimitError::TooManySlashes { count: slashes, max: self.max_topic_slashes });
        }
        Ok(())
    }
}

fn has_special_meaning(topic: &str) -> bool {
    topic.as_bytes().first() == Some(&b'$')
}

/// Where the level that follows `prefix` ends: the place of the slash.
#[inline(never)]
pub(crate) fn end_of_level(topic: &str, prefix: &str) -> Option<usize> {
    let level = topic.strip_prefix(prefix)?;
    // Found in the bytes, since a search for characters is much more code.
    Some(prefix.len() + level.bytes().position(|byte| byte == b'/')?)
}

/// What is behind the level that follows `prefix`, where `topic` has both.
pub(crate) fn behind_level<'a>(topic: &'a str, prefix: &str) -> Option<&'a str> {
    topic.get(end_of_level(topic, prefix)? + 1..)
}

/// A request that the broker or the platform would not take; nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LimitError {
    /// A subscribe or unsubscribe request without a topic.
    NoTopics,
    /// More topics than a request can carry.
    TooManyTopics {
        /// How many there are.
        count: usize,
    },
    /// A quality of service above what the broker takes.
    QosTooHigh {
        /// The one asked for.
        qos: QoS,
        /// The highest that the broker takes.
        max: QoS,
    },
    /// A topic or filter that is too long.
    TopicTooLong {
        /// Its length in bytes, as far as it counts.
        len: usize,
        /// The broker's limit.
        max: usize,
    },
    /// A topic or filter with too many levels.
    TooManySlashes {
        /// How many slashes it has, as far as they count.
        count: usize,
        /// The broker's limit.
        max: usize,
    },
    /// A topic that the broker keeps for itself.
    ReservedTopic,
    /// A subscription with options that MQTT 3.1.1 does not have: no-local, retain-as-published or
    /// retain handling.
    NeedsVersion5,
    /// A payload that is too long.
    PayloadTooLong {
        /// Its length in bytes.
        len: usize,
        /// The broker's limit.
        max: usize,
    },
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTopics => f.write_str("the request names no topic"),
            Self::TooManyTopics { count } => {
                write!(
                    f,
                    "one request carries {MAX_TOPICS} topics at most, this one has {count}; use several"
                )
            }
            Self::QosTooHigh { qos, max } => {
                write!(f, "the broker takes QoS {} at most, not {}", max.raw(), qos.raw())
            }
            Self::TopicTooLong { len, max } => {
                write!(f, "the broker takes topics of {max} bytes at most, this one has {len}")
            }
            Self::TooManySlashes { count, max } => {
                write!(f, "the broker takes topics with {max} slashes at most, this one has {count}")
            }
            Self::NeedsVersion5 => f.write_str("MQTT 3.1.1 does not have these subscription options"),
            Self::ReservedTopic => f.write_str("the broker keeps topics that begin like this for itself"),
            Self::PayloadTooLong { len, max } => {
                write!(f, "the broker takes payloads of {max} bytes at most, this one has {len}")
            }
        }
    }
}

impl core::error::Error for LimitError {}
