//! The bridge against mosquitto, over TLS with client certificates.
//!
//! Where mosquitto is not installed these tests say so and pass, unless `CI` is `true`.

#[path = "../pki/mod.rs"]
mod pki;

mod canned_broker;
mod device;
mod failures;
mod mosquitto;
mod sessions;
