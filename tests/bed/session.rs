//! A session with everything that a test wants to know of it.

use microvisor::mqtt::{
    Acknowledgement, Connected, Event, EventError, Inbox, LostReason, MqttChannel, Outcomes, Publish,
    PublishId, QoS, ReasonCode, RequestError, SessionEnd, SubscribeId, Subscription, TopicFilter, TopicName,
    TopicOutcome, UnsubscribeId,
};
use microvisor_sim::Device;

/// An event that a test keeps.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Message { topic: String, payload: Vec<u8>, qos: Option<QoS>, retained: bool },
    Lost { topic: String, len: u32, reason: LostReason },
    Published(PublishId, Result<ReasonCode, RequestError>),
    Subscribed(SubscribeId, Result<Outcomes<TopicOutcome>, RequestError>),
    Unsubscribed(UnsubscribeId, Result<Outcomes<ReasonCode>, RequestError>),
    Ended(SessionEnd),
}

impl Heard {
    /// The payload of a message.
    pub fn payload(&self) -> Option<&[u8]> {
        match self {
            Self::Message { payload, .. } => Some(payload),
            _ => None,
        }
    }
}

/// What a session said, in order, and the acknowledgements that are due.
#[derive(Debug, Default)]
pub struct Ears {
    pub heard: Vec<Heard>,
    pub owed: Vec<Acknowledgement>,
}

impl Ears {
    pub fn take(&mut self, event: Event<'_>) {
        let heard = match event {
            Event::Message(message) => {
                let heard = Heard::Message {
                    topic: message.topic_str().expect("UTF-8").to_owned(),
                    payload: message.payload().to_vec(),
                    qos: message.qos(),
                    retained: message.is_retained(),
                };
                self.owed.extend(message.into_acknowledgement());
                heard
            }
            Event::Lost(lost) => Heard::Lost {
                topic: String::from_utf8(lost.topic().to_vec()).expect("UTF-8"),
                len: lost.message_len(),
                reason: lost.reason(),
            },
            Event::Published(id, outcome) => Heard::Published(id, outcome),
            Event::Subscribed(id, outcome) => Heard::Subscribed(id, outcome),
            Event::Unsubscribed(id, outcome) => Heard::Unsubscribed(id, outcome),
            Event::Ended(end) => Heard::Ended(end),
        };
        self.heard.push(heard);
    }

    pub fn payloads(&self) -> Vec<&[u8]> {
        self.heard.iter().filter_map(Heard::payload).collect()
    }
}

/// A channel in session. What is heard on the side is kept in `ears`.
pub struct Session<'d> {
    device: &'d Device,
    pub channel: MqttChannel<Connected>,
    pub ears: Ears,
    topic: Vec<u8>,
    payload: Vec<u8>,
}

impl<'d> Session<'d> {
    pub fn new(device: &'d Device, channel: MqttChannel<Connected>) -> Self {
        Self { device, channel, ears: Ears::default(), topic: vec![0; 256], payload: vec![0; 8192] }
    }

    pub fn publish(&mut self, publish: &Publish<'_>) -> Result<Option<ReasonCode>, RequestError> {
        let Self { device, channel, ears, topic, payload } = self;
        let mut inbox = Inbox::new(topic, payload);
        device.block_on(channel.publish(publish, &mut inbox, |event| ears.take(event)))
    }

    pub fn subscribe(
        &mut self,
        subscriptions: &[Subscription<'_>],
    ) -> Result<Outcomes<TopicOutcome>, RequestError> {
        let Self { device, channel, ears, topic, payload } = self;
        let mut inbox = Inbox::new(topic, payload);
        device.block_on(channel.subscribe(subscriptions, &mut inbox, |event| ears.take(event)))
    }

    /// Subscribes to one filter, which has to be granted with this QoS.
    pub fn subscribe_to(&mut self, filter: &str, qos: QoS) {
        let outcomes = self.subscribe(&[subscription(filter, qos)]).expect("subscribed");
        assert_eq!(outcomes.as_slice(), [TopicOutcome::Granted(qos)]);
    }

    pub fn unsubscribe(&mut self, filters: &[TopicFilter<'_>]) -> Result<Outcomes<ReasonCode>, RequestError> {
        let Self { device, channel, ears, topic, payload } = self;
        let mut inbox = Inbox::new(topic, payload);
        device.block_on(channel.unsubscribe(filters, &mut inbox, |event| ears.take(event)))
    }

    /// Waits for the next event.
    pub fn next(&mut self) -> Result<Heard, EventError> {
        let Self { device, channel, ears, topic, payload } = self;
        let mut inbox = Inbox::new(topic, payload);
        ears.take(device.block_on(channel.event(&mut inbox))?);
        Ok(ears.heard.pop().expect("just heard"))
    }

    /// The next event, which has to be there already if there is one.
    pub fn try_next(&mut self) -> Result<Option<Heard>, EventError> {
        let mut inbox = Inbox::new(&mut self.topic, &mut self.payload);
        let Some(event) = self.channel.try_event(&mut inbox)? else { return Ok(None) };
        self.ears.take(event);
        Ok(self.ears.heard.pop())
    }

    /// The payload of the next event, which has to be a message.
    pub fn next_payload(&mut self) -> Vec<u8> {
        let heard = self.next().expect("an event");
        heard.payload().unwrap_or_else(|| panic!("a message, not {heard:?}")).to_vec()
    }

    /// Acknowledges all that is due.
    pub fn acknowledge(&mut self) {
        for acknowledgement in self.ears.owed.drain(..) {
            self.channel.acknowledge(acknowledgement).expect("acknowledged");
        }
    }

    /// Disconnects and closes.
    pub fn disconnect(self) -> SessionEnd {
        let Self { device, channel, mut ears, mut topic, mut payload } = self;
        let mut inbox = Inbox::new(&mut topic, &mut payload);
        let ending = channel.disconnect(&mut inbox, |event| ears.take(event));
        let (channel, end) = device.block_on(ending).expect("disconnected");
        drop(channel.close().expect("closed"));
        end
    }
}

pub fn subscription(filter: &str, qos: QoS) -> Subscription<'_> {
    Subscription::new(TopicFilter::new(filter).expect("a filter"), qos)
}

pub fn publish<'a>(topic: &'a str, payload: &'a [u8], qos: QoS) -> Publish<'a> {
    Publish::new(TopicName::new(topic).expect("a topic"), payload).with_qos(qos)
}
