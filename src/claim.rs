//! Taking what only one can have.

use core::sync::atomic::{AtomicU32, Ordering};

/// Whether `word` was 0, and is `claimed` from now on.
#[inline(never)]
pub(crate) fn claim(word: &AtomicU32, claimed: u32) -> bool {
    word.compare_exchange(0, claimed, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}
