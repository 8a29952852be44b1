//! The device where tasks can share it: in statics, of which they take references.

use microvisor::DeviceId;
use microvisor::aws::{Commands, Topics};
use nucleo_u585::worst_case;
use static_cell::StaticCell;

use crate::board::{self, BoardLog};
use crate::tasks::Device;

/// The device of an image.
pub type BoardDevice = Device<'static, BoardLog>;

static TOPICS: StaticCell<Topics> = StaticCell::new();
static COMMANDS: StaticCell<Commands<'static>> = StaticCell::new();
static DEVICE: StaticCell<BoardDevice> = StaticCell::new();

/// The device, which does nothing yet. To be called once, while there is nothing else to do.
pub fn device() -> &'static BoardDevice {
    let log = board::start_log();
    // The kernel has it at hand.
    let Ok(id) = DeviceId::read() else { worst_case::give_up() };
    let topics = place(&TOPICS, Topics::new(&id));
    let commands = place(&COMMANDS, topics.commands());
    match Device::new(board::machine(topics.id(), log), topics, commands) {
        Ok(device) => place(&DEVICE, device),
        // The memory is not as planned.
        Err(_) => worst_case::give_up(),
    }
}

/// As `StaticCell::init`, which panics where it was called before.
pub fn place<T>(cell: &'static StaticCell<T>, value: T) -> &'static mut T {
    cell.try_init(value).unwrap_or_else(|| worst_case::give_up())
}
