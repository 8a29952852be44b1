//! What happens when nothing else helps: a panic, a fault, an interrupt that nobody handles.
//!
//! It is logged to the server log in one line, without `core::fmt`: what it was, and where. Then, with
//! feature `panic-restart`, the platform starts the application anew; with `panic-halt` alone, it stops
//! with all interrupts off, where a debugger finds it.
//!
//! With neither, the application has to define a panic handler and a `HardFault` handler of its own.

use cortex_m::peripheral::{NVIC, SYST};
use microvisor::sys;

/// Logs what it was and where, and restarts or stops.
#[cfg(any(feature = "panic-restart", feature = "panic-halt"))]
fn end(parts: &[&str]) -> ! {
    log(parts);
    if cfg!(feature = "panic-restart") { restart() } else { halt() }
}

/// Has the platform start the application anew, with an update if one was downloaded. Should it not, the
/// application stops.
///
/// From an interrupt handler or a fault it works as well: the kernel need not take the call there, so
/// what was interrupted is left for good first.
pub fn restart() -> ! {
    silence();
    #[cfg(target_arch = "arm")]
    if let cortex_m::peripheral::scb::VectActive::ThreadMode = cortex_m::peripheral::SCB::vect_active() {
        ask_for_restart()
    } else {
        leave_handlers()
    }
    #[cfg(not(target_arch = "arm"))]
    ask_for_restart()
}

extern "C" fn ask_for_restart() -> ! {
    // SAFETY: the kernel resets the application; nothing of it is in use afterwards.
    unsafe { sys::mvRestart(sys::MV_RESTARTMODE_AUTOAPPLYUPDATE) };
    halt()
}

/// Returns from the exception, to `ask_for_restart` on an empty stack instead of to what was interrupted.
#[cfg(target_arch = "arm")]
fn leave_handlers() -> ! {
    unsafe extern "C" {
        static _stack_start: u32;
    }
    /// Thumb state, nothing else (Armv8-M, D1.2.280).
    const XPSR: u32 = 1 << 24;
    /// To thread mode of the non-secure state, on the main stack, without floating-point registers
    /// (Armv8-M, D1.2.95).
    const EXC_RETURN: u32 = 0xffff_ffb8;
    // SAFETY: nothing on the stack is used any more. The frame is that of an exception's entry, eight
    // words (Armv8-M, B3.19), of which the last are the return address and XPSR.
    unsafe {
        core::arch::asm!(
            "mov sp, {stack}",
            "sub sp, #32",
            "str {target}, [sp, #24]",
            "str {xpsr}, [sp, #28]",
            "bx {exc_return}",
            stack = in(reg) &raw const _stack_start,
            target = in(reg) ask_for_restart as extern "C" fn() -> !,
            xpsr = in(reg) XPSR,
            exc_return = in(reg) EXC_RETURN,
            options(noreturn),
        )
    }
}

/// Stops for ever, asleep.
pub fn halt() -> ! {
    silence();
    loop {
        cortex_m::asm::wfi();
    }
}

/// No interrupt strikes from now on. To mask them is not enough: one that is pending ends each sleep.
fn silence() {
    // SAFETY: nothing runs any more that could miss them.
    unsafe {
        (*SYST::PTR).csr.write(0);
        (*NVIC::PTR).icer.iter().for_each(|word| word.write(u32::MAX));
    }
}

/// One line, as far as 120 bytes hold it. It needs no handle of the log, of which the panicking code may
/// be part; if the log was never started, the kernel refuses.
#[cfg(any(feature = "panic-restart", feature = "panic-halt"))]
fn log(parts: &[&str]) {
    let mut line = [0; 120];
    let mut length = 0;
    for (room, byte) in line.iter_mut().zip(parts.iter().flat_map(|part| part.bytes())) {
        *room = byte;
        length += 1;
    }
    // SAFETY: the kernel reads that many bytes, and only in this call.
    unsafe { sys::mvServerLog(line.as_ptr(), length) };
}

#[cfg(any(feature = "panic-restart", feature = "panic-halt"))]
mod handlers {
    use core::panic::PanicInfo;

    use cortex_m_rt::{ExceptionFrame, exception};

    use super::end;

    #[panic_handler]
    fn panic(info: &PanicInfo<'_>) -> ! {
        match info.location() {
            Some(place) => {
                end(&["panic at ", place.file(), " line ", Digits::decimal(place.line()).as_str()])
            }
            None => end(&["panic"]),
        }
    }

    #[exception]
    unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
        end(&["fault at ", Digits::hex(frame.pc()).as_str()])
    }

    #[exception]
    unsafe fn DefaultHandler(number: i16) {
        end(&["unhandled interrupt ", Digits::decimal(number.unsigned_abs().into()).as_str()]);
    }

    /// The digits of a number.
    struct Digits {
        text: [u8; 10],
        first: usize,
    }

    impl Digits {
        fn decimal(number: u32) -> Self {
            Self::of(number, 10)
        }

        fn hex(number: u32) -> Self {
            Self::of(number, 16)
        }

        fn of(mut number: u32, base: u32) -> Self {
            let mut digits = Self { text: [b'0'; 10], first: 10 };
            for place in digits.text.iter_mut().rev() {
                *place = b"0123456789abcdef".get((number % base) as usize).copied().unwrap_or(b'?');
                number /= base;
                digits.first -= 1;
                if number == 0 {
                    break;
                }
            }
            digits
        }

        fn as_str(&self) -> &str {
            self.text.get(self.first..).and_then(|digits| str::from_utf8(digits).ok()).unwrap_or_default()
        }
    }
}
