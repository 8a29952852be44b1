//! The main example's application as three tasks of embassy's executor.
#![no_std]
#![no_main]

#[path = "../../../aws_iot/application.rs"]
mod application;
mod board;
#[path = "board/static_device.rs"]
mod static_device;

use application::Device;
use board::BoardLog;
use cortex_m_rt::entry;
use embassy_executor::{Executor, SpawnError, SpawnToken, Spawner};
use nucleo_u585::{Timer, worst_case};
use static_cell::StaticCell;

static EXECUTOR: StaticCell<Executor> = StaticCell::new();

/// By hand, since what `embassy_executor::main` makes of it can panic.
#[entry]
fn main() -> ! {
    static_device::place(&EXECUTOR, Executor::new()).run(|spawner| start(spawner, boot(spawner)))
}

#[embassy_executor::task]
async fn boot(spawner: Spawner) {
    let device = static_device::device().await;
    start(spawner, stay_connected(device));
    start(spawner, telemetry(device));
    start(spawner, commands(device));
}

#[embassy_executor::task]
async fn stay_connected(device: &'static Device<'static, BoardLog>) {
    device.stay_connected(Timer).await;
}

#[embassy_executor::task]
async fn telemetry(device: &'static Device<'static, BoardLog>) {
    device.telemetry(Timer, board::PLAN).await;
}

#[embassy_executor::task]
async fn commands(device: &'static Device<'static, BoardLog>) {
    device.commands().await;
}

/// There is room for one task of each kind, and each is started once.
fn start<S>(spawner: Spawner, task: Result<SpawnToken<S>, SpawnError>) {
    match task {
        Ok(task) => spawner.spawn(task),
        Err(_) => worst_case::restart(),
    }
}
