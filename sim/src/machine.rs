use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use microvisor::sys;

use crate::arguments::Argument;
use crate::broker::{Broker, Now};
use crate::device::Device;
use crate::fault::Action;
use crate::kernel::{Errand, Event, Kernel, Outcome};

thread_local!(static CURRENT: RefCell<Option<Rc<Machine>>> = const { RefCell::new(None) });

type Scheduled = Box<dyn FnOnce(&Device)>;
type Handler = Box<dyn FnMut()>;
type Panic = Box<dyn Any + Send>;

/// The board with everything attached: the kernel, the interrupt handlers, the broker and the user's
/// actions.
///
/// It is the only place that runs code of the user, and never does so while the kernel is borrowed.
/// Interrupt handlers, actions and wakers may therefore use system calls and the device.
pub(crate) struct Machine {
    pub(crate) kernel: RefCell<Kernel>,
    broker: RefCell<Box<dyn Broker>>,
    real_time: bool,
    started: Instant,
    /// A handler is away from its place while it runs.
    handlers: RefCell<BTreeMap<u32, Option<Handler>>>,
    scheduled: RefCell<BTreeMap<u64, Scheduled>>,
    timers: RefCell<BTreeMap<u64, Waker>>,
    next_id: Cell<u64>,
    /// Whether a handler ran since this was last asked.
    interrupted: Cell<bool>,
    /// Whether due events are being dealt with, further up on the stack.
    dispatching: Cell<bool>,
    stream: RefCell<Option<Box<dyn Write>>>,
    /// A panic of the user's code inside a system call, which must not unwind through C.
    panic: RefCell<Option<Panic>>,
}

impl Machine {
    pub(crate) fn new(
        mut kernel: Kernel,
        broker: Box<dyn Broker>,
        stream: Option<Box<dyn Write>>,
    ) -> Rc<Self> {
        let real_time = broker.is_real_time();
        kernel.real_time = real_time;
        Rc::new(Self {
            kernel: RefCell::new(kernel),
            broker: RefCell::new(broker),
            real_time,
            started: Instant::now(),
            handlers: RefCell::default(),
            scheduled: RefCell::default(),
            timers: RefCell::default(),
            next_id: Cell::new(0),
            interrupted: Cell::new(false),
            dispatching: Cell::new(false),
            stream: RefCell::new(stream),
            panic: RefCell::new(None),
        })
    }

