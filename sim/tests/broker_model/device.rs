//! A stand-in for the kernel: drives a broker through its trait on virtual time.

use std::time::Duration;

use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::broker::{
    Broker, BrokerEvent, ConnectRequest, LinkId, Now, Protocol, Publish, Subscription, TlsCredentials,
};

/// When the kernel started, in seconds since the Unix epoch: in November 2025.
pub(crate) const BOOTED_AT: u64 = 1_763_000_000;

pub(crate) fn connect_request(client_id: &str) -> ConnectRequest {
    ConnectRequest {
        protocol: Protocol::V5,
        host: b"broker.example".to_vec(),
        port: 8883,
        client_id: client_id.into(),
        authentication: None,
        credentials: None,
        keep_alive: 60,
        clean_start: false,
        will: None,
    }
}

/// Credentials for brokers that do not look at them.
pub(crate) fn any_credentials() -> TlsCredentials {
    TlsCredentials { ca: vec![], chain: vec![vec![0x30, 0]], key: vec![0x30, 0] }
}

pub(crate) fn subscription(filter: &str, qos: u8) -> Subscription {
    Subscription {
        filter: filter.into(),
        qos,
        no_local: false,
        retain_as_published: false,
        retain_handling: 0,
    }
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) delivery: u32,
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

/// The broker at the far end, and the events it has sent that nobody has looked at.
pub(crate) struct Device {
    broker: ModelBroker,
    micros: u64,
    links: u32,
    correlation_id: u32,
    pub(crate) events: Vec<(LinkId, BrokerEvent)>,
}

impl Device {
    pub(crate) fn new(broker: ModelBroker) -> Self {
        Self { broker, micros: 0, links: 0, correlation_id: 0, events: Vec::new() }
    }

    pub(crate) fn now(&self) -> Now {
        Now { micros: self.micros, unix_micros: BOOTED_AT * 1_000_000 + self.micros }
    }

