//! A device and the raw system calls, for tests of the kernel itself.

// Each test crate uses its own part of this.
#![allow(dead_code, unused_imports)]

mod bench;
mod outputs;
mod requests;
mod scripted;

use std::alloc::{Layout, alloc_zeroed};

use microvisor::sys;

pub(crate) use bench::Bench;
pub(crate) use outputs::*;
pub(crate) use requests::*;
pub(crate) use scripted::*;

/// A system call.
macro_rules! call {
    ($name:ident($($argument:expr),* $(,)?)) => {{
        // SAFETY: what the tests point to is valid for as long as the kernel uses it, or the kernel
        // refuses the address.
        unsafe { microvisor::sys::$name($($argument),*) }
    }};
}
pub(crate) use call;

pub(crate) const IRQ: u32 = 41;
pub(crate) const CENTER_RECORDS: u32 = 64;
pub(crate) const CHANNEL_TAG: u32 = 1;
pub(crate) const NETWORK_TAG: u32 = 2;

/// Memory that lives for ever, on a 512-byte boundary.
pub(crate) fn memory(len: usize) -> *mut u8 {
    let layout = Layout::from_size_align(len, 512).expect("a sensible size");
    // SAFETY: no test asks for nothing.
    unsafe { alloc_zeroed(layout) }
}

/// A ring of that many records.
pub(crate) fn ring(records: u32) -> *mut sys::MvNotification {
    memory(records as usize * 16).cast()
}

/// A record of a ring, as it is now.
pub(crate) fn record(ring: *mut sys::MvNotification, index: usize) -> sys::MvNotification {
    // SAFETY: the tests stay inside their rings.
    unsafe { ring.add(index).read_volatile() }
}

/// Clears a record as an application does.
pub(crate) fn clear(ring: *mut sys::MvNotification, index: usize) {
    // SAFETY: as in `record`.
    unsafe { (&raw mut (*ring.add(index)).event_type).write_volatile(sys::MV_EVENTTYPE_NOEVENT) };
}
