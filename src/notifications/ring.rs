//! The memory that the kernel writes its records into.

use core::mem::{align_of, offset_of, size_of};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::sys;

/// One record, cleared by the application while the kernel may write it at any time; hence atomics.
#[repr(C, align(8))]
struct Record {
    microseconds: [AtomicU32; 2],
    event_type: AtomicU32,
    tag: AtomicU32,
}

const _: () = assert!(size_of::<Record>() == size_of::<sys::MvNotification>());
const _: () = assert!(align_of::<Record>() >= align_of::<sys::MvNotification>());
const _: () = assert!(offset_of!(Record, event_type) == offset_of!(sys::MvNotification, event_type));

impl Record {
    const fn new() -> Self {
        Self {
            microseconds: [AtomicU32::new(0), AtomicU32::new(0)],
            event_type: AtomicU32::new(sys::MV_EVENTTYPE_NOEVENT),
            tag: AtomicU32::new(0),
        }
    }

    /// Clears the record; whether there was one.
    fn clear(&self) -> bool {
        if self.event_type.load(Ordering::Relaxed) == sys::MV_EVENTTYPE_NOEVENT {
            return false;
        }
        self.event_type.store(sys::MV_EVENTTYPE_NOEVENT, Ordering::Relaxed);
        true
    }
}

/// A ring of `RECORDS` records.
///
/// What the records say is of no use. The kernel can write at any time, also while they are read: it
/// overwrites one whose tag was just loaded, or goes round and writes behind the reader's back. So an
/// interrupt wakes everybody who waits, whatever is in the ring, and the records are only cleared to
/// see whether the ring was large enough.
pub(super) struct Ring<const RECORDS: usize> {
    records: [Record; RECORDS],
    /// Where the kernel is thought to write next, modulo `RECORDS`. After an overrun, or when it begins anew,
    /// it may be elsewhere.
    next: AtomicUsize,
}

impl<const RECORDS: usize> Ring<RECORDS> {
    const SIZE_IS_VALID: () =
        assert!(RECORDS >= 2 && RECORDS <= 4096, "a notification ring has 2 records at least (ABI 0.7.0)");

    pub(super) const fn new() -> Self {
        let () = Self::SIZE_IS_VALID;
        Self { records: [const { Record::new() }; RECORDS], next: AtomicUsize::new(0) }
    }

    pub(super) fn as_ptr(&self) -> *mut sys::MvNotification {
        self.records.as_ptr().cast_mut().cast()
    }

    /// The size of the records in bytes.
    #[allow(clippy::cast_possible_truncation)] // 4096 records at most.
    pub(super) const fn size() -> u32 {
        (RECORDS * size_of::<Record>()) as u32
    }

    /// Clears the records in a row that come next, wherever they begin. Returns whether the ring was full, so
    /// that some may have been overwritten.
    #[inline]
    pub(super) fn drain(&self) -> bool {
        let mut index = self.next.load(Ordering::Relaxed) % RECORDS;
        let mut cleared = 0;
        for _ in 0..RECORDS {
            if self.records.get(index).is_some_and(Record::clear) {
                cleared += 1;
            } else if cleared > 0 {
                break;
            }
            index = (index + 1) % RECORDS;
        }
        self.next.store(index, Ordering::Relaxed);
        cleared == RECORDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes as the kernel does: round the ring, whether or not the records there were cleared.
    struct Writer<'r, const N: usize> {
        ring: &'r Ring<N>,
        index: usize,
    }

    impl<const N: usize> Writer<'_, N> {
        fn write(&mut self, count: usize) {
            for _ in 0..count {
                let event = &self.ring.records[self.index].event_type;
                event.store(sys::MV_EVENTTYPE_CHANNELDATAREADABLE, Ordering::Relaxed);
                self.index = (self.index + 1) % N;
            }
        }
    }

    fn is_empty<const N: usize>(ring: &Ring<N>) -> bool {
        ring.records.iter().all(|record| record.event_type.load(Ordering::Relaxed) == 0)
    }

    #[test]
    fn a_ring_that_is_not_full_is_emptied_round_its_end() {
        let ring = Ring::<4>::new();
        let mut writer = Writer { ring: &ring, index: 0 };
        for _ in 0..5 {
            writer.write(3);
            assert!(!ring.drain());
            assert!(is_empty(&ring));
        }
        assert!(!ring.drain());
    }

    #[test]
    fn a_full_ring_is_told() {
        let ring = Ring::<3>::new();
        let mut writer = Writer { ring: &ring, index: 0 };
        for before in 0..3 {
            writer.write(before);
            assert!(!ring.drain());
            writer.write(3);
            assert!(ring.drain());
            assert!(is_empty(&ring));
        }
    }

    #[test]
    fn after_any_overrun_the_reader_falls_into_step_again() {
        for overrun in 0..9 {
            for burst in 1..4 {
                let ring = Ring::<4>::new();
                let mut writer = Writer { ring: &ring, index: 0 };
                writer.write(4 + overrun);
                assert!(ring.drain());
                for _ in 0..20 {
                    writer.write(burst);
                    ring.drain();
                }
                assert!(is_empty(&ring), "overrun by {overrun}, bursts of {burst}");
            }
        }
    }

    #[test]
    fn a_kernel_that_begins_anew_is_followed_there() {
        for before in 0..4 {
            let ring = Ring::<4>::new();
            Writer { ring: &ring, index: 0 }.write(before);
            ring.drain();
            let mut writer = Writer { ring: &ring, index: 0 };
            for _ in 0..20 {
                writer.write(1);
                assert!(!ring.drain());
                assert!(is_empty(&ring), "after {before}");
            }
        }
    }
}
