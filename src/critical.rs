//! What must not be interrupted.

use core::sync::atomic::{AtomicBool, Ordering};

/// A section that one at a time can be in, interrupt handlers included.
///
/// On the device, which has one core, interrupts are masked for its few instructions. Elsewhere it is a
/// spin lock: an interrupt handler is an ordinary function there.
pub(crate) struct Critical {
    #[cfg_attr(all(target_arch = "arm", target_os = "none"), allow(dead_code))]
    locked: AtomicBool,
}

impl Critical {
    pub(crate) const fn new() -> Self {
        Self { locked: AtomicBool::new(false) }
    }

    /// Calls `inside`, which must be short, must not call `with` of the same section, and must not panic.
    #[cfg(not(all(target_arch = "arm", target_os = "none")))]
    pub(crate) fn with<R>(&self, inside: impl FnOnce() -> R) -> R {
        while self.locked.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            core::hint::spin_loop();
        }
        let result = inside();
        self.locked.store(false, Ordering::Release);
        result
    }

    /// Calls `inside`, which must be short, must not call `with` of the same section, and must not panic.
    #[cfg(all(target_arch = "arm", target_os = "none"))]
    #[inline(always)]
    pub(crate) fn with<R>(&self, inside: impl FnOnce() -> R) -> R {
        use core::arch::asm;
        use core::sync::atomic::compiler_fence;

        let primask: u32;
        // SAFETY: reading and setting PRIMASK touches no memory; without `nomem`, the compiler keeps the
        // accesses inside where they are.
        unsafe { asm!("mrs {}, PRIMASK", "cpsid i", out(reg) primask, options(nostack, preserves_flags)) };
        compiler_fence(Ordering::SeqCst);
        let result = inside();
        compiler_fence(Ordering::SeqCst);
        // Whoever masked interrupts before relies on it.
        // SAFETY: this restores what was found.
        unsafe { asm!("msr PRIMASK, {}", in(reg) primask, options(nostack, preserves_flags)) };
        result
    }
}
