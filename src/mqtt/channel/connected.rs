//! The session: requests and events.

use core::future::poll_fn;
use core::task::{Context, Poll};

use super::{Disconnected, MqttChannel};
use crate::mqtt::subscription::TopicOutcome;
use crate::mqtt::{
    AcknowledgeError, Acknowledgement, Event, EventError, Inbox, LimitError, Limits, Outcomes, Publish,
    PublishId, QoS, ReasonCode, RequestError, SessionEnd, SubscribeId, Subscription, TopicFilter,
    UnsubscribeId, sized_string,
};
use crate::{HandedBack, Status, sys};

/// State: in session.
#[derive(Debug)]
pub struct Connected {
    limits: &'static Limits,
    last_id: u32,
    /// The request in flight, and how many topics it has.
    subscribe: Option<(SubscribeId, u8)>,
    unsubscribe: Option<(UnsubscribeId, u8)>,
    /// The kind of the next item, where it is known.
    head: Option<u32>,
    end: Option<SessionEnd>,
}

impl Connected {
    pub(super) fn new(limits: &'static Limits) -> Self {
        Self { limits, last_id: 0, subscribe: None, unsubscribe: None, head: None, end: None }
    }

    fn next_id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }
}

/// Requests. They return at once; the answer is an [`Event`].
impl MqttChannel<Connected> {
    /// Sends a message to the broker. Its answer is [`Event::Published`] with the same id.
    ///
    /// # Errors
    ///
    /// [`RateLimited`](RequestError::RateLimited) where too many are in flight; otherwise see
    /// [`RequestError`]. Nothing is in flight then.
    pub fn request_publish(&mut self, publish: &Publish<'_>) -> Result<PublishId, RequestError> {
        self.check_in_session()?;
        self.state.limits.check_publish(publish).map_err(RequestError::Limit)?;
        let correlation_id = self.state.next_id();
        let request = sys::MvMqttPublishRequest {
            correlation_id,
            topic: sized_string(publish.topic().as_str().as_bytes()),
            payload: sized_string(publish.payload()),
            desired_qos: publish.qos().raw(),
            retain: publish.is_retained().into(),
        };
        // SAFETY: the request, its topic and its payload live during the call, which copies them.
        let sent = unsafe { sys::mvMqttRequestPublish(self.channel.handle(), &raw const request) };
        self.check_sent(sent)?;
        Ok(PublishId(correlation_id))
    }

    /// Subscribes to 1 to 8 filters. The answer is [`Event::Subscribed`] with the same id.
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
        if self.state.subscribe.is_some() {
            return Err(RequestError::InFlight);
        }
        let count = topic_count(subscriptions.len())?;
        let correlation_id = self.state.next_id();
        let request = sys::MvMqttSubscribeRequest {
            correlation_id,
            // A `Subscription` is a transparent `MvMqttSubscription`.
            subscriptions: subscriptions.as_ptr().cast(),
            num_subscriptions: count.into(),
        };
        // SAFETY: the request, the subscriptions and their filters live during the call, which
        // copies them.
        let sent = unsafe { sys::mvMqttRequestSubscribe(self.channel.handle(), &raw const request) };
        self.check_sent(sent)?;
        let id = SubscribeId(correlation_id);
        self.state.subscribe = Some((id, count));
        Ok(id)
    }

    /// Unsubscribes from 1 to 8 filters. The answer is [`Event::Unsubscribed`] with the same id.
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
        Limits::check_count(filters.len()).map_err(RequestError::Limit)?;
        if self.state.unsubscribe.is_some() {
            return Err(RequestError::InFlight);
        }
        let count = topic_count(filters.len())?;
        let topics: Outcomes<_> =
            filters.iter().map(|filter| sized_string(filter.as_str().as_bytes())).collect();
        let correlation_id = self.state.next_id();
        let request = sys::MvMqttUnsubscribeRequest {
            correlation_id,
            topics: topics.as_ptr(),
            num_topics: count.into(),
        };
        // SAFETY: the request, the list and the filters live during the call, which copies them.
        let sent = unsafe { sys::mvMqttRequestUnsubscribe(self.channel.handle(), &raw const request) };
        self.check_sent(sent)?;
        let id = UnsubscribeId(correlation_id);
        self.state.unsubscribe = Some((id, count));
        Ok(id)
    }

    /// Asks for an orderly end of the session. The answer is [`Event::Ended`].
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn request_disconnect(&mut self) -> Result<(), RequestError> {
        self.check_in_session()?;
        // SAFETY: the call takes no pointers.
        let sent = unsafe { sys::mvMqttRequestDisconnect(self.channel.handle()) };
        self.check_sent(sent)
    }

    /// Tells the broker that a message is dealt with.
    ///
    /// # Errors
    ///
    /// An [`AcknowledgeError`], with the duty handed back.
    #[allow(clippy::unused_self)] // So that a duty is fulfilled where there is a session.
    pub fn acknowledge(
        &mut self,
        acknowledgement: Acknowledgement,
    ) -> Result<(), HandedBack<Acknowledgement, AcknowledgeError>> {
        acknowledgement.send()
    }

    /// How the session ended, once [`Event::Ended`] was told.
    pub fn end(&self) -> Option<SessionEnd> {
        self.state.end
    }

    fn check_in_session(&self) -> Result<(), RequestError> {
        self.state.end.map_or(Ok(()), |end| Err(RequestError::Ended(end)))
    }

    fn check_sent(&mut self, sent: u32) -> Result<(), RequestError> {
        Status::check(sent).map_err(|status| match status {
            Status::RateLimited => RequestError::RateLimited,
            Status::ChannelClosed => RequestError::Ended(self.note_closed()),
            other => RequestError::Kernel(other),
        })
    }

    fn note_closed(&mut self) -> SessionEnd {
        let end = SessionEnd::ChannelClosed(self.channel.closure_reason());
        self.state.head = None;
        *self.state.end.get_or_insert(end)
    }
}

