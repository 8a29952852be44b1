use microvisor::sys;

use super::channels::ChannelKind;
use super::mqtt_responses::Item;
use super::{BrokerRequest, Event, Kernel, Outcome};
use crate::broker::{LinkId, Publish, Subscription};
use crate::quirks::StreamedRequests;

/// At most this many topics in a request, and certificates in a chain (ABI 0.7.0).
const MAX_ELEMENTS: u32 = 8;
/// What a connect request is called in reports.
pub(super) const CONNECT: &str = "a connect request";
/// How long the kernel takes for an answer of its own, in microseconds.
const LOCAL_DELAY: u64 = 5_000;
/// How long an acknowledgement takes.
const ACKNOWLEDGE_DELAY: u64 = 20_000;

/// Checks one rule after another and remembers whether all held.
///
/// The kernel takes requests with fields out of range and answers them with `INVALIDPARAMETERS`.
pub(super) struct Fields<'k> {
    kernel: &'k mut Kernel,
    pub(super) good: bool,
}

impl Fields<'_> {
    pub(super) fn at_most(&mut self, what: &str, value: u32, limit: u32) -> u8 {
        if value > limit {
            self.bad(format!("{what} is {value}, at most {limit} is allowed"));
        }
        u8::try_from(value).unwrap_or(u8::MAX)
    }

    pub(super) fn flag(&mut self, what: &str, value: u32) -> bool {
        self.at_most(what, value, 1) != 0
    }

    /// A request that the kernel does not send in parts has to fit the send buffer.
    pub(super) fn fit(&mut self, handle: u32, what: &str, size: usize) {
        let streams = match self.kernel.quirks.streams_large_requests {
            StreamedRequests::Nothing => false,
            StreamedRequests::Connect => what == CONNECT,
            StreamedRequests::Everything => true,
        };
        let Some(room) = self.kernel.handles.channel(handle).map(|channel| channel.send_len) else { return };
        if size > room && !streams {
            self.bad(format!("{what} of {size} bytes does not fit the send buffer of {room}"));
        }
    }

    pub(super) fn bad(&mut self, what: String) {
        self.kernel.report(what);
        self.good = false;
    }
}

