//! The user LED.

use microvisor::Status;

use crate::peripheral_clock::{self, Peripheral};

/// GPIOA as the non-secure world sees it (RM0456, table 5).
const GPIOA: *mut u32 = 0x4202_0000 as *mut u32;
/// Offsets in words: the pins' modes, two bits each, and setting and resetting outputs.
const MODER: usize = 0;
const BSRR: usize = 6;
/// LED `LD6` of the board, on PA5.
const PIN: u32 = 5;
const OUTPUT: u32 = 0b01;

/// The user LED, on pin PA5.
#[derive(Debug)]
pub struct Led {
    is_on: bool,
}

impl Led {
    /// The LED, dark. Whoever else uses PA5 has to leave it alone from now on.
    ///
    /// # Errors
    ///
    /// The kernel's status, where it does not let the pins run.
    pub fn new() -> Result<Self, Status> {
        peripheral_clock::enable(Peripheral::GpioA)?;
        let mut led = Self { is_on: false };
        led.set(false);
        critical_section::with(|_| {
            // SAFETY: the register exists and its clock runs; nobody else changes it meanwhile.
            unsafe {
                let moder = GPIOA.add(MODER);
                let others = moder.read_volatile() & !(0b11 << (2 * PIN));
                moder.write_volatile(others | OUTPUT << (2 * PIN));
            }
        });
        Ok(led)
    }

    /// Turns it on or off.
    pub fn set(&mut self, is_on: bool) {
        let bit = if is_on { PIN } else { PIN + 16 };
        // SAFETY: the register exists, its clock runs, and zero bits change nothing.
        unsafe { GPIOA.add(BSRR).write_volatile(1 << bit) };
        self.is_on = is_on;
    }

    /// Turns it on if it is off, and off if it is on.
    pub fn toggle(&mut self) {
        self.set(!self.is_on);
    }
}
