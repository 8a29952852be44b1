//! The slots of those who wait, one each.

use core::cell::UnsafeCell;
use core::fmt;
use core::mem;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use core::task::Waker;

use super::center::Core;
use crate::claim::claim;
use crate::critical::Critical;

/// How many networks, channels and sessions can use one centre at a time.
pub const MAX_SOURCES: usize = 6;

/// Whether there ever was a waker, in whatever centre. Where no code registers one, the compiler knows, and
/// leaves the code that wakes out of the image.
static REGISTERED: AtomicBool = AtomicBool::new(false);

/// The wakers of those who wait, and whose slot is taken.
pub(super) struct Slots {
    taken: [AtomicU32; MAX_SOURCES],
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
            taken: [const { AtomicU32::new(0) }; MAX_SOURCES],
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

    /// A place that is free, which is taken then.
    fn take(&self) -> Option<usize> {
        self.taken.iter().position(|taken| claim(taken, 1))
    }

    fn take_waker(&self, index: usize) -> Option<Waker> {
        if !REGISTERED.load(Ordering::Relaxed) {
            return None;
        }
        self.with(|wakers| wakers.replace(index, None))
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
        // One without a place waits for nothing.
        let Some(place) = self.wakers.get_mut(index) else { return waker };
        let bit = 1_u32 << index;
        self.waiting = if waker.is_some() { self.waiting | bit } else { self.waiting & !bit };
        mem::replace(place, waker)
    }
}

/// A place in a centre for one waiter. Freed when dropped.
pub(crate) struct Source {
    core: &'static Core,
    /// Of the place; [`MAX_SOURCES`] without one.
    index: usize,
}

impl Source {
    pub(super) fn take(core: &'static Core) -> Option<Self> {
        let index = core.slots().take()?;
        core.add_users(1);
        Some(Self { core, index })
    }

    /// One, and two beside it without a place: whoever registers with those is never woken. They are for those
    /// who look after several things with one waker.
    pub(super) fn take_with_silent(core: &'static Core) -> Option<(Self, [Self; 2])> {
        let index = core.slots().take()?;
        core.add_users(3);
        let silent = || Self { core, index: MAX_SOURCES };
        Some((Self { core, index }, [silent(), silent()]))
    }

    /// Another place in the same centre.
    pub(crate) fn another(&self) -> Option<Self> {
        Self::take(self.core)
    }

    /// What the kernel is to write into records. Nobody reads them, so any number does.
    #[allow(clippy::cast_possible_truncation)] // 6 at most.
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
        if let Some(waker) = self.core.slots().take_waker(self.index) {
            waker.wake();
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let slots = self.core.slots();
        drop(slots.take_waker(self.index));
        if let Some(taken) = slots.taken.get(self.index) {
            taken.store(0, Ordering::Release);
        }
        self.core.remove_user();
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source {{ tag: {} }}", self.index)
    }
}
