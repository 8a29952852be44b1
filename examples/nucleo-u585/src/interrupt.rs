//! The interrupts.
//!
//! Their vectors are made by `build.rs`, as far as the last that can be enabled: the STM32U585 has 141 lines, of
//! which the rest of the table would take 400 bytes. No other line may be enabled: the places of those before it
//! hold code. Who needs one of them gives it a vector in `build.rs`.

/// An interrupt that an application can have: the kernel pends it, or the application itself. The timers'
/// own use of these lines is rare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(non_camel_case_types)] // As the vendor's headers name them.
#[repr(u16)]
pub enum Interrupt {
    /// Timer 1's break input, a spare line, at which the kernel announces notifications.
    TIM1_BRK = 41,
}

// SAFETY: the number is that of the line, and no larger than the table is long.
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self as u16
    }
}

/// The number that a notification centre is given.
pub const NOTIFICATIONS: u32 = Interrupt::TIM1_BRK as u32;

/// Lets an interrupt through. Its handler has to be in place: without one, the application ends in the
/// [worst case](crate::worst_case).
pub fn enable(interrupt: Interrupt) {
    // SAFETY: no critical section here relies on a masked interrupt; they mask all of them.
    unsafe { cortex_m::peripheral::NVIC::unmask(interrupt) };
}

/// Lets the [notifications'](NOTIFICATIONS) interrupt through.
pub fn enable_notifications() {
    enable(Interrupt::TIM1_BRK);
}

/// `bind_notifications!(CENTER)` has the interrupt [`NOTIFICATIONS`] handled by the static `CENTER`, a
/// [`NotificationCenter`](microvisor::NotificationCenter) of that number, and has it end a main loop's
/// [sleep](crate::sleep_until). It still has to be [enabled](enable_notifications).
#[macro_export]
macro_rules! bind_notifications {
    ($center:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn TIM1_BRK() {
            $crate::end_sleep();
            $center.on_interrupt();
        }
    };
}
