//! Waits for the network. It shows that an image links, and where its system calls go.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m_rt::{entry, exception};
use microvisor::{Network, NotificationCenter, WaitForInterrupt, block_on};

/// A spare timer line, `TIM8_BRK`.
const IRQ: u32 = 51;
/// The NVIC's set-enable registers (Armv8-M, B11.2).
const NVIC_ISER: *mut u32 = 0xe000_e100 as *mut u32;

static CENTER: NotificationCenter<8> = NotificationCenter::new(IRQ);

#[entry]
fn main() -> ! {
    // SAFETY: enabling an interrupt whose handler is in place; the register is written whole, and a
    // zero bit changes nothing.
    unsafe { NVIC_ISER.add(IRQ as usize / 32).write_volatile(1 << (IRQ % 32)) };
    let mut idle = WaitForInterrupt::new();
    let _ = block_on(&mut idle, async {
        let notifications = CENTER.open().ok()?;
        let mut network = Network::request(&notifications).ok()?;
        network.connected().await.ok()
    });
    loop {
        core::hint::spin_loop();
    }
}

#[exception]
unsafe fn DefaultHandler(irq: i16) {
    if i16::try_from(IRQ) == Ok(irq) {
        CENTER.on_interrupt();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
