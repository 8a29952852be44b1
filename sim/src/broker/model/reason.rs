//! MQTT reason codes, and what MQTT 3.1.1 has instead.

use crate::broker::Protocol;

pub(super) const SUCCESS: u32 = 0x00;
pub(super) const NO_MATCHING_SUBSCRIBERS: u32 = 0x10;
pub(super) const NO_SUBSCRIPTION_EXISTED: u32 = 0x11;
pub(super) const UNSPECIFIED: u32 = 0x80;
pub(super) const PROTOCOL_ERROR: u32 = 0x82;
pub(super) const CLIENT_ID_NOT_VALID: u32 = 0x85;
pub(super) const BAD_USER_NAME_OR_PASSWORD: u32 = 0x86;
pub(super) const NOT_AUTHORIZED: u32 = 0x87;
pub(super) const SESSION_TAKEN_OVER: u32 = 0x8E;
pub(super) const TOPIC_FILTER_INVALID: u32 = 0x8F;
pub(super) const TOPIC_NAME_INVALID: u32 = 0x90;
pub(super) const RECEIVE_MAXIMUM_EXCEEDED: u32 = 0x93;
pub(super) const PACKET_TOO_LARGE: u32 = 0x95;
pub(super) const QUOTA_EXCEEDED: u32 = 0x97;
pub(super) const QOS_NOT_SUPPORTED: u32 = 0x9B;
pub(super) const SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: u32 = 0x9E;

/// The CONNACK code in the client's protocol version (MQTT 3.1.1 §3.2.2.3).
pub(super) fn of_connack(protocol: Protocol, reason: u32) -> u32 {
    match (protocol, reason) {
        (Protocol::V5, reason) => reason,
        (Protocol::V3_1_1, SUCCESS) => 0,
        (Protocol::V3_1_1, CLIENT_ID_NOT_VALID) => 2,
        (Protocol::V3_1_1, BAD_USER_NAME_OR_PASSWORD) => 4,
        (Protocol::V3_1_1, NOT_AUTHORIZED) => 5,
        (Protocol::V3_1_1, _) => 3,
    }
}

/// The SUBACK code of one filter in the client's protocol version (MQTT 3.1.1 §3.9.3).
pub(super) fn of_suback(protocol: Protocol, reason: u32) -> u32 {
    match protocol {
        Protocol::V5 => reason,
        Protocol::V3_1_1 => reason.min(UNSPECIFIED),
    }
}

/// The PUBACK or UNSUBACK code: MQTT 3.1.1 knows none, so all is well there.
pub(super) fn of_acknowledgement(protocol: Protocol, reason: u32) -> u32 {
    match protocol {
        Protocol::V5 => reason,
        Protocol::V3_1_1 => SUCCESS,
    }
}
