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
    use core::sync::atomic::{AtomicBool, Ordering};
    use core::task::{RawWaker, RawWakerVTable, Waker};

    use super::Idle;

    /// Sleeps with `WFI` between interrupts. There is one core, so one flag serves every waker.
    #[derive(Debug, Default)]
    pub struct WaitForInterrupt(());

    static WOKEN: AtomicBool = AtomicBool::new(false);

    static VTABLE: RawWakerVTable = RawWakerVTable::new(|_| RAW, |_| wake(), |_| wake(), |_| ());
    const RAW: RawWaker = RawWaker::new(core::ptr::null(), &VTABLE);

    fn wake() {
        WOKEN.store(true, Ordering::Release);
    }

    impl WaitForInterrupt {
        /// The processor's sleep between interrupts.
        pub const fn new() -> Self {
            Self(())
        }
    }

    impl Idle for WaitForInterrupt {
        fn waker(&self) -> Waker {
            // SAFETY: the vtable keeps the waker contract: the data pointer is never used, so a
            // clone may outlive everything, and `wake` is an atomic store, callable anywhere.
            unsafe { Waker::from_raw(RAW) }
        }

        fn sleep(&mut self) {
            while !WOKEN.swap(false, Ordering::Acquire) {
                // With interrupts masked, an interrupt that strikes between the check and `wfi`
                // stays pending, and a pending interrupt ends `wfi` although it is masked.
                // SAFETY: masking and waiting touch no memory that Rust knows of; without `nomem`
                // the compiler keeps the accesses around them in order.
                unsafe { asm!("cpsid i", options(nostack, preserves_flags)) };
                if !WOKEN.load(Ordering::Acquire) {
                    // SAFETY: as above.
                    unsafe { asm!("dsb", "wfi", options(nostack, preserves_flags)) };
                }
                // SAFETY: as above; the caller of a sleeping function has interrupts enabled.
                unsafe { asm!("cpsie i", "isb", options(nostack, preserves_flags)) };
            }
        }
    }
}
