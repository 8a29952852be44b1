//! Running a future to its end on a device without an executor.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

/// How the processor waits for something to happen.
///
/// A board sleeps until an interrupt (`WaitForInterrupt`, on Arm targets); the simulator jumps to
/// its next event; an application can supply its own, for one that also enters a low-power mode.
///
/// Implementations must not lose a wake-up: once the waker was used, the next `sleep` returns,
/// also when that happened before `sleep` was entered.
pub trait Idle {
    /// A waker that ends the current `sleep`, or the next one. Usable from interrupts.
    fn waker(&self) -> Waker;

    /// Sleeps until the waker is used. It may return early for no reason.
    fn sleep(&mut self);
}

/// Runs `future` to its end, sleeping whenever it waits.
///
/// The future is polled again only after its waker was used, not after every interrupt.
pub fn block_on<F: Future>(idle: &mut impl Idle, future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = idle.waker();
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        idle.sleep();
    }
}

#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use wait_for_interrupt::WaitForInterrupt;

#[cfg(all(target_arch = "arm", target_os = "none"))]
mod wait_for_interrupt {
    use core::arch::asm;
    use core::sync::atomic::{AtomicU32, Ordering};
    use core::task::{RawWaker, RawWakerVTable, Waker};

    use super::Idle;

    /// Sleeps with `WFI` between interrupts.
    ///
    /// Interrupts have to be enabled: with `PRIMASK` set, no handler runs that could use the waker,
    /// so `sleep` does not return.
    #[derive(Debug, Default)]
    pub struct WaitForInterrupt {
        /// The wake-ups that were seen.
        seen: u32,
    }

    /// How many wake-ups there were. There is one core, so one count serves all wakers; everybody who
    /// sleeps compares, and nobody consumes what is another's.
    static WAKE_UPS: AtomicU32 = AtomicU32::new(0);

    static VTABLE: RawWakerVTable = RawWakerVTable::new(|_| RAW, |_| wake(), |_| wake(), |_| ());
    const RAW: RawWaker = RawWaker::new(core::ptr::null(), &VTABLE);

    fn wake() {
        WAKE_UPS.fetch_add(1, Ordering::Release);
    }

    impl WaitForInterrupt {
        /// The processor's sleep between interrupts.
        pub const fn new() -> Self {
            Self { seen: 0 }
        }
    }

    impl Idle for WaitForInterrupt {
        fn waker(&self) -> Waker {
            // SAFETY: the vtable keeps the waker contract: the data pointer is never used, so a
            // clone may outlive everything, and `wake` is an atomic addition, callable anywhere.
            unsafe { Waker::from_raw(RAW) }
        }

        fn sleep(&mut self) {
            loop {
                let wake_ups = WAKE_UPS.load(Ordering::Acquire);
                if wake_ups != self.seen {
                    self.seen = wake_ups;
                    return;
                }
                sleep_unless(|| WAKE_UPS.load(Ordering::Acquire) != self.seen);
            }
        }
    }

    /// Sleeps until an interrupt is pending, unless `woken`.
    ///
    /// With interrupts masked, one that strikes between the check and `wfi` stays pending, and a
    /// pending interrupt ends `wfi` although it is masked.
    fn sleep_unless(woken: impl FnOnce() -> bool) {
        let primask: u32;
        // SAFETY: reading and setting PRIMASK touches no memory; without `nomem`, the compiler keeps
        // the accesses around it in order.
        unsafe { asm!("mrs {}, PRIMASK", "cpsid i", out(reg) primask, options(nostack, preserves_flags)) };
        if !woken() {
            // SAFETY: waiting touches no memory.
            unsafe { asm!("dsb", "wfi", options(nostack, preserves_flags)) };
        }
        // Whoever masked interrupts before relies on it.
        if primask & 1 == 0 {
            // SAFETY: they were enabled when this function was entered.
            unsafe { asm!("cpsie i", "isb", options(nostack, preserves_flags)) };
        }
    }
}
