//! A broker that notes what it was asked to connect.

use std::cell::RefCell;
use std::rc::Rc;

use microvisor_sim::broker::model::ModelBroker;
use microvisor_sim::broker::{Broker, BrokerEvent, ConnectRequest, LinkId, Now, Publish, Subscription};

/// The model, and the connect requests that reached it. Clones are handles of the same broker.
#[derive(Clone)]
pub struct RecordingBroker {
    model: ModelBroker,
    requests: Rc<RefCell<Vec<ConnectRequest>>>,
}

impl RecordingBroker {
    pub fn new(model: ModelBroker) -> Self {
        Self { model, requests: Rc::default() }
    }

    pub fn requests(&self) -> Vec<ConnectRequest> {
        self.requests.borrow().clone()
    }
}

impl Broker for RecordingBroker {
    fn connect(&mut self, now: Now, link: LinkId, request: ConnectRequest) {
        self.requests.borrow_mut().push(request.clone());
        self.model.connect(now, link, request);
    }

    fn subscribe(&mut self, now: Now, link: LinkId, correlation_id: u32, subscriptions: Vec<Subscription>) {
        self.model.subscribe(now, link, correlation_id, subscriptions);
    }

    fn unsubscribe(&mut self, now: Now, link: LinkId, correlation_id: u32, filters: Vec<Vec<u8>>) {
        self.model.unsubscribe(now, link, correlation_id, filters);
    }

    fn publish(&mut self, now: Now, link: LinkId, correlation_id: u32, publish: Publish) {
        Broker::publish(&mut self.model, now, link, correlation_id, publish);
    }

    fn acknowledge(&mut self, now: Now, link: LinkId, delivery: u32) {
        self.model.acknowledge(now, link, delivery);
    }

    fn disconnect(&mut self, now: Now, link: LinkId) {
        self.model.disconnect(now, link);
    }

    fn abandon(&mut self, now: Now, link: LinkId) {
        self.model.abandon(now, link);
    }

    fn kernel_starts(&mut self, now: Now) {
        self.model.kernel_starts(now);
    }

    fn kernel_ends(&mut self, now: Now) {
        self.model.kernel_ends(now);
    }

    fn next_event_at(&self) -> Option<u64> {
        self.model.next_event_at()
    }

    fn take_event(&mut self, now: Now) -> Option<(LinkId, BrokerEvent)> {
        self.model.take_event(now)
    }
}
