mod builder;
mod bundle;
mod delay;
mod idle;

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use microvisor::sys;

use crate::exports;
use crate::fault::{Fault, Kind};
use crate::kernel::{End, Key};
use crate::machine::Machine;
use crate::misuse::Misuse;
use crate::network_plan::NetworkStatus;

pub use builder::Builder;
pub use bundle::BundleError;
pub use delay::Delay;
pub use idle::DeviceIdle;

/// A simulated device, installed on this thread for as long as it lives.
///
/// System calls of this thread go to it; another thread has its own. Time is virtual: it passes while
/// the application sleeps (then to the next event, at once) or calls the kernel (3 µs a call), and
/// nowhere else. Only with a broker in real time it is the host's.
///
/// Dropping the device switches it off: its connections end without a DISCONNECT. It panics if the application misused the kernel and the test did not ask for it
/// with [`take_misuse`](Self::take_misuse).
///
/// ```
/// use microvisor_sim::Device;
/// use microvisor::sys;
///
/// let device = Device::builder().seed(7).boot();
/// let mut hz = 0;
/// // SAFETY: `hz` is valid for the call.
/// let status = unsafe { sys::mvGetSysClk(&mut hz) };
/// assert_eq!((status, hz), (sys::MV_STATUS_OKAY, 160_000_000));
/// assert_eq!(device.trace(), ["[  0.000000] mvGetSysClk(&hz) = OKAY, hz=160000000"]);
/// ```
///
/// A device stays on its thread:
///
/// ```compile_fail
/// fn take_away(_: impl Send) {}
///
/// take_away(microvisor_sim::Device::builder().boot());
/// ```
pub struct Device {
    machine: Rc<Machine>,
    /// Whether dropping this ends the device; actions get a `Device` that does not.
    installed: bool,
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Device {
    /// A device with its usual settings, to be changed and booted.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn alias(machine: &Rc<Machine>) -> Self {
        Self { machine: machine.clone(), installed: false }
    }

    // Running the application.

    /// Sets the handler of an interrupt and enables it, as unmasking it in the NVIC does. If it is
    /// pending already, the handler runs at once.
    ///
    /// Handlers run when the application is in a system call or sleeps, never within one another.
    pub fn bind_interrupt(&self, irq: u32, handler: impl FnMut() + 'static) {
        self.machine.bind_interrupt(irq, Box::new(handler));
    }

    /// Disables an interrupt; it stays pending when it strikes.
    pub fn unbind_interrupt(&self, irq: u32) {
        self.machine.unbind_interrupt(irq);
    }

    /// Pends an interrupt.
    pub fn trigger_interrupt(&self, irq: u32) {
        self.machine.kernel.borrow_mut().pending.insert(irq);
        self.machine.deliver_interrupts();
    }

