//! A broker that says what a test wants, right or wrong.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use microvisor_sim::broker::{Broker, BrokerEvent, ConnectRequest, LinkId, Now, Publish, Subscription};

/// What the device asked for.
#[derive(Clone, Debug)]
pub enum Request {
    Connect(ConnectRequest),
    Subscribe(u32, Vec<Subscription>),
    Unsubscribe(u32, Vec<Vec<u8>>),
    Publish(u32, Publish),
    Acknowledge(u32),
    Disconnect,
    Abandon,
}

/// The broker accepts the connection.
pub const ACCEPTED: BrokerEvent = BrokerEvent::Connected { state: 0, reason: 0 };

/// How long anything from the broker takes, in microseconds.
const DELAY: u64 = 1_000;

type Answers = dyn FnMut(&Request) -> Vec<BrokerEvent>;

struct Script {
    answers: Box<Answers>,
    requests: Vec<Request>,
    events: VecDeque<(u64, LinkId, BrokerEvent)>,
    link: LinkId,
    now: u64,
}

/// A broker that answers each request with the events of a closure. Clones are handles of the same
/// broker.
#[derive(Clone)]
pub struct ScriptedBroker(Rc<RefCell<Script>>);

impl ScriptedBroker {
    pub fn new(answers: impl FnMut(&Request) -> Vec<BrokerEvent> + 'static) -> Self {
        Self(Rc::new(RefCell::new(Script {
            answers: Box::new(answers),
            requests: Vec::new(),
            events: VecDeque::new(),
            link: LinkId(0),
            now: 0,
        })))
    }

    /// A broker that answers the connect request so, and nothing else.
    pub fn connecting(answer: impl FnMut() -> Vec<BrokerEvent> + 'static) -> Self {
        let mut answer = answer;
        Self::new(move |request| if matches!(request, Request::Connect(_)) { answer() } else { Vec::new() })
    }

    /// A broker that accepts the connection and answers nothing else.
    pub fn accepting() -> Self {
        Self::connecting(|| vec![ACCEPTED])
    }

    /// Sends an event to the client that connected last.
    pub fn send(&self, event: BrokerEvent) {
        let mut script = self.0.borrow_mut();
        let event = (script.now + DELAY, script.link, event);
        script.events.push_back(event);
    }

    /// What the device asked for, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.0.borrow().requests.clone()
    }

    fn take(&self, now: Now, link: LinkId, request: Request) {
        let mut script = self.0.borrow_mut();
        (script.now, script.link) = (now.micros, link);
        let answers = (script.answers)(&request);
        script.requests.push(request);
        for event in answers {
            script.events.push_back((now.micros + DELAY, link, event));
        }
    }
}

impl Broker for ScriptedBroker {
    fn connect(&mut self, now: Now, link: LinkId, request: ConnectRequest) {
        self.take(now, link, Request::Connect(request));
    }

    fn subscribe(&mut self, now: Now, link: LinkId, correlation_id: u32, subscriptions: Vec<Subscription>) {
        self.take(now, link, Request::Subscribe(correlation_id, subscriptions));
    }

    fn unsubscribe(&mut self, now: Now, link: LinkId, correlation_id: u32, filters: Vec<Vec<u8>>) {
        self.take(now, link, Request::Unsubscribe(correlation_id, filters));
    }

    fn publish(&mut self, now: Now, link: LinkId, correlation_id: u32, publish: Publish) {
        self.take(now, link, Request::Publish(correlation_id, publish));
    }

    fn acknowledge(&mut self, now: Now, link: LinkId, delivery: u32) {
        self.take(now, link, Request::Acknowledge(delivery));
    }

    fn disconnect(&mut self, now: Now, link: LinkId) {
        self.take(now, link, Request::Disconnect);
    }

    fn abandon(&mut self, now: Now, link: LinkId) {
        self.take(now, link, Request::Abandon);
    }

    fn next_event_at(&self) -> Option<u64> {
        self.0.borrow().events.front().map(|(at, ..)| *at)
    }

    fn take_event(&mut self, now: Now) -> Option<(LinkId, BrokerEvent)> {
        let mut script = self.0.borrow_mut();
        script.now = now.micros;
        let (_, link, event) = script.events.pop_front_if(|(at, ..)| *at <= now.micros)?;
        Some((link, event))
    }
}
