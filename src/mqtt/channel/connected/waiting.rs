//! Requests that wait for their answer.
//!
//! Whatever else happens meanwhile goes to `others`, in order: messages may lie before the answer,
//! and nobody else could take them.

use super::Connected;
use crate::HandedBack;
use crate::mqtt::channel::{Disconnected, MqttChannel};
use crate::mqtt::{
    Event, Inbox, Outcomes, Publish, PublishId, QoS, ReasonCode, RequestError, SessionEnd, SubscribeId,
    Subscription, TopicFilter, TopicOutcome, UnsubscribeId,
};

impl MqttChannel<Connected> {
    /// Publishes and waits for the broker's verdict: its success code, or `None` for QoS 0, about
    /// which a broker says nothing. Whatever else happens meanwhile goes to `others`, in order.
    ///
    /// With QoS 0 it is done when the kernel has taken the message. Whether the kernel then reports
    /// that it was sent is uncertain; if it does, that is an [`Event::Published`].
    ///
    /// # Errors
    ///
    /// - as [`request_publish`](Self::request_publish); nothing is in flight then.
    /// - as [`published`](Self::published). After [`Event`](RequestError::Event) the message is in
    ///   flight: do not publish it again, but read on. Where the id of its answer is needed, use
    ///   [`request_publish`](Self::request_publish) and [`published`](Self::published).
    ///
    /// # Cancellation
    ///
    /// Dropping the future does not withdraw the message. The answer is then an ordinary event.
    pub async fn publish(
        &mut self,
        publish: &Publish<'_>,
        inbox: &mut Inbox<'_>,
        others: impl FnMut(Event<'_>),
    ) -> Result<Option<ReasonCode>, RequestError> {
        let id = self.request_publish(publish)?;
        match publish.qos() {
            QoS::AtMostOnce => Ok(None),
            QoS::AtLeastOnce | QoS::ExactlyOnce => self.published(id, inbox, others).await.map(Some),
        }
    }

    /// Waits for the broker's verdict on a message in flight, which is not of QoS 0.
    ///
    /// An answer that has gone to [`event`](Self::event), or to the `others` of another call, does not
    /// come again: then this waits until the session ends.
    ///
    /// # Errors
    ///
    /// - [`Refused`](RequestError::Refused): the broker did not take the message.
    /// - [`Failed`](RequestError::Failed): the kernel could not send it.
    /// - [`Indeterminate`](RequestError::Indeterminate): the session ended first.
    /// - [`Event`](RequestError::Event): an event before the answer cannot be read. Call this again
    ///   once that is mended.
    /// - [`OtherRequest`](RequestError::OtherRequest): the id is another session's.
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing: call this again, or take the answer as an event.
    pub async fn published(
        &mut self,
        id: PublishId,
        inbox: &mut Inbox<'_>,
        mut others: impl FnMut(Event<'_>),
    ) -> Result<ReasonCode, RequestError> {
        if id.0.session != self.state.session {
            return Err(RequestError::OtherRequest);
        }
        loop {
            match self.event(inbox).await.map_err(RequestError::Event)? {
                Event::Published(answered, outcome) if answered == id => return outcome,
                Event::Ended(end) => return Err(RequestError::Indeterminate(end)),
                other => others(other),
            }
        }
    }

    /// Subscribes and waits for the broker's outcome for each filter. A subscribe request that is
    /// in flight is waited for first. Whatever else happens meanwhile goes to `others`, in order.
    ///
    /// # Errors
    ///
    /// - [`NotSent`](RequestError::NotSent): an event before this request's turn cannot be read.
    /// - as [`request_subscribe`](Self::request_subscribe) and [`subscribed`](Self::subscribed). That
    ///   the broker refuses a filter is an outcome, not an error.
    ///
    /// # Cancellation
    ///
    /// Dropping the future does not withdraw the request. The answer is then an ordinary event.
    pub async fn subscribe(
        &mut self,
        subscriptions: &[Subscription<'_>],
        inbox: &mut Inbox<'_>,
        mut others: impl FnMut(Event<'_>),
    ) -> Result<Outcomes<TopicOutcome>, RequestError> {
        while self.state.subscribe.is_some() {
            self.pass_on(inbox, &mut others).await?;
        }
        let id = self.request_subscribe(subscriptions)?;
        self.subscribed(id, inbox, others).await
    }

    /// Waits for the outcomes of a subscribe request in flight.
    ///
    /// # Errors
    ///
    /// As [`published`](Self::published); also [`OtherRequest`](RequestError::OtherRequest) for one
    /// that is answered already.
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing: call this again, or take the answer as an event.
    pub async fn subscribed(
        &mut self,
        id: SubscribeId,
        inbox: &mut Inbox<'_>,
        mut others: impl FnMut(Event<'_>),
    ) -> Result<Outcomes<TopicOutcome>, RequestError> {
        if self.state.subscribe.is_none_or(|(in_flight, _)| in_flight != id) {
            return Err(RequestError::OtherRequest);
        }
        loop {
            match self.event(inbox).await.map_err(RequestError::Event)? {
                Event::Subscribed(answered, outcome) if answered == id => return outcome,
                Event::Ended(end) => return Err(RequestError::Indeterminate(end)),
                other => others(other),
            }
        }
    }

    /// Unsubscribes and waits for the broker's reason code for each filter. An unsubscribe request
    /// that is in flight is waited for first. Whatever else happens meanwhile goes to `others`, in
    /// order.
    ///
    /// # Errors
    ///
    /// - [`NotSent`](RequestError::NotSent): an event before this request's turn cannot be read.
    /// - as [`request_unsubscribe`](Self::request_unsubscribe) and
    ///   [`unsubscribed`](Self::unsubscribed).
    ///
    /// # Cancellation
    ///
    /// Dropping the future does not withdraw the request. The answer is then an ordinary event.
    pub async fn unsubscribe(
        &mut self,
        filters: &[TopicFilter<'_>],
        inbox: &mut Inbox<'_>,
        mut others: impl FnMut(Event<'_>),
    ) -> Result<Outcomes<ReasonCode>, RequestError> {
        while self.state.unsubscribe.is_some() {
            self.pass_on(inbox, &mut others).await?;
        }
        let id = self.request_unsubscribe(filters)?;
        self.unsubscribed(id, inbox, others).await
    }

    /// Waits for the reason codes of an unsubscribe request in flight.
    ///
    /// # Errors
    ///
    /// As [`published`](Self::published); also [`OtherRequest`](RequestError::OtherRequest) for one
    /// that is answered already.
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing: call this again, or take the answer as an event.
    pub async fn unsubscribed(
        &mut self,
        id: UnsubscribeId,
        inbox: &mut Inbox<'_>,
        mut others: impl FnMut(Event<'_>),
    ) -> Result<Outcomes<ReasonCode>, RequestError> {
        if self.state.unsubscribe.is_none_or(|(in_flight, _)| in_flight != id) {
            return Err(RequestError::OtherRequest);
        }
        loop {
            match self.event(inbox).await.map_err(RequestError::Event)? {
                Event::Unsubscribed(answered, outcome) if answered == id => return outcome,
                Event::Ended(end) => return Err(RequestError::Indeterminate(end)),
                other => others(other),
            }
        }
    }

    /// Ends the session with a DISCONNECT and waits until it is over, however it ended. Whatever else
    /// happens meanwhile goes to `others`, in order.
    ///
    /// # Errors
    ///
    /// A [`RequestError`], with the channel handed back: to try again after a rate limit or with a
    /// larger inbox, or to be closed.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the channel.
    pub async fn disconnect(
        mut self,
        inbox: &mut Inbox<'_>,
        mut others: impl FnMut(Event<'_>),
    ) -> Result<(MqttChannel<Disconnected>, SessionEnd), HandedBack<Self, RequestError>> {
        match self.request_disconnect() {
            Ok(()) | Err(RequestError::Ended(_)) => {}
            Err(error) => return Err(HandedBack { error, value: self }),
        }
        loop {
            let error = match self.event(inbox).await {
                Ok(Event::Ended(end)) => return Ok((self.into_state(Disconnected(())), end)),
                Ok(other) => {
                    others(other);
                    continue;
                }
                Err(error) => RequestError::Event(error),
            };
            return Err(HandedBack { error, value: self });
        }
    }

    /// Hands the next event on.
    async fn pass_on(
        &mut self,
        inbox: &mut Inbox<'_>,
        others: &mut impl FnMut(Event<'_>),
    ) -> Result<(), RequestError> {
        match self.event(inbox).await.map_err(RequestError::NotSent)? {
            Event::Ended(end) => Err(RequestError::Ended(end)),
            other => {
                others(other);
                Ok(())
            }
        }
    }
}
