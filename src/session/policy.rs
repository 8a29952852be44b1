//! How patient a session is.

use core::time::Duration;

/// How long a session waits for answers, and how long between its attempts.
///
/// All times are whole milliseconds; what is finer is rounded up, what is longer than 24 days is 24
/// days.
///
/// ```
/// use core::time::Duration;
/// use microvisor::session::Policy;
///
/// let policy = Policy::new()
///     .with_back_off(Duration::from_secs(2), Duration::from_secs(300))
///     .with_answer_timeout(Duration::from_secs(20));
/// assert_eq!(policy.longest_back_off(), Duration::from_secs(300));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(clippy::struct_field_names)] // The unit belongs to the name.
pub struct Policy {
    shortest_ms: u32,
    longest_ms: u32,
    stable_ms: u32,
    answer_ms: u32,
}

impl Policy {
    /// Back-offs of 1 to 120 s, forgotten after 60 s online; 30 s for an answer.
    pub const fn new() -> Self {
        Self { shortest_ms: 1_000, longest_ms: 120_000, stable_ms: 60_000, answer_ms: 30_000 }
    }

    /// With back-offs from `shortest` (the floor; 100 ms at least) to `longest` (the cap; no shorter
    /// than the floor).
    #[must_use]
    pub const fn with_back_off(mut self, shortest: Duration, longest: Duration) -> Self {
        self.shortest_ms = at_least(millis(shortest), 100);
        self.longest_ms = at_least(millis(longest), self.shortest_ms);
        self
    }

    /// With another time online after which earlier failures are forgotten.
    #[must_use]
    pub const fn with_stable_after(mut self, online: Duration) -> Self {
        self.stable_ms = millis(online);
        self
    }

    /// With another time that the far end has for each answer: to the config fetch, the connect,
    /// subscribe, publish and disconnect request; 100 ms at least. A session also looks after the network
    /// and its channel this often without having been notified, and after four times as long without room
    /// for a publish or an acknowledgement it opens another channel.
    #[must_use]
    pub const fn with_answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer_ms = at_least(millis(timeout), 100);
        self
    }

    /// The floor of the back-off.
    pub const fn shortest_back_off(&self) -> Duration {
        Duration::from_millis(self.shortest_ms as u64)
    }

    /// The cap of the back-off.
    pub const fn longest_back_off(&self) -> Duration {
        Duration::from_millis(self.longest_ms as u64)
    }

    /// The time online after which earlier failures are forgotten.
    pub const fn stable_after(&self) -> Duration {
        Duration::from_millis(self.stable_ms as u64)
    }

    /// The time that the far end has for an answer.
    pub const fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.answer_ms as u64)
    }

    pub(super) const fn shortest_ms(&self) -> u32 {
        self.shortest_ms
    }

    pub(super) const fn longest_ms(&self) -> u32 {
        self.longest_ms
    }

    pub(super) const fn stable_us(&self) -> u64 {
        self.stable_ms as u64 * 1_000
    }

    pub(super) const fn answer_us(&self) -> u64 {
        self.answer_ms as u64 * 1_000
    }

    /// How long the kernel may have no room before its channel is taken for broken: what it has no room for
    /// may be waiting for an answer that is lost.
    pub(super) const fn no_room_us(&self) -> u64 {
        4 * self.answer_us()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

const fn at_least(value: u32, least: u32) -> u32 {
    if value < least { least } else { value }
}

#[allow(clippy::cast_possible_truncation)] // Compared before.
const fn millis(duration: Duration) -> u32 {
    // Twice as much is a `u32` as well.
    const MOST: u32 = u32::MAX / 2;
    let millis = duration.as_nanos().div_ceil(1_000_000);
    if millis > MOST as u128 { MOST } else { millis as u32 }
}
