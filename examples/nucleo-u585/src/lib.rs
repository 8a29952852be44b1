//! What a Microvisor application needs of the Nucleo-U585 and is no part of the kernel: where the image
//! lies (`memory.x`), the vector table, a few registers, a timer, and what to do in the worst case.
//!
//! | | |
//! |---|---|
//! | [`interrupt`] | the vector table; enabling an interrupt; binding the notifications' |
//! | [`sleep_until`] | sleep between interrupts, for a main loop |
//! | [`Timer`] | delays in futures, by SysTick and the kernel's clock |
//! | [`Led`] | the user LED |
//! | [`log`] | lines for the server log |
//! | [`peripheral_clock`] | the clocks of peripherals, which the kernel owns |
//! | [`worst_case`] | panics and faults: logged, then the application restarts, or stops (a feature each) |
//! | `embassy_driver` | feature `embassy`: the time driver of `embassy-time` |
//! | `device` | feature `rtic`: what RTIC asks of a device crate |
//!
//! A main loop, as the image `aws_iot` has one, sleeps with [`sleep_until`]; futures without an executor, as in `blink_log`
//! and in the idle task of `aws_iot_rtic`, with the library's `microvisor::WaitForInterrupt`; those of `aws_iot_embassy`
//! with embassy's executor. None of this is needed by the library. An application that takes another crate for its board
//! takes that one's parts instead.
#![no_std]

mod alarm;
#[cfg(feature = "rtic")]
pub mod device;
#[cfg(feature = "embassy")]
pub mod embassy_driver;
pub mod interrupt;
mod led;
pub mod log;
#[cfg(target_arch = "arm")]
mod memory;
pub mod peripheral_clock;
mod sleep;
mod timer;
#[cfg(not(feature = "embassy"))]
mod timer_queue;
pub mod worst_case;

#[cfg(target_arch = "arm")]
core::arch::global_asm!(include_str!(concat!(env!("OUT_DIR"), "/vectors.s")));

pub use led::Led;
#[doc(hidden)]
pub use sleep::end as end_sleep;
pub use sleep::sleep_until;
pub use timer::Timer;
