//! The slots that tags lead to, one a waiter.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::task::Waker;

use atomic_waker::AtomicWaker;

use super::center::Core;

/// How many networks and channels can share one notification centre.
///
/// The platform has 4 channels; the rest is for networks.
pub const MAX_SOURCES: usize = 6;

struct Slot {
    taken: AtomicBool,
    waker: AtomicWaker,
}

/// The slots of a centre. A tag is the index of a slot.
pub(super) struct Slots {
    slots: [Slot; MAX_SOURCES],
    overruns: AtomicU32,
}

impl Slots {
    pub(super) const fn new() -> Self {
        Self {
            slots: [const { Slot { taken: AtomicBool::new(false), waker: AtomicWaker::new() } }; MAX_SOURCES],
            overruns: AtomicU32::new(0),
        }
    }

    pub(super) fn wake(&self, tag: u32) {
        // A tag that is no slot's is not ours; it can only be a hint that something is odd.
        match self.slots.get(tag as usize) {
            Some(slot) => slot.waker.wake(),
            None => self.wake_all(),
        }
    }

    pub(super) fn wake_all(&self) {
        for slot in &self.slots {
            slot.waker.wake();
        }
    }

    pub(super) fn count_overrun(&self) {
        self.overruns.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn overruns(&self) -> u32 {
        self.overruns.load(Ordering::Relaxed)
    }
}

/// Exclusive use of one slot of an open notification centre, which stays open meanwhile.
pub(crate) struct Source {
    core: &'static Core,
    slot: &'static Slot,
    tag: u32,
}

impl Source {
    /// A free slot, if there is one.
    pub(super) fn take(core: &'static Core) -> Option<Self> {
        for (tag, slot) in (0..).zip(&core.slots().slots) {
            if !slot.taken.swap(true, Ordering::Acquire) {
                core.add_user();
                return Some(Self { core, slot, tag });
            }
        }
        None
    }

    /// Another slot of the same centre.
    pub(crate) fn another(&self) -> Option<Self> {
        Self::take(self.core)
    }

    /// The number that the kernel has to put into this source's records.
    pub(crate) fn tag(&self) -> u32 {
        self.tag
    }

    pub(crate) fn center_handle(&self) -> u32 {
        self.core.handle()
    }

    /// Has `waker` woken by the next notification. To be called before the state is read that is
    /// waited for, so that a change in between is not missed.
    pub(crate) fn register(&self, waker: &Waker) {
        self.slot.waker.register(waker);
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.slot.waker.take();
        self.slot.taken.store(false, Ordering::Release);
        self.core.remove_user();
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source {{ tag: {} }}", self.tag)
    }
}
