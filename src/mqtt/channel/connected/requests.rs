//! Requests. They return at once; the answer is an event.

use super::Connected;
use crate::mqtt::channel::MqttChannel;
use crate::mqtt::{
    AcknowledgeError, Acknowledgement, LimitError, MAX_TOPICS, ProtocolVersion, Publish, PublishId,
    RequestError, SessionEnd, SubscribeId, Subscription, TopicFilter, UnsubscribeId,
};
use crate::sized_string::sized_string;
use crate::{HandedBack, Status, sys};

impl MqttChannel<Connected> {
    /// Sends a message to the broker. Its answer is [`Event::Published`](crate::mqtt::Event::Published)
    /// with the same id.
    ///
    /// # Errors
    ///
    /// [`RateLimited`](RequestError::RateLimited) where too many are in flight; otherwise see
    /// [`RequestError`]. Nothing is in flight then, except perhaps after `Kernel(LATE_FAULT)`, which
    /// means that a part of the request had gone out; the channel is of no use then.
    pub fn request_publish(&mut self, publish: &Publish<'_>) -> Result<PublishId, RequestError> {
        self.check_in_session()?;
        self.state.limits.check_publish(publish).map_err(RequestError::Limit)?;
        let id = self.state.next_id();
        let request = sys::MvMqttPublishRequest {
            correlation_id: id.correlation_id,
            topic: sized_string(publish.topic().as_str().as_bytes()),
            payload: sized_string(publish.payload()),
            desired_qos: publish.qos().raw(),
            retain: publish.is_retained().into(),
        };
        // SAFETY: the request, its topic and its payload live during the call, which copies them.
        let sent = unsafe { sys::mvMqttRequestPublish(self.channel.handle(), &raw const request) };
        self.check_sent(sent)?;
        Ok(PublishId(id))
    }

    /// Subscribes to 1 to 8 filters. The answer is
    /// [`Event::Subscribed`](crate::mqtt::Event::Subscribed) with the same id.
    ///
    /// # Errors
    ///
    /// [`InFlight`](RequestError::InFlight) until the last one is answered; otherwise see
    /// [`RequestError`].
    pub fn request_subscribe(
        &mut self,
        subscriptions: &[Subscription<'_>],
    ) -> Result<SubscribeId, RequestError> {
        self.check_in_session()?;
        self.check_subscriptions(subscriptions).map_err(RequestError::Limit)?;
        if self.state.subscribe.is_some() {
            return Err(RequestError::InFlight);
        }
        let count = topic_count(subscriptions.len())?;
        let id = self.state.next_id();
        let request = sys::MvMqttSubscribeRequest {
            correlation_id: id.correlation_id,
            // A `Subscription` is a transparent `MvMqttSubscription`.
            subscriptions: subscriptions.as_ptr().cast(),
            num_subscriptions: count.into(),
        };
        // SAFETY: the request, the subscriptions and their filters live during the call, which
        // copies them.
        let sent = unsafe { sys::mvMqttRequestSubscribe(self.channel.handle(), &raw const request) };
        self.check_sent(sent)?;
        let id = SubscribeId(id);
        self.state.subscribe = Some((id, count));
        Ok(id)
    }

    fn check_subscriptions(&self, subscriptions: &[Subscription<'_>]) -> Result<(), LimitError> {
        if self.state.version == ProtocolVersion::V3_1_1
            && subscriptions.iter().any(Subscription::needs_version_5)
        {
            return Err(LimitError::NeedsVersion5);
        }
        self.state.limits.check_subscriptions(subscriptions)
    }

    /// Unsubscribes from 1 to 8 filters. The answer is
    /// [`Event::Unsubscribed`](crate::mqtt::Event::Unsubscribed) with the same id.
    ///
    /// # Errors
    ///
    /// [`InFlight`](RequestError::InFlight) until the last one is answered; otherwise see
    /// [`RequestError`].
    pub fn request_unsubscribe(
        &mut self,
        filters: &[TopicFilter<'_>],
    ) -> Result<UnsubscribeId, RequestError> {
        self.check_in_session()?;
        self.state.limits.check_filters(filters).map_err(RequestError::Limit)?;
        if self.state.unsubscribe.is_some() {
            return Err(RequestError::InFlight);
        }
        let count = topic_count(filters.len())?;
        let mut topics = [sized_string(&[]); MAX_TOPICS];
        for (topic, filter) in topics.iter_mut().zip(filters) {
            *topic = sized_string(filter.as_str().as_bytes());
        }
        let id = self.state.next_id();
        let request = sys::MvMqttUnsubscribeRequest {
            correlation_id: id.correlation_id,
            topics: topics.as_ptr(),
            num_topics: count.into(),
        };
        // SAFETY: the request, the list and the filters live during the call, which copies them.
        let sent = unsafe { sys::mvMqttRequestUnsubscribe(self.channel.handle(), &raw const request) };
        self.check_sent(sent)?;
        let id = UnsubscribeId(id);
        self.state.unsubscribe = Some((id, count));
        Ok(id)
    }

    /// Asks for an orderly end of the session, once. The answer is
    /// [`Event::Ended`](crate::mqtt::Event::Ended).
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn request_disconnect(&mut self) -> Result<(), RequestError> {
        self.check_in_session()?;
        if self.state.disconnect_requested {
            return Ok(());
        }
        // SAFETY: the call takes no pointers.
        let sent = unsafe { sys::mvMqttRequestDisconnect(self.channel.handle()) };
        self.check_sent(sent)?;
        self.state.disconnect_requested = true;
        Ok(())
    }

    /// Tells the broker that a message of this session is dealt with.
    ///
    /// # Errors
    ///
    /// An [`AcknowledgeError`], with the duty handed back.
    pub fn acknowledge(
        &mut self,
        acknowledgement: Acknowledgement,
    ) -> Result<(), HandedBack<Acknowledgement, AcknowledgeError>> {
        if acknowledgement.session != self.state.session {
            return Err(HandedBack { error: AcknowledgeError::OtherSession, value: acknowledgement });
        }
        acknowledgement.send(self.channel.handle())
    }

    fn check_in_session(&self) -> Result<(), RequestError> {
        self.state.end.map_or(Ok(()), |end| Err(RequestError::Ended(end)))
    }

    /// A channel that is closed may still have something to read, so that is for the events to say.
    fn check_sent(&self, sent: u32) -> Result<(), RequestError> {
        Status::check(sent).map_err(|status| match status {
            Status::RATE_LIMITED => RequestError::RateLimited,
            Status::CHANNEL_CLOSED => {
                RequestError::Ended(SessionEnd::ChannelClosed(self.channel.closure_reason()))
            }
            other => RequestError::Kernel(other),
        })
    }
}

fn topic_count(len: usize) -> Result<u8, RequestError> {
    u8::try_from(len).map_err(|_| RequestError::Limit(LimitError::TooManyTopics { count: len }))
}
