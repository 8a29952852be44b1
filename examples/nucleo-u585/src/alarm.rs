//! The one alarm that SysTick makes.
//!
//! SysTick counts 24 bits, which last 0.84 s at its reference clock. A longer time is divided into laps
//! of equal length, so that nothing has to be set anew meanwhile: a lap costs an interrupt that counts
//! it, and wakes nobody.

use core::cell::Cell;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::{SCB, SYST};
use cortex_m_rt::exception;
use critical_section::{CriticalSection, Mutex};

#[cfg(feature = "embassy")]
use crate::embassy_driver as queue;
#[cfg(not(feature = "embassy"))]
use crate::timer_queue as queue;

/// SysTick's reference clock: an eighth of the processor's, which the kernel sets to 160 MHz.
const TICKS_PER_MICRO: u32 = 20;
/// A microsecond less than SysTick's 24 bits hold.
const LONGEST_LAP: u32 = 0x00ff_ffff / TICKS_PER_MICRO - 1;
/// Whoever waits longer, a day, is woken in between, by which nothing is lost.
const LONGEST: u64 = 86_400_000_000 / 32;

/// Control and status: counts, interrupts, by the reference clock (Armv8-M, D1.2.239).
const COUNT: u32 = 0b011;

/// When the alarm is, on the kernel's clock in microseconds.
static AT: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));
/// How many laps are left; without any, no alarm is set.
static LAPS: AtomicU32 = AtomicU32::new(0);

/// Sets the alarm for `at`, unless it is set for an earlier time.
pub(crate) fn set(cs: CriticalSection<'_>, now: u64, at: u64) {
    if LAPS.load(Ordering::Relaxed) == 0 || at < AT.borrow(cs).get() {
        start(cs, now, at);
    }
}

/// As a number of microseconds, `wait` fits 32 bits.
#[allow(clippy::cast_possible_truncation)]
fn start(cs: CriticalSection<'_>, now: u64, at: u64) {
    let wait = at.saturating_sub(now).min(LONGEST) as u32;
    let laps = wait / LONGEST_LAP + 1;
    // Rounded up, so that it is never early.
    let lap = wait / laps + 1;
    AT.borrow(cs).set(now + u64::from(wait));
    LAPS.store(laps, Ordering::Relaxed);
    let systick = registers();
    // SAFETY: SysTick is this module's (see `registers`), its handler is in place, and the reload value
    // fits 24 bits. The order is the architecture's: stopped, the value to reload, the count, the start.
    unsafe {
        systick.csr.write(0);
        systick.rvr.write(lap * TICKS_PER_MICRO - 1);
        systick.cvr.write(0);
        // An interrupt of the alarm before.
        SCB::clear_pendst();
        systick.csr.write(COUNT);
    }
}

fn stop() {
    // SAFETY: as above.
    unsafe { registers().csr.write(0) };
}

/// SysTick belongs to this module; an application that counts with it as well disturbs the delays, but
/// nothing that is unsafe.
fn registers() -> &'static cortex_m::peripheral::syst::RegisterBlock {
    // SAFETY: the block exists for ever, and its fields are cells.
    unsafe { &*SYST::PTR }
}

#[exception]
fn SysTick() {
    // Most laps are not the last, and cost no more than this. Nobody sets the alarm in between: SysTick
    // has the highest priority, as after a reset.
    let laps = LAPS.load(Ordering::Relaxed);
    if laps > 1 {
        LAPS.store(laps - 1, Ordering::Relaxed);
    } else {
        last_lap();
    }
}

#[inline(never)]
fn last_lap() {
    critical_section::with(|cs| {
        stop();
        LAPS.store(0, Ordering::Relaxed);
        let at = AT.borrow(cs).get();
        if let Some(next) = queue::expire(cs, at) {
            start(cs, at, next);
        }
    });
}
