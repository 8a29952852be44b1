//! What to publish.

use core::fmt;

use super::{QoS, TopicName};

/// A message to publish. QoS 0 and not retained, unless said otherwise.
///
/// ```
/// use microvisor::mqtt::{Publish, QoS, TopicName};
///
/// let reading = Publish::new(TopicName::new("sensor/7")?, b"21.5").with_qos(QoS::AtLeastOnce);
/// assert_eq!(reading.payload(), b"21.5");
/// # Ok::<(), microvisor::mqtt::TopicError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Publish<'a> {
    topic: TopicName<'a>,
    payload: &'a [u8],
    qos: QoS,
    retain: bool,
}

impl<'a> Publish<'a> {
    /// `payload`, under `topic`.
    pub const fn new(topic: TopicName<'a>, payload: &'a [u8]) -> Self {
        Self { topic, payload, qos: QoS::AtMostOnce, retain: false }
    }

    /// With another quality of service.
    #[must_use]
    pub const fn with_qos(mut self, qos: QoS) -> Self {
        self.qos = qos;
        self
    }

    /// To be kept by the broker and sent to later subscribers; an empty payload deletes what it keeps.
    #[must_use]
    pub const fn retained(mut self) -> Self {
        self.retain = true;
        self
    }

    /// The topic.
    pub const fn topic(&self) -> TopicName<'a> {
        self.topic
    }

    /// The payload.
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The quality of service.
    pub const fn qos(&self) -> QoS {
        self.qos
    }

    /// Whether the broker is to keep it.
    pub const fn is_retained(&self) -> bool {
        self.retain
    }
}

/// Without the payload, which may be anything.
impl fmt::Debug for Publish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("topic", &self.topic)
            .field("len", &self.payload.len())
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .finish()
    }
}
