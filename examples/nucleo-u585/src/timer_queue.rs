//! Who waits for a time.
//!
//! ```text
//!  QUEUE ─▶ Entry ─▶ Entry ─▶ Entry      each lies in the future that waits, and leaves
//!                                        the queue at its time or when the future is dropped
//! ```
//!
//! The interrupt takes those out whose time it is. A future that is polled meanwhile looks at one flag of
//! its own.

use core::cell::{Cell, UnsafeCell};
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

use critical_section::{CriticalSection, Mutex};

use crate::alarm;

/// The first of those that wait.
static QUEUE: Mutex<Cell<Link>> = Mutex::new(Cell::new(Link(ptr::null())));

#[derive(Clone, Copy)]
struct Link(*const Entry);

// SAFETY: what it points to is used in critical sections alone, by whichever context is in one.
unsafe impl Send for Link {}

/// One that waits.
struct Entry {
    /// Set when it is put into the queue, cleared by the interrupt at its time.
    is_queued: AtomicBool,
    /// What changes only in critical sections, while it is queued.
    waiting: UnsafeCell<Waiting>,
    _pinned: PhantomPinned,
}

struct Waiting {
    next: Link,
    deadline: u64,
    waker: Option<Waker>,
}

/// Waits for `micros` microseconds.
pub(crate) fn sleep(micros: u64) -> Sleep {
    let waiting = Waiting { next: Link(ptr::null()), deadline: 0, waker: None };
    let entry = Entry {
        is_queued: AtomicBool::new(false),
        waiting: UnsafeCell::new(waiting),
        _pinned: PhantomPinned,
    };
    Sleep { state: State::New(micros), entry }
}

/// The future of [`sleep`].
pub(crate) struct Sleep {
    state: State,
    entry: Entry,
}

#[derive(Clone, Copy)]
enum State {
    New(u64),
    Waiting,
    Over,
}

// SAFETY: the only thing that binds it to a place is the queue's pointer to the entry, which holds
// nothing but a waker, and is used in critical sections alone.
unsafe impl Send for Sleep {}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the entry is not moved out of.
        let this = unsafe { self.get_unchecked_mut() };
        if this.entry.is_queued.load(Ordering::Acquire) {
            this.entry.refresh(cx.waker());
            return Poll::Pending;
        }
        if let State::Over = this.state {
            return Poll::Ready(());
        }
        let now = alarm::now();
        // Should the kernel's clock not answer, SysTick's word is taken for it.
        let (Ok(about) | Err(about)) = now;
        let deadline = match this.state {
            State::New(micros) => about.saturating_add(micros),
            State::Waiting | State::Over => this.entry.deadline(),
        };
        if about >= deadline {
            this.state = State::Over;
            return Poll::Ready(());
        }
        this.state = State::Waiting;
        this.entry.enqueue(now, deadline, cx.waker());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if self.entry.is_queued.load(Ordering::Acquire) {
            self.entry.leave();
        }
    }
}

impl Entry {
    fn deadline(&self) -> u64 {
        // SAFETY: it is not queued, so that nobody else uses it.
        unsafe { (*self.waiting.get()).deadline }
    }

    fn refresh(&self, waker: &Waker) {
        // SAFETY: what is shared with the interrupt is read only, and the interrupt does not change wakers.
        let is_same = unsafe { &*self.waiting.get() }.waker.as_ref().is_some_and(|old| old.will_wake(waker));
        if !is_same {
            let waker = waker.clone();
            // SAFETY: nobody else is in a critical section.
            critical_section::with(|_| unsafe { (*self.waiting.get()).waker = Some(waker) });
        }
    }

    /// Pinned, it stays where it is until it is dropped, which takes it out of the queue.
    fn enqueue(&self, now: Result<u64, u64>, deadline: u64, waker: &Waker) {
        let waker = Some(waker.clone());
        critical_section::with(|cs| {
            let queue = QUEUE.borrow(cs);
            let next = queue.get();
            // SAFETY: it is not queued, and nobody else is in a critical section.
            unsafe { *self.waiting.get() = Waiting { next, deadline, waker } };
            self.is_queued.store(true, Ordering::Release);
            queue.set(Link(self));
            match now {
                Ok(now) => alarm::set(cs, now, deadline, expire),
                Err(_) => alarm::set_unknown(cs, expire),
            }
        });
    }

    /// Whatever alarm was set for it finds nobody then.
    fn leave(&self) {
        critical_section::with(|cs| {
            let me = ptr::from_ref(self);
            let mut link = QUEUE.borrow(cs).get();
            if ptr::eq(link.0, me) {
                QUEUE.borrow(cs).set(self.next(cs));
                return;
            }
            // SAFETY: entries in the queue live, since whoever is dropped leaves it.
            while let Some(entry) = unsafe { link.0.as_ref() } {
                link = entry.next(cs);
                if ptr::eq(link.0, me) {
                    // SAFETY: nobody else is in a critical section.
                    unsafe { (*entry.waiting.get()).next = self.next(cs) };
                    return;
                }
            }
        });
    }

    fn next(&self, _: CriticalSection<'_>) -> Link {
        // SAFETY: nobody else is in a critical section.
        unsafe { (*self.waiting.get()).next }
    }
}

/// Takes those out who waited for a time up to `now`, wakes them, and says when the next one is due.
fn expire(cs: CriticalSection<'_>, now: u64) -> Option<u64> {
    let mut link = QUEUE.borrow(cs).replace(Link(ptr::null()));
    let mut earliest = None;
    // SAFETY: entries in the queue live, since whoever is dropped leaves it.
    while let Some(entry) = unsafe { link.0.as_ref() } {
        // SAFETY: nobody else is in a critical section; wakers use no timer.
        let waiting = unsafe { &mut *entry.waiting.get() };
        let next = waiting.next;
        if waiting.deadline <= now {
            entry.is_queued.store(false, Ordering::Release);
            if let Some(waker) = &waiting.waker {
                waker.wake_by_ref();
            }
        } else {
            waiting.next = QUEUE.borrow(cs).replace(link);
            earliest =
                Some(earliest.map_or(waiting.deadline, |earliest: u64| earliest.min(waiting.deadline)));
        }
        link = next;
    }
    earliest
}
