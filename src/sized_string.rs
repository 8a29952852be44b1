//! Byte strings as requests and responses point to them.

use crate::sys;

/// `bytes`, as a request points to them.
///
/// What is empty points to a byte all the same: neither NULL nor the dangling pointer of an empty slice
/// is an address that every kernel can be trusted to leave alone.
pub(crate) fn sized_string(bytes: &[u8]) -> sys::MvSizedString {
    static NOTHING: u8 = 0;
    match bytes {
        [] => sys::MvSizedString { data: &raw const NOTHING, length: 0 },
        _ => filled_string(bytes),
    }
}

/// The same for what is known not to be empty.
pub(crate) fn filled_string(bytes: &[u8]) -> sys::MvSizedString {
    // No slice that the platform's memory can hold is longer.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    sys::MvSizedString { data: bytes.as_ptr(), length }
}

/// `memory` to be written to, and where its length goes. For the same reason, what is empty lies where the
/// length does.
pub(crate) fn sized_buffer(memory: &mut [u8], length: &mut u32) -> sys::MvSizedStringBuffer {
    let length = core::ptr::from_mut(length);
    let size = u32::try_from(memory.len()).unwrap_or(u32::MAX);
    let data = if memory.is_empty() { length.cast() } else { memory.as_mut_ptr() };
    sys::MvSizedStringBuffer { data, size, length }
}
