//! What happens when nothing else helps: a panic, a fault, an interrupt that nobody handles.
//!
//! It is logged to the server log in two [lines](crate::log): what it was, and where. Then, with
//! feature `panic-restart`, the platform starts the application anew; with `panic-halt` alone, it stops
//! with all interrupts off, where a debugger finds it.
//!
//! | lines | what it was |
//! |---|---|
//! | `panic in src/main.rs`, `line 0xc` | a panic; then come those of the fault that it ends in |
//! | `exception 0x3`, `at 0x800abcd` | a fault, or a call of [`give_up`], by the instruction at that address |
//!
//! With neither feature, the application has to define a panic handler, and `DefaultHandler` and
//! `HardFault` of its own.

use microvisor::{Hexadecimal, sys};

use crate::log;

/// For an application that cannot go on: ends in a fault, and so as the features say. It works in handlers as
/// well.
#[inline]
pub fn give_up() -> ! {
    cortex_m::asm::udf()
}

/// Stops for ever, asleep.
fn halt() -> ! {
    // SAFETY: nothing runs any more that could miss an interrupt. Unlike PRIMASK, FAULTMASK keeps those that
    // pend from ending each sleep (Armv8-M Architecture Reference Manual, "Wait for Interrupt").
    #[cfg(target_arch = "arm")]
    unsafe {
        core::arch::asm!("cpsid f");
    }
    loop {
        cortex_m::asm::wfi();
    }
}

/// The end, in thread mode: after an exception that struck at `address`.
#[allow(dead_code, reason = "what calls it is assembly, where there is an Arm")]
extern "C" fn end(exception: u32, address: u32) -> ! {
    let mut digits = Hexadecimal::new();
    log::pair("exception 0x", digits.write(exception).as_bytes());
    log::pair("at 0x", digits.write(address).as_bytes());
    if cfg!(feature = "panic-restart") {
        // SAFETY: the kernel resets the application; nothing of it is in use afterwards.
        unsafe { sys::mvRestart(sys::MV_RESTARTMODE_AUTOAPPLYUPDATE) };
    }
    halt()
}

#[cfg(any(feature = "panic-restart", feature = "panic-halt"))]
mod handlers {
    use core::panic::PanicInfo;

    use super::{Hexadecimal, give_up, log};

    #[panic_handler]
    fn panic(info: &PanicInfo<'_>) -> ! {
        if let Some(place) = info.location() {
            log::pair("panic in ", place.file().as_bytes());
            log::pair("line 0x", Hexadecimal::new().write(place.line()).as_bytes());
        }
        give_up()
    }

    /// All exceptions that have no handler of their own. What was interrupted never goes on.
    ///
    /// It goes on with [`end`](super::end) in thread mode, since the kernel need not take calls in a handler: by
    /// returning from the exception to there. For that, the frame that the exception's entry made (r0 to r3, r12,
    /// lr, the return address, XPSR) gets the arguments, the address behind the return, and an XPSR of which only
    /// Thumb is set. `EXC_RETURN` is `0xffff_ffb8`: to thread mode of the non-secure state, on the main stack,
    /// without floating-point registers (Armv8-M Architecture Reference Manual, "Exception return").
    #[cfg(target_arch = "arm")]
    #[unsafe(naked)]
    #[unsafe(export_name = "DefaultHandler")]
    unsafe extern "C" fn default_handler() -> ! {
        core::arch::naked_asm!(
            ".global HardFault",
            ".thumb_set HardFault, DefaultHandler",
            "mrs r0, IPSR",
            "ldr r1, [sp, #24]",
            "adr r2, 1f",
            "mov r3, #0x01000000",
            "strd r0, r1, [sp]",
            "strd r2, r3, [sp, #24]",
            "mvn r0, #0x47",
            "bx r0",
            ".p2align 2",
            "1: b.w {end}",
            end = sym super::end,
        )
    }
}
