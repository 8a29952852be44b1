//! What a session has to say.

use core::fmt;

use super::{LostMessage, Message, Outcomes, ReasonCode, RequestError, SessionEnd, TopicOutcome};
use crate::{Recovery, Status};

/// The kernel's correlation id, which is counted anew in each session, and the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct RequestId {
    pub(super) session: u32,
    pub(super) correlation_id: u32,
}

/// Which publish request of which session an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PublishId(pub(super) RequestId);

/// Which subscribe request of which session an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SubscribeId(pub(super) RequestId);

/// Which unsubscribe request of which session an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnsubscribeId(pub(super) RequestId);

/// One thing that happened in a session, in the order in which the kernel tells.
///
/// Answers may come in another order than their requests.
#[derive(Debug)]
#[must_use = "it is told once, and may be a message to acknowledge"]
pub enum Event<'b> {
    /// A message.
    Message(Message<'b>),
    /// A message was dropped by the kernel.
    Lost(LostMessage<'b>),
    /// The answer to a publish request: a success code of the broker (0x00–0x7F, such as "no
    /// matching subscribers"), or why it failed.
    Published(PublishId, Result<ReasonCode, RequestError>),
    /// The answer to a subscribe request: an outcome for each topic, or why all of it failed.
    Subscribed(SubscribeId, Result<Outcomes<TopicOutcome>, RequestError>),
    /// The answer to an unsubscribe request: a reason code for each topic, or why all of it failed.
    Unsubscribed(UnsubscribeId, Result<Outcomes<ReasonCode>, RequestError>),
    /// The session is over. Told again at each further call.
    Ended(SessionEnd),
}

/// Why the next event could not be read. It is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EventError {
    /// A message does not fit the inbox. Everything behind it waits: read it with a larger inbox,
    /// or close the channel.
    InboxTooSmall {
        /// The size of the inbox's memory for topics, in bytes.
        topic: usize,
        /// The size of the inbox's memory for payloads, in bytes.
        payload: usize,
    },
    /// The next item is of a kind that has no place in a session, so it cannot be read.
    UnknownKind(u32),
    /// The kernel refused the call.
    Kernel(Status),
}

impl EventError {
    /// What can be done about it.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::InboxTooSmall { .. }
            | Self::Kernel(Status::WRONG_DATA_REQUESTED | Status::MICROVISOR_BUSY) => Recovery::Retry,
            Self::UnknownKind(_) | Self::Kernel(_) => Recovery::Reopen,
        }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InboxTooSmall { topic, payload } => write!(
                f,
                "a message does not fit the inbox ({topic} bytes for the topic, {payload} for the payload); \
                 read it with a larger one"
            ),
            Self::UnknownKind(raw) => {
                write!(
                    f,
                    "the next item is of kind {raw}, which has no place in a session; open a new channel"
                )
            }
            Self::Kernel(status) => write!(f, "the next item cannot be read: {status}"),
        }
    }
}

impl core::error::Error for EventError {}
