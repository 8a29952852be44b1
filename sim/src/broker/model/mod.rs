//! A broker with AWS IoT's rules, on virtual time.
//!
//! ```text
//!   test ──► ModelBroker ──► FarEnd ─┬─ Identities, Policy   who is it, what may it do
//!   kernel ─►  (handle)              ├─ Limits               how much of it
//!                                    ├─ Session, Retained    what is kept
//!                                    ├─ Schedule, Latency    when it arrives
//!                                    └─ Script, Record       what a test wants, and finds
//! ```
//!
//! [`ModelBroker`] is a handle that can be cloned: one goes to the kernel, one stays with the test.
//! A device's request travels to the broker, is carried out there, and its outcome travels back;
//! each way takes the latency that the builder was given. Read `model_broker.rs` for what a test can
//! do, `connecting.rs`, `requests.rs` and `delivering.rs` for what the broker does.
//!
//! # Where AWS's behaviour was not clear
//!
//! - A certificate that is not registered, or none at all, fails in the TLS handshake:
//!   `SOCKETERROR`, no CONNACK. A policy without `iot:Connect` answers 0x87 (5 in MQTT 3.1.1).
//! - An operation that the policy does not allow drops the connection, see [`Denial`].
//! - A message that the policy does not let the client receive is withheld, and a complaint is
//!   recorded; the connection stays.
//! - Shared subscriptions (`$share/…`) are refused with 0x9E.
//! - Publishes beyond the rate are discarded: 0x97 in MQTT 5, no answer in MQTT 3.1.1.

mod builder;
mod connecting;
mod delivering;
mod far_end;
mod identity;
mod latency;
mod limits;
mod model_broker;
mod policy;
mod reason;
mod record;
mod requests;
mod restarting;
mod retained;
mod schedule;
mod script;
mod session;
mod topic;

pub use builder::{Denial, ModelBrokerBuilder};
pub use identity::Thing;
pub use limits::Limits;
pub use model_broker::ModelBroker;
pub use policy::{Policy, PolicyError};
pub use record::{Acknowledged, ConnectAttempt, Received};

/// A message on its way through the broker.
#[derive(Clone, Debug)]
struct Message {
    topic: Vec<u8>,
    payload: Vec<u8>,
    qos: u8,
    retain: bool,
}
