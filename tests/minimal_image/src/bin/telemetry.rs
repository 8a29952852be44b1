//! The application of the main example, as an image: it shows that nothing of the library that an
//! application uses brings panics along, and what it costs.
#![no_std]
#![no_main]

#[path = "../../../../examples/aws_iot/application.rs"]
mod application;

use core::fmt::Write;
use core::future::poll_fn;
use core::panic::PanicInfo;
use core::task::Poll;

use application::{Machine, Observer, Plan, Step, Summary};
use cortex_m_rt::{entry, exception};
use diatomic_waker::DiatomicWaker;
use embedded_hal_async::delay::DelayNs;
use microvisor::aws::Encodings;
use microvisor::{
    KernelMemory, Network, NotificationCenter, ServerLog, WaitForInterrupt, block_on, clock, kernel_memory,
};

/// A spare timer line, `TIM8_BRK`.
const IRQ: u32 = 51;
/// The NVIC's set-enable registers (Armv8-M, B11.2).
const NVIC_ISER: *mut u32 = 0xe000_e100 as *mut u32;
/// SysTick's control, reload and current value registers (Armv8-M, D1.2.238 to D1.2.241).
const SYST: *mut u32 = 0xe000_e010 as *mut u32;
/// The longest that SysTick's 24 bits count at 160 MHz, with room to spare.
const LONGEST_TICK_US: u64 = 100_000;
const CLOCK_MHZ: u64 = 160;
/// How long it waits before it starts over, twice as long each time, until a run has lasted.
const SHORTEST_PAUSE_MS: u64 = 5_000;
const LONGEST_PAUSE_MS: u64 = 300_000;

static CENTER: NotificationCenter<8> = NotificationCenter::new(IRQ);
static CHANNELS: KernelMemory<11264> = kernel_memory!(11264);
static LOG: KernelMemory<1024> = kernel_memory!(1024);
static TICK: DiatomicWaker = DiatomicWaker::new();

#[entry]
fn main() -> ! {
    // SAFETY: enabling an interrupt whose handler is in place; the register is written whole, and a
    // zero bit changes nothing.
    unsafe { NVIC_ISER.add(IRQ as usize / 32).write_volatile(1 << (IRQ % 32)) };
    let log = LOG.take().and_then(|buffer| ServerLog::start(buffer).ok());
    let mut idle = WaitForInterrupt::new();
    let mut memory = [0; 5120];
    // Asked for all the time, so that the kernel does not go offline between two runs.
    let notifications = CENTER.open();
    let _network = notifications.as_ref().map(Network::request);
    let mut pause_ms = SHORTEST_PAUSE_MS;
    loop {
        let started = now();
        let run = async {
            let notifications = CENTER.open().ok()?;
            let buffers = CHANNELS.take()?.split::<7168>();
            let delay = SysTick;
            let (memory, encodings, observer) = (&mut memory, Encodings::HEX, Logger(log));
            let machine = Machine { notifications, buffers, memory, encodings, delay, observer };
            Some(application::run(machine, Plan { publishes: u32::MAX, interval_ms: 60_000 }).await)
        };
        if let (Some(ended), Some(log)) = (block_on(&mut idle, run), log) {
            let _ = match ended {
                Ok(Summary { published, commands }) => {
                    write!(log.line::<64>(), "{published} published, {commands} commands")
                }
                Err(failure) => write!(log.line::<256>(), "{failure}"),
            };
        }
        if now() - started > LONGEST_PAUSE_MS * 1000 {
            pause_ms = SHORTEST_PAUSE_MS;
        }
        block_on(&mut idle, SysTick.delay_ms(u32::try_from(pause_ms).unwrap_or(u32::MAX)));
        pause_ms = (2 * pause_ms).min(LONGEST_PAUSE_MS);
    }
}

struct Logger(Option<ServerLog>);

impl Observer for Logger {
    fn step(&mut self, step: &Step<'_>) {
        if let Some(log) = self.0 {
            let _ = write!(log.line::<160>(), "{step}");
        }
    }
}

/// Delays by SysTick, against the kernel's clock.
struct SysTick;

impl DelayNs for SysTick {
    async fn delay_ns(&mut self, ns: u32) {
        let deadline = now() + u64::from(ns.div_ceil(1000));
        poll_fn(|cx| {
            let now = now();
            if now >= deadline {
                return Poll::Ready(());
            }
            // SAFETY: only this code registers, in the one thread that there is.
            unsafe { TICK.register(cx.waker()) };
            let cycles = (deadline - now).min(LONGEST_TICK_US) * CLOCK_MHZ;
            // SAFETY: only this code uses SysTick; its handler is in place.
            unsafe {
                SYST.add(1).write_volatile(u32::try_from(cycles).unwrap_or(1));
                SYST.add(2).write_volatile(0);
                SYST.write_volatile(0b111);
            }
            Poll::Pending
        })
        .await;
    }

    async fn delay_ms(&mut self, ms: u32) {
        let deadline = now() + u64::from(ms) * 1000;
        while now() < deadline {
            let left = (deadline - now()).min(LONGEST_TICK_US);
            self.delay_us(u32::try_from(left).unwrap_or(0)).await;
        }
    }
}

fn now() -> u64 {
    clock::uptime_micros().unwrap_or(0)
}

#[exception]
fn SysTick() {
    // SAFETY: as above; one tick a start.
    unsafe { SYST.write_volatile(0) };
    TICK.notify();
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
