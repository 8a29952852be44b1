//! Delays by SysTick, against the kernel's clock.

use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::task::Poll;

use cortex_m_rt::exception;
use diatomic_waker::DiatomicWaker;
use embedded_hal_async::delay::DelayNs;
use microvisor::clock;

/// SysTick's control, reload and current value registers (Armv8-M, D1.2.238 to D1.2.241).
const SYST: *mut u32 = 0xe000_e010 as *mut u32;
/// The longest that SysTick's 24 bits count at 160 MHz, with room to spare.
const TICK_US: u32 = 100_000;
const CLOCK_MHZ: u32 = 160;
/// Whoever waits longer looks at the clock once a day.
const LONGEST_ALARM_US: u64 = 86_400_000_000;

/// Whoever waits for the alarm.
static WAITING: DiatomicWaker = DiatomicWaker::new();
static IS_SET: AtomicBool = AtomicBool::new(false);
/// When the alarm is, in milliseconds.
static AT_MS: AtomicU32 = AtomicU32::new(0);
/// How many ticks there are after the current one.
static TICKS: AtomicU32 = AtomicU32::new(0);

/// Delays of one task, which may wait for several at a time.
#[derive(Clone, Copy)]
pub struct SysTick;

impl DelayNs for SysTick {
    async fn delay_ns(&mut self, ns: u32) {
        sleep(ns.div_ceil(1000).into()).await;
    }

    async fn delay_us(&mut self, us: u32) {
        sleep(us.into()).await;
    }

    async fn delay_ms(&mut self, ms: u32) {
        sleep(u64::from(ms) * 1000).await;
    }
}

async fn sleep(us: u64) {
    let deadline = now() + us;
    poll_fn(|cx| {
        let now = now();
        if now >= deadline {
            return Poll::Ready(());
        }
        // SAFETY: only this code registers, in the one thread that there is.
        unsafe { WAITING.register(cx.waker()) };
        set_alarm(now, deadline);
        Poll::Pending
    })
    .await;
}

/// Sets the alarm, unless one is set that is earlier: then all who wait look at the clock and set it anew.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // Of the time, the low bits count.
fn set_alarm(now: u64, deadline: u64) {
    let wait = (deadline - now).min(LONGEST_ALARM_US);
    let at_ms = (now + wait).div_ceil(1000) as u32;
    let is_later = at_ms.wrapping_sub(AT_MS.load(Ordering::Relaxed)) as i32 >= 0;
    if is_later && IS_SET.load(Ordering::Acquire) {
        return;
    }
    stop();
    AT_MS.store(at_ms, Ordering::Relaxed);
    TICKS.store((wait / u64::from(TICK_US)) as u32, Ordering::Relaxed);
    IS_SET.store(true, Ordering::Release);
    start(((wait % u64::from(TICK_US)) as u32).max(1));
}

fn start(us: u32) {
    // SAFETY: only this code uses SysTick; its handler is in place.
    unsafe {
        SYST.add(1).write_volatile(us * CLOCK_MHZ);
        SYST.add(2).write_volatile(0);
        SYST.write_volatile(0b111);
    }
}

fn stop() {
    // SAFETY: as above.
    unsafe { SYST.write_volatile(0) };
}

fn now() -> u64 {
    clock::uptime_micros().unwrap_or(0)
}

#[exception]
fn SysTick() {
    match TICKS.load(Ordering::Relaxed) {
        0 => {
            stop();
            IS_SET.store(false, Ordering::Release);
            WAITING.notify();
        }
        left => {
            TICKS.store(left - 1, Ordering::Relaxed);
            start(TICK_US);
        }
    }
}
