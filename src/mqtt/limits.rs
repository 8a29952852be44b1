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
    /// How those of the topics that begin with `$` begin that applications may use.
    open: &'static str,
    /// What does not count, where a topic begins with it, together with the level that follows.
    uncounted: Option<&'static str>,
}

impl Limits {
    /// MQTT's own limits: QoS 2, topics of 65,535 bytes, payloads of 256 MiB.
    pub const MQTT: Self = Self {
        max_qos: QoS::ExactlyOnce,
        max_topic_len: 65_535,
        max_topic_slashes: usize::MAX,
        max_payload_len: 268_435_455,
        open: "",
        uncounted: None,
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

    /// How those of the topics that begin with `$` begin that applications may use; the broker keeps the
    /// others for itself. What begins otherwise is always the applications' (MQTT 5 §4.7.2).
    #[must_use]
    pub const fn open_topics(mut self, prefix: &'static str) -> Self {
        self.open = prefix;
        self
    }

    /// A prefix that begins with `$` and does not count towards a topic's length and slashes, as the level
    /// that follows it does not.
    #[must_use]
    pub const fn uncounted(mut self, prefix: &'static str) -> Self {
        self.uncounted = Some(prefix);
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
            && !topic.is_special()
        {
            return Ok(());
        }
        self.look_closer(topic.as_str().as_bytes(), publish.qos(), publish.payload().len())
    }

    /// Whether a request that is within `other` is within these, with all topics that do not begin with `$`.
    pub(crate) const fn are_as_wide_as(&self, other: &Self) -> bool {
        self.max_qos.raw() >= other.max_qos.raw()
            && self.max_topic_len >= other.max_topic_len
            && self.max_topic_slashes >= other.max_topic_slashes
    }

    /// Finds the limit that a request breaks, unless it is within them.
    #[inline(never)]
    fn look_closer(&self, topic: &[u8], qos: QoS, payload_len: usize) -> Result<(), LimitError> {
        if qos.raw() > self.max_qos.raw() {
            return Err(LimitError::QosTooHigh { qos, max: self.max_qos });
        }
        if has_special_meaning(topic) && !topic.starts_with(self.open.as_bytes()) {
            return Err(LimitError::ReservedTopic);
        }
        let counted = self.uncounted.and_then(|prefix| behind_level(topic, prefix)).unwrap_or(topic);
        let slashes = counted.iter().fold(0, |count, &byte| count + usize::from(byte == b'/'));
        let error = if counted.len() > self.max_topic_len {
            LimitError::TopicTooLong { len: counted.len(), max: self.max_topic_len }
        } else if slashes > self.max_topic_slashes {
            LimitError::TooManySlashes { count: slashes, max: self.max_topic_slashes }
        } else if payload_len > self.max_payload_len {
            LimitError::PayloadTooLong { len: payload_len, max: self.max_payload_len }
        } else {
            return Ok(());
        };
        Err(error)
    }

    /// Checks the filters of a subscribe request, and how many there are.
    ///
    /// # Errors
    ///
    /// The first limit that is broken.
    pub fn check_subscriptions(&self, subscriptions: &[Subscription<'_>]) -> Result<(), LimitError> {
        Self::check_count(subscriptions.len())?;
        subscriptions.iter().try_for_each(|subscription| self.check_subscription(subscription))
    }

    pub(crate) fn check_subscription(&self, subscription: &Subscription<'_>) -> Result<(), LimitError> {
        self.check_filter(subscription.filter(), subscription.qos())
    }

    /// Checks the filters of an unsubscribe request, and how many there are.
    ///
    /// # Errors
    ///
    /// The first limit that is broken.
    pub fn check_filters(&self, filters: &[TopicFilter<'_>]) -> Result<(), LimitError> {
        Self::check_count(filters.len())?;
        filters.iter().try_for_each(|&filter| self.check_filter(filter, QoS::AtMostOnce))
    }

    fn check_count(count: usize) -> Result<(), LimitError> {
        match count {
            0 => Err(LimitError::NoTopics),
            1..=MAX_TOPICS => Ok(()),
            _ => Err(LimitError::TooManyTopics { count }),
        }
    }

    /// What a shared subscription shares is a filter like any other.
    fn check_filter(&self, filter: TopicFilter<'_>, qos: QoS) -> Result<(), LimitError> {
        let filter = filter.as_str().as_bytes();
        self.look_closer(behind_level(filter, "$share/").unwrap_or(filter), qos, 0)
    }
}

fn has_special_meaning(topic: &[u8]) -> bool {
    topic.first() == Some(&b'$')
}

/// What is behind the level that follows `prefix`, where `topic` has both.
#[inline(never)]
fn behind_level<'a>(topic: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let level = topic.strip_prefix(prefix.as_bytes())?;
    let end = level.iter().position(|&byte| byte == b'/')?;
    level.get(end + 1..)
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
