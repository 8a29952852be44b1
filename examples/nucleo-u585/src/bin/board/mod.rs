//! What the application's images have in common: its memory, its notifications, its log and its plan.

use microvisor::aws::Encodings;
use microvisor::session::{MemoryPlan, Policy};
use microvisor::{KernelMemory, NotificationCenter, ServerLog, kernel_memory};
use nucleo_u585::{interrupt, worst_case};

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
pub struct BoardLog(Option<ServerLog>);

/// To be called once; a second log says nothing.
pub fn start_log() -> BoardLog {
    BoardLog(LOG.take().and_then(|buffer| ServerLog::start(buffer).ok()))
}

impl Log for BoardLog {
    #[inline(never)]
    fn line(&self, parts: &[&str]) {
        if let Some(log) = self.0 {
            log.log_parts::<96>(parts);
        }
    }

    fn say(&self, line: &str) {
        if let Some(log) = self.0 {
            // A log that is full for now is no reason to stop.
            let _ = log.log(line.as_bytes());
        }
    }
}

/// What the board gives the application. Where it cannot, there is nothing left but to start anew.
pub fn machine<L>(log: L) -> Machine<L, MEMORY_LEN> {
    interrupt::enable_notifications();
    let (Ok(notifications), Some(memory)) = (CENTER.open_for(interrupt::NOTIFICATIONS), MEMORY.take()) else {
        worst_case::restart()
    };
    Machine {
        notifications,
        memory,
        memory_plan: MemoryPlan::AWS,
        encodings: Encodings::HEX,
        policy: Policy::new(),
        log,
    }
}
