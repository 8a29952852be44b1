//! The clocks of peripherals.
//!
//! The clock tree belongs to the kernel: the registers of RCC are not the application's to write. A
//! system call sets those bits of them that an application may set, such as a peripheral's clock.

use microvisor::Status;
use microvisor::sys;

/// RCC's `AHB2ENR1` (RM0456, 11.8.27).
const AHB2ENR1: u32 = 0x4602_0c8c;

/// The ports of GPIO pins that the images here use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peripheral {
    /// Pins PA0 to PA15.
    GpioA,
}

/// Lets a peripheral run.
///
/// # Errors
///
/// The kernel's status, where it does not allow that.
pub fn enable(peripheral: Peripheral) -> Result<(), Status> {
    let (register, bit) = match peripheral {
        Peripheral::GpioA => (AHB2ENR1, 1 << 0),
    };
    // SAFETY: the kernel checks the register and the bits; nobody's memory is touched, and no peripheral
    // is in use whose clock stops by this.
    Status::check(unsafe { sys::mvPeriphPoke32(register, bit, bit) })
}
