//! What a connected client asks for.

use std::time::Duration;

use microvisor::sys;

use super::far_end::{FarEnd, Phase, disconnected};
use super::record::Received;
use super::schedule::Packet;
use super::script::PublishAnswer;
use super::{Message, reason, topic};
use crate::broker::{BrokerEvent, LinkId, Protocol, Publish, Subscription, Will};

const COMPLETED: u32 = sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED;

impl FarEnd {
    pub(super) fn request(&mut self, at: u64, link: LinkId, packet: Packet) {
        let Some(connection) = self.links.get(&link) else { return };
        match connection.phase {
            Phase::Ended => return,
            Phase::Opening => {
                self.refuse_unconnected(at, link, &packet);
                return;
            }
            Phase::Connected => {}
        }
        let protocol = connection.protocol;
        match packet {
            Packet::Subscribe { correlation_id, subscriptions } => {
                self.subscribe(at, link, protocol, correlation_id, subscriptions);
            }
            Packet::Unsubscribe { correlation_id, filters } => {
                self.unsubscribe(at, link, protocol, correlation_id, &filters);
            }
            Packet::Publish { correlation_id, publish } => {
                self.take_publish(at, link, protocol, correlation_id, &publish);
            }
            Packet::Acknowledge { delivery } => self.take_acknowledgement(at, link, delivery),
            Packet::Disconnect => self.disconnect(at, link),
            Packet::Connect(_) | Packet::Gone => {}
        }
    }

    /// The platform's client carries nothing out before it is connected.
    fn refuse_unconnected(&mut self, at: u64, link: LinkId, packet: &Packet) {
        let state = sys::MV_MQTTREQUESTSTATE_NOTCONNECTED;
        let event = match *packet {
            Packet::Subscribe { correlation_id, .. } => {
                BrokerEvent::Subscribed { correlation_id, state, reasons: Vec::new() }
            }
            Packet::Unsubscribe { correlation_id, .. } => {
                BrokerEvent::Unsubscribed { correlation_id, state, reasons: Vec::new() }
            }
            Packet::Publish { correlation_id, .. } => {
                BrokerEvent::Published { correlation_id, state, reason: 0 }
            }
            Packet::Disconnect => BrokerEvent::Disconnected { state, reason: 0 },
            _ => return,
        };
        self.send_down(at, link, event);
    }

    fn subscribe(
        &mut self,
        at: u64,
        link: LinkId,
        protocol: Protocol,
        correlation_id: u32,
        subscriptions: Vec<Subscription>,
    ) {
        if subscriptions.len() > self.settings.limits.filters {
            let what = format!("subscribe: {} filters in one request", subscriptions.len());
            self.punish(at, link, reason::QUOTA_EXCEEDED, &what);
            return;
        }
        if let Some(denied) = subscriptions
            .iter()
            .find(|wanted| !self.may(link, "iot:Subscribe", "topicfilter", &wanted.filter))
        {
            let filter = String::from_utf8_lossy(&denied.filter);
            let what = format!("subscribe: the policy does not allow iot:Subscribe to {filter}");
            self.punish(at, link, reason::NOT_AUTHORIZED, &what);
            return;
        }
        let scripted = self.script.subscribes.pop_front();
        let (state, forced) = scripted.unwrap_or((COMPLETED, Vec::new()));
        let mut reasons = Vec::new();
        let mut retained = Vec::new();
        for (index, subscription) in subscriptions.into_iter().enumerate() {
            let reason = match forced.get(index) {
                Some(forced) if *forced > 2 => *forced,
                _ if state != COMPLETED => reason::UNSPECIFIED,
                forced => {
                    let most = forced.map_or(2, |granted| u8::try_from(*granted).unwrap_or(2));
                    self.grant(
                        link,
                        Subscription { qos: subscription.qos.min(most), ..subscription },
                        &mut retained,
                    )
                }
            };
            reasons.push(reason::of_suback(protocol, reason));
        }
        if state != COMPLETED {
            reasons.clear();
        }
        self.respond(at, link, BrokerEvent::Subscribed { correlation_id, state, reasons });
        for message in retained {
            self.deliver_to_link(at, link, message);
        }
    }