    /// Runs a future to its end. Whenever it waits, time passes to the next event.
    ///
    /// # Panics
    ///
    /// If the future waits and nothing is left that could happen.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        microvisor::block_on(&mut self.idle(), future)
    }

    /// How this device sleeps, for [`microvisor::block_on`] and executors.
    pub fn idle(&self) -> DeviceIdle {
        DeviceIdle::new(self.machine.clone())
    }

    /// Delays on the device's clock.
    #[allow(clippy::unused_self)] // There is nothing to delay without a device.
    pub fn delay(&self) -> Delay {
        Delay::new()
    }

    // Time.

    /// The time since boot, which is what `mvGetMicroseconds` answers.
    pub fn now(&self) -> Duration {
        self.machine.kernel.borrow().uptime()
    }

    /// Lets time pass, with everything that happens meanwhile.
    pub fn advance(&self, duration: Duration) {
        let until = self.machine.kernel.borrow().now.saturating_add(micros(duration));
        self.machine.do_what_is_due();
        while self.machine.kernel.borrow().now < until {
            self.machine.step(Some(until));
        }
        self.machine.resume_panic();
    }

    /// Lets time pass to the next event, and has it happen; `false` if nothing is left that could.
    ///
    /// For tests that look at the application after every event, also where that woke nobody.
    pub fn step(&self) -> bool {
        let happened = self.machine.step(None);
        self.machine.resume_panic();
        happened
    }

    /// Lets time pass until an interrupt was handled or until that time since boot, of which
    /// [`Duration::MAX`] is never: how the main loop of a program without an executor sleeps. If an interrupt
    /// was handled since the last return, no time passes.
    ///
    /// # Panics
    ///
    /// If nothing is left that could happen.
    pub fn sleep_until(&self, since_boot: Duration) {
        let until = (since_boot != Duration::MAX).then(|| micros(since_boot));
        self.machine.do_what_is_due();
        while !self.machine.take_interrupted()
            && until.is_none_or(|until| self.now() < Duration::from_micros(until))
        {
            assert!(
                self.machine.step(until),
                "the program sleeps, and nothing is left that could wake it:\n{}",
                self.machine.kernel.borrow().describe()
            );
            self.machine.resume_panic();
        }
    }

    /// Lets time pass until nothing is left that could happen.
    ///
    /// # Panics
    ///
    /// In real time, where something always can; and if it never ends (an action that plans another one).
    pub fn run_until_idle(&self) {
        assert!(!self.machine.is_real_time(), "with a broker in real time, a device is never idle");
        self.machine.do_what_is_due();
        for _ in 0..1_000_000 {
            if !self.machine.step(None) {
                self.machine.resume_panic();
                return;
            }
        }
        panic!(
            "the device is still busy after a million events:\n{}",
            self.machine.kernel.borrow().describe()
        );
    }

    /// Plans an action for a time since boot, or for at once if that is over.
    pub fn at(&self, since_boot: Duration, action: impl FnOnce(&Device) + 'static) {
        self.machine.schedule(micros(since_boot), Box::new(action));
    }

    // The world around the device.

    /// The state of the network.
    pub fn network(&self) -> NetworkStatus {
        self.machine.kernel.borrow().network().status()
    }

    /// Changes the state of the network. Losing it closes all channels.
    pub fn set_network(&self, status: NetworkStatus) {
        self.machine.kernel.borrow_mut().set_network(status);
        self.settle();
    }

    /// Closes all channels for this `MvClosureReason`, as the far end would.
    pub fn close_channels(&self, closure_reason: u32) {
        self.machine.kernel.borrow_mut().close_channels(closure_reason);
        self.settle();
    }

    /// An update of the application has arrived.
    pub fn download_update(&self) {
        self.machine.kernel.borrow_mut().update_downloaded();
        self.settle();
    }

    /// Switches logging off, or on again, from the server.
    pub fn set_server_logging(&self, enabled: bool) {
        self.machine.kernel.borrow_mut().set_server_logging(enabled);
    }

    /// Sets a value in the device's config store.
    ///
    /// # Panics
    ///
    /// Unless the key has 1 to 100 printable ASCII characters, and the value 4,096 characters at most.
    pub fn set_config(&self, key: &str, value: &str) {
        self.set(false, key, Some(value));
    }

    /// Removes a value from the device's config store.
    pub fn remove_config(&self, key: &str) {
        self.set(false, key, None);
    }

    /// Sets a value in the device's secret store.
    ///
    /// # Panics
    ///
    /// Unless the key has 1 to 100 printable ASCII characters, and the value 4,096 characters at most.
    pub fn set_secret(&self, key: &str, value: &str) {
        self.set(true, key, Some(value));
    }

    /// Removes a value from the device's secret store.
    pub fn remove_secret(&self, key: &str) {
        self.set(true, key, None);
    }

    fn set(&self, secret: bool, key: &str, value: Option<&str>) {
        let key = Key { secret, account: false, name: key.to_owned() };
        let mut kernel = self.machine.kernel.borrow_mut();
        match value {
            Some(value) => kernel.stores.insert(key, value),
            None => kernel.stores.remove(&key),
        }
    }

    /// A peripheral's register, as `mvPeriphPeek32` reads it.
    pub fn register(&self, address: u32) -> u32 {
        self.machine.kernel.borrow().register(address)
    }

    /// Sets a peripheral's register.
    pub fn set_register(&self, address: u32, value: u32) {
        self.machine.kernel.borrow_mut().set_register(address, value);
    }

    /// Makes something go wrong.
    ///
    /// # Panics
    ///
    /// If the fault names a system call that does not exist.
    pub fn inject(&self, fault: impl Into<Fault>) {
        let fault = fault.into();
        if let Kind::Call(call) = &fault.0
            && let Some(name) = call.name()
        {
            assert!(exports::NAMES.contains(&name), "there is no system call {name}");
        }
        self.machine.kernel.borrow_mut().faults.add(fault);
    }

    /// The next `times` attempts to open a channel are rate limited.
    pub fn rate_limit_opens(&self, times: u64) {
        self.inject(Fault::call("mvOpenChannel").times(times).status(sys::MV_STATUS_RATELIMITED));
    }

    // What happened.

    /// How many system calls there were.
    pub fn calls(&self) -> u64 {
        self.machine.kernel.borrow().calls
    }

    /// How many system calls of that name there were.
    pub fn call_count(&self, name: &str) -> u64 {
        self.machine.kernel.borrow().call_counts.get(name).copied().unwrap_or(0)
    }

    /// How many notifications were written over one that the application had not cleared.
    pub fn overruns(&self) -> u64 {
        self.machine.kernel.borrow().overruns
    }

    /// The call log: system calls with decoded arguments, and events. Secrets are left out.
    pub fn trace(&self) -> Vec<String> {
        self.machine.kernel.borrow().trace.lines().to_vec()
    }

    /// The log messages that the kernel took.
    pub fn server_log(&self) -> Vec<String> {
        self.machine.kernel.borrow().logged().to_vec()
    }

    /// What the application did wrong so far. Also looks whether it wrote to the kernel's memory.
    pub fn misuse(&self) -> Vec<Misuse> {
        let mut kernel = self.machine.kernel.borrow_mut();
        kernel.scan_memory();
        kernel.misuse.clone()
    }

    /// Like [`misuse`](Self::misuse), and forgets it.
    pub fn take_misuse(&self) -> Vec<Misuse> {
        let mut kernel = self.machine.kernel.borrow_mut();
        kernel.scan_memory();
        std::mem::take(&mut kernel.misuse)
    }

    /// How the application ended itself, if it did. After that no system call works any more.
    pub fn ended(&self) -> Option<End> {
        self.machine.kernel.borrow().end
    }

    /// Carries out what a change from outside brought about, unless that is under way already.
    fn settle(&self) {
        self.machine.make_broker_requests();
        self.machine.deliver_interrupts();
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("now", &self.now())
            .field("calls", &self.calls())
            .finish_non_exhaustive()
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if !self.installed {
            return;
        }
        Machine::uninstall();
        if std::thread::panicking() {
            return;
        }
        self.machine.stop();
        self.machine.resume_panic();
        let misuse = std::mem::take(&mut self.machine.kernel.borrow_mut().misuse);
        let list: Vec<_> = misuse.iter().map(|misuse| format!("  {misuse}")).collect();
        assert!(list.is_empty(), "the application misused the kernel:\n{}", list.join("\n"));
    }
}
