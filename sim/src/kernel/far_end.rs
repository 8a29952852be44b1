//! What goes to the broker and what comes from it.

use microvisor::sys;

use super::mqtt_responses::{Item, Message};
use super::{Kernel, length};
use crate::broker::{Broker, BrokerEvent, ConnectRequest, LinkId, Now, Publish, Subscription};
use crate::names;
use crate::quirks::SessionEnd;

/// A request for the broker, to be made once the kernel is not borrowed any more.
#[derive(Debug)]
pub(crate) enum BrokerRequest {
    Connect(LinkId, Box<ConnectRequest>),
    Subscribe(LinkId, u32, Vec<Subscription>),
    Unsubscribe(LinkId, u32, Vec<Vec<u8>>),
    Publish(LinkId, u32, Publish),
    Acknowledge(LinkId, u32),
    Disconnect(LinkId),
    Abandon(LinkId),
}

impl BrokerRequest {
    pub(crate) fn make(self, broker: &mut dyn Broker, now: Now) {
        match self {
            Self::Connect(link, request) => broker.connect(now, link, *request),
            Self::Subscribe(link, id, subscriptions) => broker.subscribe(now, link, id, subscriptions),
            Self::Unsubscribe(link, id, filters) => broker.unsubscribe(now, link, id, filters),
            Self::Publish(link, id, publish) => broker.publish(now, link, id, publish),
            Self::Acknowledge(link, delivery) => broker.acknowledge(now, link, delivery),
            Self::Disconnect(link) => broker.disconnect(now, link),
            Self::Abandon(link) => broker.abandon(now, link),
        }
    }
}

impl Kernel {
    /// Something came from the broker.
    pub(crate) fn broker_event(&mut self, link: LinkId, event: BrokerEvent) {
        // A link that was abandoned has nothing to say any more.
        let Some(&handle) = self.links.get(&link.0) else { return };
        let Some(channel) = self.handles.channel(handle) else { return };
        match event {
            BrokerEvent::Connected { state, reason } => {
                channel.connected = state == sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED && reason == 0;
                self.push(handle, Item::Connect { state, reason });
            }
            BrokerEvent::Subscribed { correlation_id, state, reasons } => {
                channel.in_flight.subscribe = false;
                self.push(handle, Item::Subscribe { correlation_id, state, reasons });
                self.announce_space(handle);
            }
            BrokerEvent::Unsubscribed { correlation_id, state, reasons } => {
                channel.in_flight.unsubscribe = false;
                self.push(handle, Item::Unsubscribe { correlation_id, state, reasons });
                self.announce_space(handle);
            }
            BrokerEvent::Published { correlation_id, state, reason } => {
                self.published(handle, correlation_id, state, reason);
            }
            BrokerEvent::Message { delivery, topic, payload, qos, retain } => {
                let correlation_id = self.next_message;
                self.next_message = self.next_message.wrapping_add(1);
                self.message(handle, Message { correlation_id, delivery, topic, payload, qos, retain });
            }
            BrokerEvent::Disconnected { state, reason } => self.session_ended(handle, state, reason),
            BrokerEvent::Closed { closure_reason } => self.terminate_channel(handle, closure_reason),
        }
    }

    /// An answer of the kernel's own is due.
    pub(super) fn local_response(&mut self, handle: u32, item: Item) {
        let Some(channel) = self.handles.channel(handle).filter(|channel| channel.is_open()) else { return };
        match item {
            Item::Subscribe { .. } => channel.in_flight.subscribe = false,
            Item::Unsubscribe { .. } => channel.in_flight.unsubscribe = false,
            Item::Disconnect { .. } => channel.in_flight.disconnect = false,
            Item::Publish { correlation_id, state, reason } => {
                self.published(handle, correlation_id, state, reason);
                return;
            }
            Item::Connect { .. } | Item::Message(_) | Item::Lost { .. } => {}
        }
        self.push(handle, item);
        self.announce_space(handle);
    }

    fn published(&mut self, handle: u32, correlation_id: u32, state: u32, reason: u32) {
        let Some(channel) = self.handles.channel(handle) else { return };
        let waiting = channel.in_flight.publishes.iter().position(|&(id, _)| id == correlation_id);
        let qos = waiting.map(|index| channel.in_flight.publishes.remove(index).1);
        if qos != Some(0) || self.quirks.qos0_publish_response {
            self.push(handle, Item::Publish { correlation_id, state, reason });
        }
        self.announce_space(handle);
    }

    fn message(&mut self, handle: u32, message: Message) {
        let Some(channel) = self.handles.channel(handle) else { return };
        if message.size() <= channel.receive_len {
            let shared = self.quirks.unread_messages_share_buffer;
            if shared && (!channel.held.is_empty() || !channel.has_room_for(&message)) {
                channel.held.push_back(message);
                let text = format!(
                    "channel {} holds a message back, the receive buffer is full",
                    names::handle(handle)
                );
                self.trace.event(self.now, &text);
            } else {
                self.push(handle, Item::Message(message));
            }
            return;
        }
        if let Some(link) = channel.link.filter(|_| message.qos > 0 && self.quirks.acknowledges_lost_messages)
        {
            self.outbox.push_back(BrokerRequest::Acknowledge(link, message.delivery));
        }
        self.push(handle, Item::Lost { length: length(&message.payload), topic: message.topic });
    }

    /// Takes up messages that were held back, as far as there is room now.
    pub(super) fn release_messages(&mut self, handle: u32) {
        while let Some(channel) = self.handles.channel(handle)
            && channel.held.front().is_some_and(|message| channel.has_room_for(message))
            && let Some(message) = channel.held.pop_front()
        {
            self.push(handle, Item::Message(message));
        }
    }

    fn session_ended(&mut self, handle: u32, state: u32, reason: u32) {
        let Some(channel) = self.handles.channel(handle) else { return };
        let asked_for = std::mem::take(&mut channel.in_flight).disconnect;
        channel.connected = false;
        channel.held.clear();
        if let Some(link) = channel.link.take() {
            self.links.remove(&link.0);
        }
        if !asked_for && self.quirks.session_end == SessionEnd::ChannelNotConnected {
            self.terminate_channel(handle, sys::MV_CLOSUREREASON_CHANNELCLOSEDBYSERVER);
        } else {
            self.push(handle, Item::Disconnect { state, reason });
        }
    }

    /// Adds something readable to a channel and says so.
    fn push(&mut self, handle: u32, item: Item) {
        let Some(channel) = self.handles.channel(handle).filter(|channel| channel.is_open()) else { return };
        channel.items.push_back(item);
        let (center, tag) = (channel.center, channel.tag);
        self.notify(center, sys::MV_EVENTTYPE_CHANNELDATAREADABLE, tag);
    }

    /// Tells an application that was refused that it may try again.
    pub(super) fn announce_space(&mut self, handle: u32) {
        let Some(channel) = self.handles.channel(handle).filter(|channel| channel.is_open()) else { return };
        let wanted = std::mem::replace(&mut channel.wants_space, false);
        let (center, tag) = (channel.center, channel.tag);
        if wanted && self.quirks.write_space_events {
            self.notify(center, sys::MV_EVENTTYPE_CHANNELDATAWRITESPACE, tag);
        }
    }
}
