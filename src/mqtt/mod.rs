//! Managed MQTT: the kernel speaks the protocol and TLS, the application asks and is told.
//!
//! ```text
//!                open           connect             connected
//!  ChannelBuffers ──▶ <Opened> ────────▶ <Connecting> ────────▶ <Connected> ⟲ requests, events
//!        ▲               │                    │                      │ disconnect
//!        │               │                    │ refused              ▼
//!        │               │                    └──────────────▶ <Disconnected>
//!        └───────────────┴────────── close, in every state ──────────┘
//! ```
//!
//! A channel connects once in its life: another session needs another channel.
//!
//! In session, a request returns at once, and what comes of it is an [`Event`], as are messages and
//! the session's end. They come in one queue, so whoever waits for the answer to a publish has to
//! take the messages before it. [`MqttChannel::publish`] and its like do that and hand everything
//! else on:
//!
//! ```
//! # use microvisor::mqtt::{ClientId, ConnectOptions, Host};
//! # use microvisor::{ChannelBuffers, Network};
//! use microvisor::mqtt::{Event, Inbox, MqttChannel, Publish, QoS, Subscription, TopicFilter, TopicName};
//!
//! # async fn talk(network: &Network, buffers: ChannelBuffers) -> Result<(), Box<dyn core::error::Error>> {
//! # let options = ConnectOptions::new(Host::new("broker.example")?, ClientId::new("device")?);
//! let mut session = MqttChannel::open(network, buffers)?.connect(&options)?.connected().await?;
//! let (mut topic, mut payload) = ([0; 128], [0; 1024]);
//! let mut inbox = Inbox::new(&mut topic, &mut payload);
//!
//! let mut commands = 0;
//! let mut take = |event: Event<'_>| {
//!     if let Event::Message(message) = event {
//!         commands += 1;
//!         // A message of QoS 1 comes again until it is acknowledged.
//!         let _ = message.acknowledge();
//!     }
//! };
//! let filter = Subscription::new(TopicFilter::new("command/+")?, QoS::AtLeastOnce);
//! session.subscribe(&[filter], &mut inbox, &mut take).await?;
//! let reading = Publish::new(TopicName::new("sensor")?, b"21.5").with_qos(QoS::AtLeastOnce);
//! session.publish(&reading, &mut inbox, &mut take).await?;
//!
//! loop {
//!     match session.event(&mut inbox).await? {
//!         Event::Ended(end) => break println!("{end}; {commands} commands"),
//!         event => take(event),
//!     }
//! }
//! session.close()?;
//! # Ok(())
//! # }
//! ```
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
mod user;
mod utf8_string;

pub use channel::{Connected, Connecting, Disconnected, MqttChannel, Opened};
pub(crate) use channel::{MessageFacts, PublishResponse, TopicsResponse};
pub use client_id::{ClientId, ClientIdError};
pub use connect_error::{ConnectError, Suspects};
pub use connect_options::{ConnectOptions, MQTT_TLS_PORT, ProtocolVersion};
use event::RequestId;
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
pub use user::{User, UserError};
