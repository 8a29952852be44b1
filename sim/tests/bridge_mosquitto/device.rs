//! A stand-in for the kernel: drives a bridge through its trait, with a bound in real time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use microvisor_sim::bridge::{Bridge, BridgeLog, BridgeOptions};
use microvisor_sim::broker::{
    Broker, BrokerEvent, ConnectRequest, LinkId, Now, Protocol, Publish, Subscription, TlsCredentials,
};

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn connect_request(port: u16, client_id: &str, credentials: TlsCredentials) -> ConnectRequest {
    ConnectRequest {
        protocol: Protocol::V5,
        host: b"localhost".to_vec(),
        port,
        client_id: client_id.into(),
        authentication: None,
        credentials: Some(credentials),
        keep_alive: 60,
        clean_start: true,
        will: None,
    }
}

pub(crate) struct Device {
    bridge: Bridge,
    log: BridgeLog,
    started: Instant,
    correlation_id: u32,
    pub(crate) events: Vec<(LinkId, BrokerEvent)>,
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) delivery: u32,
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

impl Device {
    pub(crate) fn new() -> Self {
        Self::with(BridgeOptions::new())
    }

    pub(crate) fn with(options: BridgeOptions) -> Self {
        let bridge = Bridge::new(options);
        let log = bridge.log();
        Self { bridge, log, started: Instant::now(), correlation_id: 0, events: Vec::new() }
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    fn now(&self) -> Now {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap();
        Now {
            micros: micros(self.started.elapsed()),
            unix_micros: micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap()),
        }
    }

    fn collect(&mut self) {
        while self.bridge.next_event_at().is_some_and(|at| at <= self.now().micros) {
            let now = self.now();
            self.events.extend(self.bridge.take_event(now));
        }
    }

    /// The first event of the link that `wanted` takes.
    pub(crate) fn wait_for<T>(&mut self, link: LinkId, wanted: impl Fn(&BrokerEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.collect();
            let found = self.events.iter().enumerate().find_map(|(index, (from, event))| {
                wanted(event).filter(|_| *from == link).map(|found| (index, found))
            });
            if let Some((index, found)) = found {
                self.events.remove(index);
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "nothing came but {:?}; {:?}", self.events, self.log());
            self.bridge.wait(left);
        }
    }

    pub(crate) fn start_connecting(&mut self, link: LinkId, request: ConnectRequest) {
        let now = self.now();
        self.bridge.connect(now, link, request);
    }

    /// Connects; state and reason of the answer.
    pub(crate) fn connect(&mut self, link: LinkId, request: ConnectRequest) -> (u32, u32) {
        self.start_connecting(link, request);
        self.wait_for(link, |event| match event {
            BrokerEvent::Connected { state, reason } => Some((*state, *reason)),
            _ => None,
        })
    }

    pub(crate) fn subscribe(&mut self, link: LinkId, filters: &[(&str, u8)]) -> (u32, Vec<u32>) {
        self.correlation_id += 1;
        let id = self.correlation_id;
        let subscriptions = filters.iter().map(|(filter, qos)| Subscription {
            filter: (*filter).into(),
            qos: *qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: 0,
        });
        let now = self.now();
        self.bridge.subscribe(now, link, id, subscriptions.collect());
        self.wait_for(link, |event| match event {
            BrokerEvent::Subscribed { correlation_id, state, reasons } if *correlation_id == id => {
                Some((*state, reasons.clone()))
            }
            _ => None,
        })
    }

    pub(crate) fn unsubscribe(&mut self, link: LinkId, filters: &[&str]) -> (u32, Vec<u32>) {
        self.correlation_id += 1;
        let id = self.correlation_id;
        let now = self.now();
        let filters = filters.iter().map(|filter| filter.as_bytes().to_vec()).collect();
        self.bridge.unsubscribe(now, link, id, filters);
        self.wait_for(link, |event| match event {
            BrokerEvent::Unsubscribed { correlation_id, state, reasons } if *correlation_id == id => {
                Some((*state, reasons.clone()))
            }
            _ => None,
        })
    }

    /// Asks for a publish; the correlation id.
    pub(crate) fn request_publish(&mut self, link: LinkId, publish: Publish) -> u32 {
        self.correlation_id += 1;
        let now = self.now();
        self.bridge.publish(now, link, self.correlation_id, publish);
        self.correlation_id
    }

    pub(crate) fn published(&mut self, link: LinkId, id: u32) -> (u32, u32) {
        self.wait_for(link, |event| match event {
            BrokerEvent::Published { correlation_id, state, reason } if *correlation_id == id => {
                Some((*state, *reason))
            }
            _ => None,
        })
    }

    pub(crate) fn publish(&mut self, link: LinkId, topic: &str, payload: &[u8], qos: u8) -> (u32, u32) {
        let id = self.request_publish(link, publish(topic, payload, qos));
        self.published(link, id)
    }

    pub(crate) fn message(&mut self, link: LinkId) -> Message {
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

    pub(crate) fn acknowledge(&mut self, link: LinkId, delivery: u32) {
        let now = self.now();
        self.bridge.acknowledge(now, link, delivery);
    }

    pub(crate) fn disconnect(&mut self, link: LinkId) -> (u32, u32) {
        let now = self.now();
        self.bridge.disconnect(now, link);
        self.disconnected(link)
    }

    pub(crate) fn disconnected(&mut self, link: LinkId) -> (u32, u32) {
        self.wait_for(link, |event| match event {
            BrokerEvent::Disconnected { state, reason } => Some((*state, *reason)),
            _ => None,
        })
    }

    pub(crate) fn closed(&mut self, link: LinkId) -> u32 {
        self.wait_for(link, |event| match event {
            BrokerEvent::Closed { closure_reason } => Some(*closure_reason),
            _ => None,
        })
    }

    pub(crate) fn abandon(&mut self, link: LinkId) {
        let now = self.now();
        self.bridge.abandon(now, link);
    }
}

pub(crate) fn publish(topic: &str, payload: &[u8], qos: u8) -> Publish {
    Publish { topic: topic.into(), payload: payload.to_vec(), qos, retain: false }
}
