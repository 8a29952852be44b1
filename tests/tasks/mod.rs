//! An executor that polls a task when its own waker was used, and at no other time.
//!
//! A `select` or a `join` with one waker polls everything whenever anything happens, and so hides every
//! wake-up that is lost. Here each task has its own waker, and of those that were woken a random one is
//! polled next.

#![allow(dead_code)] // Each test file uses its part.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use embedded_hal_async::delay::DelayNs;
use microvisor::Idle;
use microvisor_sim::{Device, DeviceIdle};

/// How often tasks may be polled in one call of [`Tasks::run_for`].
const MOST_POLLS: u64 = 200_000;

/// A task's waker.
struct Flag {
    woken: AtomicBool,
    /// Ends the sleep of the executor.
    executor: Waker,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.executor.wake_by_ref();
    }
}

struct Task<'t> {
    number: usize,
    flag: Arc<Flag>,
    future: Pin<Box<dyn Future<Output = ()> + 't>>,
}

/// Names a task for as long as the executor exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskId(usize);

/// The tasks of an application.
pub struct Tasks<'t> {
    idle: DeviceIdle,
    all: Vec<Task<'t>>,
    next_number: usize,
    random: u64,
    polls: u64,
}

impl<'t> Tasks<'t> {
    pub fn new(device: &Device, seed: u64) -> Self {
        Self { idle: device.idle(), all: Vec::new(), next_number: 0, random: seed, polls: 0 }
    }

    /// A task, which counts as woken.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 't) -> TaskId {
        let number = self.next_number;
        self.next_number += 1;
        let flag = Arc::new(Flag { woken: AtomicBool::new(true), executor: self.idle.waker() });
        self.all.push(Task { number, flag, future: Box::pin(future) });
        TaskId(number)
    }

    /// Drops a task where it stands; `false` if it was done.
    pub fn cancel(&mut self, task: TaskId) -> bool {
        let position = self.all.iter().position(|known| known.number == task.0);
        let cancelled = position.map(|position| self.all.remove(position));
        cancelled.is_some()
    }

    pub fn is_done(&self, task: TaskId) -> bool {
        self.all.iter().all(|known| known.number != task.0)
    }

    /// How often tasks were polled.
    pub fn polls(&self) -> u64 {
        self.polls
    }

    /// Lets time pass, in which the tasks work.
    ///
    /// # Panics
    ///
    /// If the tasks keep each other awake without end.
    pub fn run_for(&mut self, device: &Device, duration: Duration) {
        let waker = self.idle.waker();
        let mut context = Context::from_waker(&waker);
        let mut delay = device.delay();
        let mut end = pin!(delay.delay_ms(u32::try_from(duration.as_millis()).expect("some weeks")));
        let most = self.polls + MOST_POLLS;
        loop {
            while self.poll_one().is_some() {
                assert!(self.polls < most, "{MOST_POLLS} polls by {:?}", device.now());
            }
            if end.as_mut().poll(&mut context).is_ready() {
                return;
            }
            self.idle.sleep();
        }
    }

    /// Lets the tasks work until `task` was polled so often, or is done, or it is `end`; whether it comes
    /// to more polls.
    ///
    /// A restless task is polled after every event, also after those that wake nobody.
    pub fn run_until_polled(
        &mut self,
        device: &Device,
        task: TaskId,
        polls: usize,
        end: Duration,
        restless: bool,
    ) -> bool {
        let mut polled = 0;
        while polled < polls && !self.is_done(task) && device.now() < end {
            match self.poll_one() {
                Some(number) if number == task.0 => polled += 1,
                Some(_) => {}
                None => {
                    assert!(device.step(), "everybody sleeps for ever");
                    if restless {
                        self.wake(task);
                    }
                }
            }
        }
        polled == polls && !self.is_done(task)
    }

    /// As if the task had been woken.
    fn wake(&self, task: TaskId) {
        for task in self.all.iter().filter(|known| known.number == task.0) {
            task.flag.woken.store(true, Ordering::Release);
        }
    }

    /// Polls one of the tasks that were woken, and says which.
    fn poll_one(&mut self) -> Option<usize> {
        let is_woken = |task: &&mut Task| task.flag.woken.load(Ordering::Acquire);
        let woken = self.all.iter_mut().filter(is_woken).count();
        let chosen = self.random_below(woken)?;
        let task = self.all.iter_mut().filter(is_woken).nth(chosen)?;
        task.flag.woken.store(false, Ordering::Release);
        self.polls += 1;
        let number = task.number;
        let waker = Waker::from(task.flag.clone());
        if let Poll::Ready(()) = task.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.all.retain(|known| known.number != number);
        }
        Some(number)
    }

    /// A Weyl sequence (its step is `SplitMix64`'s).
    fn random_below(&mut self, bound: usize) -> Option<usize> {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        usize::try_from(mixed >> 33).expect("31 bits").checked_rem(bound)
    }
}
