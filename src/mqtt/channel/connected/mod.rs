//! In session.
//!
//! `requests` sends, and returns at once. `events` reads what came of it, and messages. `waiting` has
//! the requests that wait for their answer, made of the two.

mod events;
mod requests;
mod waiting;

use core::sync::atomic::{AtomicU32, Ordering};

use crate::mqtt::{Limits, ProtocolVersion, SessionEnd, SubscribeId, UnsubscribeId};

/// State: in session.
#[derive(Debug)]
pub struct Connected {
    version: ProtocolVersion,
    limits: &'static Limits,
    /// Which session this is, for what outlives it.
    session: u32,
    /// The request in flight, and how many topics it has.
    subscribe: Option<(SubscribeId, u8)>,
    unsubscribe: Option<(UnsubscribeId, u8)>,
    disconnect_requested: bool,
    /// The kind of the next item, where it is known.
    head: Option<u32>,
    end: Option<SessionEnd>,
}

impl Connected {
    pub(super) fn new(version: ProtocolVersion, limits: &'static Limits) -> Self {
        Self {
            version,
            limits,
            session: next_number(),
            subscribe: None,
            unsubscribe: None,
            disconnect_requested: false,
            head: None,
            end: None,
        }
    }
}

/// Numbers for sessions and requests, counted over all sessions, so that what belongs to one is not
/// taken for another's.
fn next_number() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}
