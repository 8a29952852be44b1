use std::time::Duration;

/// The date at the device, and when the kernel learns of it.
///
/// Every constructor takes the true time at boot, in seconds since the Unix epoch: the far end always
/// knows the date, for instance to judge certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallClock {
    pub(crate) unix_at_boot: u64,
    pub(crate) known: Known,
}

/// When `mvGetWallTime` starts to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    From(Duration),
    WhenConnected,
    Never,
}

impl WallClock {
    /// The clock is set before the application starts.
    pub const fn set_at_boot(unix_seconds: u64) -> Self {
        Self::set_after(unix_seconds, Duration::ZERO)
    }

    /// The clock is set this long after boot.
    pub const fn set_after(unix_seconds: u64, delay: Duration) -> Self {
        Self { unix_at_boot: unix_seconds, known: Known::From(delay) }
    }

    /// The clock is set once the network connects for the first time.
    pub const fn set_when_connected(unix_seconds: u64) -> Self {
        Self { unix_at_boot: unix_seconds, known: Known::WhenConnected }
    }

    /// The clock is never set; `unix_seconds` is what the far end knows.
    pub const fn never_set(unix_seconds: u64) -> Self {
        Self { unix_at_boot: unix_seconds, known: Known::Never }
    }
}

impl Default for WallClock {
    /// The first of January 2026, 00:00:00 UTC at boot; set when the network connects.
    fn default() -> Self {
        Self::set_when_connected(1_767_225_600)
    }
}
