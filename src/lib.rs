//! Safe Rust for Microvisor devices.
#![no_std]

pub mod sys;

mod block_on;
mod memory;
mod status;

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use block_on::WaitForInterrupt;
pub use block_on::{Idle, block_on};
pub use memory::{AlignedBytes, KERNEL_MEMORY_UNIT, KernelBuffer, KernelMemory};
pub use status::{Recovery, Status};
