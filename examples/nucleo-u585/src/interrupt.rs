//! The vector table, and the interrupts in it.

/// An interrupt that an application can have: the kernel pends it, or the application itself. The timers'
/// own use of these lines is rare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(non_camel_case_types)] // As the vendor's headers name them.
#[repr(u16)]
pub enum Interrupt {
    /// Timer 1's break input, a spare line.
    TIM1_BRK = 41,
    /// Timer 8's break input, a spare line, at which the kernel announces notifications.
    TIM8_BRK = 51,
}

// SAFETY: the number is that of the line, and no larger than the table is long.
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self as u16
    }
}

/// The number that a notification centre is given.
pub const NOTIFICATIONS: u32 = Interrupt::TIM8_BRK as u32;

/// One entry of the vector table.
type Handler = unsafe extern "C" fn();

unsafe extern "C" {
    fn DefaultHandler();
    fn TIM1_BRK();
    fn TIM8_BRK();
}

/// Handlers by their interrupt's number, as far as the last that can be enabled: the STM32U585 has 141
/// lines, of which the rest of the table would take 360 bytes.
#[doc(hidden)]
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
pub static __INTERRUPTS: [Handler; NOTIFICATIONS as usize + 1] = {
    let mut table: [Handler; _] = [DefaultHandler; NOTIFICATIONS as usize + 1];
    table[Interrupt::TIM1_BRK as usize] = TIM1_BRK;
    table[Interrupt::TIM8_BRK as usize] = TIM8_BRK;
    table
};

/// Lets an interrupt through. Its handler has to be in place: without one, the application ends in the
/// [worst case](crate::worst_case).
pub fn enable(interrupt: Interrupt) {
    // SAFETY: no critical section here relies on a masked interrupt; they mask all of them.
    unsafe { cortex_m::peripheral::NVIC::unmask(interrupt) };
}

/// `bind_notifications!(CENTER)` has the interrupt [`NOTIFICATIONS`] handled by the static `CENTER`, a
/// [`NotificationCenter`](microvisor::NotificationCenter) of that number. It still has to be
/// [enabled](enable).
#[macro_export]
macro_rules! bind_notifications {
    ($center:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn TIM8_BRK() {
            $center.on_interrupt();
        }
    };
}
