//! The Microvisor kernel, for hosts.

#[cfg(feature = "bridge")]
pub mod bridge;
pub mod broker;
mod x509;
