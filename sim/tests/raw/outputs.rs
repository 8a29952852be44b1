//! Outputs of calls, filled with a number or character that no test expects.

use microvisor::sys;

pub(crate) fn buffer(data: &mut [u8], length: &mut u32) -> sys::MvSizedStringBuffer {
    let size = data.len().try_into().expect("a short buffer");
    sys::MvSizedStringBuffer { data: data.as_mut_ptr(), size, length }
}

/// Outputs for the reason codes of a subscribe or unsubscribe response.
#[derive(Debug)]
pub(crate) struct Codes {
    pub(crate) state: u32,
    pub(crate) correlation_id: u32,
    pub(crate) reasons: [u32; 32],
    pub(crate) len: u32,
}

impl Codes {
    pub(crate) fn new() -> Self {
        Self { state: 99, correlation_id: 99, reasons: [99; 32], len: 99 }
    }

    pub(crate) fn subscribe(&mut self, size: u32) -> sys::MvMqttSubscribeResponse {
        sys::MvMqttSubscribeResponse {
            request_state: &mut self.state,
            correlation_id: &mut self.correlation_id,
            reason_codes: self.reasons.as_mut_ptr(),
            reason_codes_size: size,
            reason_codes_len: &mut self.len,
        }
    }

    pub(crate) fn unsubscribe(&mut self, size: u32) -> sys::MvMqttUnsubscribeResponse {
        let same = self.subscribe(size);
        sys::MvMqttUnsubscribeResponse {
            request_state: same.request_state,
            correlation_id: same.correlation_id,
            reason_codes: same.reason_codes,
            reason_codes_size: same.reason_codes_size,
            reason_codes_len: same.reason_codes_len,
        }
    }
}

/// Outputs for a message, or for the report of a lost one.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) correlation_id: u32,
    pub(crate) topic: Vec<u8>,
    pub(crate) topic_len: u32,
    pub(crate) payload: Vec<u8>,
    pub(crate) payload_len: u32,
    pub(crate) qos: u32,
    pub(crate) retain: u8,
}

impl Received {
    pub(crate) fn with_room(topic: usize, payload: usize) -> Self {
        Self {
            correlation_id: 99,
            topic: vec![b'~'; topic],
            topic_len: 99,
            payload: vec![b'~'; payload],
            payload_len: 99,
            qos: 99,
            retain: 99,
        }
    }

    pub(crate) fn message(&mut self) -> sys::MvMqttMessage {
        sys::MvMqttMessage {
            correlation_id: &mut self.correlation_id,
            topic: buffer(&mut self.topic, &mut self.topic_len),
            payload: buffer(&mut self.payload, &mut self.payload_len),
            qos: &mut self.qos,
            retain: &mut self.retain,
        }
    }

    /// The reason goes where a message has its QoS, the length to the payload's.
    pub(crate) fn lost(&mut self) -> sys::MvMqttLostMessageInfo {
        sys::MvMqttLostMessageInfo {
            reason: &mut self.qos,
            topic: buffer(&mut self.topic, &mut self.topic_len),
            message_len: &mut self.payload_len,
        }
    }
}
