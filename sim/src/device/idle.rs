use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use microvisor::Idle;

use crate::machine::Machine;

/// The sleep of a [`Device`](crate::Device): pending interrupts are delivered, and time passes to the
/// next event, until the waker was used.
///
/// ```
/// use microvisor_sim::Device;
///
/// let device = Device::builder().boot();
/// assert_eq!(microvisor::block_on(&mut device.idle(), async { 42 }), 42);
/// ```
pub struct DeviceIdle {
    machine: Rc<Machine>,
    /// One for each sleep, so that an action which runs a future of its own takes no wake-up away.
    woken: Arc<WakeFlag>,
}

/// Set by the waker.
#[derive(Debug, Default)]
struct WakeFlag(AtomicBool);

impl WakeFlag {
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Acquire)
    }
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl DeviceIdle {
    pub(crate) fn new(machine: Rc<Machine>) -> Self {
        Self { machine, woken: Arc::default() }
    }
}

impl Idle for DeviceIdle {
    fn waker(&self) -> Waker {
        Waker::from(self.woken.clone())
    }

    /// # Panics
    ///
    /// If nothing is left that could wake the device, or in an interrupt handler.
    fn sleep(&mut self) {
        let machine = &self.machine;
        assert!(!machine.kernel.borrow().in_handler, "an interrupt handler must not sleep");
        machine.resume_panic();
        machine.do_what_is_due();
        while !self.woken.take() {
            let ended = machine.kernel.borrow().end.is_some();
            let goes_on = !ended && machine.step(None);
            machine.resume_panic();
            assert!(
                goes_on || self.woken.take(),
                "the application sleeps for ever: it waits, and nothing is left that could happen\n{}",
                machine.kernel.borrow().describe()
            );
            if !goes_on {
                return;
            }
        }
    }
}

impl fmt::Debug for DeviceIdle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceIdle").finish_non_exhaustive()
    }
}
