//! Tasks with wakers of their own, each of which is polled only when it was woken.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use crate::wakes::Wakes;
use crate::world::World;

pub struct Task<'f> {
    future: Pin<Box<dyn Future<Output = ()> + 'f>>,
    wakes: Wakes,
    /// How often it had been woken when it was last polled.
    seen: Option<u32>,
    is_done: bool,
}

impl<'f> Task<'f> {
    pub fn new(future: impl Future<Output = ()> + 'f) -> Self {
        Self { future: Box::pin(future), wakes: Wakes::default(), seen: None, is_done: false }
    }

    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Whether it was polled.
    fn poll_if_woken(&mut self) -> bool {
        let count = Some(self.wakes.count());
        if self.is_done || self.seen == count {
            return false;
        }
        self.seen = count;
        self.is_done = self.future.as_mut().poll(&mut Context::from_waker(&self.wakes.waker())).is_ready();
        true
    }
}

/// Runs the tasks until it is enough, which must not take longer than `longest`.
pub fn run<const N: usize>(
    world: &World,
    tasks: &mut [Task<'_>; N],
    longest: Duration,
    is_enough: impl Fn(&[Task<'_>; N]) -> bool,
) {
    let end = world.now() + longest;
    let mut polls = 0;
    while !is_enough(tasks) {
        if tasks.iter_mut().any(Task::poll_if_woken) {
            polls += 1;
            assert!(polls < 10_000, "they wake one another for ever");
        } else {
            assert!(world.device.step() && world.now() <= end, "nobody was woken in {longest:?}");
        }
    }
}
