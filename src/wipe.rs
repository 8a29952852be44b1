//! Overwriting what held secrets.

use core::sync::atomic::{Ordering, compiler_fence};

/// Overwrites `bytes` with zeros, which the compiler cannot leave out.
#[inline(never)]
pub(crate) fn wipe(bytes: &mut [u8]) {
    for byte in bytes {
        // SAFETY: it is a `u8` that is borrowed exclusively.
        unsafe { core::ptr::write_volatile(byte, 0) };
    }
    compiler_fence(Ordering::SeqCst);
}
