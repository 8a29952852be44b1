//! What is right and wrong with the files, before a device finds out.
//!
//! A [`Report`] has the [`Part`]s that go into the device's stores, what was checked and found good, and
//! the [`Problem`]s: errors, with which a device would not connect, and warnings. Each says what to do.

mod chain;
mod dates;
mod key_usage;
mod problem;
mod report;
mod size;

pub(crate) use chain::check_chain;
pub(crate) use dates::check_dates;
pub(crate) use key_usage::check_key_usage;
pub use problem::{Level, Problem, Role};
pub use report::{Part, Report};
pub use size::Sizes;
pub(crate) use size::check_size;
