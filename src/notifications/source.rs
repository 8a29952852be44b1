//! The slots of those who wait, one each.

use core::cell::UnsafeCell;
use core::fmt;
use core::mem;
use core::sync::atomic::{AtomicBool, Ordering, fence};
use core::task::Waker;

use super::center::Core;
use crate::critical::Critical;

/// How many networks, channels and sessions can use one centre at a time.
pub const MAX_SOURCES: usize = 6;

/// Whether there ever was a waker, in whatever centre. Where no code registers one, the compiler knows, and
/// leaves the code that wakes out of the image.
static REGISTERED: AtomicBool = AtomicBool::new(false);

/// The wakers of those who wait, and whose slot is taken.
pub(super) struct Slots {
    taken: [AtomicBool; MAX_SOURCES],
    critical: Critical,
    /// Only to be reached within `critical`.
    wakers: UnsafeCell<Wakers>,
}

struct Wakers {
    wakers: [Option<Waker>; MAX_SOURCES],
    /// A bit for each waker that is there.
    waiting: u32,
}

// SAFETY: `taken` is atomic; `wakers` is reached only within the critical section, and wakers may be
// used from any thread.
unsafe impl Sync for Slots {}

impl Slots {
    pub(super) const fn new() -> Self {
        Self {
            taken: [const { AtomicBool::new(false) }; MAX_SOURCES],
            critical: Critical::new(),
            wakers: UnsafeCell::new(Wakers { wakers: [const { None }; MAX_SOURCES], waiting: 0 }),
        }
    }

    /// Calls `access` with the wakers, while nobody else can reach them. It must not run code of others:
    /// cloning, waking or dropping a waker is.
    fn with<R>(&self, access: impl FnOnce(&mut Wakers) -> R) -> R {
        // SAFETY: the critical section lets nobody else in, and `access`, which runs no code of others,
        // does not come back here.
        self.critical.with(|| access(unsafe { &mut *self.wakers.get() }))
    }

    /// Wakes everybody who waits. Called from the interrupt handler, after a fence.
    #[inline]
    pub(super) fn wake_all(&self) {
        if REGISTERED.load(Ordering::Relaxed) {
            self.wake_those_who_wait();
        }
    }

    fn wake_those_who_wait(&self) {
        // Whoever registers again meanwhile waits for the next time.
        let mut those = u32::MAX;
        loop {
            let (waker, others) = self.with(|wakers| wakers.take_one_of(those));
            if let Some(waker) = waker {
                waker.wake();
            }
            if others == 0 {
                return;
            }
            those = others;
        }
    }
}

impl Wakers {
    /// A waker of `those`, and the others of them that wait.
    fn take_one_of(&mut self, those: u32) -> (Option<Waker>, u32) {
        let waiting = self.waiting & those;
        let others = waiting & waiting.wrapping_sub(1);
        self.waiting &= !(waiting ^ others);
        (self.wakers.get_mut(waiting.trailing_zeros() as usize).and_then(Option::take), others)
    }

    fn is_waiting(&self, index: usize, waker: &Waker) -> bool {
        self.wakers.get(index).is_some_and(|known| known.as_ref().is_some_and(|known| known.will_wake(waker)))
    }

    fn replace(&mut self, index: usize, waker: Option<Waker>) -> Option<Waker> {
        let bit = 1_u32 << index;
        self.waiting = if waker.is_some() { self.waiting | bit } else { self.waiting & !bit };
        match self.wakers.get_mut(index) {
            Some(place) => mem::replace(place, waker),
            None => waker,
        }
    }
}

/// A place in a centre for one waiter. Freed when dropped.
pub(crate) struct Source {
    core: &'static Core,
    index: usize,
}

impl Source {
    #[inline(never)]
    pub(super) fn take(core: &'static Core) -> Option<Self> {
        let free = |(_, taken): &(usize, &AtomicBool)| !taken.swap(true, Ordering::Acquire);
        let (index, _) = core.slots().taken.iter().enumerate().find(free)?;
        core.add_user();
        Some(Self { core, index })
    }

    /// Another place in the same centre.
    pub(crate) fn another(&self) -> Option<Self> {
        Self::take(self.core)
    }

    /// What the kernel is to write into records. Nobody reads them, so any number does.
    #[allow(clippy::cast_possible_truncation)] // Less than 6.
    pub(crate) fn tag(&self) -> u32 {
        self.index as u32
    }

    pub(crate) fn center_handle(&self) -> u32 {
        self.core.handle()
    }

    /// How many interrupts the centre had, modulo 2^32: as long as it is the same, the kernel has said
    /// nothing.
    pub(crate) fn interrupts(&self) -> u32 {
        self.core.interrupts()
    }

    /// Has `waker` woken by the next notification; before the state is read.
    pub(crate) fn register(&self, waker: &Waker) {
        let slots = self.core.slots();
        if !slots.with(|wakers| wakers.is_waiting(self.index, waker)) {
            REGISTERED.store(true, Ordering::Relaxed);
            // With the one in `on_interrupt`: either it sees this, or the caller what was notified.
            fence(Ordering::SeqCst);
            let waker = waker.clone();
            drop(slots.with(|wakers| wakers.replace(self.index, Some(waker))));
        }
    }

    /// Wakes whoever is registered, as a notification would.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.core.slots().with(|wakers| wakers.replace(self.index, None)) {
            waker.wake();
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let slots = self.core.slots();
        drop(slots.with(|wakers| wakers.replace(self.index, None)));
        if let Some(taken) = slots.taken.get(self.index) {
            taken.store(false, Ordering::Release);
        }
        self.core.remove_user();
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source {{ tag: {} }}", self.index)
    }
}
