//! When a run has come to nothing.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use microvisor::session::{PublishError, State};

/// The device itself tries for ever. Whoever waits for it has this much time for trouble, which is all
/// time when it is not online, or when its last message was not taken; anew after each that was.
pub(crate) struct Patience {
    limit: Duration,
    spent: Cell<Duration>,
    /// Since when there is trouble.
    since: Cell<Option<Duration>>,
    /// What failed last, if anything did.
    failure: RefCell<Option<String>>,
    state: Cell<State>,
}

impl Patience {
    /// Patience with a device that is about to start.
    pub(crate) fn of(limit: Duration) -> Self {
        Self {
            limit,
            spent: Cell::default(),
            since: Cell::new(Some(Duration::ZERO)),
            failure: RefCell::default(),
            state: Cell::new(State::Stopped),
        }
    }

    pub(crate) fn state(&self, now: Duration, state: State) {
        self.state.set(state);
        match state {
            State::Online => {
                let since = self.since.take().unwrap_or(now);
                self.spent.set(self.spent.get() + now.saturating_sub(since));
            }
            State::BackingOff { cause, .. } => self.failed(now, cause.to_string()),
            _ => {}
        }
    }

    pub(crate) fn published(&self) {
        self.spent.take();
        self.since.take();
        self.failure.take();
    }

    pub(crate) fn not_published(&self, now: Duration, error: &PublishError) {
        self.failed(now, error.to_string());
    }

    fn failed(&self, now: Duration, failure: String) {
        self.since.set(self.since.get().or(Some(now)));
        self.failure.replace(Some(failure));
    }

    /// How much of it is left.
    pub(crate) fn left(&self, now: Duration) -> Duration {
        let current = self.since.get().map_or(Duration::ZERO, |since| now.saturating_sub(since));
        self.limit.saturating_sub(self.spent.get() + current)
    }

    /// What the trouble was.
    pub(crate) fn trouble(&self) -> String {
        let state = self.state.get();
        self.failure.take().unwrap_or_else(|| format!("still {state}"))
    }
}
