//! What a test has the broker do out of the ordinary.

use std::collections::VecDeque;
use std::time::Duration;

use crate::broker::{BrokerEvent, LinkId};

/// How the broker takes the next connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum ConnectAnswer {
    Refuse { state: u32, reason: u32 },
    Silence,
}

/// What becomes of the next publish.
#[derive(Clone, Copy, Debug)]
pub(super) enum PublishAnswer {
    /// Answered so; carried out where both are successes.
    Answer { state: u32, reason: u32 },
    /// Carried out, then the connection is cut before the answer.
    CutAfterwards,
    /// Lost with the connection.
    CutBefore,
}

#[derive(Debug, Default)]
pub(super) struct Script {
    pub connects: VecDeque<ConnectAnswer>,
    pub publishes: VecDeque<PublishAnswer>,
    /// A state, and reasons that replace the computed ones where there are any.
    pub subscribes: VecDeque<(u32, Vec<u32>)>,
    pub unsubscribes: VecDeque<(u32, Vec<u32>)>,
    /// How many responses are still to be held back before they go out in reverse.
    pub reorder: usize,
    pub held: Vec<(LinkId, BrokerEvent)>,
    /// How many responses are still to be lost.
    pub swallow: usize,
    /// How many messages are still to be delivered twice.
    pub duplicates: usize,
    /// How much later responses go out.
    pub response_delay: Duration,
    /// Whether requests are left lying.
    pub silent: bool,
}
