//! Sleep for a main loop, which does what there is to do and then has nothing to do until an interrupt
//! or a time.

use core::sync::atomic::{AtomicBool, Ordering};

use cortex_m::asm;
use microvisor::clock;

use crate::alarm;

/// Whether an interrupt struck that the main loop is to look into.
static STRUCK: AtomicBool = AtomicBool::new(false);

/// Sleeps until the notifications' interrupt strikes, or until the kernel's clock shows
/// `deadline_micros`, of which [`u64::MAX`] is never.
///
/// If the interrupt struck since the last return, it does not sleep at all, since the caller may have
/// looked before. It returns early where an alarm was set for an earlier time, of which the caller then
/// thought better: so the caller looks at the clock.
///
/// ```text
/// loop {
///     let deadline = do_what_there_is();
///     sleep_until(deadline);
/// }
/// ```
#[inline]
pub fn sleep_until(deadline_micros: u64) {
    // An alarm that strikes during this look has struck by the end of it, and is seen below.
    if !alarm::is_set_by(deadline_micros) {
        // A clock that does not answer is asked again in a second.
        let (now, until) = clock::uptime_micros().map_or((0, 1_000_000), |now| (now, deadline_micros));
        if now < until {
            critical_section::with(|cs| alarm::start(cs, now, until));
        } else {
            end();
        }
    }
    // An interrupt between the look at the flag and `WFE` is not lost: each entry into an exception and
    // each return from one sets the processor's event register, with which `WFE` does not sleep but
    // clears it (Armv8-M Architecture Reference Manual, "Wait for Event").
    while !STRUCK.load(Ordering::Relaxed) {
        asm::wfe();
    }
    // What strikes from here on strikes before the caller looks.
    STRUCK.store(false, Ordering::Relaxed);
}

/// Ends a sleep. Called by interrupts' handlers.
#[doc(hidden)]
#[inline]
pub fn end() {
    STRUCK.store(true, Ordering::Relaxed);
}
