//! In session.
//!
//! `requests` sends, and returns at once. `events` reads what came of it, and messages. `waiting` has
//! the requests that wait for their answer, made of the two.

mod events;
mod requests;
mod waiting;

use core::sync::atomic::{AtomicU32, Ordering};

use crate::mqtt::{Limits, ProtocolVersion, RequestId, SessionEnd, SubscribeId, UnsubscribeId};

/// State: in session.
#[derive(Debug)]
pub struct Connected {
    version: ProtocolVersion,
    limits: &'static Limits,
    /// Which session this is, for what outlives it. The kernel does not hear of it.
    session: u32,
    last_correlation_id: u32,
    /// The request in flight, and how many topics it has.
    subscribe: Option<(SubscribeId, u8)>,
    unsubscribe: Option<(UnsubscribeId, u8)>,
    disconnect_requested: bool,
    /// The kind of the next item, where it is known.
    head: Option<u32>,
    end: Option<SessionEnd>,
}

impl Connected {
    fn next_id(&mut self) -> RequestId {
        self.last_correlation_id = self.last_correlation_id.wrapping_add(1);
        self.id(self.last_correlation_id)
    }

    /// The request of this session that a response with `correlation_id` is to.
    fn id(&self, correlation_id: u32) -> RequestId {
        RequestId { session: self.session, correlation_id }
    }

    pub(super) fn new(version: ProtocolVersion, limits: &'static Limits) -> Self {
        Self {
            version,
            limits,
            session: next_session(),
            last_correlation_id: 0,
            subscribe: None,
            unsubscribe: None,
            disconnect_requested: false,
            head: None,
            end: None,
        }
    }
}

/// The number of a session, so that what belongs to one is not taken for another's.
fn next_session() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}
