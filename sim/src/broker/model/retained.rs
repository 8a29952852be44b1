//! Retained messages (MQTT 5 §3.3.1.3).

use std::collections::BTreeMap;

use super::{Message, topic};
use crate::broker::Subscription;

/// The last message of each topic that was published with the retain flag.
#[derive(Debug, Default)]
pub(super) struct Retained(BTreeMap<Vec<u8>, Message>);

impl Retained {
    /// Keeps `message`, or forgets the topic's message if the payload is empty.
    pub(super) fn keep(&mut self, message: &Message) {
        if message.payload.is_empty() {
            self.0.remove(&message.topic);
        } else {
            self.0.insert(message.topic.clone(), Message { retain: true, ..message.clone() });
        }
    }

    pub(super) fn get(&self, topic: &[u8]) -> Option<&Message> {
        self.0.get(topic)
    }

    /// What a subscription gets when it is made, or made again.
    pub(super) fn for_subscription(&self, subscription: &Subscription, is_new: bool) -> Vec<Message> {
        let wanted = match subscription.retain_handling {
            0 => true,
            1 => is_new,
            _ => false,
        };
        self.0
            .values()
            .filter(|message| wanted && topic::matches(&subscription.filter, &message.topic))
            .map(|message| Message { qos: message.qos.min(subscription.qos), ..message.clone() })
            .collect()
    }
}