    /// Adds a subscription to the link's session; says the granted QoS or why not.
    fn grant(&mut self, link: LinkId, mut subscription: Subscription, retained: &mut Vec<Message>) -> u32 {
        let filter = subscription.filter.clone();
        let shown = String::from_utf8_lossy(&filter).into_owned();
        let limits = &self.settings.limits;
        if filter.starts_with(b"$share/") {
            return reason::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
        }
        if !topic::is_filter(&filter) || limits.is_reserved(&filter) {
            self.complain(link, &format!("subscribe: {shown} is no filter to subscribe to"));
            return reason::TOPIC_FILTER_INVALID;
        }
        if let Some(excess) = limits.topic_excess(&filter) {
            self.complain(link, &format!("subscribe: {excess}"));
            return reason::TOPIC_FILTER_INVALID;
        }
        if subscription.qos > limits.qos {
            subscription.qos = limits.qos;
            self.complain(
                link,
                &format!("subscribe: {shown} was asked for with a QoS that is not supported"),
            );
        }
        let most = self.settings.limits.subscriptions;
        let Some(session) = self.session_on(link) else { return reason::UNSPECIFIED };
        let is_new = !session.subscriptions.contains_key(&filter);
        if is_new && session.subscriptions.len() >= most {
            self.complain(link, &format!("subscribe: more than {most} subscriptions"));
            return reason::QUOTA_EXCEEDED;
        }
        let granted = u32::from(subscription.qos);
        session.subscriptions.insert(filter, subscription.clone());
        retained.extend(self.retained.for_subscription(&subscription, is_new));
        granted
    }

    fn unsubscribe(
        &mut self,
        at: u64,
        link: LinkId,
        protocol: Protocol,
        correlation_id: u32,
        filters: &[Vec<u8>],
    ) {
        let (state, forced) = self.script.unsubscribes.pop_front().unwrap_or((COMPLETED, Vec::new()));
        let mut reasons = Vec::new();
        for (index, filter) in filters.iter().enumerate() {
            let reason = match forced.get(index) {
                Some(forced) if *forced >= reason::UNSPECIFIED => *forced,
                _ => self.remove_subscription(link, filter),
            };
            reasons.push(reason::of_acknowledgement(protocol, reason));
        }
        if state != COMPLETED {
            reasons.clear();
        }
        self.respond(at, link, BrokerEvent::Unsubscribed { correlation_id, state, reasons });
    }

    fn remove_subscription(&mut self, link: LinkId, filter: &[u8]) -> u32 {
        let removed = self.session_on(link).and_then(|session| session.subscriptions.remove(filter));
        if removed.is_some() { reason::SUCCESS } else { reason::NO_SUBSCRIPTION_EXISTED }
    }

    fn take_publish(
        &mut self,
        at: u64,
        link: LinkId,
        protocol: Protocol,
        correlation_id: u32,
        publish: &Publish,
    ) {
        if let Some((reason, what)) = self.publish_violation(link, publish) {
            self.punish(at, link, reason, &format!("publish: {what}"));
            return;
        }
        let published = |state, reason| BrokerEvent::Published {
            correlation_id,
            state,
            reason: reason::of_acknowledgement(protocol, reason),
        };
        match self.script.publishes.pop_front() {
            Some(PublishAnswer::Answer { state, reason }) => {
                if state == COMPLETED && reason < reason::UNSPECIFIED {
                    self.accept(at, link, publish);
                }
                self.respond(at, link, published(state, reason));
                return;
            }
            Some(PublishAnswer::CutBefore) => {
                self.cut(at, link, sys::MV_CLOSUREREASON_CONNECTIONTERMINATED);
                return;
            }
            Some(PublishAnswer::CutAfterwards) => {
                self.accept(at, link, publish);
                self.cut(at, link, sys::MV_CLOSUREREASON_CONNECTIONTERMINATED);
                return;
            }
            None => {}
        }
        if self.exceeds_rate(at, link) {
            self.complain(link, "publish: more than the publishes that are allowed in a second");
            if protocol == Protocol::V5 || publish.qos == 0 {
                self.respond(at, link, published(COMPLETED, reason::QUOTA_EXCEEDED));
            }
            return;
        }
        if publish.qos > 0 && self.unanswered(at, link) >= self.settings.limits.unacknowledged {
            let what = "publish: too many are under way without an acknowledgement";
            self.punish(at, link, reason::RECEIVE_MAXIMUM_EXCEEDED, what);
            return;
        }
        let matched = self.accept(at, link, publish);
        // Nobody answers a publish of QoS 0, so there its sender cannot know.
        let reason =
            if matched || publish.qos == 0 { reason::SUCCESS } else { reason::NO_MATCHING_SUBSCRIBERS };
        let arrival = self.respond(at, link, published(COMPLETED, reason));
        if publish.qos > 0
            && let Some(connection) = self.links.get_mut(&link)
        {
            connection.unanswered.push_back(arrival);
        }
    }