fn topic_count(len: usize) -> Result<u8, RequestError> {
    u8::try_from(len).map_err(|_| RequestError::Limit(LimitError::TooManyTopics { count: len }))
}

/// Events.
impl MqttChannel<Connected> {
    /// Waits for the next event.
    ///
    /// # Errors
    ///
    /// An [`EventError`]; the event is still there.
    ///
    /// # Cancellation
    ///
    /// Dropping the future loses no event.
    pub async fn event<'b>(&mut self, inbox: &'b mut Inbox<'_>) -> Result<Event<'b>, EventError> {
        poll_fn(|cx| self.poll_ready(cx)).await?;
        match self.try_event(inbox)? {
            Some(event) => Ok(event),
            // `poll_ready` has just seen one, and only this channel's owner takes it.
            None => Err(EventError::Kernel(Status::WrongDataRequested)),
        }
    }

    /// Whether there is an event to take with [`try_event`](Self::try_event). The last waker polled
    /// with is woken when there may be one.
    ///
    /// # Errors
    ///
    /// [`EventError::Kernel`], where the kernel does not say.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), EventError>> {
        self.channel.register(cx.waker());
        match self.look() {
            Ok(true) => Poll::Ready(Ok(())),
            Ok(false) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// The next event, if there is one.
    ///
    /// # Errors
    ///
    /// An [`EventError`]; the event is still there.
    pub fn try_event<'b>(&mut self, inbox: &'b mut Inbox<'_>) -> Result<Option<Event<'b>>, EventError> {
        if !self.look()? {
            return Ok(None);
        }
        let Some(kind) = self.state.head else {
            return Ok(self.state.end.map(Event::Ended));
        };
        let (topic, payload) = (inbox.topic.len(), inbox.payload.len());
        let event = match kind {
            sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED => {
                self.channel.read_message(inbox).map(Event::Message)
            }
            sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST => self.channel.read_lost(inbox).map(Event::Lost),
            sys::MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE => self.read_published(),
            sys::MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE => self.read_subscribed(),
            sys::MV_MQTTREADABLEDATATYPE_UNSUBSCRIBERESPONSE => self.read_unsubscribed(),
            sys::MV_MQTTREADABLEDATATYPE_DISCONNECTRESPONSE => self.read_ended(),
            other => return Err(EventError::UnknownKind(other)),
        };
        match event {
            Ok(event) => {
                self.state.head = None;
                Ok(Some(event))
            }
            Err(Status::ChannelClosed) => Ok(Some(Event::Ended(self.note_closed()))),
            Err(Status::InvalidBufferSize) if goes_to_inbox(kind) => {
                Err(EventError::InboxTooSmall { topic, payload })
            }
            Err(status) => {
                // Perhaps the head is another than it was thought to be.
                self.state.head = None;
                Err(EventError::Kernel(status))
            }
        }
    }

    /// Whether there is an event, without taking it.
    fn look(&mut self) -> Result<bool, EventError> {
        if self.state.end.is_some() || self.state.head.is_some() {
            return Ok(true);
        }
        match self.channel.next_readable() {
            Ok(sys::MV_MQTTREADABLEDATATYPE_NONE) => Ok(false),
            Ok(kind) => {
                self.state.head = Some(kind);
                Ok(true)
            }
            Err(Status::ChannelClosed) => {
                self.note_closed();
                Ok(true)
            }
            Err(status) => Err(EventError::Kernel(status)),
        }
    }

    fn read_published(&self) -> Result<Event<'static>, Status> {
        let response = self.channel.read_publish()?;
        let outcome = if !response.state.is_completed() {
            Err(RequestError::Failed(response.state))
        } else if response.reason.is_success() {
            Ok(response.reason)
        } else {
            Err(RequestError::Refused(response.reason))
        };
        Ok(Event::Published(PublishId(response.correlation_id), outcome))
    }

