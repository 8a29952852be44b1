//! The Microvisor kernel, for hosts.

pub mod broker;