    /// Lets virtual time pass, collecting events.
    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.micros + u64::try_from(duration.as_micros()).unwrap();
        while let Some(at) = self.broker.next_event_at().filter(|at| *at <= end) {
            self.micros = self.micros.max(at);
            while let Some(event) = self.broker.take_event(self.now()) {
                self.events.push(event);
            }
        }
        self.micros = end;
    }

    /// The first event of the link that `wanted` takes, within a minute.
    pub(crate) fn wait_for<T>(
        &mut self,
        link: LinkId,
        wanted: impl Fn(&BrokerEvent) -> Option<T>,
    ) -> Option<T> {
        let end = self.micros + 60_000_000;
        loop {
            let found = self.events.iter().enumerate().find_map(|(index, (from, event))| {
                wanted(event).filter(|_| *from == link).map(|found| (index, found))
            });
            if let Some((index, found)) = found {
                self.events.remove(index);
                return Some(found);
            }
            let at = self.broker.next_event_at().filter(|at| *at <= end)?;
            self.micros = self.micros.max(at);
            while let Some(event) = self.broker.take_event(self.now()) {
                self.events.push(event);
            }
        }
    }

    pub(crate) fn next_correlation_id(&mut self) -> u32 {
        self.correlation_id += 1;
        self.correlation_id
    }

    /// Connects; the link, and state and reason of the answer.
    pub(crate) fn connect(&mut self, request: ConnectRequest) -> (LinkId, Option<(u32, u32)>) {
        self.links += 1;
        let link = LinkId(self.links);
        let now = self.now();
        self.broker.connect(now, link, request);
        let answer = self.wait_for(link, |event| match event {
            BrokerEvent::Connected { state, reason } => Some((*state, *reason)),
            _ => None,
        });
        (link, answer)
    }

    /// Connects, which has to succeed.
    pub(crate) fn connected(&mut self, request: ConnectRequest) -> LinkId {
        let (link, answer) = self.connect(request);
        assert_eq!(answer, Some((0, 0)), "{:?}", self.broker.complaints());
        link
    }

    /// Asks for a subscription; the correlation id.
    pub(crate) fn request_subscribe(&mut self, link: LinkId, subscriptions: Vec<Subscription>) -> u32 {
        let id = self.next_correlation_id();
        let now = self.now();
        self.broker.subscribe(now, link, id, subscriptions);
        id
    }

    pub(crate) fn subscribe_to(
        &mut self,
        link: LinkId,
        subscriptions: Vec<Subscription>,
    ) -> Option<(u32, Vec<u32>)> {
        let id = self.request_subscribe(link, subscriptions);
        self.wait_for(link, |event| match event {
            BrokerEvent::Subscribed { correlation_id, state, reasons } if *correlation_id == id => {
                Some((*state, reasons.clone()))
            }
            _ => None,
        })
    }

    /// Subscribes, which the broker has to answer; the reasons by filter.
    pub(crate) fn subscribe(&mut self, link: LinkId, filters: &[(&str, u8)]) -> Vec<u32> {
        let subscriptions = filters.iter().map(|(filter, qos)| subscription(filter, *qos)).collect();
        self.subscribe_to(link, subscriptions).expect("an answer").1
    }

    pub(crate) fn unsubscribe(&mut self, link: LinkId, filters: &[&str]) -> Vec<u32> {
        let id = self.next_correlation_id();
        let now = self.now();
        let filters = filters.iter().map(|filter| filter.as_bytes().to_vec()).collect();
        self.broker.unsubscribe(now, link, id, filters);
        self.wait_for(link, |event| match event {
            BrokerEvent::Unsubscribed { correlation_id, reasons, .. } if *correlation_id == id => {
                Some(reasons.clone())
            }
            _ => None,
        })
        .expect("an answer")
    }

    /// Asks for a publish; the correlation id.
    pub(crate) fn request_publish(&mut self, link: LinkId, publish: Publish) -> u32 {
        let id = self.next_correlation_id();
        let now = self.now();
        Broker::publish(&mut self.broker, now, link, id, publish);
        id
    }

    pub(crate) fn try_publish(&mut self, link: LinkId, publish: Publish) -> Option<(u32, u32)> {
        let id = self.request_publish(link, publish);
        self.wait_for(link, |event| match event {
            BrokerEvent::Published { correlation_id, state, reason } if *correlation_id == id => {
                Some((*state, *reason))
            }
            _ => None,
        })
    }

    /// Publishes, which the broker has to answer; state and reason.
    pub(crate) fn publish(&mut self, link: LinkId, topic: &str, payload: &[u8], qos: u8) -> (u32, u32) {
        self.try_publish(link, publish(topic, payload, qos)).expect("an answer")
    }

    pub(crate) fn try_message(&mut self, link: LinkId) -> Option<Message> {
        self.wait_for(link, |event| match event {
            BrokerEvent::Message { delivery, topic, payload, qos, retain } => Some(Message {
                delivery: *delivery,
                topic: String::from_utf8(topic.clone()).unwrap(),
                payload: payload.clone(),
                qos: *qos,
                retain: *retain,
            }),
            _ => None,
        })
    }

    pub(crate) fn message(&mut self, link: LinkId) -> Message {
        self.try_message(link).expect("a message")
    }

    pub(crate) fn acknowledge(&mut self, link: LinkId, delivery: u32) {
        let now = self.now();
        self.broker.acknowledge(now, link, delivery);
    }

    /// Disconnects; state and reason of the answer.
    pub(crate) fn disconnect(&mut self, link: LinkId) -> (u32, u32) {
        let now = self.now();
        self.broker.disconnect(now, link);
        self.disconnected(link).expect("an answer")
    }

    pub(crate) fn abandon(&mut self, link: LinkId) {
        let now = self.now();
        self.broker.abandon(now, link);
    }

    pub(crate) fn disconnected(&mut self, link: LinkId) -> Option<(u32, u32)> {
        self.wait_for(link, |event| match event {
            BrokerEvent::Disconnected { state, reason } => Some((*state, *reason)),
            _ => None,
        })
    }

    pub(crate) fn closed(&mut self, link: LinkId) -> Option<u32> {
        self.wait_for(link, |event| match event {
            BrokerEvent::Closed { closure_reason } => Some(*closure_reason),
            _ => None,
        })
    }
}

pub(crate) fn publish(topic: &str, payload: &[u8], qos: u8) -> Publish {
    Publish { topic: topic.into(), payload: payload.to_vec(), qos, retain: false }
}
