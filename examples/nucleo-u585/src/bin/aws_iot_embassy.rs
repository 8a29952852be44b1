//! The main example's application as three tasks of embassy's executor.
#![no_std]
#![no_main]

#[path = "../../../aws_iot/application.rs"]
#[allow(dead_code, reason = "the main loop is not for tasks")]
mod application;
mod board;
#[path = "board/static_device.rs"]
mod static_device;
#[path = "../../../aws_iot/tasks.rs"]
mod tasks;

use cortex_m_rt::entry;
use embassy_executor::{Executor, SpawnError, SpawnToken, Spawner};
use nucleo_u585::{Timer, bind_notifications, worst_case};
use static_cell::StaticCell;
use static_device::BoardDevice;

static EXECUTOR: StaticCell<Executor> = StaticCell::new();

bind_notifications!(board::CENTER);

/// By hand, since what `embassy_executor::main` makes of it can panic.
#[entry]
fn main() -> ! {
    let device = static_device::device();
    static_device::place(&EXECUTOR, Executor::new()).run(|spawner| {
        start(spawner, stay_connected(device));
        start(spawner, telemetry(device));
        start(spawner, commands(device));
    })
}

#[embassy_executor::task]
async fn stay_connected(device: &'static BoardDevice) {
    device.stay_connected(Timer).await;
}

#[embassy_executor::task]
async fn telemetry(device: &'static BoardDevice) {
    device.telemetry(Timer, board::PLAN).await;
}

#[embassy_executor::task]
async fn commands(device: &'static BoardDevice) {
    device.commands().await;
}

/// There is room for one task of each kind, and each is started once.
fn start<S>(spawner: Spawner, task: Result<SpawnToken<S>, SpawnError>) {
    match task {
        Ok(task) => spawner.spawn(task),
        Err(_) => worst_case::give_up(),
    }
}
