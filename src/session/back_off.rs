//! How long to wait before the next attempt.

use super::Policy;
use crate::DeviceId;

/// How the next wait is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// From a window that doubles each time: "full jitter".
    Growing,
    /// From the upper half of the longest window at once.
    Longest,
}

/// Exponential back-off with full jitter.
pub(super) struct BackOff {
    /// The end of the last window in milliseconds; 0 before the first.
    window: u32,
}

impl BackOff {
    pub(super) const fn new() -> Self {
        Self { window: 0 }
    }

    /// Forgets the failures so far.
    pub(super) fn reset(&mut self) {
        self.window = 0;
    }

    /// The next wait, in microseconds, of the device `id` at the time `now`.
    pub(super) fn next(&mut self, policy: &Policy, pace: Pace, id: &DeviceId, now: u64) -> u64 {
        let (shortest, longest) = (policy.shortest_ms(), policy.longest_ms());
        let (from, to) = match pace {
            Pace::Growing => {
                self.window = (self.window.max(shortest) * 2).min(longest);
                (shortest, self.window)
            }
            Pace::Longest => ((longest / 2).max(shortest), longest),
        };
        // The upper half of the product is a part of the window.
        let part = (u64::from(jitter(id, now)) * u64::from(to - from)) >> 32;
        u64::from(from + part as u32) * 1_000
    }
}

/// A number that is another on each device, and each time. It is to spread the devices that lost the
/// same broker, so that it need not be hard to guess.
#[allow(clippy::cast_possible_truncation)] // The lower half is what differs from one time to the next.
fn jitter(id: &DeviceId, now: u64) -> u32 {
    // Multiplicative hashing: the golden ratio's part of 2^32 sets neighbours far apart (Knuth, volume 3).
    let mut hash = now as u32;
    for byte in id.as_str().bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x9e37_79b1);
    }
    hash
}
