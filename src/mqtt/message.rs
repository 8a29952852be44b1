//! Messages from the broker, and the duty to acknowledge them.

use core::fmt;
use core::str::Utf8Error;

use super::QoS;
use crate::{HandedBack, Recovery, Status, sys};

/// A message, in the caller's [`Inbox`](super::Inbox).
///
/// One of QoS 1 or 2 comes with the duty to acknowledge it, or it is delivered again: call
/// [`acknowledge`](Self::acknowledge) when it is dealt with, or take the duty out with
/// [`into_acknowledgement`](Self::into_acknowledgement) to do that later.
#[must_use = "a message of QoS 1 or 2 is delivered again until it is acknowledged"]
pub struct Message<'b> {
    pub(super) channel: u32,
    pub(super) topic: &'b [u8],
    pub(super) payload: &'b [u8],
    pub(super) qos: u32,
    pub(super) retain: bool,
    pub(super) acknowledgement: Option<Acknowledgement>,
}

impl<'b> Message<'b> {
    /// The topic, which a broker that keeps to MQTT sends as UTF-8.
    pub fn topic(&self) -> &'b [u8] {
        self.topic
    }

    /// The topic as text.
    ///
    /// # Errors
    ///
    /// What is wrong with it, where the broker did not send UTF-8.
    pub fn topic_str(&self) -> Result<&'b str, Utf8Error> {
        core::str::from_utf8(self.topic)
    }

    /// The payload.
    pub fn payload(&self) -> &'b [u8] {
        self.payload
    }

    /// The quality of service it was delivered with; `None` for a number that is none of MQTT's.
    pub fn qos(&self) -> Option<QoS> {
        QoS::from_raw(self.qos)
    }

    /// Whether it is one that the broker kept.
    pub fn is_retained(&self) -> bool {
        self.retain
    }

    /// Tells the broker that the message is dealt with. Nothing to do for QoS 0.
    ///
    /// # Errors
    ///
    /// An [`AcknowledgeError`], with the duty handed back, for
    /// [`MqttChannel::acknowledge`](super::MqttChannel::acknowledge).
    pub fn acknowledge(self) -> Result<(), HandedBack<Acknowledgement, AcknowledgeError>> {
        match self.acknowledgement {
            Some(acknowledgement) => acknowledgement.send(self.channel),
            None => Ok(()),
        }
    }

    /// The duty to acknowledge, which outlives the message in the inbox; none for QoS 0.
    #[must_use = "the message is delivered again until this is sent"]
    pub fn into_acknowledgement(self) -> Option<Acknowledgement> {
        self.acknowledgement
    }
}

/// Without the payload, which may be anything.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic_str())
            .field("len", &self.payload.len())
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .finish_non_exhaustive()
    }
}

/// The duty to acknowledge one message, to be fulfilled by
/// [`MqttChannel::acknowledge`](super::MqttChannel::acknowledge).
///
/// It belongs to the session that the message came in, and ends with it: the broker then delivers the
/// message again.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the message is delivered again until this is sent"]
pub struct Acknowledgement {
    pub(super) session: u32,
    pub(super) correlation_id: u32,
}

impl Acknowledgement {
    /// `channel` is the one that the session lives on.
    pub(crate) fn send(self, channel: u32) -> Result<(), HandedBack<Self, AcknowledgeError>> {
        // SAFETY: the call takes no pointers.
        let sent = unsafe { sys::mvMqttAcknowledgeMessage(channel, self.correlation_id) };
        Status::check(sent)
            .map_err(|status| HandedBack { error: AcknowledgeError::Kernel(status), value: self })
    }
}

/// Why an acknowledgement was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AcknowledgeError {
    /// The message came in another session.
    OtherSession,
    /// The kernel did not take it.
    Kernel(Status),
}

impl AcknowledgeError {
    /// `Retry` after a rate limit; otherwise `GiveUp`, since the broker delivers the message again.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::Kernel(Status::RATE_LIMITED | Status::MICROVISOR_BUSY) => Recovery::Retry,
            Self::OtherSession | Self::Kernel(_) => Recovery::GiveUp,
        }
    }
}

impl fmt::Display for AcknowledgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherSession => {
                f.write_str("the message came in another session; the broker will deliver it again")
            }
            Self::Kernel(status) => {
                write!(f, "the message was not acknowledged and will be delivered again: {status}")
            }
        }
    }
}

impl core::error::Error for AcknowledgeError {}

/// A report that a message was dropped, since it did not fit the channel's receive buffer.
#[derive(Debug)]
pub struct LostMessage<'b> {
    pub(super) topic: &'b [u8],
    pub(super) message_len: u32,
    pub(super) reason: u32,
}

impl<'b> LostMessage<'b> {
    /// With the reason as the kernel gives it.
    pub(crate) fn new(topic: &'b [u8], message_len: u32, reason: u32) -> Self {
        Self { topic, message_len, reason }
    }

    /// The topic it was published under.
    pub fn topic(&self) -> &'b [u8] {
        self.topic
    }

    /// The length of its payload in bytes.
    pub fn message_len(&self) -> u32 {
        self.message_len
    }

    /// Why it was dropped.
    pub fn reason(&self) -> LostReason {
        match self.reason {
            sys::MV_MQTTLOSTMESSAGEREASON_DEVICERECEIVEBUFFERTOOSMALL => LostReason::ReceiveBufferTooSmall,
            other => LostReason::Unknown(other),
        }
    }
}

/// Why a message was dropped (ABI 0.7.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LostReason {
    /// The channel's receive buffer is too small for it.
    ReceiveBufferTooSmall,
    /// A reason that ABI 0.7.0 does not list.
    Unknown(u32),
}
