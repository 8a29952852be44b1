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
#[derive(Debug)]
#[must_use = "a message of QoS 1 or 2 is delivered again until it is acknowledged"]
pub struct Message<'b> {
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
    /// An [`AcknowledgeError`], with the duty handed back.
    pub fn acknowledge(self) -> Result<(), HandedBack<Acknowledgement, AcknowledgeError>> {
        match self.acknowledgement {
            Some(acknowledgement) => acknowledgement.send(),
            None => Ok(()),
        }
    }

    /// The duty to acknowledge, which outlives the message in the inbox; none for QoS 0.
    #[must_use = "the message is delivered again until this is sent"]
    pub fn into_acknowledgement(self) -> Option<Acknowledgement> {
        self.acknowledgement
    }
}

/// The duty to acknowledge one message. It ends with the channel that the message came over: the
/// broker then delivers the message again.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the message is delivered again until this is sent"]
pub struct Acknowledgement {
    pub(super) channel: u32,
    pub(super) correlation_id: u32,
}

impl Acknowledgement {
    /// Tells the broker that the message is dealt with.
    ///
    /// # Errors
    ///
    /// An [`AcknowledgeError`], with the duty handed back.
    pub fn send(self) -> Result<(), HandedBack<Self, AcknowledgeError>> {
        // SAFETY: the call takes no pointers. A handle of a channel that is closed by now is
        // refused; handles are not used again (ABI 0.7.0).
        let sent = unsafe { sys::mvMqttAcknowledgeMessage(self.channel, self.correlation_id) };
        Status::check(sent).map_err(|status| HandedBack { error: AcknowledgeError(status), value: self })
    }
}

/// The kernel did not take an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AcknowledgeError(Status);

impl AcknowledgeError {
    /// What the kernel answered.
    pub fn status(self) -> Status {
        self.0
    }

    /// `Retry` after a rate limit; `GiveUp` where the channel is gone, since the broker delivers
    /// the message again.
    pub fn recovery(self) -> Recovery {
        match self.0 {
            Status::ChannelClosed | Status::InvalidHandle => Recovery::GiveUp,
            _ => Recovery::Retry,
        }
    }
}

impl fmt::Display for AcknowledgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the message was not acknowledged and will be delivered again: {}", self.0)
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
