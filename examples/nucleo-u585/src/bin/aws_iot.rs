//! The main example's application, called between interrupts.
#![no_std]
#![no_main]

#[path = "../../../aws_iot/application.rs"]
mod application;
mod board;

use core::mem::MaybeUninit;

use application::Application;
use board::BoardLog;
use cortex_m_rt::entry;
use microvisor::aws::{Commands, Topics};
use nucleo_u585::{bind_notifications, sleep_until, worst_case};

bind_notifications!(board::CENTER);

#[entry]
fn main() -> ! {
    // These become references that live for ever, since `main` is entered once.
    static mut TOPICS: MaybeUninit<Topics> = MaybeUninit::uninit();
    static mut COMMANDS: MaybeUninit<Commands<'static>> = MaybeUninit::uninit();
    static mut APPLICATION: MaybeUninit<Application<'static, BoardLog>> = MaybeUninit::uninit();

    let application = start(TOPICS, COMMANDS, APPLICATION);
    loop {
        sleep_until(application.step());
    }
}

/// Apart from the loop, which needs less of the stack.
#[inline(never)]
fn start(
    topics: &'static mut MaybeUninit<Topics>,
    commands: &'static mut MaybeUninit<Commands<'static>>,
    application: &'static mut MaybeUninit<Application<'static, BoardLog>>,
) -> &'static mut Application<'static, BoardLog> {
    let log = board::start_log();
    // The kernel has the device's id at hand.
    let Ok(topics) = Topics::read_into(topics) else { worst_case::give_up() };
    let commands: &_ = commands.write(topics.commands());
    match Application::new(board::machine(topics.id(), log), board::PLAN.interval_ms, topics, commands) {
        Ok(started) => application.write(started),
        Err(handed_back) => {
            // The memory is not as planned. What is handed back need not be put in order.
            core::mem::forget(handed_back);
            worst_case::give_up()
        }
    }
}
