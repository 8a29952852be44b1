//! Safe Rust for Microvisor devices.
#![no_std]

pub mod sys;

mod block_on;
mod status;

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use block_on::WaitForInterrupt;
pub use block_on::{Idle, block_on};
pub use status::{Recovery, Status};
