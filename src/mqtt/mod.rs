//! Managed MQTT: the kernel speaks the protocol and TLS, the application asks and is told.
//!
//! Read [`MqttChannel`] and its states first, then [`ConnectOptions`], [`Event`] and
//! [`RequestError`].

mod channel;
mod client_id;
mod connect_error;
mod connect_options;
mod event;
mod host;
mod inbox;
mod limits;
mod message;
mod publish;
mod qos;
mod reason_code;
mod request_error;
mod request_state;
mod session_end;
mod subscription;
mod topic_error;
mod topic_filter;
mod topic_name;
mod utf8_string;

pub use channel::{Connected, Connecting, Disconnected, MqttChannel, Opened};
pub use client_id::{ClientId, ClientIdError};
pub use connect_error::{ConnectError, Suspects};
pub use connect_options::{ConnectOptions, MQTT_TLS_PORT, ProtocolVersion};
pub use event::{Event, EventError, PublishId, SubscribeId, UnsubscribeId};
pub use host::{Host, HostError};
pub use inbox::Inbox;
pub use limits::{LimitError, Limits, MAX_TOPICS};
pub use message::{AcknowledgeError, Acknowledgement, LostMessage, LostReason, Message};
pub use publish::Publish;
pub use qos::QoS;
pub use reason_code::ReasonCode;
pub use request_error::RequestError;
pub use request_state::RequestState;
pub use session_end::SessionEnd;
pub use subscription::{Outcomes, RetainHandling, Subscription, TopicOutcome};
pub use topic_error::TopicError;
pub use topic_filter::TopicFilter;
pub use topic_name::TopicName;

use crate::sys;

/// `bytes`, as a request points to them. What is empty points nowhere.
fn sized_string(bytes: &[u8]) -> sys::MvSizedString {
    // No slice that the platform's memory can hold is longer.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    sys::MvSizedString { data: if length == 0 { core::ptr::null() } else { bytes.as_ptr() }, length }
}
