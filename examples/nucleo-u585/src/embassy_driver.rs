//! The time driver of `embassy-time`: the kernel's clock in microseconds, and SysTick for its alarm.

use core::cell::Cell;
use core::task::Waker;

use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

use crate::alarm;

struct KernelTime {
    /// Taken out while it is in use, which a `RefCell` would do with panics.
    queue: Mutex<Cell<Option<Queue>>>,
}

embassy_time_driver::time_driver_impl!(
    static DRIVER: KernelTime = KernelTime { queue: Mutex::new(Cell::new(Some(Queue::new()))) }
);

impl Driver for KernelTime {
    fn now(&self) -> u64 {
        alarm::now().unwrap_or_else(|about| about)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        let now = alarm::now();
        critical_section::with(|cs| {
            let cell = self.queue.borrow(cs);
            let Some(mut queue) = cell.take() else { return };
            if queue.schedule_wake(at, waker) {
                match now {
                    // Of the time that is over since, those are woken at once that waited for it.
                    Ok(now) => alarm::set(cs, now, queue.next_expiration(now), expire),
                    Err(_) => alarm::set_unknown(cs, expire),
                }
            }
            cell.set(Some(queue));
        });
    }
}

/// Wakes those who waited for a time up to `now`, and says when the next one is due.
fn expire(cs: CriticalSection<'_>, now: u64) -> Option<u64> {
    let cell = DRIVER.queue.borrow(cs);
    let mut queue = cell.take()?;
    let next = queue.next_expiration(now);
    cell.set(Some(queue));
    (next != u64::MAX).then_some(next)
}
