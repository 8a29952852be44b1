//! What a program with a main loop of its own asks for.

use super::{PublishError, ReceiveError, Received};
use crate::mqtt::ReasonCode;

/// What came in: [`Session::next`](super::Session::next) returns one after the other.
#[derive(Debug)]
#[must_use = "a message of QoS 1 or 2 is delivered again until it is acknowledged"]
#[non_exhaustive]
pub enum Incoming<'s, 'b> {
    /// A message, in the caller's inbox.
    Message(Received<'s, 'b>),
    /// The verdict on a message that was [published](super::Session::publish_now): the broker's success
    /// code, or what came of it instead.
    Published(Ticket, Result<ReasonCode, PublishError>),
    /// A message was there, and could not be received.
    NotReceived(ReceiveError<'b>),
}

/// Stands for a message on its way. Its verdict comes with the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ticket(pub(super) u32);
