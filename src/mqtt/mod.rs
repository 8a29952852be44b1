//! MQTT.

mod client_id;
mod qos;
mod reason_code;
mod request_state;
mod topic_error;
mod topic_filter;
mod topic_name;
mod utf8_string;

pub use client_id::{ClientId, ClientIdError};
pub use qos::QoS;
pub use reason_code::ReasonCode;
pub use request_state::RequestState;
pub use topic_error::TopicError;
pub use topic_filter::TopicFilter;
pub use topic_name::TopicName;
