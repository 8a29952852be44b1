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
use microvisor::aws::Topics;
use microvisor::mqtt::Subscription;
use nucleo_u585::{bind_notifications, sleep_until, worst_case};

bind_notifications!(board::CENTER);

#[entry]
fn main() -> ! {
    // These become references that live for ever, since `main` is entered once.
    static mut TOPICS: MaybeUninit<Topics> = MaybeUninit::uninit();
    static mut SUBSCRIPTIONS: MaybeUninit<[Subscription<'static>; 2]> = MaybeUninit::uninit();
    static mut APPLICATION: MaybeUninit<Application<'static, BoardLog>> = MaybeUninit::uninit();

    let application = start(TOPICS, SUBSCRIPTIONS, APPLICATION);
    loop {
        sleep_until(application.step());
    }
}

/// Apart from the loop, which needs less of the stack.
#[inline(never)]
fn start(
    topics: &'static mut MaybeUninit<Topics>,
    subscriptions: &'static mut MaybeUninit<[Subscription<'static>; 2]>,
    application: &'static mut MaybeUninit<Application<'static, BoardLog>>,
) -> &'static mut Application<'static, BoardLog> {
    let log = board::start_log();
    let id = application::read_id(log, sleep_until);
    let topics: &_ = topics.write(Topics::new(&id));
    let subscriptions: &_ = subscriptions.write(application::subscriptions(topics));
    match Application::new(board::machine(log), board::PLAN, id, topics, subscriptions) {
        Ok(started) => application.write(started),
        Err(handed_back) => {
            // The memory is not as planned. What is handed back need not be put in order.
            core::mem::forget(handed_back);
            worst_case::restart()
        }
    }
}
