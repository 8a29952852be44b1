use core::fmt;
use std::time::{Duration, SystemTime};

use super::Stop;

/// Time, and waiting for it to pass; of one's own in tests, which then need not wait.
pub trait Clock: fmt::Debug + Sync {
    /// The date, which a `Retry-After` may give.
    fn now(&self) -> SystemTime;

    /// Waits for `length`, or until `stop` is requested.
    fn sleep(&self, length: Duration, stop: &Stop);

    /// A number from 0 up to, but not including, 1, for the jitter of waits.
    fn jitter(&self) -> f64;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, length: Duration, stop: &Stop) {
        stop.wait(length);
    }

    fn jitter(&self) -> f64 {
        fastrand::f64()
    }
}
