//! What an attempt to change state without waiting comes to.

/// What an attempt to change state without waiting comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it holds the channel"]
pub enum Transition<T, W, F> {
    /// It is done: the channel in its new state.
    Done(T),
    /// There is no answer yet: the channel as it was.
    Waiting(W),
    /// It failed: the error, and the channel to be closed.
    Failed(F),
}
