//! What to subscribe to, and what came of it.

use core::fmt;
use core::marker::PhantomData;

use super::{LimitError, MAX_TOPICS, ProtocolVersion, QoS, ReasonCode, TopicFilter};
use crate::sized_string::filled_string;
use crate::sys;

/// Which retained messages a new subscription gets (MQTT 5 §3.8.3.1). Not for MQTT 3.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum RetainHandling {
    /// Those that there are, at each subscribe request.
    SendAtSubscribe,
    /// Those that there are, unless the subscription exists already.
    SendIfNew,
    /// None.
    DoNotSend,
}

/// One topic filter to subscribe to, with MQTT's options.
///
/// Laid out as the kernel takes it, so that a `&[Subscription]` is the list of a request.
///
/// ```
/// use microvisor::mqtt::{QoS, Subscription, TopicFilter};
///
/// let commands = Subscription::new(TopicFilter::new("command/#")?, QoS::AtLeastOnce).no_local();
/// assert_eq!(commands.filter().as_str(), "command/#");
/// # Ok::<(), microvisor::mqtt::TopicError>(())
/// ```
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Subscription<'a> {
    raw: sys::MvMqttSubscription,
    filter: PhantomData<TopicFilter<'a>>,
}

// SAFETY: a `Subscription` is a `&str` and four integers, in the kernel's layout; nothing in it
// changes without `&mut`.
unsafe impl Send for Subscription<'_> {}
// SAFETY: as above.
unsafe impl Sync for Subscription<'_> {}

impl<'a> Subscription<'a> {
    /// A subscription with the highest quality of service wanted; the broker may grant less.
    pub fn new(filter: TopicFilter<'a>, qos: QoS) -> Self {
        Self {
            raw: sys::MvMqttSubscription {
                topic: filled_string(filter.as_str().as_bytes()),
                desired_qos: qos.raw(),
                nl: 0,
                rap: 0,
                rh: 0,
            },
            filter: PhantomData,
        }
    }

    /// Without the messages that this client publishes itself (MQTT 5).
    #[must_use]
    pub fn no_local(mut self) -> Self {
        self.raw.nl = 1;
        self
    }

    /// With the retain flag as it was published (MQTT 5).
    #[must_use]
    pub fn retain_as_published(mut self) -> Self {
        self.raw.rap = 1;
        self
    }

    /// With a say in which retained messages are sent (MQTT 5).
    #[must_use]
    pub fn retain_handling(mut self, handling: RetainHandling) -> Self {
        self.raw.rh = match handling {
            RetainHandling::SendAtSubscribe => 0,
            RetainHandling::SendIfNew => 1,
            RetainHandling::DoNotSend => 2,
        };
        self
    }

    /// The filter.
    pub fn filter(&self) -> TopicFilter<'a> {
        // SAFETY: pointer and length are those of a `TopicFilter<'a>`, which `new` took apart.
        let text = unsafe {
            let bytes = core::slice::from_raw_parts(self.raw.topic.data, self.raw.topic.length as usize);
            core::str::from_utf8_unchecked(bytes)
        };
        TopicFilter::from_valid(text)
    }

    /// Whether this version of MQTT has the options.
    pub(crate) fn check_version(&self, version: ProtocolVersion) -> Result<(), LimitError> {
        let has_options = self.raw.nl != 0 || self.raw.rap != 0 || self.raw.rh != 0;
        if has_options && version == ProtocolVersion::V3_1_1 {
            return Err(LimitError::NeedsVersion5);
        }
        Ok(())
    }

    /// The quality of service asked for.
    pub fn qos(&self) -> QoS {
        QoS::from_raw(self.raw.desired_qos).unwrap_or(QoS::AtMostOnce)
    }
}

impl fmt::Debug for Subscription<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("filter", &self.filter())
            .field("qos", &self.qos())
            .finish_non_exhaustive()
    }
}

/// What a broker answered to one topic filter of a subscribe request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TopicOutcome {
    /// Subscribed, with this quality of service, which may be lower than asked for.
    Granted(QoS),
    /// Not subscribed.
    Refused(ReasonCode),
}

impl TopicOutcome {
    /// Whether the subscription exists.
    pub fn is_granted(self) -> bool {
        matches!(self, Self::Granted(_))
    }

    pub(crate) fn from_raw(raw: u32) -> Self {
        match QoS::from_raw(raw) {
            Some(qos) => Self::Granted(qos),
            None => Self::Refused(ReasonCode::from_raw(raw)),
        }
    }
}

/// What a broker answered to a request, one answer a topic, in the order of the request.
pub type Outcomes<T> = heapless::Vec<T, MAX_TOPICS>;
