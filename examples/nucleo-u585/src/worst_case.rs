//! What happens when nothing else helps: a panic, a fault, an interrupt that nobody handles.
//!
//! It is logged to the server log in one line, without `core::fmt`: what it was, and where. Then, with
//! feature `panic-restart`, the platform starts the application anew; with `panic-halt` alone, it stops
//! with all interrupts off, where a debugger finds it.
//!
//! | line | what it was |
//! |---|---|
//! | `panic at src/main.rs line 12` | a panic |
//! | `exception 3 at 800abcd` | a fault, by the instruction at that address |
//! | `exception 67 at 800abcd` | interrupt 67 - 16, which is enabled and has no handler |
//!
//! With neither feature, the application has to define a panic handler, and `DefaultHandler` and
//! `HardFault` of its own.

use core::mem::MaybeUninit;
use core::num::NonZero;

use microvisor::sys;

/// Has the platform start the application anew, with an update if one was downloaded. Should it not, the
/// application stops.
///
/// It works from handlers as well: the kernel need not take the call there, so what was interrupted is left
/// for good first.
pub fn restart() -> ! {
    // SAFETY: nothing of the application goes on.
    unsafe { leave(0, 0) }
}

/// Stops for ever, asleep.
pub fn halt() -> ! {
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

/// The end, in thread mode: after an exception that struck at `address`, or after none, which is 0.
extern "C" fn end(exception: u32, address: u32) -> ! {
    if address != 0 {
        let mut line = Line::new();
        line.prepend_number(address, HEXADECIMAL);
        line.prepend(b" at ");
        line.prepend_number(exception, DECIMAL);
        line.prepend(b"exception ");
        line.log();
        if !cfg!(feature = "panic-restart") {
            halt()
        }
    }
    // SAFETY: the kernel resets the application; nothing of it is in use afterwards.
    unsafe { sys::mvRestart(sys::MV_RESTARTMODE_AUTOAPPLYUPDATE) };
    halt()
}

/// Goes on with [`end`] on an empty stack, from a handler by returning from its exception to there. Which one
/// that is, it finds out.
///
/// The frame that it returns by is one as an exception's entry makes them: r0 to r3, r12, lr, the return
/// address, and XPSR, of which only Thumb is set. `EXC_RETURN` is 0xffff\_ffb8: to thread mode of the non-secure
/// state, on the main stack, without floating-point registers (Armv8-M Architecture Reference Manual,
/// "Exception return").
///
/// # Safety
///
/// What was interrupted never goes on.
#[cfg(target_arch = "arm")]
#[unsafe(naked)]
unsafe extern "C" fn leave(_: u32, address: u32) -> ! {
    core::arch::naked_asm!(
        "mrs r0, IPSR",
        "cmp r0, #0",
        "beq.w {end}",
        "ldr r2, =_stack_start",
        "mov sp, r2",
        "ldr r6, ={end}",
        "bic r6, #1",
        "mov r7, #0x01000000",
        "push {{r4-r7}}",
        "push {{r0-r3}}",
        "mvn r0, #0x47",
        "bx r0",
        end = sym end,
    )
}

#[cfg(not(target_arch = "arm"))]
unsafe fn leave(exception: u32, address: u32) -> ! {
    end(exception, address)
}

const DECIMAL: NonZero<u32> = NonZero::new(10).unwrap();
const HEXADECIMAL: NonZero<u32> = NonZero::new(16).unwrap();

/// A line of the log, written from its end. It needs no handle of the log, of which the failing code may be
/// part; if the log was never started, the kernel refuses.
struct Line {
    bytes: [MaybeUninit<u8>; Self::LEN],
    start: usize,
}

impl Line {
    const LEN: usize = 120;

    const fn new() -> Self {
        Self { bytes: [MaybeUninit::uninit(); Self::LEN], start: Self::LEN }
    }

    /// As far as there is room.
    #[inline(never)]
    fn prepend(&mut self, text: &[u8]) {
        for byte in text.iter().rev() {
            let start = self.start.wrapping_sub(1);
            let Some(place) = self.bytes.get_mut(start) else { return };
            place.write(*byte);
            self.start = start;
        }
    }

    #[inline(never)]
    fn prepend_number(&mut self, number: u32, base: NonZero<u32>) {
        let mut rest = number;
        loop {
            #[allow(clippy::cast_possible_truncation)] // Less than the base.
            let digit = (rest % base) as u8;
            self.prepend(&[if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }]);
            rest /= base;
            if rest == 0 {
                return;
            }
        }
    }

    #[allow(clippy::cast_possible_truncation)] // 120 bytes at most.
    fn log(&self) {
        let line = self.bytes.as_ptr().wrapping_add(self.start);
        // SAFETY: the start is within the bytes, and all behind it was written; the kernel reads that, and
        // only in this call.
        unsafe { sys::mvServerLog(line.cast(), (Self::LEN - self.start) as u16) };
    }
}

#[cfg(any(feature = "panic-restart", feature = "panic-halt"))]
mod handlers {
    use core::panic::PanicInfo;

    use super::{DECIMAL, Line, halt, restart};

    /// Of a file's path, the last bytes that are logged.
    const PATH: usize = 90;

    #[panic_handler]
    fn panic(info: &PanicInfo<'_>) -> ! {
        if let Some(place) = info.location() {
            let path = place.file().as_bytes();
            let mut line = Line::new();
            line.prepend_number(place.line(), DECIMAL);
            line.prepend(b" line ");
            line.prepend(path.get(path.len().saturating_sub(PATH)..).unwrap_or_default());
            line.prepend(b"panic at ");
            line.log();
        }
        if cfg!(feature = "panic-restart") { restart() } else { halt() }
    }

    /// All exceptions that have no handler of their own. The address is in the frame of the entry.
    #[cfg(target_arch = "arm")]
    #[unsafe(naked)]
    #[unsafe(export_name = "DefaultHandler")]
    unsafe extern "C" fn default_handler() -> ! {
        core::arch::naked_asm!(
            ".global HardFault",
            ".thumb_set HardFault, DefaultHandler",
            "ldr r1, [sp, #24]",
            "b.w {leave}",
            leave = sym super::leave,
        )
    }
}
