//! What the program makes use of.
//!
//! Where nothing in it waits for a session in a future, say, the compiler knows, and leaves out of the image
//! what wakes and what keeps account of those who wait. Where nothing says how patient a session is, it knows
//! that as well.

use core::sync::atomic::{AtomicBool, Ordering};

/// Something that a program may or may not do, and that costs code where it does.
pub(crate) struct Use(AtomicBool);

/// Of sessions that are shared, as futures do.
pub(crate) static FUTURES: Use = Use::none();
/// Of ends of sessions.
pub(crate) static ENDINGS: Use = Use::none();
/// Of messages that are to be acknowledged and are dropped.
pub(crate) static FORGETTING: Use = Use::none();
/// Of other times than a policy has unless said otherwise.
pub(crate) static POLICIES: Use = Use::none();
/// Of memory that is divided otherwise.
pub(crate) static PLANS: Use = Use::none();
/// Of another way to AWS IoT than the guide's.
pub(crate) static ADJUSTED_PROFILES: Use = Use::none();
/// Of subscriptions that may be beyond AWS's limits.
pub(crate) static FILTERS: Use = Use::none();

impl Use {
    const fn none() -> Self {
        Self(AtomicBool::new(false))
    }

    /// It is only ever set, and only by code that does it: in an image without such code, this is `false`
    /// at compile time.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "it is a constant mostly")]
    pub(crate) fn is_made(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// What a program that makes use of it has chosen, or what is there without a choice.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    pub(crate) fn choice<T: Copy>(&self, chosen: Option<T>, otherwise: T) -> T {
        if self.is_made() { chosen.unwrap_or(otherwise) } else { otherwise }
    }

    /// To be called by code that does it, before all that it leads to.
    pub(crate) fn make(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
