//! Safe Rust for Microvisor devices.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod aws;
pub mod clock;
pub mod config;
pub mod mqtt;
pub mod sys;
pub mod tls;

mod block_on;
mod channel;
mod decode;
mod device_id;
mod handed_back;
mod memory;
mod network;
mod notifications;
mod secret;
mod server_log;
mod status;
mod transition;

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use block_on::WaitForInterrupt;
pub use block_on::{Idle, block_on};
pub use channel::{ChannelBuffers, CloseError, ClosureReason, OpenError, SplitError};
pub use device_id::{DeviceId, DeviceIdError};
pub use handed_back::HandedBack;
pub use memory::{AlignedBytes, KERNEL_MEMORY_UNIT, KernelBuffer, KernelMemory};
pub use network::{Network, NetworkError, NetworkReasons, NetworkStatus, network_reasons};
pub use notifications::{
    CloseNotificationsError, MAX_SOURCES, NotificationCenter, NotificationError, Notifications,
};
pub use secret::Secret;
pub use server_log::{LogError, LogLine, ServerLog, StartLogError};
pub use status::{Recovery, Status};
pub use transition::Transition;
