//! What RTIC asks of a device crate: the interrupts' names, and how many bits a priority has.

pub use crate::interrupt::Interrupt;

/// RTIC's name for the interrupts.
pub use crate::interrupt::Interrupt as interrupt;

/// Of each interrupt's priority (RM0456, 21.1).
pub const NVIC_PRIO_BITS: u8 = 4;
