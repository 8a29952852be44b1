//! What the application's images have in common: its memory, its notifications, its log and its plan.

use core::borrow::Borrow;
use core::fmt::Write;

use embedded_hal_async::delay::DelayNs;
use microvisor::aws::Encodings;
use microvisor::session::{MemoryPlan, Policy};
use microvisor::{KernelMemory, NotificationCenter, Notifications, ServerLog, kernel_memory};
use nucleo_u585::bind_notifications;
use nucleo_u585::interrupt::{self, Interrupt};

use crate::application::{Log, Machine, Plan};

/// A reading a minute, for ever.
pub const PLAN: Plan = Plan { publishes: u32::MAX, interval_ms: 60_000 };

/// For the channels' buffers, and the credentials.
pub const MEMORY_LEN: usize = MemoryPlan::AWS_LEN;

static CENTER: NotificationCenter<8> = NotificationCenter::new(interrupt::NOTIFICATIONS);
static MEMORY: KernelMemory<MEMORY_LEN> = kernel_memory!(MEMORY_LEN);
static LOG: KernelMemory<512> = kernel_memory!(512);

bind_notifications!(CENTER);

/// The server log, where the device has one.
#[derive(Clone, Copy)]
pub struct BoardLog(Option<ServerLog>);

/// To be called once; a second log says nothing.
pub fn start_log() -> BoardLog {
    BoardLog(LOG.take().and_then(|buffer| ServerLog::start(buffer).ok()))
}

impl Log for BoardLog {
    fn line(&self, parts: &[&str]) {
        if let Some(log) = self.0 {
            let mut line = log.line::<96>();
            for part in parts {
                // Never fails, and formats nothing.
                let _ = line.write_str(part);
            }
        }
    }
}

/// What the board gives the application.
pub async fn machine<D: DelayNs, L: Borrow<BoardLog>>(mut delay: D, log: L) -> Machine<D, L, MEMORY_LEN> {
    interrupt::enable(Interrupt::TIM8_BRK);
    let notifications = open_notifications(&mut delay, log.borrow()).await;
    let memory = loop {
        match MEMORY.take() {
            Some(memory) => break memory,
            // Taken by somebody else, which is a mistake in the image.
            None => log.borrow().line(&["no memory"]),
        }
        delay.delay_ms(60_000).await;
    };
    Machine {
        notifications,
        memory,
        memory_plan: MemoryPlan::AWS,
        encodings: Encodings::HEX,
        policy: Policy::new(),
        delay,
        log,
    }
}

/// Without notifications there is nothing to do but to ask for them again.
async fn open_notifications(delay: &mut impl DelayNs, log: &BoardLog) -> Notifications {
    loop {
        match CENTER.open() {
            Ok(notifications) => return notifications,
            Err(_) => log.line(&["no notifications"]),
        }
        delay.delay_ms(1_000).await;
    }
}
