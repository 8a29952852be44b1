use microvisor::sys;

use super::handles::Object;
use super::memory::Use;
use super::pointers::write_output;
use super::{Errand, Event, Kernel, Outcome};
use crate::fault::NotificationEffect;
use crate::names;

/// At most this many centres at a time (ABI 0.7.0).
const MAX_CENTERS: usize = 32;
/// Interrupt lines of the STM32U585.
pub(crate) const INTERRUPTS: u32 = 125;
const RECORD: u32 = 16;

/// A notification centre: an interrupt and a ring of records.
#[derive(Debug)]
pub(crate) struct Center {
    irq: u32,
    records: usize,
    next: usize,
    /// How many records the kernel has written so far, up to all: what others hold is not its own.
    written: usize,
}

impl Kernel {
    pub(crate) fn setup_notifications(
        &mut self,
        setup: *const sys::MvNotificationSetup,
        handle_out: *mut u32,
    ) -> Outcome {
        let setup = self.input(setup, "notifications")?;
        self.output(handle_out, "handle_out")?;
        let (ring, size) = (setup.buffer, setup.buffer_size);
        if size < 2 * RECORD || !size.is_multiple_of(RECORD) {
            return self.misused(
                sys::MV_STATUS_INVALIDBUFFERSIZE,
                format!(
                    "the ring has {size} bytes; it needs a multiple of {RECORD}, and two records at least"
                ),
            );
        }
        if let Some(owner) = self.memory.overlap(ring.addr(), size as usize) {
            let what = format!("the ring overlaps the {owner}");
            return self.misused(sys::MV_STATUS_BUFFERALREADYINUSE, what);
        }
        self.output_bytes(ring.cast(), size, "buffer", sys::MV_STATUS_PARAMETERFAULT)?;
        self.call.outputs.pop();
        if !ring.is_aligned() {
            return self.misused(
                sys::MV_STATUS_PARAMETERFAULT,
                format!("the ring ({ring:p}) is not {}-byte aligned", align_of::<sys::MvNotification>()),
            );
        }
        if setup.irq >= INTERRUPTS || self.handles.centers().any(|(_, center)| center.irq == setup.irq) {
            return Err(sys::MV_STATUS_INVALIDINTERRUPT);
        }
        if self.handles.centers().count() >= MAX_CENTERS {
            return Err(sys::MV_STATUS_TOOMANYNOTIFICATIONBUFFERS);
        }
        let records = (size / RECORD) as usize;
        let handle = self.new_handle(Object::Center(Center { irq: setup.irq, records, next: 0, written: 0 }));
        let what = format!("notification ring of interrupt {}", setup.irq);
        self.memory.claim(ring.cast(), size as usize, Use::Ring, what, handle);
        self.put(handle_out, handle, "handle", names::handle(handle));
        Ok(())
    }

    pub(crate) fn close_notifications(&mut self, handle_in_out: *mut u32) -> Outcome {
        let handle = self.handle_to_close(handle_in_out, sys::MV_STATUS_PARAMETERFAULT)?;
        self.require_center(handle)?;
        // An application cannot close what a fault has kept from it.
        if !self.faults.left_something_open {
            for user in self.handles.users_of_center(handle) {
                // The ABI lists no status for it.
                self.report(format!("the {user} still tells this notification centre what happens to it"));
            }
        }
        self.retire_handle(handle);
        self.memory.release(handle);
        write_output(handle_in_out, 0);
        Ok(())
    }

    pub(crate) fn temp_trigger_notification(
        &mut self,
        handle: u32,
        kind: sys::MvEventType,
        tag: u32,
    ) -> Outcome {
        self.require_center(handle)?;
        self.notify(handle, kind, tag);
        Ok(())
    }

    /// Tells the application that something happened, unless a fault is in the way.
    pub(super) fn notify(&mut self, center: u32, kind: sys::MvEventType, tag: u32) {
        let mut copies = 1;
        let mut actions = Vec::new();
        for effect in self.faults.at_notification(kind, tag) {
            match effect {
                NotificationEffect::Drop => {
                    copies = 0;
                    let name = names::event(kind);
                    self.trace.event(self.now, &format!("notification {name} tag={tag} lost (injected)"));
                }
                NotificationEffect::Duplicate => copies *= 2,
                NotificationEffect::Delay(delay) => {
                    copies = 0;
                    let delay = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
                    self.schedule(delay, Event::Notification { center, kind, tag });
                }
                NotificationEffect::Run(action) => actions.push(Errand::Fault(action)),
            }
        }
        for _ in 0..copies {
            self.deliver(center, kind, tag);
        }
        self.errands.extend(actions);
    }

    /// Writes a record and pends the interrupt.
    pub(super) fn deliver(&mut self, handle: u32, kind: sys::MvEventType, tag: u32) {
        self.scan_memory();
        let now = self.now;
        // The centre may be closed by now; then nobody is told.
        let Some(center) = self.handles.center(handle) else { return };
        let (irq, index) = (center.irq, center.next);
        center.next = (index + 1) % center.records;
        let overrun = center.written >= center.records && self.memory.record_is_unread(handle, index);
        center.written = (center.written + 1).min(center.records);
        let mut record = [0; 16];
        record[..8].copy_from_slice(&now.to_ne_bytes());
        record[8..12].copy_from_slice(&kind.to_ne_bytes());
        record[12..].copy_from_slice(&tag.to_ne_bytes());
        self.memory.write_record(handle, index, &record);
        let late = if overrun { ", over an unread record" } else { "" };
        self.overruns += u64::from(overrun);
        self.trace.event(now, &format!("notification {} tag={tag} irq={irq}{late}", names::event(kind)));
        self.pending.insert(irq);
    }
}
