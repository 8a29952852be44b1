use std::collections::VecDeque;

use microvisor::sys;

use crate::broker::{Broker, BrokerEvent, ConnectRequest, LinkId, Now, Publish, Subscription};

/// How long a refused connection takes, in microseconds.
const DELAY: u64 = 350_000;

/// The far end of a device without a broker: every connection ends in a socket error.
#[derive(Debug, Default)]
pub(crate) struct NoBroker {
    refusals: VecDeque<(u64, LinkId)>,
}

impl Broker for NoBroker {
    fn connect(&mut self, now: Now, link: LinkId, _: ConnectRequest) {
        self.refusals.push_back((now.micros + DELAY, link));
    }

    fn subscribe(&mut self, _: Now, _: LinkId, _: u32, _: Vec<Subscription>) {}

    fn unsubscribe(&mut self, _: Now, _: LinkId, _: u32, _: Vec<Vec<u8>>) {}

    fn publish(&mut self, _: Now, _: LinkId, _: u32, _: Publish) {}

    fn acknowledge(&mut self, _: Now, _: LinkId, _: u32) {}

    fn disconnect(&mut self, _: Now, _: LinkId) {}

    fn abandon(&mut self, _: Now, link: LinkId) {
        self.refusals.retain(|&(_, refused)| refused != link);
    }

    fn next_event_at(&self) -> Option<u64> {
        self.refusals.front().map(|&(at, _)| at)
    }

    fn take_event(&mut self, now: Now) -> Option<(LinkId, BrokerEvent)> {
        let link = self.refusals.pop_front_if(|&mut (at, _)| at <= now.micros)?.1;
        Some((link, BrokerEvent::Connected { state: sys::MV_MQTTREQUESTSTATE_SOCKETERROR, reason: 0 }))
    }
}
