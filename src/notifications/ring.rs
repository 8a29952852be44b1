//! The memory that the kernel writes its records into.

use core::mem::{align_of, size_of};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use crate::sys;

/// One record, read and cleared by the application while the kernel may write it at any time;
/// hence atomics.
#[repr(C, align(8))]
struct Record {
    microseconds: [AtomicU32; 2],
    event_type: AtomicU32,
    tag: AtomicU32,
}

const _: () = assert!(size_of::<Record>() == size_of::<sys::MvNotification>());
const _: () = assert!(align_of::<Record>() >= align_of::<sys::MvNotification>());
const _: () = assert!(
    core::mem::offset_of!(Record, event_type) == core::mem::offset_of!(sys::MvNotification, event_type)
);
const _: () = assert!(core::mem::offset_of!(Record, tag) == core::mem::offset_of!(sys::MvNotification, tag));

impl Record {
    const fn new() -> Self {
        Self {
            microseconds: [AtomicU32::new(0), AtomicU32::new(0)],
            event_type: AtomicU32::new(sys::MV_EVENTTYPE_NOEVENT),
            tag: AtomicU32::new(0),
        }
    }

    fn is_empty(&self) -> bool {
        self.event_type.load(Ordering::Acquire) == sys::MV_EVENTTYPE_NOEVENT
    }

    /// The tag of the record, which is empty afterwards; `None` if it was empty.
    fn take(&self) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let tag = self.tag.load(Ordering::Relaxed);
        self.event_type.store(sys::MV_EVENTTYPE_NOEVENT, Ordering::Release);
        Some(tag)
    }
}

/// A ring of `RECORDS` records and the reader's place in it.
pub(super) struct Ring<const RECORDS: usize> {
    records: [Record; RECORDS],
    next: AtomicUsize,
    /// The ring was full, so the kernel may have gone on by any number of records: its place has
    /// to be found again.
    out_of_step: AtomicBool,
}

impl<const RECORDS: usize> Ring<RECORDS> {
    const SIZE_IS_VALID: () =
        assert!(RECORDS >= 2 && RECORDS <= 4096, "a notification ring has 2 records at least (ABI 0.7.0)");

    pub(super) const fn new() -> Self {
        let () = Self::SIZE_IS_VALID;
        Self {
            records: [const { Record::new() }; RECORDS],
            next: AtomicUsize::new(0),
            out_of_step: AtomicBool::new(false),
        }
    }

    pub(super) fn as_ptr(&self) -> *mut sys::MvNotification {
        self.records.as_ptr().cast_mut().cast()
    }

    /// The size of the records in bytes.
    #[allow(clippy::cast_possible_truncation)] // 4096 records at most.
    pub(super) const fn size() -> u32 {
        (RECORDS * size_of::<Record>()) as u32
    }

    /// Makes the ring empty, for a kernel that starts at its beginning.
    pub(super) fn reset(&self) {
        for record in &self.records {
            record.event_type.store(sys::MV_EVENTTYPE_NOEVENT, Ordering::Relaxed);
        }
        self.next.store(0, Ordering::Relaxed);
        self.out_of_step.store(false, Ordering::Relaxed);
    }

    /// Empties the ring, calling `wake` with each tag. Returns `false` where records may have been
    /// lost, so that everybody has to be woken.
    pub(super) fn drain(&self, mut wake: impl FnMut(u32)) -> bool {
        if self.out_of_step.load(Ordering::Relaxed) {
            return self.drain_all(wake);
        }
        let mut index = self.next.load(Ordering::Relaxed);
        let mut taken = 0;
        while let Some(tag) = self.records.get(index).and_then(Record::take) {
            wake(tag);
            index = Self::after(index);
            taken += 1;
            if taken == RECORDS {
                self.out_of_step.store(true, Ordering::Relaxed);
                return false;
            }
        }
        self.next.store(index, Ordering::Relaxed);
        // An interrupt without a record at the reader's place: either somebody else pended it, or
        // the kernel writes elsewhere.
        if taken == 0 { self.drain_all(wake) } else { true }
    }

    /// Empties the ring wherever the records lie, and finds the kernel's place: behind the last
    /// record of the run.
    #[cold]
    fn drain_all(&self, mut wake: impl FnMut(u32)) -> bool {
        let mut place = None;
        for (index, record) in self.records.iter().enumerate() {
            let next = Self::after(index);
            if !record.is_empty() && self.records.get(next).is_some_and(Record::is_empty) {
                place = Some(next);
            }
        }
        let mut taken = 0;
        for tag in self.records.iter().filter_map(Record::take) {
            wake(tag);
            taken += 1;
        }
        if let Some(place) = place {
            self.next.store(place, Ordering::Relaxed);
        }
        self.out_of_step.store(taken == RECORDS, Ordering::Relaxed);
        // Nothing at all is no loss; a run that began elsewhere than expected may be what is left
        // of a longer one.
        taken == 0
    }

    const fn after(index: usize) -> usize {
        if index + 1 < RECORDS { index + 1 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    /// Writes as the kernel does: round the ring, whether or not the records there were taken.
    struct Writer<'r, const N: usize> {
        ring: &'r Ring<N>,
        index: usize,
    }

    impl<const N: usize> Writer<'_, N> {
        fn write(&mut self, tags: core::ops::Range<u32>) {
            for tag in tags {
                let record = &self.ring.records[self.index];
                record.tag.store(tag, Ordering::Relaxed);
                record.event_type.store(sys::MV_EVENTTYPE_CHANNELDATAREADABLE, Ordering::Relaxed);
                self.index = (self.index + 1) % N;
            }
        }
    }

    fn drain<const N: usize>(ring: &Ring<N>) -> (Vec<u32>, bool) {
        let mut tags = Vec::new();
        let complete = ring.drain(|tag| tags.push(tag));
        (tags, complete)
    }

    #[test]
    fn records_come_out_in_the_order_written_round_the_end_of_the_ring() {
        let ring = Ring::<4>::new();
        let mut writer = Writer { ring: &ring, index: 0 };
        for first in [0, 3, 6, 9] {
            writer.write(first..first + 3);
            assert_eq!(drain(&ring), ((first..first + 3).collect(), true));
        }
        assert_eq!(drain(&ring), (Vec::new(), true));
    }

    #[test]
    fn a_full_ring_is_reported_as_a_possible_loss() {
        let ring = Ring::<4>::new();
        Writer { ring: &ring, index: 0 }.write(0..4);
        assert_eq!(drain(&ring), (Vec::from([0, 1, 2, 3]), false));
    }

    #[test]
    fn after_any_overrun_no_later_record_is_missed() {
        for overrun in 0..9 {
            for burst in 1..4 {
                let ring = Ring::<4>::new();
                let mut writer = Writer { ring: &ring, index: 0 };
                writer.write(0..4 + overrun);
                assert!(!drain(&ring).1);
                for _ in 0..20 {
                    writer.write(100..100 + burst);
                    let (mut tags, _) = drain(&ring);
                    tags.sort_unstable();
                    assert_eq!(
                        tags,
                        (100..100 + burst).collect::<Vec<_>>(),
                        "overrun by {overrun}, bursts of {burst}"
                    );
                }
            }
        }
    }
}