    /// What ends the connection of a client that publishes so.
    fn publish_violation(&self, link: LinkId, publish: &Publish) -> Option<(u32, String)> {
        let limits = &self.settings.limits;
        let shown = String::from_utf8_lossy(&publish.topic);
        if publish.qos > limits.qos {
            return Some((reason::QOS_NOT_SUPPORTED, format!("QoS {} is not supported", publish.qos)));
        }
        if !topic::is_name(&publish.topic) {
            return Some((reason::TOPIC_NAME_INVALID, format!("{shown} is no topic name")));
        }
        if limits.is_reserved(&publish.topic) {
            return Some((reason::TOPIC_NAME_INVALID, format!("{shown} is reserved")));
        }
        if let Some(excess) = limits.topic_excess(&publish.topic) {
            return Some((reason::TOPIC_NAME_INVALID, excess));
        }
        if publish.payload.len() > limits.payload {
            return Some((
                reason::PACKET_TOO_LARGE,
                format!("a payload of {} bytes, {} are allowed", publish.payload.len(), limits.payload),
            ));
        }
        let denied = |action: &str| {
            Some((reason::NOT_AUTHORIZED, format!("the policy does not allow {action} to {shown}")))
        };
        if !self.may(link, "iot:Publish", "topic", &publish.topic) {
            return denied("iot:Publish");
        }
        if publish.retain && !self.may(link, "iot:RetainPublish", "topic", &publish.topic) {
            return denied("iot:RetainPublish");
        }
        None
    }

    fn exceeds_rate(&mut self, at: u64, link: LinkId) -> bool {
        let most = self.settings.limits.publishes_per_second;
        let Some(connection) = self.links.get_mut(&link) else { return false };
        while connection.publishes.front().is_some_and(|earlier| earlier + 1_000_000 <= at) {
            connection.publishes.pop_front();
        }
        let exceeded = connection.publishes.len() >= most;
        if !exceeded {
            connection.publishes.push_back(at);
        }
        exceeded
    }

    fn unanswered(&mut self, at: u64, link: LinkId) -> usize {
        let Some(connection) = self.links.get_mut(&link) else { return 0 };
        connection.unanswered.retain(|arrival| *arrival > at);
        connection.unanswered.len()
    }

    /// Records, keeps and passes on; says whether anybody was subscribed.
    fn accept(&mut self, at: u64, link: LinkId, publish: &Publish) -> bool {
        let Some(connection) = self.links.get(&link) else { return false };
        let client_id = connection.client_id.clone();
        let message = Message {
            topic: publish.topic.clone(),
            payload: publish.payload.clone(),
            qos: publish.qos,
            retain: publish.retain,
        };
        self.take_in(at, &client_id, &message)
    }

    fn take_in(&mut self, at: u64, client_id: &[u8], message: &Message) -> bool {
        self.record.received.push(Received {
            client_id: client_id.to_vec(),
            topic: String::from_utf8_lossy(&message.topic).into_owned(),
            payload: message.payload.clone(),
            qos: message.qos,
            retain: message.retain,
            at: Duration::from_micros(at),
        });
        let delivered = self.route(at, Some(client_id), message);
        // AWS's own services listen to their topics.
        let by_aws = self.settings.limits.reserved_topics && message.topic.starts_with(b"$aws/");
        delivered || by_aws || self.observed.iter().any(|filter| topic::matches(filter, &message.topic))
    }

    pub(super) fn publish_will(&mut self, at: u64, client_id: &[u8], will: Will) {
        let message =
            Message { topic: will.topic, payload: will.payload, qos: will.qos, retain: will.retain };
        self.take_in(at, client_id, &message);
    }

    /// The client's own DISCONNECT: no will.
    fn disconnect(&mut self, at: u64, link: LinkId) {
        if let Some(connection) = self.links.get_mut(&link) {
            connection.will = None;
        }
        self.end(at, link, disconnected(reason::SUCCESS));
    }

    /// Cuts the connection without a word.
    pub(super) fn cut(&mut self, at: u64, link: LinkId, closure_reason: u32) {
        self.end(at, link, BrokerEvent::Closed { closure_reason });
    }
}
