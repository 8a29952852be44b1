use microvisor::sys;

use super::channels::ChannelKind;
use super::pointers::write_output;
use super::{Event, Kernel, Outcome, length};
use crate::names;
use crate::quirks::ReasonCodesSize;
use crate::trace::shown;

/// How long after a read the kernel takes up a message that was held back, in microseconds.
const RELEASE_DELAY: u64 = 2_000;

/// Something that can be read on an MQTT channel.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Connect { state: u32, reason: u32 },
    Subscribe { correlation_id: u32, state: u32, reasons: Vec<u32> },
    Unsubscribe { correlation_id: u32, state: u32, reasons: Vec<u32> },
    Publish { correlation_id: u32, state: u32, reason: u32 },
    Message(Message),
    Lost { topic: Vec<u8>, length: u32 },
    Disconnect { state: u32, reason: u32 },
}

/// A message from the broker.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) correlation_id: u32,
    pub(crate) delivery: u32,
    pub(crate) topic: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
}

impl Message {
    /// What it takes of the receive buffer.
    pub(crate) fn size(&self) -> usize {
        self.topic.len() + self.payload.len()
    }
}

impl Item {
    pub(crate) fn kind(&self) -> sys::MvMqttReadableDataType {
        match self {
            Self::Connect { .. } => sys::MV_MQTTREADABLEDATATYPE_CONNECTRESPONSE,
            Self::Subscribe { .. } => sys::MV_MQTTREADABLEDATATYPE_SUBSCRIBERESPONSE,
            Self::Unsubscribe { .. } => sys::MV_MQTTREADABLEDATATYPE_UNSUBSCRIBERESPONSE,
            Self::Publish { .. } => sys::MV_MQTTREADABLEDATATYPE_PUBLISHRESPONSE,
            Self::Message(_) => sys::MV_MQTTREADABLEDATATYPE_MESSAGERECEIVED,
            Self::Lost { .. } => sys::MV_MQTTREADABLEDATATYPE_MESSAGELOST,
            Self::Disconnect { .. } => sys::MV_MQTTREADABLEDATATYPE_DISCONNECTRESPONSE,
        }
    }
}

/// The outputs for a list of reason codes, which two calls have in structures of their own.
struct CodesOutput {
    request_state: *mut u32,
    correlation_id: *mut u32,
    reason_codes: *mut u32,
    reason_codes_size: u32,
    reason_codes_len: *mut u32,
}

impl Kernel {
    /// The item at the head, if it is of that kind; a wrong guess consumes nothing.
    fn head<T>(&mut self, handle: u32, take: impl Fn(&Item) -> Option<T>) -> Outcome<T> {
        let channel = self.channel(handle, ChannelKind::Mqtt)?;
        channel.items.front().and_then(take).ok_or(sys::MV_STATUS_WRONGDATAREQUESTED)
    }

    fn consume(&mut self, handle: u32) {
        if let Some(channel) = self.handles.channel(handle) {
            channel.items.pop_front();
            if !channel.held.is_empty() {
                self.schedule(RELEASE_DELAY, Event::MessagesReleased(handle));
            }
        }
    }

    pub(crate) fn mqtt_get_next_readable_data_type(
        &mut self,
        handle: u32,
        out: *mut sys::MvMqttReadableDataType,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        self.output(out, "data_type")?;
        let channel = self.channel(handle, ChannelKind::Mqtt)?;
        let kind = channel.items.front().map_or(sys::MV_MQTTREADABLEDATATYPE_NONE, Item::kind);
        self.put(out, kind, "data_type", names::readable(kind));
        Ok(())
    }

    pub(crate) fn mqtt_read_connect_response(
        &mut self,
        handle: u32,
        out: *mut sys::MvMqttConnectResponse,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        self.output(out, "response_data")?;
        let (request_state, reason_code) = self.head(handle, |item| match *item {
            Item::Connect { state, reason } => Some((state, reason)),
            _ => None,
        })?;
        let response = sys::MvMqttConnectResponse { request_state, reason_code };
        self.put(out, response, "request_state", names::request_state(request_state));
        self.note("reason_code", format_args!("{reason_code:#x}"));
        self.consume(handle);
        Ok(())
    }

    pub(crate) fn mqtt_read_publish_response(
        &mut self,
        handle: u32,
        out: *mut sys::MvMqttPublishResponse,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        self.output(out, "response_data")?;
        let response = self.head(handle, |item| match *item {
            Item::Publish { correlation_id, state, reason } => {
                Some(sys::MvMqttPublishResponse { request_state: state, correlation_id, reason_code: reason })
            }
            _ => None,
        })?;
        self.put(out, response, "request_state", names::request_state(response.request_state));
        self.note("correlation_id", response.correlation_id);
        self.note("reason_code", format_args!("{:#x}", response.reason_code));
        self.consume(handle);
        Ok(())
    }

    pub(crate) fn mqtt_read_disconnect_response(
        &mut self,
        handle: u32,
        out: *mut sys::MvMqttDisconnectResponse,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        self.output(out, "response_data")?;
        let response = self.head(handle, |item| match *item {
            Item::Disconnect { state, reason } => {
                Some(sys::MvMqttDisconnectResponse { request_state: state, disconnect_code: reason })
            }
            _ => None,
        })?;
        self.put(out, response, "request_state", names::request_state(response.request_state));
        self.note("disconnect_code", format_args!("{:#x}", response.disconnect_code));
        self.consume(handle);
        Ok(())
    }

