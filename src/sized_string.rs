//! Byte strings as requests and responses point to them.

use crate::sys;

/// `bytes`, as a request points to them.
///
/// What is empty points to a byte all the same: neither NULL nor the dangling pointer of an empty slice
/// is an address that every kernel can be trusted to leave alone.
pub(crate) fn sized_string(bytes: &[u8]) -> sys::MvSizedString {
    static NOTHING: u8 = 0;
    // No slice that the platform's memory can hold is longer.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let data = if bytes.is_empty() { &raw const NOTHING } else { bytes.as_ptr() };
    sys::MvSizedString { data, length }
}

/// `memory` to be written to, and where its length goes. Empty memory is a byte that is not to be
/// written, for the same reason.
pub(crate) fn sized_buffer(
    memory: &mut [u8],
    nothing: &mut u8,
    length: &mut u32,
) -> sys::MvSizedStringBuffer {
    let size = u32::try_from(memory.len()).unwrap_or(u32::MAX);
    let data = if memory.is_empty() { core::ptr::from_mut(nothing) } else { memory.as_mut_ptr() };
    sys::MvSizedStringBuffer { data, size, length: core::ptr::from_mut(length) }
}
