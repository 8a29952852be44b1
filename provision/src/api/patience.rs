use std::time::{Duration, SystemTime};

/// How often a request is tried, and how long the waits between are.
///
/// The wait before the second try is between half of [`first_delay`](Self::first_delay) and all of it, and
/// doubles from try to try up to [`longest_delay`](Self::longest_delay). An answer's `Retry-After` makes it
/// longer, never shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often a request is sent, the first time included; at least once.
    pub tries: u32,
    /// The longest wait before the second try.
    pub first_delay: Duration,
    /// The longest wait that is chosen here.
    pub longest_delay: Duration,
    /// The longest wait that a `Retry-After` may ask for; beyond it, the request is given up.
    pub longest_asked: Duration,
}

impl Default for Patience {
    /// Six tries within some 15 to 30 seconds, and up to five minutes where the API asks for it.
    fn default() -> Self {
        Self {
            tries: 6,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(30),
            longest_asked: Duration::from_mins(5),
        }
    }
}

impl Patience {
    /// How long to wait after the try with this number (the first is 1), or `None` if not to try again.
    /// `jitter` is from 0 up to 1.
    pub(super) fn wait_after(&self, tried: u32, asked: Option<Duration>, jitter: f64) -> Option<Duration> {
        if tried >= self.tries || asked.is_some_and(|asked| asked > self.longest_asked) {
            return None;
        }
        let doubled = self.first_delay.saturating_mul(2_u32.saturating_pow(tried.saturating_sub(1)));
        let own = doubled.min(self.longest_delay).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        Some(own.max(asked.unwrap_or_default()))
    }
}

/// What a `Retry-After` field asks for: seconds, or a date (RFC 9110 §10.2.3). What is neither asks for
/// nothing.
pub(super) fn retry_after(field: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = field.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(field.trim()).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{Patience, retry_after};

    fn waits(patience: &Patience, jitter: f64) -> Vec<u128> {
        (1..patience.tries)
            .map(|tried| patience.wait_after(tried, None, jitter).unwrap().as_millis())
            .collect()
    }

    #[test]
    fn waits_double_up_to_the_longest_and_are_spread_over_their_upper_half() {
        let patience = Patience { tries: 8, ..Patience::default() };
        assert_eq!(waits(&patience, 1.0), [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(waits(&patience, 0.0), [500, 1000, 2000, 4000, 8000, 15000, 15000]);
        assert_eq!(patience.wait_after(8, None, 0.5), None);
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept_and_one_without_measure_is_not() {
        let patience = Patience::default();
        assert_eq!(patience.wait_after(1, Some(Duration::from_secs(7)), 0.5), Some(Duration::from_secs(7)));
        assert_eq!(patience.wait_after(1, Some(Duration::ZERO), 1.0), Some(Duration::from_secs(1)));
        assert_eq!(patience.wait_after(1, Some(Duration::from_hours(1)), 0.5), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        assert_eq!(retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:20 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }
}
