//! Safe Rust for Microvisor devices.
#![no_std]
pub mod sys;
