//! The device where tasks can share it: in statics, of which an executor's tasks take references.

use microvisor::aws::Topics;
use microvisor::mqtt::Subscription;
use nucleo_u585::{Timer, worst_case};
use static_cell::StaticCell;

use crate::application::{self, Device};
use crate::board::{self, BoardLog};

static LOG: StaticCell<BoardLog> = StaticCell::new();
static TOPICS: StaticCell<Topics> = StaticCell::new();
static SUBSCRIPTIONS: StaticCell<[Subscription<'static>; 2]> = StaticCell::new();
static DEVICE: StaticCell<Device<'static, BoardLog>> = StaticCell::new();

/// The device, which does nothing yet. To be called once.
pub async fn device() -> &'static Device<'static, BoardLog> {
    let log: &BoardLog = place(&LOG, board::start_log());
    let machine = board::machine(Timer, log).await;
    let id = application::read_id(Timer, log).await;
    let topics = place(&TOPICS, Topics::new(&id));
    let subscriptions = place(&SUBSCRIPTIONS, application::subscriptions(topics));
    match Device::new(machine, id, topics, subscriptions) {
        Ok(device) => place(&DEVICE, device),
        // The memory is not as planned.
        Err(_) => worst_case::restart(),
    }
}

/// As `StaticCell::init`, which panics where it was called before.
pub fn place<T>(cell: &'static StaticCell<T>, value: T) -> &'static mut T {
    cell.try_init(value).unwrap_or_else(|| worst_case::restart())
}
