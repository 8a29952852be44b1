//! Delays.

use embedded_hal_async::delay::DelayNs;

/// Delays by SysTick, checked against the kernel's clock.
///
/// Any number of them can wait at a time, in any number of tasks. A delay is never shorter than asked
/// for. While it waits, the processor sleeps, but for an interrupt every 0.84 s that counts.
///
/// With feature `embassy` it is `embassy-time` that waits, whose driver then has SysTick.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer;

impl DelayNs for Timer {
    async fn delay_ns(&mut self, ns: u32) {
        sleep(u64::from(ns.div_ceil(1_000))).await;
    }

    async fn delay_us(&mut self, us: u32) {
        sleep(us.into()).await;
    }

    async fn delay_ms(&mut self, ms: u32) {
        sleep(u64::from(ms) * 1_000).await;
    }
}

#[cfg(not(feature = "embassy"))]
use crate::timer_queue::sleep;

/// As `Timer::after_micros`, which panics at the end of time.
#[cfg(feature = "embassy")]
fn sleep(micros: u64) -> embassy_time::Timer {
    let now = embassy_time::Instant::now();
    let end = now.checked_add(embassy_time::Duration::from_micros(micros));
    embassy_time::Timer::at(end.unwrap_or(embassy_time::Instant::MAX))
}
