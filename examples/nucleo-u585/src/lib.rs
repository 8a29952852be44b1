//! What a Microvisor application needs of the Nucleo-U585 and is no part of the kernel: where the image
//! lies (`memory.x`), the vector table, a few registers, a timer, and what to do in the worst case.
//!
//! | | |
//! |---|---|
//! | [`interrupt`] | the vector table; enabling an interrupt; binding the notifications' |
//! | [`Timer`] | delays, by SysTick and the kernel's clock |
//! | [`Led`] | the user LED |
//! | [`peripheral_clock`] | the clocks of peripherals, which the kernel owns |
//! | [`worst_case`] | panics and faults: logged, then the application restarts, or stops (a feature each) |
//! | `embassy_driver` | feature `embassy`: the time driver of `embassy-time` |
//! | `device` | feature `rtic`: what RTIC asks of a device crate |
//!
//! Sleeping is the library's part: `microvisor::WaitForInterrupt`. None of this is needed by the
//! library. An application that takes another crate for its board takes that one's parts instead.
#![no_std]

mod alarm;
#[cfg(feature = "rtic")]
pub mod device;
#[cfg(feature = "embassy")]
pub mod embassy_driver;
pub mod interrupt;
mod led;
pub mod peripheral_clock;
mod timer;
#[cfg(not(feature = "embassy"))]
mod timer_queue;
pub mod worst_case;

pub use led::Led;
pub use timer::Timer;
