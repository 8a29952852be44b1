//! Safe Rust for Microvisor devices.
#![no_std]

pub mod sys;

pub mod mqtt;
pub mod tls;

mod block_on;
mod decode;
mod memory;
mod secret;
mod status;

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use block_on::WaitForInterrupt;
pub use block_on::{Idle, block_on};
pub use decode::DecodeError;
pub use memory::{AlignedBytes, KERNEL_MEMORY_UNIT, KernelBuffer, KernelMemory};
pub use secret::Secret;
pub use status::{Recovery, Status};
