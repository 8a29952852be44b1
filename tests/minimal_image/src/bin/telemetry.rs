//! The application of the main example, as an image: it shows that nothing of the library that an
//! application uses brings panics along, and what it costs.
#![no_std]
#![no_main]

#[path = "../../../../examples/aws_iot/application.rs"]
mod application;
#[path = "../sys_tick.rs"]
mod sys_tick;

use core::fmt::Write;
use core::panic::PanicInfo;

use application::{Log, Machine, Plan};
use cortex_m_rt::{entry, exception};
use embedded_hal_async::delay::DelayNs;
use microvisor::aws::Encodings;
use microvisor::session::{MemoryPlan, Policy};
use microvisor::{
    KernelMemory, NotificationCenter, Notifications, ServerLog, WaitForInterrupt, block_on, kernel_memory,
};
use sys_tick::SysTick;

/// A spare timer line, `TIM8_BRK`.
const IRQ: u32 = 51;
/// The NVIC's set-enable registers (Armv8-M, B11.2).
const NVIC_ISER: *mut u32 = 0xe000_e100 as *mut u32;

static CENTER: NotificationCenter<8> = NotificationCenter::new(IRQ);
/// The channels' buffers, and the credentials.
static MEMORY: KernelMemory<{ MemoryPlan::AWS_LEN }> = kernel_memory!(MemoryPlan::AWS_LEN);
static LOG: KernelMemory<1024> = kernel_memory!(1024);

#[entry]
fn main() -> ! {
    // SAFETY: enabling an interrupt whose handler is in place; the register is written whole, and a
    // zero bit changes nothing.
    unsafe { NVIC_ISER.add(IRQ as usize / 32).write_volatile(1 << (IRQ % 32)) };
    let log = LOG.take().and_then(|buffer| ServerLog::start(buffer).ok());
    block_on(&mut WaitForInterrupt::new(), run(Board(log)));
    // The plan has no end, and the memory is as planned.
    loop {
        core::hint::spin_loop();
    }
}

async fn run(log: Board) {
    let notifications = open(log).await;
    let Some(memory) = MEMORY.take() else { return };
    let machine = Machine {
        notifications,
        memory,
        memory_plan: MemoryPlan::AWS,
        encodings: Encodings::HEX,
        policy: Policy::new(),
        delay: SysTick,
        log,
    };
    let _ = application::run(machine, Plan { publishes: u32::MAX, interval_ms: 60_000 }).await;
}

/// Without notifications there is nothing to do but to ask for them again.
async fn open(log: Board) -> Notifications {
    loop {
        match CENTER.open() {
            Ok(notifications) => return notifications,
            Err(_) => log.line(&["no notifications"]),
        }
        SysTick.delay_ms(1_000).await;
    }
}

/// Writes to the server log, where the device has one.
#[derive(Clone, Copy)]
struct Board(Option<ServerLog>);

impl Log for Board {
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

#[exception]
unsafe fn DefaultHandler(irq: i16) {
    if i16::try_from(IRQ) == Ok(irq) {
        CENTER.on_interrupt();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
