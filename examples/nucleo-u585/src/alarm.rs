//! The one alarm that SysTick makes.
//!
//! SysTick counts 24 bits, which last 0.84 s at its reference clock. A main loop, which wakes by each interrupt,
//! looks at the clock and sets it anew then. For futures, a longer time is divided into laps of equal length, so that
//! nothing has to be set anew meanwhile: a lap costs an interrupt that counts it, and wakes nobody.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use cortex_m::peripheral::SYST;
use cortex_m_rt::exception;
use critical_section::{CriticalSection, Mutex};
use microvisor::clock;

/// SysTick's reference clock: an eighth of the processor's, which the kernel sets to 160 MHz.
const TICKS_PER_MICRO: u32 = 20;
/// A lap has half a second at most, 2^19 us, which spares a division; SysTick's 24 bits hold 0.84 s.
const LAP_SHIFT: u32 = 19;
const _: () = assert!(((1 << LAP_SHIFT) + 1) * TICKS_PER_MICRO <= 1 << 24);

/// Control and status: counts, interrupts, by the reference clock (Armv8-M, D1.2.239).
const COUNT: u32 = 0b011;

/// When the alarm is, on the kernel's clock in microseconds.
static AT: Time = Time::never();
/// What time it was when the clock last answered, and of late by the alarm.
static LAST: Time = Time::never();
/// The clock did not answer when the alarm was set.
static IS_UNKNOWN: AtomicBool = AtomicBool::new(false);
/// The longest that a main loop sleeps, in microseconds.
const LONGEST: u64 = 0xc_8000;
const _: () = assert!(LONGEST * TICKS_PER_MICRO as u64 <= 1 << 24);

/// Whether the alarm was ever set. Where no code does that, the compiler knows, and leaves out the code for it.
static IS_USED: AtomicBool = AtomicBool::new(false);
/// How many laps of the alarm are left.
static LAPS: AtomicU32 = AtomicU32::new(0);

/// Wakes those who waited for a time up to the one that it is given, and says when the next one is due.
pub(crate) type Expire = fn(CriticalSection<'_>, u64) -> Option<u64>;

/// Whom the alarm wakes beside the main loop. An image without futures has none, nor any code for them.
static EXPIRE: Mutex<Cell<Option<Expire>>> = Mutex::new(Cell::new(None));

/// A time in halves, which code and interrupts can read at any time. What is read while it changes is
/// neither the old nor the new one.
///
/// The bits are inverted, so that a static needs no initial value in flash.
pub(crate) struct Time([AtomicU32; 2]);

impl Time {
    pub(crate) const fn never() -> Self {
        Self([AtomicU32::new(0), AtomicU32::new(0)])
    }

    fn inverted(&self) -> u64 {
        let [low, high] = &self.0;
        u64::from(high.load(Ordering::Relaxed)) << 32 | u64::from(low.load(Ordering::Relaxed))
    }

    fn get(&self) -> u64 {
        !self.inverted()
    }

    #[allow(clippy::cast_possible_truncation)] // To halves.
    pub(crate) fn set(&self, time: u64) {
        let [low, high] = &self.0;
        low.store(!time as u32, Ordering::Relaxed);
        high.store((!time >> 32) as u32, Ordering::Relaxed);
    }
}

/// Whether it is set for `at` or an earlier time.
pub(crate) fn is_set_by(at: u64) -> bool {
    AT.get() <= at
}

/// Sets the alarm for `at`, unless it is set for an earlier time, and has `expire` called then.
pub(crate) fn set(cs: CriticalSection<'_>, now: u64, at: u64, expire: Expire) {
    EXPIRE.borrow(cs).set(Some(expire));
    if !is_set_by(at) {
        start(cs, now, at);
    }
}

/// What time it is; where the kernel's clock does not answer, about what time it may be.
pub(crate) fn now() -> Result<u64, u64> {
    let now = clock::uptime_micros();
    critical_section::with(|_| match now {
        Ok(now) => {
            LAST.set(now);
            Ok(now)
        }
        Err(_) => Err(last()),
    })
}

fn last() -> u64 {
    match LAST.get() {
        u64::MAX => 0,
        last => last,
    }
}

/// Sets the alarm for in a second, since nobody knows what time it is. Then all who wait look again.
pub(crate) fn set_unknown(cs: CriticalSection<'_>, expire: Expire) {
    EXPIRE.borrow(cs).set(Some(expire));
    if !IS_UNKNOWN.load(Ordering::Relaxed) {
        start(cs, last(), last().saturating_add(1_000_000));
        IS_UNKNOWN.store(true, Ordering::Relaxed);
    }
}

/// Sets the alarm for `at`, in the place of any that is set.
pub(crate) fn start(_: CriticalSection<'_>, now: u64, at: u64) {
    // Whoever waits longer than an hour is woken in between, by which nothing is lost.
    let wait = u32::try_from(at.saturating_sub(now)).unwrap_or(u32::MAX);
    let laps = (wait >> LAP_SHIFT) + 1;
    // Rounded up, so that it is never early, but where the alarm before strikes in this very moment: then
    // it counts as a lap.
    let lap = wait / laps + 1;
    AT.set(now + u64::from(wait));
    IS_UNKNOWN.store(false, Ordering::Relaxed);
    LAPS.store(laps, Ordering::Relaxed);
    IS_USED.store(true, Ordering::Relaxed);
    count(lap);
}

/// Has SysTick interrupt after `wait` microseconds or earlier, unless an alarm is set, which it does for then.
pub(crate) fn wake_in(wait: u64) {
    if !is_set() {
        #[allow(clippy::cast_possible_truncation)] // No more than the longest.
        count(wait.min(LONGEST) as u32);
    }
}

fn is_set() -> bool {
    IS_USED.load(Ordering::Relaxed) && LAPS.load(Ordering::Relaxed) != 0
}

/// Has SysTick interrupt each `micros`, from 1 up to what its 24 bits hold.
fn count(micros: u32) {
    let systick = registers();
    // SAFETY: SysTick is this module's (see `registers`), its handler is in place, and the reload value
    // fits 24 bits. The order is the architecture's: the value to reload, the count, the start.
    unsafe {
        systick.rvr.write(micros * TICKS_PER_MICRO - 1);
        systick.cvr.write(0);
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
    if !is_set() {
        return stop();
    }
    // Most laps are not the last, and cost no more than this. Nobody sets the alarm in between: SysTick
    // has the highest priority, as after a reset.
    let laps = LAPS.load(Ordering::Relaxed) - 1;
    LAPS.store(laps, Ordering::Relaxed);
    if laps == 0 {
        stop();
        expire();
    }
}

fn expire() {
    let mut at = AT.get();
    AT.set(u64::MAX);
    critical_section::with(|cs| {
        if IS_UNKNOWN.load(Ordering::Relaxed) {
            IS_UNKNOWN.store(false, Ordering::Relaxed);
            LAST.set(at);
            at = u64::MAX;
        }
        let next = EXPIRE.borrow(cs).get().and_then(|expire| expire(cs, at));
        if let Some(next) = next {
            start(cs, at, next);
        }
    });
}
