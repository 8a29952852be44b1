//! Events.

use core::future::poll_fn;
use core::task::{Context, Poll};

use super::Connected;
use crate::mqtt::channel::MqttChannel;
use crate::mqtt::channel::read::TopicsResponse;
use crate::mqtt::{
    Event, EventError, Inbox, MAX_TOPICS, Outcomes, PublishId, ReasonCode, RequestError, SessionEnd,
    SubscribeId, TopicOutcome, UnsubscribeId,
};
use crate::{Status, sys};

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
    pub async fn event<'b>(&'b mut self, inbox: &'b mut Inbox<'_>) -> Result<Event<'b>, EventError> {
        poll_fn(|cx| self.poll_ready(cx)).await?;
        match self.try_event(inbox)? {
            Some(event) => Ok(event),
            // `poll_ready` has just seen one, and only this channel's owner takes it.
            None => Err(EventError::Kernel(Status::WRONG_DATA_REQUESTED)),
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
    pub fn try_event<'b>(&'b mut self, inbox: &'b mut Inbox<'_>) -> Result<Option<Event<'b>>, EventError> {
        if !self.look()? {
            return Ok(None);
        }
        let Some(kind) = self.state.head else {
            return Ok(self.state.end.map(Event::Ended));
        };
        let (topic, payload) = (inbox.topic.len(), inbox.payload.len());
        let event = match kind {
            sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED => {
                self.channel.read_message(self.state.session, inbox).map(Event::Message)
            }
            sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST => self.channel.read_lost(inbox).map(Event::Lost),
            sys::MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE => {
                self.read_published().map(|(id, outcome)| Event::Published(id, outcome))
            }
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
            Err(Status::CHANNEL_CLOSED) => Ok(Some(Event::Ended(self.note_closed()))),
            Err(Status::INVALID_BUFFER_SIZE) if goes_to_inbox(kind) => {
                Err(EventError::InboxTooSmall { topic, payload })
            }
            Err(status) => {
                // Perhaps the head is another than it was thought to be.
                self.state.head = None;
                Err(EventError::Kernel(status))
            }
        }
    }

    /// How the session ended, once [`Event::Ended`] was told.
    pub fn end(&self) -> Option<SessionEnd> {
        self.state.end
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
            Err(Status::CHANNEL_CLOSED) => {
                self.note_closed();
                Ok(true)
            }
            Err(status) => Err(EventError::Kernel(status)),
        }
    }

    fn note_closed(&mut self) -> SessionEnd {
        let end = SessionEnd::ChannelClosed(self.channel.closure_reason());
        self.state.head = None;
        *self.state.end.get_or_insert(end)
    }

    fn read_published(&self) -> Result<(PublishId, Result<ReasonCode, RequestError>), Status> {
        let response = self.channel.read_publish()?;
        let outcome = response.outcome(self.state.version);
        Ok((PublishId(self.state.id(response.correlation_id)), outcome))
    }

    fn read_subscribed(&mut self) -> Result<Event<'static>, Status> {
        let mut response = TopicsResponse::unwritten();
        self.channel.read_subscribe(&mut response)?;
        let id = SubscribeId(self.state.id(response.correlation_id));
        let in_flight = self.state.subscribe.take_if(|(expected, _)| *expected == id);
        let requested = in_flight.map(|(_, count)| count);
        Ok(Event::Subscribed(id, outcomes(&response, requested, TopicOutcome::from_raw)))
    }

    fn read_unsubscribed(&mut self) -> Result<Event<'static>, Status> {
        let mut response = TopicsResponse::unwritten();
        self.channel.read_unsubscribe(&mut response)?;
        let id = UnsubscribeId(self.state.id(response.correlation_id));
        let in_flight = self.state.unsubscribe.take_if(|(expected, _)| *expected == id);
        let requested = in_flight.map(|(_, count)| count);
        let outcome = match requested {
            // MQTT 3.1.1 has no reason codes here: the answer is that it is done.
            Some(count)
                if self.state.version.is_3() && response.state().is_completed() && response.count == 0 =>
            {
                Ok(convert(core::iter::repeat_n(0, count.into()), ReasonCode::from_raw))
            }
            requested => outcomes(&response, requested, ReasonCode::from_raw),
        };
        Ok(Event::Unsubscribed(id, outcome))
    }

    fn read_ended(&mut self) -> Result<Event<'static>, Status> {
        let (state, reason) = self.channel.read_disconnect()?;
        let end = SessionEnd::Disconnected { state, reason };
        Ok(Event::Ended(*self.state.end.get_or_insert(end)))
    }
}

fn goes_to_inbox(kind: u32) -> bool {
    matches!(kind, sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED | sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST)
}

/// `requested`: how many topics the request had, if the response is to the one in flight.
fn outcomes<T>(
    response: &TopicsResponse,
    requested: Option<u8>,
    from_raw: impl Fn(u32) -> T,
) -> Result<Outcomes<T>, RequestError> {
    if !response.state().is_completed() {
        return Err(RequestError::Failed(response.state()));
    }
    let requested = requested.ok_or(RequestError::OtherRequest)?;
    match response.codes(requested.into()) {
        Some(codes) => Ok(convert(codes.iter().copied(), from_raw)),
        None => Err(RequestError::WrongOutcomeCount { requested, received: response.count }),
    }
}

fn convert<T>(codes: impl Iterator<Item = u32>, from_raw: impl Fn(u32) -> T) -> Outcomes<T> {
    let mut outcomes = Outcomes::new();
    for code in codes.take(MAX_TOPICS) {
        // There is room for as many.
        let _ = outcomes.push(from_raw(code));
    }
    outcomes
}
