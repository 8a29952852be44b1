use std::collections::BTreeMap;

use microvisor::sys;

use super::mqtt_responses::Item;
use crate::network_plan::NetworkStatus;

/// Something that will happen in the kernel.
#[derive(Debug)]
pub(crate) enum Event {
    /// A step of the network plan.
    Network(NetworkStatus),
    /// The connection that the application asked for is made.
    NetworkConnects,
    /// Nobody has wanted the network for a while.
    NetworkReleased,
    /// A notification that a fault held back.
    Notification { center: u32, kind: sys::MvEventType, tag: u32 },
    /// The answer to a config fetch on this channel.
    ConfigResponse(u32),
    /// An answer that the kernel gives itself, without the broker.
    Item { channel: u32, item: Item },
    /// An acknowledgement on this channel is carried out.
    Acknowledged(u32),
    /// There may be room for messages that were held back.
    MessagesReleased(u32),
    /// The log buffer is sent.
    LogDrained,
    /// An action of the user, by its number.
    Scheduled(u64),
    /// A delay of the user, by its number.
    Timer(u64),
}

/// What will happen, by time; what is due at the same time comes in the order in which it was planned.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    events: BTreeMap<(u64, u64), Event>,
    planned: u64,
}

impl EventQueue {
    pub(crate) fn push(&mut self, at: u64, event: Event) {
        self.events.insert((at, self.planned), event);
        self.planned += 1;
    }

    pub(crate) fn next_at(&self) -> Option<u64> {
        self.events.keys().next().map(|&(at, _)| at)
    }

    pub(crate) fn pop_due(&mut self, now: u64) -> Option<Event> {
        let first = self.events.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// Forgets a timer, so that nobody waits for it.
    pub(crate) fn cancel_timer(&mut self, timer: u64) {
        self.events.retain(|_, event| !matches!(event, Event::Timer(other) if *other == timer));
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, EventQueue};

    #[test]
    fn events_come_by_time_and_then_in_the_order_of_planning() {
        let mut queue = EventQueue::default();
        queue.push(5, Event::Scheduled(1));
        queue.push(3, Event::Scheduled(2));
        queue.push(5, Event::Scheduled(3));
        assert_eq!(queue.next_at(), Some(3));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop_due(5))
            .map(|event| match event {
                Event::Scheduled(id) => id,
                _ => unreachable!(),
            })
            .collect();
        assert_eq!(order, [2, 1, 3]);
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let mut queue = EventQueue::default();
        queue.push(5, Event::LogDrained);
        assert!(queue.pop_due(4).is_none());
        assert!(queue.pop_due(5).is_some());
    }
}
