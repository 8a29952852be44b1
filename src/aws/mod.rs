//! AWS IoT Core: what the platform's guide sets up, and what the broker takes.
//!
//! The guide's convention: the device's id is its Thing name and its MQTT client id. The device's
//! stores hold `root-CA`, `cert`, `broker-host`, `broker-port` (config) and `private_key` (secret).
//! It publishes to `sensor/device/<id>` and subscribes to `command/device/<id>` and
//! `command/device/all`.
//!
//! [`Settings`] fetches the five values, [`Profile`] makes a connection of them, [`Topics`] are the
//! guide's, [`LIMITS`] are AWS's. All together:
//!
//! ```
//! use microvisor::aws::{Profile, Settings, Topics};
//! use microvisor::mqtt::{Inbox, MqttChannel, Publish, QoS, Subscription};
//! use microvisor::{ChannelBuffers, DeviceId, Network};
//!
//! async fn report(network: &Network, buffers: ChannelBuffers) -> Result<(), Box<dyn core::error::Error>> {
//!     let id = DeviceId::read()?;
//!     let topics = Topics::new(&id);
//!     let mut memory = [0; 6144];
//!     let (settings, buffers) = Settings::fetch(network, buffers, &mut memory).await?;
//!     let credentials = settings.credentials();
//!     let profile = Profile::new(settings.endpoint(), &id, &credentials)?.with_port(settings.port());
//!
//!     let channel = MqttChannel::open(network, buffers)?;
//!     let mut session = channel.connect(&profile.connect_options())?.connected().await?;
//!     let (mut topic, mut payload) = ([0; 128], [0; 1024]);
//!     let mut inbox = Inbox::new(&mut topic, &mut payload);
//!     let commands = [Subscription::new(topics.command(), QoS::AtLeastOnce)];
//!     let granted = session.subscribe(&commands, &mut inbox, |_| ()).await?;
//!     assert!(granted.iter().all(|outcome| outcome.is_granted()));
//!     let reading = Publish::new(topics.telemetry(), br#"{"temperature_celsius":21.5}"#);
//!     session.publish(&reading.with_qos(QoS::AtLeastOnce), &mut inbox, |_| ()).await?;
//!     session.disconnect(&mut inbox, |_| ()).await?;
//!     Ok(())
//! }
//! # let _ = report;
//! ```

mod limits;
mod profile;
mod settings;
mod stored_profile;
mod topics;

pub use crate::config::Encoding;
pub use crate::session::SettingsError;
pub use limits::{DOCUMENTED_TOPICS, LIMITS, MAX_CLIENT_ID_LEN};
pub use profile::{Profile, ProfileError};
pub use settings::{Encodings, KEYS, Settings};
pub use stored_profile::{StoredProfile, StoredSettings};
pub use topics::{Commands, Topics};
