//! Byte strings as requests point to them.

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
