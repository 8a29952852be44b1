//! What the application's images have in common: its memory, its notifications, its log and its plan.

use microvisor::session::{MemoryPlan, SessionBuilder};
use microvisor::{DeviceId, KernelMemory, NotificationCenter, ServerLog, kernel_memory};
use nucleo_u585::{interrupt, log, worst_case};

use crate::application::{Log, Machine, Plan};

/// A reading a minute, for ever.
pub const PLAN: Plan = Plan { publishes: u32::MAX, interval_ms: 60_000 };

/// For the channels' buffers, and the credentials.
pub const MEMORY_LEN: usize = MemoryPlan::AWS_LEN;

/// Each image binds its interrupt.
pub static CENTER: NotificationCenter<4> = NotificationCenter::without_interrupt();
static MEMORY: KernelMemory<MEMORY_LEN> = kernel_memory!(MEMORY_LEN);
static LOG: KernelMemory<512> = kernel_memory!(512);

/// The server log, where the device has one.
#[derive(Clone, Copy)]
pub struct BoardLog;

/// To be called once. Without it, or where the kernel refuses, the log says nothing.
pub fn start_log() -> BoardLog {
    if let Some(buffer) = LOG.take() {
        // Nobody else has a use for the memory of a log that did not start.
        core::mem::forget(ServerLog::start(buffer));
    }
    BoardLog
}

impl Log for BoardLog {
    fn line(&self, what: &str, which: &[u8]) {
        if which.is_empty() { log::line(what) } else { log::pair(what, which) }
    }
}

/// What the board gives the application on the device `id`. Where it cannot, there is nothing left but to
/// start anew.
pub fn machine<L>(id: &DeviceId, log: L) -> Machine<'_, L> {
    interrupt::enable_notifications();
    let Ok(notifications) = CENTER.open_for(interrupt::NOTIFICATIONS) else { worst_case::give_up() };
    let Some(memory) = MEMORY.take() else { worst_case::give_up() };
    // The guide's values, in hex, and the usual patience.
    Machine { session: SessionBuilder::new(notifications, memory, id), log }
}
