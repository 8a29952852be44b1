use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Asks everything that holds a clone of it to end before its next request, and wakes what waits for one.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    requested: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks.
    pub fn request(&self) {
        *self.requested() = true;
        self.shared.changed.notify_all();
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        *self.requested()
    }

    /// Waits, but no longer than until somebody asks.
    pub fn wait(&self, length: Duration) {
        let waited =
            self.shared.changed.wait_timeout_while(self.requested(), length, |requested| !*requested);
        drop(waited);
    }

    /// A thread that panicked cannot have left a flag half written.
    fn requested(&self) -> MutexGuard<'_, bool> {
        self.shared.requested.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
