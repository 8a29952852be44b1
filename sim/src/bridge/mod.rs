//! The same requests, carried out against a real MQTT broker over real TLS.
//!
//! ```text
//!   kernel ──► Bridge ──commands──► worker thread ─┬─ tls         name, socket, handshake
//!                 ◄────events─────                 ├─ mqtt5/mqtt3 the client library
//!                                                  └─ link        one connection's life
//! ```
//!
//! A [`Bridge`] is a [`Broker`](crate::broker::Broker) that lives in real time. It connects with the
//! certificates and the key that the device hands over, nothing else: no trust store of the host, no
//! environment variable. [`BridgeOptions::connect_to`] leads the TCP connection elsewhere, for a
//! broker on the same machine; the name that the device asked for is still the one that the server's
//! certificate has to be for.

mod blank_session;
#[expect(clippy::module_inception, reason = "the file is named after the type that it holds")]
mod bridge;
mod link;
mod mqtt3;
mod mqtt5;
mod options;
mod tls;
mod worker;

pub use bridge::{Bridge, BridgeLog};
pub use options::BridgeOptions;
