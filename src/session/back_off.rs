//! How long to wait before the next attempt.

use oorandom::Rand32;

use super::Policy;
use crate::DeviceId;
use crate::clock;

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
    random: Option<Rand32>,
    /// How often in a row it was needed.
    attempts: u8,
}

impl BackOff {
    pub(super) const fn new() -> Self {
        Self { random: None, attempts: 0 }
    }

    /// Forgets the failures so far.
    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// The next wait, in microseconds.
    pub(super) fn next(&mut self, policy: &Policy, pace: Pace, id: &DeviceId) -> u64 {
        let (shortest, longest) = (policy.shortest_ms(), policy.longest_ms());
        let doubled =
            shortest.checked_shl(u32::from(self.attempts) + 1).filter(|window| window >> 1 >= shortest);
        let (from, to) = match (pace, doubled) {
            (Pace::Growing, Some(window)) if window < longest => {
                self.attempts = self.attempts.saturating_add(1);
                (shortest, window)
            }
            (Pace::Growing, _) => (shortest, longest),
            (Pace::Longest, _) => ((longest / 2).max(shortest), longest),
        };
        let random = self.random.get_or_insert_with(|| Rand32::new(seed(id)));
        let milliseconds = if from < to { random.rand_range(from..to) } else { to };
        u64::from(milliseconds) * 1_000
    }
}

/// Different on each device, and each time it starts.
fn seed(id: &DeviceId) -> u64 {
    // FNV-1a (Fowler, Noll, Vo), which spreads the digits that devices of one batch share.
    let mut digits = 0x811c_9dc5_u32;
    for byte in id.as_str().bytes() {
        digits = (digits ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    let started = clock::uptime_micros().unwrap_or(0);
    started ^ u64::from(digits) << 32
}