    /// The machine of this thread.
    pub(crate) fn current() -> Option<Rc<Self>> {
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Makes this the machine of the thread; `false` if there is one already.
    pub(crate) fn install(self: &Rc<Self>) -> bool {
        CURRENT.with(|current| {
            let mut current = current.borrow_mut();
            let free = current.is_none();
            if free {
                *current = Some(self.clone());
            }
            free
        })
    }

    pub(crate) fn uninstall() {
        // Taken out first: what the machine holds may use system calls when it is dropped.
        let machine = CURRENT.try_with(RefCell::take).ok().flatten();
        drop(machine);
    }

    // System calls.

    pub(crate) fn system_call(
        self: &Rc<Self>,
        name: &'static str,
        arguments: &[(&str, &dyn Argument)],
        body: impl FnOnce(&mut Kernel) -> Outcome,
    ) -> sys::MvStatus {
        let status = self.keep_panic(|| self.carry_out(name, arguments, body));
        self.keep_panic(|| self.do_what_follows());
        status.unwrap_or(sys::MV_STATUS_INTERNALERROR)
    }

    /// Runs `work`, and keeps its panic for when it may unwind.
    fn keep_panic<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(result) => Some(result),
            Err(panic) => {
                self.panic.borrow_mut().get_or_insert(panic);
                None
            }
        }
    }

    fn carry_out(
        self: &Rc<Self>,
        name: &'static str,
        arguments: &[(&str, &dyn Argument)],
        body: impl FnOnce(&mut Kernel) -> Outcome,
    ) -> sys::MvStatus {
        let shown: Vec<_> = arguments.iter().map(|(name, argument)| argument.shown(name)).collect();
        let shown = shown.join(", ");
        let channel = arguments.iter().find_map(|(name, argument)| argument.channel(name)).unwrap_or(0);
        self.follow_clock();
        let verdict = self.kernel.borrow_mut().begin_call(name, channel);
        self.run_actions(&verdict.before);
        let status = self.kernel.borrow_mut().carry_out(name, channel, &shown, &verdict, body);
        self.run_actions(&verdict.after);
        status
    }

    /// What happens between the return from the kernel and the application's next instruction.
    fn do_what_follows(self: &Rc<Self>) {
        self.make_broker_requests();
        if std::mem::take(&mut self.kernel.borrow_mut().dozes) {
            self.step(None);
        }
        if !self.dispatching.get() {
            self.do_what_is_due();
        }
        self.send_trace();
    }

    fn run_actions(self: &Rc<Self>, actions: &[Action]) {
        for action in actions {
            self.run_action(action);
        }
    }

    fn run_action(self: &Rc<Self>, action: &Action) {
        let device = Device::alias(self);
        // An action whose own system calls match its fault again is not run within itself.
        if let Ok(mut action) = action.0.try_borrow_mut() {
            action(&device);
        }
    }

    /// Goes on with a panic that happened inside a system call.
    pub(crate) fn resume_panic(&self) {
        let panic = self.panic.borrow_mut().take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    // The far end.

    fn now(&self) -> Now {
        let kernel = self.kernel.borrow();
        Now { micros: kernel.now, unix_micros: kernel.unix_micros() }
    }

    pub(crate) fn make_broker_requests(&self) {
        // A broker may use system calls itself; what those ask of it waits until it is free.
        while let Ok(mut broker) = self.broker.try_borrow_mut() {
            let request = self.kernel.borrow_mut().outbox.pop_front();
            let Some(request) = request else { return };
            let now = self.now();
            request.make(&mut **broker, now);
        }
    }

    /// Tells the broker that there is a kernel.
    pub(crate) fn start(&self) {
        let now = self.now();
        self.broker.borrow_mut().kernel_starts(now);
    }

    /// Ends all connections and tells the broker that the kernel is gone. A panic of the broker is kept.
    pub(crate) fn stop(&self) {
        self.keep_panic(|| {
            self.follow_clock();
            self.kernel.borrow_mut().abandon_links();
            self.make_broker_requests();
            let now = self.now();
            self.broker.borrow_mut().kernel_ends(now);
        });
    }

    fn next_broker_event_at(&self) -> Option<u64> {
        self.broker.try_borrow().ok()?.next_event_at()
    }

    /// Takes what the broker has to say by now; `false` if that is nothing.
    fn take_broker_event(&self) -> bool {
        let now = self.now();
        let event = {
            let Ok(mut broker) = self.broker.try_borrow_mut() else { return false };
            match broker.next_event_at() {
                Some(at) if at <= now.micros => broker.take_event(now),
                _ => None,
            }
        };
        let Some((link, event)) = event else { return false };
        self.kernel.borrow_mut().broker_event(link, event);
        true
    }

    // Time.

    /// Brings the kernel's clock up to the host's, for a far end in real time.
    fn follow_clock(&self) {
        if self.real_time {
            let elapsed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
            let mut kernel = self.kernel.borrow_mut();
            kernel.now = kernel.now.max(elapsed);
        }
    }

    pub(crate) fn is_real_time(&self) -> bool {
        self.real_time
    }

    pub(crate) fn next_event_at(&self) -> Option<u64> {
        let broker = self.next_broker_event_at();
        let kernel = self.kernel.borrow().queue.next_at();
        [broker, kernel].into_iter().flatten().min()
    }

    /// Lets time pass until something happens, `until` at the latest; `false` if nothing ever will.
    pub(crate) fn step(self: &Rc<Self>, until: Option<u64>) -> bool {
        self.follow_clock();
        let target = [self.next_event_at(), until].into_iter().flatten().min();
        if self.real_time {
            let now = self.kernel.borrow().now;
            let wait =
                target.map_or(LONGEST_WAIT, |target| Duration::from_micros(target.saturating_sub(now)));
            if !wait.is_zero() {
                let wait = wait.min(LONGEST_WAIT);
                match self.broker.try_borrow_mut() {
                    Ok(mut broker) => broker.wait(wait),
                    Err(_) => std::thread::sleep(wait),
                }
            }
            self.follow_clock();
        } else {
            let Some(target) = target else { return false };
            let mut kernel = self.kernel.borrow_mut();
            kernel.now = kernel.now.max(target);
        }
        self.do_what_is_due();
        true
    }

    /// Carries out everything that is due, in order, and delivers interrupts in between.
    pub(crate) fn do_what_is_due(self: &Rc<Self>) {
        let _dispatching = Dispatching { machine: self, outer: self.dispatching.replace(true) };
        loop {
            self.deliver_interrupts();
            self.make_broker_requests();
            self.run_errands();
            let kernel_first = {
                let kernel = self.kernel.borrow().queue.next_at();
                let broker = self.next_broker_event_at();
                kernel.is_some_and(|kernel| broker.is_none_or(|broker| kernel <= broker))
            };
            let happened = if kernel_first {
                self.kernel.borrow_mut().take_due_event()
            } else {
                // A broker that has nothing after all must not hold up the kernel.
                self.take_broker_event() || self.kernel.borrow_mut().take_due_event()
            };
            if !happened && !self.has_work() {
                break;
            }
        }
        self.send_trace();
    }

    /// Whether user code is to be run now.
    fn has_work(&self) -> bool {
        let kernel = self.kernel.borrow();
        let interrupt = kernel.pending.intersection(&kernel.bound).next().is_some();
        !kernel.errands.is_empty() || (interrupt && !kernel.in_handler)
    }

    fn run_errands(self: &Rc<Self>) {
        loop {
            let errand = self.kernel.borrow_mut().errands.pop_front();
            match errand {
                None => return,
                Some(Errand::Scheduled(id)) => {
                    let action = self.scheduled.borrow_mut().remove(&id);
                    if let Some(action) = action {
                        action(&Device::alias(self));
                    }
                }
                Some(Errand::Timer(id)) => {
                    let waker = self.timers.borrow_mut().remove(&id);
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                }
                Some(Errand::Fault(action)) => self.run_action(&action),
            }
            self.make_broker_requests();
        }
    }

    // Interrupts.

    pub(crate) fn bind_interrupt(self: &Rc<Self>, irq: u32, handler: Handler) {
        let old = self.handlers.borrow_mut().insert(irq, Some(handler));
        drop(old);
        self.kernel.borrow_mut().bound.insert(irq);
        self.deliver_interrupts();
    }

    pub(crate) fn unbind_interrupt(&self, irq: u32) {
        let old = self.handlers.borrow_mut().remove(&irq);
        drop(old);
        self.kernel.borrow_mut().bound.remove(&irq);
    }

    /// Runs the handlers of pending interrupts, one after another and never within each other: all have
    /// the same priority.
    pub(crate) fn deliver_interrupts(&self) {
        loop {
            let irq = {
                let mut kernel = self.kernel.borrow_mut();
                if kernel.in_handler {
                    return;
                }
                let Some(irq) = kernel.pending.intersection(&kernel.bound).next().copied() else { return };
                kernel.pending.remove(&irq);
                kernel.in_handler = true;
                irq
            };
            let handler = self.handlers.borrow_mut().get_mut(&irq).and_then(Option::take);
            let _in_handler = InHandler(self);
            if let Some(mut handler) = handler {
                handler();
                self.interrupted.set(true);
                // The handler may have bound another one in its place, or none.
                if let Some(place @ None) = self.handlers.borrow_mut().get_mut(&irq) {
                    *place = Some(handler);
                }
            }
        }
    }

    pub(crate) fn take_interrupted(&self) -> bool {
        self.interrupted.take()
    }

    // Actions and delays.

    fn new_id(&self) -> u64 {
        self.next_id.replace(self.next_id.get() + 1)
    }

    pub(crate) fn schedule(&self, at: u64, action: Scheduled) {
        let id = self.new_id();
        self.scheduled.borrow_mut().insert(id, action);
        self.kernel.borrow_mut().queue.push(at, Event::Scheduled(id));
    }

    pub(crate) fn start_timer(&self, at: u64) -> u64 {
        let id = self.new_id();
        self.kernel.borrow_mut().queue.push(at, Event::Timer(id));
        id
    }

    pub(crate) fn set_timer_waker(&self, timer: u64, waker: &Waker) {
        let old = self.timers.borrow_mut().insert(timer, waker.clone());
        drop(old);
    }

    pub(crate) fn cancel_timer(&self, timer: u64) {
        self.kernel.borrow_mut().queue.cancel_timer(timer);
        let waker = self.timers.borrow_mut().remove(&timer);
        drop(waker);
    }

    // The call log.

    fn send_trace(&self) {
        let lines = self.kernel.borrow_mut().trace.take_unsent();
        let Ok(mut stream) = self.stream.try_borrow_mut() else { return };
        let Some(stream) = stream.as_mut() else { return };
        for line in lines {
            // A log that cannot be written must not disturb the application.
            let _ = writeln!(stream, "{line}");
        }
    }
}

/// In real time, how long to wait before looking around again.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Ends the dispatching also when an action panics.
struct Dispatching<'m> {
    machine: &'m Machine,
    outer: bool,
}

impl Drop for Dispatching<'_> {
    fn drop(&mut self) {
        self.machine.dispatching.set(self.outer);
    }
}

/// Ends the handler mode also when the handler panics.
struct InHandler<'m>(&'m Machine);

impl Drop for InHandler<'_> {
    fn drop(&mut self) {
        self.0.kernel.borrow_mut().in_handler = false;
    }
}