    pub(crate) fn mqtt_read_subscribe_response(
        &mut self,
        handle: u32,
        response: *const sys::MvMqttSubscribeResponse,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        let response = self.input(response, "response_data")?;
        let item = self.head(handle, |item| match item {
            Item::Subscribe { correlation_id, state, reasons } => {
                Some((*correlation_id, *state, reasons.clone()))
            }
            _ => None,
        })?;
        let out = CodesOutput {
            request_state: response.request_state,
            correlation_id: response.correlation_id,
            reason_codes: response.reason_codes,
            reason_codes_size: response.reason_codes_size,
            reason_codes_len: response.reason_codes_len,
        };
        self.read_codes(handle, &out, item)
    }

    pub(crate) fn mqtt_read_unsubscribe_response(
        &mut self,
        handle: u32,
        response: *const sys::MvMqttUnsubscribeResponse,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        let response = self.input(response, "response_data")?;
        let item = self.head(handle, |item| match item {
            Item::Unsubscribe { correlation_id, state, reasons } => {
                Some((*correlation_id, *state, reasons.clone()))
            }
            _ => None,
        })?;
        let out = CodesOutput {
            request_state: response.request_state,
            correlation_id: response.correlation_id,
            reason_codes: response.reason_codes,
            reason_codes_size: response.reason_codes_size,
            reason_codes_len: response.reason_codes_len,
        };
        self.read_codes(handle, &out, item)
    }

    fn read_codes(
        &mut self,
        handle: u32,
        out: &CodesOutput,
        (correlation_id, state, reasons): (u32, u32, Vec<u32>),
    ) -> Outcome {
        self.nested_output(out.request_state, "request_state")?;
        self.nested_output(out.correlation_id, "correlation_id")?;
        self.nested_output(out.reason_codes_len, "reason_codes_len")?;
        let bytes = match self.quirks.reason_codes_size {
            ReasonCodesSize::Bytes => out.reason_codes_size / 4 * 4,
            ReasonCodesSize::Elements => out.reason_codes_size.saturating_mul(4),
        };
        self.nested_output_words(out.reason_codes, bytes, "reason_codes")?;
        if reasons.len() * 4 > bytes as usize {
            return Err(sys::MV_STATUS_INVALIDBUFFERSIZE);
        }
        self.put(out.request_state, state, "request_state", names::request_state(state));
        self.put(out.correlation_id, correlation_id, "correlation_id", correlation_id);
        write_output(out.reason_codes_len, length(&reasons));
        if bytes > 0 {
            let codes: Vec<u8> = reasons.iter().flat_map(|reason| reason.to_ne_bytes()).collect();
            self.fill(out.reason_codes.cast(), bytes as usize, &codes);
        }
        self.note("reason_codes", format_args!("{reasons:#x?}").to_string().replace([' ', '\n'], ""));
        self.consume(handle);
        Ok(())
    }

    pub(crate) fn mqtt_receive_message(
        &mut self,
        handle: u32,
        message: *const sys::MvMqttMessage,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        let out = self.input(message, "message_data")?;
        let message = self.head(handle, |item| match item {
            Item::Message(message) => Some(message.clone()),
            _ => None,
        })?;
        self.nested_output(out.correlation_id, "correlation_id")?;
        self.nested_buffer(out.topic, "topic")?;
        self.nested_buffer(out.payload, "payload")?;
        self.nested_output(out.qos, "qos")?;
        self.nested_output(out.retain, "retain")?;
        if message.topic.len() > out.topic.size as usize || message.payload.len() > out.payload.size as usize
        {
            return Err(sys::MV_STATUS_INVALIDBUFFERSIZE);
        }
        self.put(out.correlation_id, message.correlation_id, "correlation_id", message.correlation_id);
        self.put_bytes(out.topic, &message.topic);
        self.note("topic", shown(&message.topic));
        self.put_bytes(out.payload, &message.payload);
        self.note("payload", shown(&message.payload));
        self.put(out.qos, u32::from(message.qos), "qos", message.qos);
        self.put(out.retain, u8::from(message.retain), "retain", u8::from(message.retain));
        self.consume(handle);
        if message.qos > 0
            && let Some(channel) = self.handles.channel(handle)
        {
            channel.unacknowledged.insert(message.correlation_id, message.delivery);
        }
        Ok(())
    }

    pub(crate) fn mqtt_receive_lost_message_info(
        &mut self,
        handle: u32,
        info: *const sys::MvMqttLostMessageInfo,
    ) -> Outcome {
        self.channel(handle, ChannelKind::Mqtt)?;
        let out = self.input(info, "lost_message_info")?;
        let (topic, message_len) = self.head(handle, |item| match item {
            Item::Lost { topic, length } => Some((topic.clone(), *length)),
            _ => None,
        })?;
        self.nested_output(out.reason, "reason")?;
        self.nested_buffer(out.topic, "topic")?;
        self.nested_output(out.message_len, "message_len")?;
        if topic.len() > out.topic.size as usize {
            return Err(sys::MV_STATUS_INVALIDBUFFERSIZE);
        }
        let reason = sys::MV_MQTTLOSTMESSAGEREASON_DEVICERECEIVEBUFFERTOOSMALL;
        self.put(out.reason, reason, "reason", "DEVICERECEIVEBUFFERTOOSMALL");
        self.put_bytes(out.topic, &topic);
        self.note("topic", shown(&topic));
        self.put(out.message_len, message_len, "message_len", message_len);
        self.consume(handle);
        Ok(())
    }
}
