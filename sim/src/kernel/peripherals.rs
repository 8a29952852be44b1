//! Registers, clocks and fast interrupts.

use std::collections::BTreeMap;

use microvisor::sys;

use super::notifications::INTERRUPTS;
use super::{Kernel, Outcome};

/// All clocks of the board run at this rate.
const CLOCK: u32 = 160_000_000;
/// Where the STM32U585 has its peripherals.
const REGISTERS: std::ops::Range<u32> = 0x4000_0000..0x6000_0000;

/// What the application changed.
#[derive(Debug, Default)]
pub(super) struct Peripherals {
    registers: BTreeMap<u32, u32>,
    /// Fast interrupts, and whether each is enabled.
    fast_interrupts: BTreeMap<u32, bool>,
}

impl Kernel {
    /// `mvGetSysClk` and its three siblings.
    pub(crate) fn clock_rate(&mut self, hz: *mut u32) -> Outcome {
        self.output(hz, "hz")?;
        self.put(hz, CLOCK, "hz", CLOCK);
        Ok(())
    }

    pub(crate) fn periph_peek(&mut self, register: u32, output: *mut u32) -> Outcome {
        self.require_register(register)?;
        self.check_output(output, "output", sys::MV_STATUS_PERIPHERALACCESSFAULT)?;
        let value = self.register(register);
        self.put(output, value, "output", format_args!("{value:#010x}"));
        Ok(())
    }

    pub(crate) fn periph_poke(&mut self, register: u32, mask: u32, xor_value: u32) -> Outcome {
        self.require_register(register)?;
        let value = (self.register(register) & !mask) ^ xor_value;
        self.set_register(register, value);
        Ok(())
    }

    fn require_register(&mut self, register: u32) -> Outcome {
        if REGISTERS.contains(&register) && register.is_multiple_of(4) {
            return Ok(());
        }
        self.misused(
            sys::MV_STATUS_PERIPHERALACCESSFAULT,
            format!("{register:#010x} is no register of a peripheral"),
        )
    }

    pub(crate) fn register(&self, register: u32) -> u32 {
        self.peripherals.registers.get(&register).copied().unwrap_or(0)
    }

    pub(crate) fn set_register(&mut self, register: u32, value: u32) {
        self.peripherals.registers.insert(register, value);
    }

    pub(crate) fn set_fast_interrupt(&mut self, irq: u32) -> Outcome {
        self.require_interrupt(irq)?;
        if !self.bound.contains(&irq) {
            return Err(sys::MV_STATUS_INVALIDVECTOR);
        }
        self.peripherals.fast_interrupts.insert(irq, false);
        Ok(())
    }

    pub(crate) fn clear_fast_interrupt(&mut self, irq: u32) -> Outcome {
        self.require_fast_interrupt(irq)?;
        self.peripherals.fast_interrupts.remove(&irq);
        Ok(())
    }

    /// `mvEnableFastInterrupt` and `mvDisableFastInterrupt`.
    pub(crate) fn switch_fast_interrupt(&mut self, irq: u32, enabled: bool) -> Outcome {
        self.require_fast_interrupt(irq)?;
        self.peripherals.fast_interrupts.insert(irq, enabled);
        Ok(())
    }

    /// `mvEnableAllFastInterrupts` and `mvDisableAllFastInterrupts`.
    #[allow(clippy::unnecessary_wraps)] // A system call like any other.
    pub(crate) fn switch_all_fast_interrupts(&mut self, enabled: bool) -> Outcome {
        self.peripherals.fast_interrupts.values_mut().for_each(|each| *each = enabled);
        Ok(())
    }

    fn require_fast_interrupt(&mut self, irq: u32) -> Outcome {
        self.require_interrupt(irq)?;
        if self.peripherals.fast_interrupts.contains_key(&irq) {
            Ok(())
        } else {
            Err(sys::MV_STATUS_INVALIDINTERRUPT)
        }
    }

    fn require_interrupt(&mut self, irq: u32) -> Outcome {
        self.require_thread_mode()?;
        if irq < INTERRUPTS { Ok(()) } else { Err(sys::MV_STATUS_INVALIDINTERRUPT) }
    }
}
