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
/// looked before. While a [`Timer`](crate::Timer) waits, which has SysTick then, it may sleep half a second too
/// long.
///
/// ```text
/// loop {
///     let deadline = do_what_there_is();
///     sleep_until(deadline);
/// }
/// ```
pub fn sleep_until(deadline_micros: u64) {
    loop {
        forget_event();
        // An interrupt from here on is not lost: it sets the event register, with which `WFE` does not sleep.
        if STRUCK.load(Ordering::Relaxed) {
            break;
        }
        // A clock that does not answer is asked again after the longest wait.
        let now = clock::uptime_micros().unwrap_or(0);
        if now >= deadline_micros {
            break;
        }
        alarm::wake_in(deadline_micros - now);
        asm::wfe();
    }
    // What strikes from here on strikes before the caller looks.
    STRUCK.store(false, Ordering::Relaxed);
}

/// Each entry into an exception and each return from one sets the processor's event register, with which `WFE`
/// only clears it (Armv8-M Architecture Reference Manual, "Wait for Event").
fn forget_event() {
    asm::sev();
    asm::wfe();
}

/// Ends a sleep. Called by the notifications' handler.
#[doc(hidden)]
#[inline]
pub fn end() {
    STRUCK.store(true, Ordering::Relaxed);
}
