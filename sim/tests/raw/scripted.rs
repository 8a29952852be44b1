use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use microvisor_sim::broker::{Broker, BrokerEvent, ConnectRequest, LinkId, Now, Publish, Subscription};

/// A message for the device.
pub(crate) fn message(delivery: u32, payload: &[u8], qos: u8) -> BrokerEvent {
    BrokerEvent::Message {
        delivery,
        topic: b"command".to_vec(),
        payload: payload.to_vec(),
        qos,
        retain: false,
    }
}

pub(crate) fn subscribed(correlation_id: u32, reasons: &[u32]) -> BrokerEvent {
    BrokerEvent::Subscribed { correlation_id, state: 0, reasons: reasons.to_vec() }
}

pub(crate) fn unsubscribed(correlation_id: u32, reasons: &[u32]) -> BrokerEvent {
    BrokerEvent::Unsubscribed { correlation_id, state: 0, reasons: reasons.to_vec() }
}

pub(crate) fn published(correlation_id: u32) -> BrokerEvent {
    BrokerEvent::Published { correlation_id, state: 0, reason: 0 }
}

/// What a [`Scripted`] broker was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Connect,
    Subscribe(u32),
    Unsubscribe(u32),
    Publish(u32),
    Acknowledge(u32),
    Disconnect,
    Abandon,
}

/// A broker that accepts connections and otherwise says what the test has it say.
#[derive(Clone, Default)]
pub(crate) struct Scripted(Rc<RefCell<Script>>);

#[derive(Default)]
struct Script {
    link: Option<LinkId>,
    events: VecDeque<(u64, LinkId, BrokerEvent)>,
    asked: Vec<Asked>,
    last_connect: Option<ConnectRequest>,
}

impl Scripted {
    /// Says something on the last link.
    pub(crate) fn say(&self, event: BrokerEvent) {
        let mut script = self.0.borrow_mut();
        let link = script.link.expect("a link");
        script.events.push_back((0, link, event));
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.borrow().asked.clone()
    }

    pub(crate) fn last_connect(&self) -> ConnectRequest {
        self.0.borrow().last_connect.clone().expect("a connect request")
    }

    fn note(&self, asked: Asked) {
        self.0.borrow_mut().asked.push(asked);
    }
}

impl Broker for Scripted {
    fn connect(&mut self, now: Now, link: LinkId, request: ConnectRequest) {
        self.note(Asked::Connect);
        let mut script = self.0.borrow_mut();
        script.link = Some(link);
        script.last_connect = Some(request);
        let accepted = BrokerEvent::Connected { state: 0, reason: 0 };
        script.events.push_back((now.micros + 50_000, link, accepted));
    }

    fn subscribe(&mut self, _: Now, _: LinkId, correlation_id: u32, _: Vec<Subscription>) {
        self.note(Asked::Subscribe(correlation_id));
    }

    fn unsubscribe(&mut self, _: Now, _: LinkId, correlation_id: u32, _: Vec<Vec<u8>>) {
        self.note(Asked::Unsubscribe(correlation_id));
    }

    fn publish(&mut self, _: Now, _: LinkId, correlation_id: u32, _: Publish) {
        self.note(Asked::Publish(correlation_id));
    }

    fn acknowledge(&mut self, _: Now, _: LinkId, delivery: u32) {
        self.note(Asked::Acknowledge(delivery));
    }

    fn disconnect(&mut self, _: Now, _: LinkId) {
        self.note(Asked::Disconnect);
    }

    fn abandon(&mut self, _: Now, _: LinkId) {
        self.note(Asked::Abandon);
    }

    fn next_event_at(&self) -> Option<u64> {
        self.0.borrow().events.front().map(|(at, _, _)| *at)
    }

    fn take_event(&mut self, now: Now) -> Option<(LinkId, BrokerEvent)> {
        let mut script = self.0.borrow_mut();
        let (_, link, event) = script.events.pop_front_if(|(at, _, _)| *at <= now.micros)?;
        Some((link, event))
    }
}