impl Kernel {
    pub(super) fn fields(&mut self) -> Fields<'_> {
        Fields { kernel: self, good: true }
    }

    pub(super) fn later(&mut self, handle: u32, item: Item) {
        self.schedule(LOCAL_DELAY, Event::Item { channel: handle, item });
    }

    pub(super) fn limit_elements(&mut self, count: u32, what: &str) -> Outcome {
        if count > MAX_ELEMENTS {
            return self.misused(
                sys::MV_STATUS_TOOMANYELEMENTS,
                format!("{what} has {count} elements, at most {MAX_ELEMENTS} are allowed"),
            );
        }
        Ok(())
    }

    pub(crate) fn mqtt_request_subscribe(
        &mut self,
        handle: u32,
        request: *const sys::MvMqttSubscribeRequest,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        let request = self.input(request, "request")?;
        self.limit_elements(request.num_subscriptions, "subscriptions")?;
        if request.num_subscriptions == 0 {
            return self.misused(sys::MV_STATUS_PARAMETERFAULT, "num_subscriptions is 0");
        }
        let channel = self.channel(handle, ChannelKind::Mqtt)?;
        if channel.in_flight.subscribe {
            channel.wants_space = true;
            return Err(sys::MV_STATUS_RATELIMITED);
        }
        let raw = self.nested_array(request.subscriptions, request.num_subscriptions, "subscriptions")?;
        let mut filters = Vec::new();
        for (index, subscription) in raw.iter().enumerate() {
            filters.push(self.string(subscription.topic, &format!("subscriptions[{index}].topic"))?);
        }
        let mut fields = self.fields();
        fields.fit(handle, "a subscribe request", filters.iter().map(Vec::len).sum());
        let mut subscriptions = Vec::new();
        for (index, (filter, raw)) in filters.into_iter().zip(raw).enumerate() {
            if filter.is_empty() {
                fields.bad(format!("subscriptions[{index}].topic is empty"));
            }
            subscriptions.push(Subscription {
                filter,
                qos: fields.at_most(&format!("subscriptions[{index}].desired_qos"), raw.desired_qos, 2),
                no_local: fields.flag(&format!("subscriptions[{index}].nl"), raw.nl),
                retain_as_published: fields.flag(&format!("subscriptions[{index}].rap"), raw.rap),
                retain_handling: fields.at_most(&format!("subscriptions[{index}].rh"), raw.rh, 2),
            });
        }
        let good = fields.good;
        let correlation_id = request.correlation_id;
        match self.usable_link(handle, good)? {
            Ok(link) => {
                self.outbox.push_back(BrokerRequest::Subscribe(link, correlation_id, subscriptions));
            }
            Err(state) => self.later(handle, Item::Subscribe { correlation_id, state, reasons: Vec::new() }),
        }
        self.channel(handle, ChannelKind::Mqtt)?.in_flight.subscribe = true;
        Ok(())
    }

    pub(crate) fn mqtt_request_unsubscribe(
        &mut self,
        handle: u32,
        request: *const sys::MvMqttUnsubscribeRequest,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        let request = self.input(request, "request")?;
        self.limit_elements(request.num_topics, "topics")?;
        if request.num_topics == 0 {
            return self.misused(sys::MV_STATUS_PARAMETERFAULT, "num_topics is 0");
        }
        let channel = self.channel(handle, ChannelKind::Mqtt)?;
        if channel.in_flight.unsubscribe {
            channel.wants_space = true;
            return Err(sys::MV_STATUS_RATELIMITED);
        }
        let raw = self.nested_array(request.topics, request.num_topics, "topics")?;
        let mut filters = Vec::new();
        for (index, topic) in raw.into_iter().enumerate() {
            filters.push(self.string(topic, &format!("topics[{index}]"))?);
        }
        let mut fields = self.fields();
        fields.fit(handle, "an unsubscribe request", filters.iter().map(Vec::len).sum());
        for index in
            filters.iter().enumerate().filter_map(|(index, filter)| filter.is_empty().then_some(index))
        {
            fields.bad(format!("topics[{index}] is empty"));
        }
        let good = fields.good;
        let correlation_id = request.correlation_id;
        match self.usable_link(handle, good)? {
            Ok(link) => self.outbox.push_back(BrokerRequest::Unsubscribe(link, correlation_id, filters)),
            Err(state) => {
                self.later(handle, Item::Unsubscribe { correlation_id, state, reasons: Vec::new() });
            }
        }
        self.channel(handle, ChannelKind::Mqtt)?.in_flight.unsubscribe = true;
        Ok(())
    }

    pub(crate) fn mqtt_request_publish(
        &mut self,
        handle: u32,
        request: *const sys::MvMqttPublishRequest,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        let request = self.input(request, "request")?;
        let topic = self.string(request.topic, "topic")?;
        let payload = self.string(request.payload, "payload")?;
        let limit = self.quirks.max_publishes_in_flight;
        let channel = self.channel(handle, ChannelKind::Mqtt)?;
        if channel.in_flight.publishes.len() >= limit {
            channel.wants_space = true;
            return Err(sys::MV_STATUS_RATELIMITED);
        }
        let correlation_id = request.correlation_id;
        if channel.in_flight.publishes.iter().any(|&(id, _)| id == correlation_id) {
            self.report(format!("correlation id {correlation_id} is that of another publish in flight"));
        }
        let mut fields = self.fields();
        fields.fit(handle, "a publish request", topic.len() + payload.len());
        if topic.is_empty() {
            fields.bad("topic is empty".to_owned());
        }
        let qos = fields.at_most("desired_qos", request.desired_qos, 2);
        let retain = fields.flag("retain", request.retain);
        let good = fields.good;
        match self.usable_link(handle, good)? {
            Ok(link) => {
                let publish = Publish { topic, payload, qos, retain };
                self.outbox.push_back(BrokerRequest::Publish(link, correlation_id, publish));
            }
            Err(state) => self.later(handle, Item::Publish { correlation_id, state, reason: 0 }),
        }
        self.channel(handle, ChannelKind::Mqtt)?.in_flight.publishes.push((correlation_id, qos));
        Ok(())
    }

    pub(crate) fn mqtt_acknowledge_message(&mut self, handle: u32, correlation_id: u32) -> Outcome {
        let limit = self.quirks.max_acknowledgements_in_flight;
        let channel = self.channel(handle, ChannelKind::Mqtt)?;
        let Some(&delivery) = channel.unacknowledged.get(&correlation_id) else {
            let what = if channel.acknowledged.contains(&correlation_id) {
                "is acknowledged already"
            } else {
                "belongs to no message that was read on this channel and needs an acknowledgement"
            };
            // The ABI lists no status for it.
            self.report(format!("correlation id {correlation_id} {what}"));
            return Ok(());
        };
        if channel.in_flight.acknowledgements >= limit {
            channel.wants_space = true;
            return Err(sys::MV_STATUS_RATELIMITED);
        }
        channel.in_flight.acknowledgements += 1;
        channel.unacknowledged.remove(&correlation_id);
        channel.acknowledged.insert(correlation_id);
        if let Some(link) = channel.link {
            self.outbox.push_back(BrokerRequest::Acknowledge(link, delivery));
        }
        self.schedule(ACKNOWLEDGE_DELAY, Event::Acknowledged(handle));
        Ok(())
    }

    pub(super) fn acknowledgement_done(&mut self, handle: u32) {
        if let Some(channel) = self.handles.channel(handle) {
            channel.in_flight.acknowledgements = channel.in_flight.acknowledgements.saturating_sub(1);
        }
        self.announce_space(handle);
    }

    pub(crate) fn mqtt_request_disconnect(&mut self, handle: u32) -> Outcome {
        let channel = self.channel(handle, ChannelKind::Mqtt)?;
        if channel.in_flight.disconnect {
            return Err(sys::MV_STATUS_RATELIMITED);
        }
        match self.usable_link(handle, true)? {
            Ok(link) => self.outbox.push_back(BrokerRequest::Disconnect(link)),
            Err(state) => self.later(handle, Item::Disconnect { state, reason: 0 }),
        }
        self.channel(handle, ChannelKind::Mqtt)?.in_flight.disconnect = true;
        Ok(())
    }

    /// The link for a request, or the state to answer it with.
    fn usable_link(&mut self, handle: u32, good: bool) -> Outcome<Result<LinkId, sys::MvMqttRequestState>> {
        let channel = self.channel(handle, ChannelKind::Mqtt)?;
        Ok(match channel.link {
            _ if !good => Err(sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS),
            Some(link) if channel.connected => Ok(link),
            _ => Err(sys::MV_MQTTREQUESTSTATE_NOTCONNECTED),
        })
    }
}
