//! The main example's application: one future, polled between interrupts.
#![no_std]
#![no_main]

#[path = "../../../aws_iot/application.rs"]
mod application;
mod board;

use cortex_m_rt::entry;
use microvisor::{WaitForInterrupt, block_on};
use nucleo_u585::{Timer, worst_case};

#[entry]
fn main() -> ! {
    let log = board::start_log();
    block_on(&mut WaitForInterrupt::new(), async {
        let _ = application::run(board::machine(Timer, log).await, board::PLAN).await;
    });
    // The plan has no end, and the memory is as planned.
    worst_case::restart()
}
