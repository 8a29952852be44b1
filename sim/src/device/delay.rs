use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use embedded_hal_async::delay::DelayNs;

use crate::machine::Machine;

/// Delays on the clock of this thread's device.
///
/// ```
/// use std::time::Duration;
/// use embedded_hal_async::delay::DelayNs;
/// use microvisor_sim::Device;
///
/// let device = Device::builder().boot();
/// let mut delay = device.delay();
/// device.block_on(async { delay.delay_ms(3_600_000).await });
/// assert_eq!(device.now(), Duration::from_secs(3600));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Delay(());

impl Delay {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl DelayNs for Delay {
    /// Waits for that long, rounded up to microseconds.
    ///
    /// # Panics
    ///
    /// If the thread has no device.
    async fn delay_ns(&mut self, ns: u32) {
        wait(u64::from(ns).div_ceil(1_000)).await;
    }

    async fn delay_us(&mut self, us: u32) {
        wait(u64::from(us)).await;
    }

    async fn delay_ms(&mut self, ms: u32) {
        wait(u64::from(ms) * 1_000).await;
    }
}

/// A running delay; dropping it cancels it.
struct Timer {
    machine: Rc<Machine>,
    id: u64,
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.machine.cancel_timer(self.id);
    }
}

async fn wait(micros: u64) {
    let machine =
        Machine::current().expect("a delay needs a device on its thread; boot one with Device::builder()");
    let until = machine.kernel.borrow().now.saturating_add(micros);
    let timer = Timer { id: machine.start_timer(until), machine };
    poll_fn(|context| {
        if timer.machine.kernel.borrow().now >= until {
            return Poll::Ready(());
        }
        timer.machine.set_timer_waker(timer.id, context.waker());
        Poll::Pending
    })
    .await;
}
