//! Receiving.

use core::fmt;
use core::str::Utf8Error;

use super::Obligation;
use super::duties::Duties;
use crate::mqtt::{Inbox, LostMessage, MessageFacts, QoS};

/// What came of receiving.
#[derive(Clone, Copy)]
pub(super) enum Taken {
    /// A message.
    Message,
    /// There is none, or it has to wait.
    Nothing,
    Not(NoArrival),
}

/// Why nothing was received. The facts of the message say the rest.
#[derive(Clone, Copy)]
pub(super) enum NoArrival {
    TooLarge,
    Discarded,
    Lost,
    TooManyUnacknowledged,
    InUse,
}

/// A message, in the caller's inbox.
///
/// One of QoS 1 or 2 comes with the duty to acknowledge it: call [`acknowledge`](Self::acknowledge)
/// when it is dealt with, [`into_obligation`](Self::into_obligation) to do that later, or
/// [`leave`](Self::leave) to have it delivered again. One that is merely dropped is told to the
/// observer.
#[must_use = "a message of QoS 1 or 2 is delivered again until it is acknowledged"]
pub struct Received<'s, 'b> {
    topic: &'b [u8],
    payload: &'b [u8],
    qos: u32,
    retained: bool,
    obligation: Option<Obligation<'s>>,
}

impl<'s, 'b> Received<'s, 'b> {
    pub(super) fn new(duties: &'s Duties, facts: &MessageFacts, inbox: &'b Inbox<'_>) -> Self {
        let (topic, payload) = inbox.written(facts.topic_len(), facts.payload_len());
        let obligation = (facts.qos != 0).then(|| duties.incur(facts.correlation_id));
        Self { topic, payload, qos: facts.qos, retained: facts.is_retained(), obligation }
    }

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

    /// The payload as text.
    ///
    /// # Errors
    ///
    /// What is wrong with it, where it is not UTF-8.
    pub fn payload_str(&self) -> Result<&'b str, Utf8Error> {
        core::str::from_utf8(self.payload)
    }

    /// The quality of service it was delivered with; `None` for a number that is none of MQTT's.
    pub fn qos(&self) -> Option<QoS> {
        QoS::from_raw(self.qos)
    }

    /// Whether it is one that the broker kept.
    pub fn is_retained(&self) -> bool {
        self.retained
    }

    /// Tells the broker that the message is dealt with. `None` for QoS 0, where there is nothing to do.
    pub fn acknowledge(self) -> Option<super::Acknowledged> {
        let Self { obligation, .. } = self;
        obligation.map(Obligation::acknowledge)
    }

    /// Leaves the message to be delivered again, with the next session at the latest.
    pub fn leave(self) {
        if let Some(obligation) = self.obligation {
            obligation.leave();
        }
    }

    /// The duty to acknowledge, which outlives the message in the inbox; none for QoS 0.
    #[must_use = "the message is delivered again until it is acknowledged"]
    pub fn into_obligation(self) -> Option<Obligation<'s>> {
        self.obligation
    }
}

/// Without the payload, which may be anything.
impl fmt::Debug for Received<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("topic", &self.topic_str())
            .field("len", &self.payload.len())
            .field("qos", &self.qos())
            .field("retained", &self.retained)
            .finish_non_exhaustive()
    }
}

/// Why no message was received. The session goes on.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReceiveError<'b> {
    /// A message does not fit the inbox, and everything behind it waits: receive it with a larger
    /// one. To receive once more with one that is too small throws it away.
    TooLarge,
    /// A message did not fit the inbox twice. It was acknowledged and thrown away.
    Discarded {
        /// The length of its payload in bytes.
        len: usize,
    },
    /// The kernel dropped a message that does not fit its receive buffer.
    Lost(LostMessage<'b>),
    /// [`MAX_UNACKNOWLEDGED`](super::MAX_UNACKNOWLEDGED) messages were received and neither acknowledged nor left:
    /// do so with one of them first.
    TooManyUnacknowledged,
    /// The session is in use: an observer or a waker called it back.
    InUse,
}

impl<'b> ReceiveError<'b> {
    pub(super) fn new(error: NoArrival, facts: &MessageFacts, inbox: &'b Inbox<'_>) -> Self {
        match error {
            NoArrival::TooLarge => Self::TooLarge,
            NoArrival::Discarded => Self::Discarded { len: facts.payload_len() },
            NoArrival::TooManyUnacknowledged => Self::TooManyUnacknowledged,
            NoArrival::Lost => {
                let (message_len, reason) = facts.lost();
                Self::Lost(LostMessage::new(inbox.written(facts.topic_len(), 0).0, message_len, reason))
            }
            NoArrival::InUse => Self::InUse,
        }
    }
}

impl fmt::Display for ReceiveError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("a message does not fit the inbox; receive it with a larger one"),
            Self::Discarded { len } => {
                write!(f, "a message of {len} bytes did not fit the inbox twice and was thrown away")
            }
            Self::Lost(lost) => write!(
                f,
                "a message of {} bytes was lost, since the receive buffer is too small for it",
                lost.message_len()
            ),
            Self::TooManyUnacknowledged => {
                f.write_str("too many messages are received and not acknowledged; acknowledge one first")
            }
            Self::InUse => f.write_str("the session cannot be used from within its own observer or waker"),
        }
    }
}

impl core::error::Error for ReceiveError<'_> {}
