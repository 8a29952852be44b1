//! How long packets take.

use std::time::Duration;

/// The one-way delay of packets, with jitter from a seed.
#[derive(Clone, Debug)]
pub(super) struct Latency {
    pub one_way: Duration,
    pub jitter: Duration,
    state: u64,
}

impl Latency {
    pub(super) const fn new(one_way: Duration, jitter: Duration, seed: u64) -> Self {
        Self { one_way, jitter, state: seed }
    }

    /// The delay of the next packet in microseconds.
    pub(super) fn next(&mut self) -> u64 {
        let jitter = micros(self.jitter);
        micros(self.one_way) + if jitter == 0 { 0 } else { self.random() % (jitter + 1) }
    }

    /// `SplitMix64`: small, and the same on every host.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// A duration as the kernel's microseconds.
pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
