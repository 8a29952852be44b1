//! How a session divides its memory.

use crate::KERNEL_MEMORY_UNIT;

/// How a session divides its memory, in bytes; each a multiple of 512.
///
/// ```text
///             ┌ fetch_receive ──────────────────────┬ rest ┬ values ─────────────┐
///  memory     ├─────────────────────────────────────┴──────┤ kept by the session │
///             └ mqtt_receive ──────┬ rest ──────────────────┴─────────────────────┘
/// ```
///
/// The response to the config fetch has to fit `fetch_receive`, whole and as text. What is decoded is
/// kept in `values`, together with the text of the value that is being decoded. A message has to fit
/// `mqtt_receive`; what is published, and the connect request with the credentials, the rest. So that a
/// message that no inbox fits can be thrown away, it has to fit `values`, which therefore have 512 bytes
/// more than `mqtt_receive`. They take less than 64 KiB.
///
/// Where nothing is fetched ([`FixedProfile`](super::FixedProfile)), `fetch_receive` does not matter, and has
/// 512 bytes at least: with messages of up to 1 KiB, 3,072 bytes are enough.
///
/// ```
/// use microvisor::session::MemoryPlan;
///
/// const PLAN: MemoryPlan = MemoryPlan::new(1_536, 512, 1_024);
/// assert!(PLAN.fits(3_072));
/// assert!(MemoryPlan::AWS.fits(MemoryPlan::AWS_LEN));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MemoryPlan {
    values: usize,
    fetch_receive: usize,
    mqtt_receive: usize,
}

impl MemoryPlan {
    /// For AWS IoT with an RSA-2048 key in hex: 4,096 bytes of values, 7,168 for the response, 3,584 for
    /// messages. Of [`AWS_LEN`](Self::AWS_LEN) bytes, this leaves 4,096 for what is sent.
    pub const AWS: Self = Self { values: 4_096, fetch_receive: 7_168, mqtt_receive: 3_584 };

    /// The memory that [`AWS`](Self::AWS) is made for: 11,776 bytes.
    pub const AWS_LEN: usize = 11_776;

    /// A plan of one's own.
    pub const fn new(values: usize, fetch_receive: usize, mqtt_receive: usize) -> Self {
        Self { values, fetch_receive, mqtt_receive }
    }

    pub(super) const fn values(&self) -> usize {
        self.values
    }

    pub(super) const fn fetch_receive(&self) -> usize {
        self.fetch_receive
    }

    pub(super) const fn mqtt_receive(&self) -> usize {
        self.mqtt_receive
    }

    /// Whether memory of `len` bytes can be divided so.
    pub const fn fits(&self, len: usize) -> bool {
        let Some(channel) = len.checked_sub(self.values) else { return false };
        self.values <= MAX_VALUES
            && self.values.is_multiple_of(KERNEL_MEMORY_UNIT)
            && self.values >= self.mqtt_receive.saturating_add(KERNEL_MEMORY_UNIT)
            && is_part(self.fetch_receive, channel)
            && is_part(self.mqtt_receive, channel)
    }
}

/// What is less than 64 KiB is told where it lies in two bytes.
const MAX_VALUES: usize = 64 * 1_024 - KERNEL_MEMORY_UNIT;

/// Whether a receive buffer leaves at least 512 bytes to send.
const fn is_part(receive: usize, channel: usize) -> bool {
    receive > 0 && receive < channel && receive.is_multiple_of(KERNEL_MEMORY_UNIT)
}
