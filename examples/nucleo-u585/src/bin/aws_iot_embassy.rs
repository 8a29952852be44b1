//! The main example's application as three tasks of embassy's executor.
#![no_std]
#![no_main]

#[path = "../../../aws_iot/application.rs"]
mod application;
mod board;

use application::Device;
use board::BoardLog;
use embassy_executor::{SpawnError, SpawnToken, Spawner};
use microvisor::aws::Topics;
use microvisor::mqtt::Subscription;
use nucleo_u585::{Timer, worst_case};
use static_cell::StaticCell;

static LOG: StaticCell<BoardLog> = StaticCell::new();
static TOPICS: StaticCell<Topics> = StaticCell::new();
static SUBSCRIPTIONS: StaticCell<[Subscription<'static>; 2]> = StaticCell::new();
static DEVICE: StaticCell<Device<'static, BoardLog>> = StaticCell::new();

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let log: &BoardLog = LOG.init(board::start_log());
    let machine = board::machine(Timer, log).await;
    let id = application::read_id(Timer, log).await;
    let topics = TOPICS.init(Topics::new(&id));
    let subscriptions = SUBSCRIPTIONS.init(application::subscriptions(topics));
    let Ok(device) = Device::new(machine, id, topics, subscriptions) else {
        // The memory is not as planned.
        worst_case::restart()
    };
    let device = DEVICE.init(device);
    start(spawner, stay_connected(device));
    start(spawner, telemetry(device));
    start(spawner, commands(device));
}

/// There is room for one task of each kind, and each is started once.
fn start<S>(spawner: Spawner, task: Result<SpawnToken<S>, SpawnError>) {
    match task {
        Ok(task) => spawner.spawn(task),
        Err(_) => worst_case::restart(),
    }
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
