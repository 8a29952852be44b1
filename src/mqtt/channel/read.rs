//! Reading what the kernel has for the application, one item at a time.
//!
//! Each function here reads the item at the head of the channel's queue, whose kind is known.

use crate::Status;
use crate::channel::Channel;
use crate::mqtt::{Acknowledgement, Inbox, LostMessage, MAX_TOPICS, Message, ReasonCode, RequestState};
use crate::sized_string::sized_buffer;
use crate::sys;

/// The answer to a publish.
pub(super) struct PublishResponse {
    pub(super) correlation_id: u32,
    pub(super) state: RequestState,
    pub(super) reason: ReasonCode,
}

/// The answer to a subscribe or unsubscribe.
pub(super) struct TopicsResponse {
    pub(super) correlation_id: u32,
    pub(super) state: RequestState,
    codes: [u32; MAX_TOPICS],
    /// How many the kernel says there are.
    pub(super) count: u32,
}

impl TopicsResponse {
    /// The reason codes, provided that there are `count` of them.
    pub(super) fn codes(&self, count: u8) -> Option<&[u32]> {
        if self.count == u32::from(count) { self.codes.get(..count.into()) } else { None }
    }
}

impl Channel {
    /// The kind of the next item (`MvMqttReadableDataType`).
    pub(super) fn next_readable(&self) -> Result<u32, Status> {
        let mut kind = sys::MV_MQTTREADABLEDATATYPE_NONE;
        // SAFETY: `kind` is a live out-parameter of the enum's width.
        Status::check(unsafe { sys::mvMqttGetNextReadableDataType(self.handle(), &raw mut kind) })?;
        Ok(kind)
    }

    pub(super) fn read_disconnect(&self) -> Result<(RequestState, ReasonCode), Status> {
        let mut response = sys::MvMqttDisconnectResponse {
            request_state: sys::MV_MQTTREQUESTSTATE__MAX,
            disconnect_code: u32::MAX,
        };
        // SAFETY: `response` is a live out-parameter.
        Status::check(unsafe { sys::mvMqttReadDisconnectResponse(self.handle(), &raw mut response) })?;
        Ok((RequestState::from_raw(response.request_state), ReasonCode::from_raw(response.disconnect_code)))
    }

    pub(super) fn read_publish(&self) -> Result<PublishResponse, Status> {
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

    pub(super) fn read_subscribe(&self) -> Result<TopicsResponse, Status> {
        self.read_topics(|handle, state, correlation_id, codes, len| {
            let response = sys::MvMqttSubscribeResponse {
                request_state: state,
                correlation_id,
                reason_codes: codes,
                reason_codes_size: CODES_SIZE,
                reason_codes_len: len,
            };
            // SAFETY: `read_topics` passes pointers to locals of its own, which live during the call.
            unsafe { sys::mvMqttReadSubscribeResponse(handle, &raw const response) }
        })
    }

    pub(super) fn read_unsubscribe(&self) -> Result<TopicsResponse, Status> {
        self.read_topics(|handle, state, correlation_id, codes, len| {
            let response = sys::MvMqttUnsubscribeResponse {
                request_state: state,
                correlation_id,
                reason_codes: codes,
                reason_codes_size: CODES_SIZE,
                reason_codes_len: len,
            };
            // SAFETY: as in `read_subscribe`.
            unsafe { sys::mvMqttReadUnsubscribeResponse(handle, &raw const response) }
        })
    }

    fn read_topics(
        &self,
        read: impl FnOnce(u32, *mut u32, *mut u32, *mut u32, *mut u32) -> u32,
    ) -> Result<TopicsResponse, Status> {
        let mut state = sys::MV_MQTTREQUESTSTATE__MAX;
        let mut correlation_id = 0;
        let mut codes = [u32::MAX; CODES_SIZE as usize];
        let mut count = 0;
        Status::check(read(
            self.handle(),
            &raw mut state,
            &raw mut correlation_id,
            codes.as_mut_ptr(),
            &raw mut count,
        ))?;
        let mut response = TopicsResponse {
            correlation_id,
            state: RequestState::from_raw(state),
            codes: [0; MAX_TOPICS],
            count,
        };
        for (to, from) in response.codes.iter_mut().zip(codes) {
            *to = from;
        }
        Ok(response)
    }

    pub(super) fn read_message<'b>(
        &self,
        session: u32,
        inbox: &'b mut Inbox<'_>,
    ) -> Result<Message<'b>, Status> {
        let mut correlation_id = 0;
        let mut qos = 0;
        let mut retain = 0;
        let (mut topic_len, mut payload_len) = (0, 0);
        let mut nothing = [0; 2];
        let [no_topic, no_payload] = &mut nothing;
        let message = sys::MvMqttMessage {
            correlation_id: &raw mut correlation_id,
            topic: sized_buffer(inbox.topic, no_topic, &mut topic_len),
            payload: sized_buffer(inbox.payload, no_payload, &mut payload_len),
            qos: &raw mut qos,
            retain: &raw mut retain,
        };
        // SAFETY: all pointers are to locals and to the inbox, which nothing else uses meanwhile.
        Status::check(unsafe { sys::mvMqttReceiveMessage(self.handle(), &raw const message) })?;
        let acknowledgement = (qos != 0).then_some(Acknowledgement { session, correlation_id });
        Ok(Message {
            channel: self.handle(),
            topic: written(inbox.topic, topic_len),
            payload: written(inbox.payload, payload_len),
            qos,
            retain: retain != 0,
            acknowledgement,
        })
    }

    pub(super) fn read_lost<'b>(&self, inbox: &'b mut Inbox<'_>) -> Result<LostMessage<'b>, Status> {
        let mut reason = sys::MV_MQTTLOSTMESSAGEREASON__MAX;
        let mut topic_len = 0;
        let mut message_len = 0;
        let mut nothing = 0;
        let info = sys::MvMqttLostMessageInfo {
            reason: &raw mut reason,
            topic: sized_buffer(inbox.topic, &mut nothing, &mut topic_len),
            message_len: &raw mut message_len,
        };
        // SAFETY: as in `read_message`.
        Status::check(unsafe { sys::mvMqttReceiveLostMessageInfo(self.handle(), &raw const info) })?;
        Ok(LostMessage { topic: written(inbox.topic, topic_len), message_len, reason })
    }
}

/// The room for reason codes, which the ABI's header has in bytes, while applications that pass a
/// number of codes are known to work. As many words as 8 codes have bytes are right for both.
#[allow(clippy::cast_possible_truncation)] // 32.
const CODES_SIZE: u32 = size_of::<[u32; MAX_TOPICS]>() as u32;

/// What the kernel wrote, which is all of the memory where it says that it wrote more.
fn written(memory: &[u8], length: u32) -> &[u8] {
    memory.get(..length as usize).unwrap_or(memory)
}
