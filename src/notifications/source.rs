//! The slots of those who wait, one each.

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

/// The slots of a centre.
pub(super) struct Slots {
    slots: [Slot; MAX_SOURCES],
    /// Bit by bit, in which slots somebody may wait; so that an interrupt costs little where few do.
    waiting: AtomicU32,
}

impl Slots {
    pub(super) const fn new() -> Self {
        Self {
            slots: [const { Slot { taken: AtomicBool::new(false), waker: AtomicWaker::new() } }; MAX_SOURCES],
            waiting: AtomicU32::new(0),
        }
    }

    /// Wakes everybody who waits. Whoever registers from now on reads the state afterwards.
    pub(super) fn wake_all(&self) {
        let mut waiting = self.waiting.swap(0, Ordering::AcqRel);
        for slot in &self.slots {
            if waiting & 1 != 0 {
                slot.waker.wake();
            }
            waiting >>= 1;
        }
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

    /// The number that the kernel has to put into this source's records: the slot's. Nothing depends
    /// on it; it helps whoever reads a call log.
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
        self.core.slots().waiting.fetch_or(1 << self.tag, Ordering::AcqRel);
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