    fn read_subscribed(&mut self) -> Result<Event<'static>, Status> {
        let response = self.channel.read_subscribe()?;
        let id = SubscribeId(response.correlation_id);
        let in_flight = self.state.subscribe.take_if(|(expected, _)| *expected == id);
        let requested = in_flight.map_or(0, |(_, count)| count);
        let outcome = if !response.state.is_completed() {
            Err(RequestError::Failed(response.state))
        } else if let Some(codes) = response.codes(requested) {
            Ok(codes.iter().map(|&code| TopicOutcome::from_raw(code)).collect())
        } else {
            Err(RequestError::WrongOutcomeCount { requested, received: response.count })
        };
        Ok(Event::Subscribed(id, outcome))
    }

    fn read_unsubscribed(&mut self) -> Result<Event<'static>, Status> {
        let response = self.channel.read_unsubscribe()?;
        let id = UnsubscribeId(response.correlation_id);
        let in_flight = self.state.unsubscribe.take_if(|(expected, _)| *expected == id);
        let requested = in_flight.map_or(0, |(_, count)| count);
        let outcome = if !response.state.is_completed() {
            Err(RequestError::Failed(response.state))
        } else if let Some(codes) = response.codes(requested) {
            Ok(codes.iter().map(|&code| ReasonCode::from_raw(code)).collect())
        } else if response.count == 0 {
            // MQTT 3.1.1 has no reason codes here: the answer is that it is done.
            Ok(core::iter::repeat_n(ReasonCode::Success, requested.into()).collect())
        } else {
            Err(RequestError::WrongOutcomeCount { requested, received: response.count })
        };
        Ok(Event::Unsubscribed(id, outcome))
    }

    fn read_ended(&mut self) -> Result<Event<'static>, Status> {
        let (state, reason) = self.channel.read_disconnect()?;
        let end = SessionEnd::Disconnected { state, reason };
        Ok(Event::Ended(*self.state.end.get_or_insert(end)))
    }
}

/// Whether an item of this kind is read into the inbox; the others have room of their own.
fn goes_to_inbox(kind: u32) -> bool {
    matches!(kind, sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED | sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST)
}

/// Requests that wait for their answer. Whatever else happens meanwhile goes to `others`, in order:
/// messages may lie before the answer, and nobody else could take them.
impl MqttChannel<Connected> {
    /// Publishes and waits for the broker's verdict: its success code, or `None` for QoS 0, about
    /// which a broker says nothing.
    ///
    /// With QoS 0 it is done when the kernel has taken the message. Whether the kernel then reports
    /// that it was sent is uncertain; if it does, that is an [`Event::Published`].
    ///
    /// # Errors
    ///
    /// - [`Refused`](RequestError::Refused): the broker did not take the message.
    /// - [`Indeterminate`](RequestError::Indeterminate): the session ended first.
    /// - [`Event`](RequestError::Event): an event before the answer cannot be read.
    /// - as [`request_publish`](Self::request_publish); nothing is in flight then.
    ///
    /// # Cancellation
    ///
    /// Dropping the future does not withdraw the message. The answer is then an ordinary event.
    pub async fn publish(
        &mut self,
        publish: &Publish<'_>,
        inbox: &mut Inbox<'_>,
        mut others: impl FnMut(Event<'_>),
    ) -> Result<Option<ReasonCode>, RequestError> {
        let id = self.request_publish(publish)?;
        if publish.qos() == QoS::AtMostOnce {
            return Ok(None);
        }
        loop {
            match self.event(inbox).await.map_err(RequestError::Event)? {
                Event::Published(answered, outcome) if answered == id => return outcome.map(Some),
                Event::Ended(end) => return Err(RequestError::Indeterminate(end)),
                other => others(other),
            }
        }
    }

    /// Subscribes and waits for the broker's outcome for each filter. A subscribe request that is
    /// in flight is waited for first.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish). That the broker refuses a filter is an outcome, not an error.
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
            match self.event(inbox).await.map_err(RequestError::Event)? {
                Event::Ended(end) => return Err(RequestError::Ended(end)),
                other => others(other),
            }
        }
        let id = self.request_subscribe(subscriptions)?;
        loop {
            match self.event(inbox).await.map_err(RequestError::Event)? {
                Event::Subscribed(answered, outcome) if answered == id => return outcome,
                Event::Ended(end) => return Err(RequestError::Indeterminate(end)),
                other => others(other),
            }
        }
    }

    /// Unsubscribes and waits for the broker's reason code for each filter. An unsubscribe request
    /// that is in flight is waited for first.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
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
            match self.event(inbox).await.map_err(RequestError::Event)? {
                Event::Ended(end) => return Err(RequestError::Ended(end)),
                other => others(other),
            }
        }
        let id = self.request_unsubscribe(filters)?;
        loop {
            match self.event(inbox).await.map_err(RequestError::Event)? {
                Event::Unsubscribed(answered, outcome) if answered == id => return outcome,
                Event::Ended(end) => return Err(RequestError::Indeterminate(end)),
                other => others(other),
            }
        }
    }

    /// Ends the session with a DISCONNECT and waits until it is over, however it ended.
    ///
    /// # Errors
    ///
    /// A [`RequestError`], with the channel handed back: to try again after a rate limit, or to be
    /// closed.
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
            match self.event(inbox).await {
                Ok(Event::Ended(end)) => return Ok((self.into_state(Disconnected(())), end)),
                Ok(other) => others(other),
                Err(error) => return Err(HandedBack { error: RequestError::Event(error), value: self }),
            }
        }
    }
}
