//! Reading what the kernel has for the application, one item at a time.
//!
//! Each function here reads the item at the head of the channel's queue, whose kind is known.

use crate::Status;
use crate::channel::Channel;
use crate::mqtt::{
    Acknowledgement, Inbox, LostMessage, MAX_TOPICS, Message, ProtocolVersion, ReasonCode, RequestError,
    RequestState,
};
use crate::sized_string::sized_buffer;
use crate::sys;

/// The answer to a publish.
pub(crate) struct PublishResponse {
    pub(crate) correlation_id: u32,
    pub(crate) state: RequestState,
    pub(crate) reason: ReasonCode,
}

impl PublishResponse {
    /// Both layers of the answer: the platform's and the broker's.
    pub(super) fn outcome(&self, version: ProtocolVersion) -> Result<ReasonCode, RequestError> {
        let reason = self.reason_in(version);
        if !self.state.is_completed() {
            Err(RequestError::Failed(self.state))
        } else if reason.is_success() {
            Ok(reason)
        } else {
            Err(RequestError::Refused(reason))
        }
    }

    /// The broker's word. MQTT 3.1.1 has no reason codes here: an answer is a success.
    pub(crate) fn reason_in(&self, version: ProtocolVersion) -> ReasonCode {
        if version.is_3() { ReasonCode::SUCCESS } else { self.reason }
    }
}

/// The answer to a subscribe or unsubscribe.
pub(crate) struct TopicsResponse {
    state: sys::MvMqttRequestState,
    pub(crate) correlation_id: u32,
    codes: [u32; CODES_SIZE as usize],
    /// How many the kernel says there are.
    pub(crate) count: u32,
}

impl TopicsResponse {
    pub(crate) fn unwritten() -> Self {
        Self {
            state: sys::MV_MQTTREQUESTSTATE__MAX,
            correlation_id: 0,
            codes: [u32::MAX; CODES_SIZE as usize],
            count: 0,
        }
    }

    pub(crate) fn state(&self) -> RequestState {
        RequestState::from_raw(self.state)
    }

    /// The reason codes, provided that there are `count` of them, [`MAX_TOPICS`] at most.
    pub(crate) fn codes(&self, count: usize) -> Option<&[u32]> {
        if self.count as usize == count && count <= MAX_TOPICS { self.codes.get(..count) } else { None }
    }
}

/// What there is to know of a message but its topic and payload.
#[derive(Clone, Copy)]
pub(crate) struct MessageFacts {
    /// What it is acknowledged by, if its QoS is not 0.
    pub(crate) correlation_id: u32,
    pub(crate) qos: u32,
    topic_len: u32,
    payload_len: u32,
    retain: u8,
}

impl MessageFacts {
    pub(crate) fn unwritten() -> Self {
        Self { correlation_id: 0, qos: 0, topic_len: 0, payload_len: 0, retain: 0 }
    }

    /// The length of the topic in bytes.
    pub(crate) fn topic_len(&self) -> usize {
        self.topic_len as usize
    }

    /// The topic is not kept.
    pub(crate) fn forget_topic(&mut self) {
        self.topic_len = 0;
    }

    /// The length of the payload in bytes.
    pub(crate) fn payload_len(&self) -> usize {
        self.payload_len as usize
    }

    pub(crate) fn is_retained(&self) -> bool {
        self.retain != 0
    }

    /// The length of a lost message in bytes, and why it is lost. The kernel says that in the place of the
    /// payload's length and the quality of service.
    pub(crate) fn lost(&self) -> (u32, u32) {
        (self.payload_len, self.qos)
    }
}

impl Channel {
    /// The kind of the next item (`MvMqttReadableDataType`).
    pub(crate) fn next_readable(&self) -> Result<u32, Status> {
        let mut kind = sys::MV_MQTTREADABLEDATATYPE_NONE;
        // SAFETY: `kind` is a live out-parameter of the enum's width.
        Status::check(unsafe { sys::mvMqttGetNextReadableDataType(self.handle(), &raw mut kind) })?;
        Ok(kind)
    }

    pub(crate) fn read_disconnect(&self) -> Result<(RequestState, ReasonCode), Status> {
        let mut response = sys::MvMqttDisconnectResponse {
            request_state: sys::MV_MQTTREQUESTSTATE__MAX,
            disconnect_code: u32::MAX,
        };
        // SAFETY: `response` is a live out-parameter.
        Status::check(unsafe { sys::mvMqttReadDisconnectResponse(self.handle(), &raw mut response) })?;
        Ok((RequestState::from_raw(response.request_state), ReasonCode::from_raw(response.disconnect_code)))
    }

