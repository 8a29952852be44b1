//! What the broker keeps for a client, whether or not it is connected.

use std::collections::{BTreeMap, VecDeque};

use super::{Message, topic};
use crate::broker::{LinkId, Subscription};

/// An MQTT session (MQTT 5 §4.1).
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The connection that the session is on, if any.
    pub link: Option<LinkId>,
    /// By topic filter, with the granted QoS.
    pub subscriptions: BTreeMap<Vec<u8>, Subscription>,
    /// Sent with QoS above 0 and not acknowledged, by delivery number.
    pub unacknowledged: BTreeMap<u32, Outgoing>,
    /// Not sent yet: the client is away, or has too many to acknowledge.
    pub waiting: VecDeque<Message>,
    /// Whether the session outlives its connection.
    pub persistent: bool,
    /// When a session without a connection ends, in microseconds.
    pub expires_at: Option<u64>,
}

/// A message that was sent and has to be acknowledged.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub message: Message,
    pub deliveries: u32,
}

impl Session {
    /// The message as this session gets it, if one of its subscriptions matches: once, with the
    /// highest QoS granted, however many subscriptions overlap.
    pub(super) fn share_of(&self, message: &Message, is_publisher: bool) -> Option<Message> {
        let mut matching = self
            .subscriptions
            .values()
            .filter(|wanted| {
                topic::matches(&wanted.filter, &message.topic) && !(wanted.no_local && is_publisher)
            })
            .peekable();
        matching.peek()?;
        let (granted, retain) = matching.fold((0, false), |(granted, retain), wanted| {
            (granted.max(wanted.qos), retain || (message.retain && wanted.retain_as_published))
        });
        Some(Message { qos: message.qos.min(granted), retain, ..message.clone() })
    }

    pub(super) fn is_expired(&self, at: u64) -> bool {
        self.expires_at.is_some_and(|end| end <= at)
    }
}
