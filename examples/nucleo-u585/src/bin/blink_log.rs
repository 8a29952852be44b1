//! The first thing to flash: the LED blinks, and the server log tells the device's id and counts seconds.
#![no_std]
#![no_main]

use core::fmt::Write;

use cortex_m_rt::entry;
use embedded_hal_async::delay::DelayNs;
use microvisor::{DeviceId, KernelMemory, ServerLog, WaitForInterrupt, block_on, kernel_memory};
use nucleo_u585::{Led, Timer};

static LOG: KernelMemory<1024> = kernel_memory!(1024);

#[entry]
fn main() -> ! {
    block_on(&mut WaitForInterrupt::new(), blink())
}

async fn blink() -> ! {
    let log = LOG.take().and_then(|buffer| ServerLog::start(buffer).ok());
    let mut led = Led::new().ok();
    say(log, |line| match DeviceId::read() {
        Ok(id) => write!(line, "device {}", id.as_str()),
        Err(error) => write!(line, "{error}"),
    });
    if led.is_none() {
        say(log, |line| line.write_str("the LED stays dark: the kernel does not let its port run"));
    }
    for seconds in 0u32.. {
        say(log, |line| write!(line, "{seconds} s"));
        if let Some(led) = &mut led {
            led.toggle();
        }
        Timer.delay_ms(1_000).await;
    }
    // After 136 years.
    nucleo_u585::worst_case::give_up()
}

/// A line of text, where there is a log.
fn say(log: Option<ServerLog>, text: impl FnOnce(&mut dyn Write) -> core::fmt::Result) {
    if let Some(log) = log {
        // A `LogLine` takes everything.
        let _ = text(&mut log.line::<64>());
    }
}
