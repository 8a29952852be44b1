//! What is still to happen, in virtual time.

use std::collections::BTreeMap;
use std::fmt;

use super::{Message, ModelBroker};
use crate::broker::{BrokerEvent, ConnectRequest, LinkId, Publish, Subscription};

/// A request of the device on its way to the broker.
#[derive(Debug)]
pub(super) enum Packet {
    Connect(ConnectRequest),
    Subscribe {
        correlation_id: u32,
        subscriptions: Vec<Subscription>,
    },
    Unsubscribe {
        correlation_id: u32,
        filters: Vec<Vec<u8>>,
    },
    Publish {
        correlation_id: u32,
        publish: Publish,
    },
    Acknowledge {
        delivery: u32,
    },
    Disconnect,
    /// The connection ended without a DISCONNECT.
    Gone,
}

/// An action that a test has planned.
pub(super) type Action = Box<dyn FnOnce(&ModelBroker)>;

pub(super) enum Due {
    /// An event reaches the device.
    Event(LinkId, BrokerEvent),
    /// A request reaches the broker.
    Arrival(LinkId, Packet),
    /// A message may have to be sent again.
    Redelivery { link: LinkId, client_id: Vec<u8>, delivery: u32 },
    /// The operator publishes.
    Operator(Message),
    /// A planned action of the test.
    Action(Action),
}

impl fmt::Debug for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Event(..) => "Event",
            Self::Arrival(..) => "Arrival",
            Self::Redelivery { .. } => "Redelivery",
            Self::Operator(_) => "Operator",
            Self::Action(_) => "Action",
        })
    }
}

/// Things to happen by time, those of the same time in the order in which they were planned.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    entries: BTreeMap<(u64, u64), Due>,
    planned: u64,
}

impl Schedule {
    pub(super) fn plan(&mut self, at: u64, due: Due) {
        self.entries.insert((at, self.planned), due);
        self.planned += 1;
    }

    pub(super) fn next_at(&self) -> Option<u64> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    /// Takes the first thing that is due at `now`, with its time.
    pub(super) fn take_due(&mut self, now: u64) -> Option<(u64, Due)> {
        let entry = self.entries.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((at, _), due) = entry.remove_entry();
        Some((at, due))
    }

    /// Forgets the events that have not reached the device.
    pub(super) fn forget_events_of(&mut self, link: LinkId) {
        self.entries.retain(|_, due| !matches!(due, Due::Event(to, _) if *to == link));
    }

    /// Takes what is on its way between the device and the broker, in the order of its arrival.
    pub(super) fn take_traffic(&mut self) -> Vec<(u64, Due)> {
        let traffic = self.entries.extract_if(.., |_, due| matches!(due, Due::Arrival(..) | Due::Event(..)));
        traffic.map(|((at, _), due)| (at, due)).collect()
    }

    /// Makes `start` the time 0. What should have happened before happens then.
    pub(super) fn rebase(&mut self, start: u64) {
        let entries = std::mem::take(&mut self.entries);
        self.entries =
            entries.into_iter().map(|((at, order), due)| ((at.saturating_sub(start), order), due)).collect();
    }

    /// Forgets redeliveries of a session whose link is over.
    pub(super) fn forget_redeliveries_of(&mut self, ended: LinkId) {
        self.entries.retain(|_, due| !matches!(due, Due::Redelivery { link, .. } if *link == ended));
    }
}