    pub(crate) fn read_publish(&self) -> Result<PublishResponse, Status> {
        let mut response = sys::MvMqttPublishResponse {
            request_state: sys::MV_MQTTREQUESTSTATE__MAX,
            correlation_id: 0,
            reason_code: u32::MAX,
        };
        // SAFETY: `response` is a live out-parameter.
        Status::check(unsafe { sys::mvMqttReadPublishResponse(self.handle(), &raw mut response) })?;
        Ok(PublishResponse {
            correlation_id: response.correlation_id,
            state: RequestState::from_raw(response.request_state),
            reason: ReasonCode::from_raw(response.reason_code),
        })
    }

    pub(crate) fn read_subscribe(&self, read: &mut TopicsResponse) -> Result<(), Status> {
        let response = sys::MvMqttSubscribeResponse {
            request_state: &raw mut read.state,
            correlation_id: &raw mut read.correlation_id,
            reason_codes: read.codes.as_mut_ptr(),
            reason_codes_size: CODES_SIZE,
            reason_codes_len: &raw mut read.count,
        };
        // SAFETY: all pointers are to `read`, which lives during the call.
        Status::check(unsafe { sys::mvMqttReadSubscribeResponse(self.handle(), &raw const response) })
    }

    pub(crate) fn read_unsubscribe(&self, read: &mut TopicsResponse) -> Result<(), Status> {
        let response = sys::MvMqttUnsubscribeResponse {
            request_state: &raw mut read.state,
            correlation_id: &raw mut read.correlation_id,
            reason_codes: read.codes.as_mut_ptr(),
            reason_codes_size: CODES_SIZE,
            reason_codes_len: &raw mut read.count,
        };
        // SAFETY: as in `read_subscribe`.
        Status::check(unsafe { sys::mvMqttReadUnsubscribeResponse(self.handle(), &raw const response) })
    }

    /// Reads a message into the inbox, or the report of a lost one.
    #[inline(never)]
    pub(crate) fn receive(
        &self,
        is_lost: bool,
        inbox: &mut Inbox<'_>,
        facts: &mut MessageFacts,
    ) -> Result<(), Status> {
        let topic = sized_buffer(inbox.topic, &mut facts.topic_len);
        let read = if is_lost {
            let lost = sys::MvMqttLostMessageInfo {
                reason: &raw mut facts.qos,
                topic,
                message_len: &raw mut facts.payload_len,
            };
            // SAFETY: all pointers are to locals and to the inbox, which nothing else uses meanwhile.
            unsafe { sys::mvMqttReceiveLostMessageInfo(self.handle(), &raw const lost) }
        } else {
            let message = sys::MvMqttMessage {
                correlation_id: &raw mut facts.correlation_id,
                topic,
                payload: sized_buffer(inbox.payload, &mut facts.payload_len),
                qos: &raw mut facts.qos,
                retain: &raw mut facts.retain,
            };
            // SAFETY: as above.
            unsafe { sys::mvMqttReceiveMessage(self.handle(), &raw const message) }
        };
        Status::check(read)
    }

    pub(crate) fn read_message<'b>(
        &self,
        session: u32,
        inbox: &'b mut Inbox<'_>,
    ) -> Result<Message<'b>, Status> {
        let mut facts = MessageFacts::unwritten();
        self.receive(false, inbox, &mut facts)?;
        let correlation_id = facts.correlation_id;
        let (topic, payload) = inbox.written(facts.topic_len(), facts.payload_len());
        Ok(Message {
            channel: self.handle(),
            topic,
            payload,
            qos: facts.qos,
            retain: facts.is_retained(),
            acknowledgement: (facts.qos != 0).then_some(Acknowledgement { session, correlation_id }),
        })
    }

    pub(crate) fn read_lost<'b>(&self, inbox: &'b mut Inbox<'_>) -> Result<LostMessage<'b>, Status> {
        let mut facts = MessageFacts::unwritten();
        self.receive(true, inbox, &mut facts)?;
        let (message_len, reason) = facts.lost();
        Ok(LostMessage::new(inbox.written(facts.topic_len(), 0).0, message_len, reason))
    }
}

/// The room for reason codes, which the ABI's header has in bytes, while applications that pass a
/// number of codes are known to work. As many words as 8 codes have bytes are right for both.
#[allow(clippy::cast_possible_truncation)] // 32.
const CODES_SIZE: u32 = size_of::<[u32; MAX_TOPICS]>() as u32;
