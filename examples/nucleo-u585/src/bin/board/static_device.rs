//! The device where tasks can share it: in statics, of which they take references.

use microvisor::aws::Topics;
use microvisor::mqtt::Subscription;
use nucleo_u585::{sleep_until, worst_case};
use static_cell::StaticCell;

use crate::application;
use crate::board::{self, BoardLog};
use crate::tasks::Device;

/// The device of an image.
pub type BoardDevice = Device<'static, BoardLog>;

static TOPICS: StaticCell<Topics> = StaticCell::new();
static SUBSCRIPTIONS: StaticCell<[Subscription<'static>; 2]> = StaticCell::new();
static DEVICE: StaticCell<BoardDevice> = StaticCell::new();

/// The device, which does nothing yet. To be called once, while there is nothing else to do.
pub fn device() -> &'static BoardDevice {
    let log = board::start_log();
    let id = application::read_id(log, sleep_until);
    let topics = place(&TOPICS, Topics::new(&id));
    let subscriptions = place(&SUBSCRIPTIONS, application::subscriptions(topics));
    match Device::new(board::machine(log), id, topics, subscriptions) {
        Ok(device) => place(&DEVICE, device),
        // The memory is not as planned.
        Err(_) => worst_case::restart(),
    }
}

/// As `StaticCell::init`, which panics where it was called before.
pub fn place<T>(cell: &'static StaticCell<T>, value: T) -> &'static mut T {
    cell.try_init(value).unwrap_or_else(|| worst_case::restart())
}
