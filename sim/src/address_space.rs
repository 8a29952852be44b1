//! What can be said of an address without touching it.

/// Below this, no host maps memory for programs.
const FIRST: usize = 0x1_0000;
/// From here on, addresses of 64-bit hosts are the operating system's.
#[cfg(target_pointer_width = "64")]
const LAST: usize = 0x0100_0000_0000_0000;
#[cfg(not(target_pointer_width = "64"))]
const LAST: usize = usize::MAX;

/// Whether a program can own `len` bytes at `addr`.
pub(crate) fn can_hold(addr: usize, len: usize) -> bool {
    addr >= FIRST && addr.checked_add(len).is_some_and(|end| end <= LAST)
}
