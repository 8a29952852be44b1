//! What a session tells whoever watches it.

use core::fmt;

use super::State;
use crate::mqtt::{Host, RequestError, TopicFilter, TopicOutcome};

/// Whoever watches a session: told at once, in order, and of everything.
///
/// A closure `FnMut(&Event<'_>)` is one, and `()` is one that does not care. It is called in the midst
/// of things, so it cannot use the session: its methods answer as if nothing had happened, or with an
/// error that says so. [`stop`](super::Session::stop) works.
///
/// A closure's argument needs its type written out:
///
/// ```
/// use microvisor::session::{Event, Observer, State};
///
/// fn watch(_: impl Observer) {}
///
/// watch(|event: &Event<'_>| match event {
///     Event::State(State::BackingOff { cause, .. }) if cause.is_permanent() => {
///         println!("somebody has to put this right: {cause}");
///     }
///     other => println!("{other}"),
/// });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot watch a session",
    note = "a closure can, with its argument's type written out: `|event: &Event<'_>| …`"
)]
pub trait Observer {
    /// Something happened.
    fn event(&mut self, event: &Event<'_>);
}

impl<F: FnMut(&Event<'_>)> Observer for F {
    fn event(&mut self, event: &Event<'_>) {
        self(event);
    }
}

impl Observer for () {
    fn event(&mut self, _: &Event<'_>) {}
}

/// One thing that happened in a session.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Event<'e> {
    /// It does something else now.
    State(State),
    /// It asks the broker to let it in.
    Connecting {
        /// The broker's host name.
        host: Host<'e>,
        /// The broker's port.
        port: u16,
        /// The client id that it goes by.
        client_id: &'e str,
    },
    /// The broker answered for one filter. A refusal leaves the rest of the session as it is; it is
    /// tried again with the next connection.
    Subscribed {
        /// Which.
        filter: TopicFilter<'e>,
        /// What the broker said.
        outcome: TopicOutcome,
    },
    /// The request to subscribe to some filters came to nothing, and this is no fault of the session:
    /// the session goes on without them.
    NotSubscribed {
        /// The first of them.
        filter: TopicFilter<'e>,
        /// Why.
        error: RequestError,
    },
    /// A message was acknowledged and thrown away, since nothing is subscribed to and nobody receives. One
    /// that does not fit an inbox twice is told to the one who receives instead.
    Discarded {
        /// The length of its payload in bytes.
        len: usize,
    },
    /// The kernel dropped a message that was too large for its buffer, and nobody receives.
    Lost {
        /// The length of the message in bytes.
        len: u32,
    },
    /// Messages were dropped without having been acknowledged, and without
    /// [`leave`](super::Obligation::leave). The broker delivers them again some time.
    Forgotten {
        /// How many.
        count: u32,
    },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => state.fmt(f),
            Self::Connecting { host, port, client_id } => {
                write!(f, "connecting to {}:{port} as {client_id}", host.as_str())
            }
            Self::Subscribed { filter, outcome: TopicOutcome::Granted(qos) } => {
                write!(f, "subscribed to {}, QoS {}", filter.as_str(), qos.raw())
            }
            Self::Subscribed { filter, outcome: TopicOutcome::Refused(reason) } => {
                write!(
                    f,
                    "the broker refused the subscription to {}: {reason}; check the policy",
                    filter.as_str()
                )
            }
            Self::NotSubscribed { filter, error } => {
                write!(f, "not subscribed to {} and what came with it: {error}", filter.as_str())
            }
            Self::Discarded { len } => write!(f, "a message of {len} bytes was thrown away"),
            Self::Lost { len } => {
                write!(f, "a message of {len} bytes was lost: the receive buffer is too small")
            }
            Self::Forgotten { count } => write!(f, "{count} messages were dropped without acknowledgement"),
        }
    }
}
