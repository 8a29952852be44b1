//! Requests. They return at once; the answer is an event.

use super::Connected;
use crate::mqtt::channel::MqttChannel;
use crate::mqtt::{
    AcknowledgeError, Acknowledgement, LimitError, MAX_TOPICS, Publish, PublishId, RequestError, SubscribeId,
    Subscription, TopicFilter, UnsubscribeId,
};
use crate::sized_string::{filled_string, sized_string};
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
        let sent = self.channel.send_publish(id.correlation_id, publish);
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
        self.state.limits.check_subscriptions(subscriptions).map_err(RequestError::Limit)?;
        subscriptions
            .iter()
            .try_for_each(|subscription| subscription.check_version(self.state.version))
            .map_err(RequestError::Limit)?;
        if self.state.subscribe.is_some() {
            return Err(RequestError::InFlight);
        }
        let count = topic_count(subscriptions.len())?;
        let id = self.state.next_id();
        let sent = self.channel.send_subscribe(id.correlation_id, subscriptions);
        self.check_sent(sent)?;
        let id = SubscribeId(id);
        self.state.subscribe = Some((id, count));
        Ok(id)
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
            *topic = filled_string(filter.as_str().as_bytes());
        }
        let id = self.state.next_id();
        let request = sys::MvMqttUnsubscribeRequest {
            correlation_id: id.correlation_id,
            topics: topics.as_ptr(),
            num_topics: count.into(),
        };
        // SAFETY: the request, the list and the filters live during the call, which copies them.
        let sent = unsafe { sys::mvMqttRequestUnsubscribe(self.channel.handle(), &raw const request) };
        self.check_sent(Status::check(sent))?;
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
        let sent = self.channel.send_disconnect();
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
    fn check_sent(&self, sent: Result<(), Status>) -> Result<(), RequestError> {
        sent.map_err(|status| self.channel.request_error(status))
    }
}

fn topic_count(len: usize) -> Result<u8, RequestError> {
    u8::try_from(len).map_err(|_| RequestError::Limit(LimitError::TooManyTopics { count: len }))
}
