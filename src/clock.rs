//! The two clocks: one that always runs, and one that knows the date once somebody told it.
//!
//! ```
//! use microvisor::clock::{self, WallTime};
//!
//! # use microvisor_sim::{Device, WallClock};
//! # let _device = Device::builder().wall_clock(WallClock::set_at_boot(1_782_864_000)).boot();
//! let started = clock::uptime()?;
//! match clock::wall_time()? {
//!     WallTime::Set(time) => println!("{} s since 1970", time.as_secs()),
//!     WallTime::NotSet => println!("{started:?} after the start, the date is not known yet"),
//! }
//! # Ok::<(), clock::ClockError>(())
//! ```

use core::fmt;
use core::mem::MaybeUninit;
use core::time::Duration;

use crate::{Recovery, Status, sys};

/// The time since the kernel started, to the microsecond. It never goes back.
///
/// The kernel starts before the application does, so the first reading is not 0.
///
/// # Errors
///
/// [`Kernel`](ClockError::Kernel): the kernel does not answer, which nothing can be done about.
pub fn uptime() -> Result<Duration, ClockError> {
    uptime_micros().map(Duration::from_micros)
}

/// [`uptime`] as a number of microseconds, which spares a division.
///
/// # Errors
///
/// As [`uptime`].
pub fn uptime_micros() -> Result<u64, ClockError> {
    let mut micros = MaybeUninit::uninit();
    // SAFETY: the kernel writes one `u64` through the pointer, and only in this call.
    Status::check(unsafe { sys::mvGetMicroseconds(micros.as_mut_ptr()) }).map_err(ClockError::Kernel)?;
    // SAFETY: the kernel has written it, as it says.
    Ok(unsafe { micros.assume_init() })
}

/// The date and time, if the device knows them.
///
/// The platform sets the clock from the network, and again when it has drifted, so this can jump.
///
/// # Errors
///
/// [`Kernel`](ClockError::Kernel): the kernel does not answer, which nothing can be done about. That the
/// clock is not set is no error.
pub fn wall_time() -> Result<WallTime, ClockError> {
    let set = |micros| WallTime::Set(Duration::from_micros(micros));
    wall_time_micros().map(|micros| micros.map_or(WallTime::NotSet, set))
}

/// [`wall_time`] as a number of microseconds since the Unix epoch, which spares a division; `None` where
/// the clock is not set.
///
/// # Errors
///
/// As [`wall_time`].
pub fn wall_time_micros() -> Result<Option<u64>, ClockError> {
    let mut micros = 0;
    // SAFETY: as in `uptime_micros`.
    match Status::check(unsafe { sys::mvGetWallTime(&raw mut micros) }) {
        Ok(()) => Ok(Some(micros)),
        Err(Status::TIME_NOT_SET) => Ok(None),
        Err(status) => Err(ClockError::Kernel(status)),
    }
}

/// What the wall clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WallTime {
    /// Nothing yet: the device has not been connected since it started.
    NotSet,
    /// The time since the Unix epoch (1970-01-01 00:00 UTC), to the microsecond.
    Set(Duration),
}

impl WallTime {
    /// The time since the Unix epoch, if the clock is set.
    pub const fn since_epoch(self) -> Option<Duration> {
        match self {
            Self::NotSet => None,
            Self::Set(time) => Some(time),
        }
    }
}

/// Why a clock could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ClockError {
    /// The kernel did not answer.
    Kernel(Status),
}

impl ClockError {
    /// What can be done: nothing, within the program.
    pub const fn recovery(self) -> Recovery {
        Recovery::GiveUp
    }
}

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(status) => write!(f, "cannot read the clock: {status}"),
        }
    }
}

impl core::error::Error for ClockError {}
