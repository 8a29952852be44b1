//! Messages to clients, until they are acknowledged.

use std::time::Duration;

use super::far_end::FarEnd;
use super::latency::micros;
use super::record::Acknowledged;
use super::schedule::Due;
use super::session::{Outgoing, Session};
use super::{Message, reason};
use crate::broker::{BrokerEvent, LinkId};

impl FarEnd {
    /// Keeps a retained message, and gives every session its share; says whether there was any.
    pub(super) fn route(&mut self, at: u64, publisher: Option<&[u8]>, message: &Message) -> bool {
        if message.retain {
            self.retained.keep(message);
        }
        self.sessions.retain(|_, session| !session.is_expired(at));
        let shares: Vec<_> = self
            .sessions
            .iter()
            .filter_map(|(client_id, session)| {
                let share = session.share_of(message, publisher == Some(client_id.as_slice()))?;
                Some((client_id.clone(), share))
            })
            .collect();
        for (client_id, share) in &shares {
            self.deliver(at, client_id, share.clone());
        }
        !shares.is_empty()
    }

    pub(super) fn session_on(&mut self, link: LinkId) -> Option<&mut Session> {
        let client_id = &self.links.get(&link)?.client_id;
        self.sessions.get_mut(client_id).filter(|session| session.link == Some(link))
    }

    pub(super) fn deliver_to_link(&mut self, at: u64, link: LinkId, message: Message) {
        if let Some(client_id) = self.links.get(&link).map(|connection| connection.client_id.clone()) {
            self.deliver(at, &client_id, message);
        }
    }

    /// Sends a message to a client now, or keeps it until that is possible.
    fn deliver(&mut self, at: u64, client_id: &[u8], message: Message) {
        let most = self.settings.limits.unacknowledged;
        let Some(session) = self.sessions.get_mut(client_id) else { return };
        match session.link {
            Some(_) if message.qos > 0 && session.unacknowledged.len() >= most => {
                session.waiting.push_back(message);
            }
            Some(link) => self.send_message(at, link, client_id, &message),
            None if message.qos > 0 => session.waiting.push_back(message),
            None => {}
        }
    }

    fn send_message(&mut self, at: u64, link: LinkId, client_id: &[u8], message: &Message) {
        if !self.may(link, "iot:Receive", "topic", &message.topic) {
            let topic = String::from_utf8_lossy(&message.topic);
            self.complain(link, &format!("receive: the policy does not allow iot:Receive of {topic}"));
            return;
        }
        self.delivery += 1;
        let delivery = self.delivery;
        if message.qos > 0
            && let Some(session) = self.sessions.get_mut(client_id)
        {
            session.unacknowledged.insert(delivery, Outgoing { message: message.clone(), deliveries: 0 });
        }
        let twice = message.qos > 0 && self.script.duplicates > 0;
        self.transmit(at, link, client_id, delivery, message);
        if twice {
            self.script.duplicates -= 1;
            self.transmit(at, link, client_id, delivery, message);
        }
        if message.qos > 0 {
            self.plan_redelivery(at, link, client_id, delivery);
        }
    }

    fn transmit(&mut self, at: u64, link: LinkId, client_id: &[u8], delivery: u32, message: &Message) {
        if let Some(outgoing) =
            self.sessions.get_mut(client_id).and_then(|session| session.unacknowledged.get_mut(&delivery))
        {
            outgoing.deliveries += 1;
        }
        let Message { topic, payload, qos, retain } = message.clone();
        self.send_down(at, link, BrokerEvent::Message { delivery, topic, payload, qos, retain });
    }

    fn plan_redelivery(&mut self, at: u64, link: LinkId, client_id: &[u8], delivery: u32) {
        if let Some(after) = self.settings.redelivery {
            let client_id = client_id.to_vec();
            self.schedule.plan(at + micros(after), Due::Redelivery { link, client_id, delivery });
        }
    }

    /// Sends a message again that was not acknowledged in time.
    pub(super) fn redeliver(&mut self, at: u64, link: LinkId, client_id: &[u8], delivery: u32) {
        let Some(session) = self.sessions.get(client_id).filter(|session| session.link == Some(link)) else {
            return;
        };
        let Some(outgoing) = session.unacknowledged.get(&delivery) else { return };
        let message = outgoing.message.clone();
        self.transmit(at, link, client_id, delivery, &message);
        self.plan_redelivery(at, link, client_id, delivery);
    }

    /// Sends what a resumed session still owes its client.
    pub(super) fn resume_deliveries(&mut self, at: u64, link: LinkId) {
        let Some(client_id) = self.links.get(&link).map(|connection| connection.client_id.clone()) else {
            return;
        };
        let Some(session) = self.sessions.get(&client_id) else { return };
        let unacknowledged: Vec<_> = session.unacknowledged.keys().copied().collect();
        for delivery in unacknowledged {
            self.redeliver(at, link, &client_id, delivery);
        }
        self.send_waiting(at, link, &client_id);
    }

    fn send_waiting(&mut self, at: u64, link: LinkId, client_id: &[u8]) {
        let most = self.settings.limits.unacknowledged;
        while let Some(session) = self.sessions.get_mut(client_id)
            && session.unacknowledged.len() < most
            && let Some(message) = session.waiting.pop_front()
        {
            self.send_message(at, link, client_id, &message);
        }
    }

    pub(super) fn take_acknowledgement(&mut self, at: u64, link: LinkId, delivery: u32) {
        let Some(client_id) = self.links.get(&link).map(|connection| connection.client_id.clone()) else {
            return;
        };
        let Some(outgoing) =
            self.session_on(link).and_then(|session| session.unacknowledged.remove(&delivery))
        else {
            self.take_repeated_acknowledgement(at, link, delivery);
            return;
        };
        self.record.acknowledged.push(Acknowledged {
            delivery,
            topic: String::from_utf8_lossy(&outgoing.message.topic).into_owned(),
            payload: outgoing.message.payload,
            at: Duration::from_micros(at),
            deliveries: outgoing.deliveries,
            acknowledgements: 1,
        });
        self.send_waiting(at, link, &client_id);
    }

    /// A message that was sent twice may be acknowledged twice, and no more.
    fn take_repeated_acknowledgement(&mut self, at: u64, link: LinkId, delivery: u32) {
        let Some(earlier) = self.record.acknowledged.iter_mut().find(|earlier| earlier.delivery == delivery)
        else {
            let what = format!("acknowledge: delivery {delivery} was never sent with a QoS above 0");
            self.punish(at, link, reason::PROTOCOL_ERROR, &what);
            return;
        };
        earlier.acknowledgements += 1;
        if earlier.acknowledgements > earlier.deliveries {
            let what = format!("acknowledge: delivery {delivery} was acknowledged more often than sent");
            self.complain(link, &what);
        }
    }
}
