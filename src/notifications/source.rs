//! The slots of those who wait, one each.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::task::Waker;

use diatomic_waker::DiatomicWaker;

use super::center::Core;

/// How many networks and channels can share one notification centre.
///
/// The platform has 4 channels; the rest is for networks.
pub const MAX_SOURCES: usize = 6;

struct Slot {
    taken: AtomicBool,
    waker: DiatomicWaker,
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
            slots: [const { Slot { taken: AtomicBool::new(false), waker: DiatomicWaker::new() } };
                MAX_SOURCES],
            waiting: AtomicU32::new(0),
        }
    }

    /// Wakes everybody who waits. Whoever registers from now on reads the state afterwards.
    pub(super) fn wake_all(&self) {
        let mut waiting = self.waiting.swap(0, Ordering::AcqRel);
        while waiting != 0 {
            if let Some(slot) = self.slots.get(waiting.trailing_zeros() as usize) {
                slot.waker.notify();
            }
            waiting &= waiting.wrapping_sub(1);
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
    pub(crate) fn register(&mut self, waker: &Waker) {
        // SAFETY: a slot belongs to one `Source` at a time, which is borrowed exclusively, so nobody
        // else registers or unregisters in it meanwhile.
        unsafe { self.slot.waker.register(waker) };
        self.core.slots().waiting.fetch_or(1 << self.tag, Ordering::AcqRel);
    }
}

impl Source {
    /// Wakes whoever is registered, as a notification would.
    pub(crate) fn wake(&self) {
        self.slot.waker.notify();
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // SAFETY: as in `register`; the slot is free only after this.
        unsafe { self.slot.waker.unregister() };
        self.slot.taken.store(false, Ordering::Release);
        self.core.remove_user();
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source {{ tag: {} }}", self.tag)
    }
}
