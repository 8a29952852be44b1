//! What all channels have in common: memory, opening, closing, and the reason of an end.
//!
//! [`Channel`] is the owner of one kernel channel; the typestate channels in
//! [`config`](crate::config) and [`mqtt`](crate::mqtt) are made of it.

mod buffers;
mod closure_reason;
mod open;

pub use buffers::{ChannelBuffers, SplitError};
pub use closure_reason::ClosureReason;
pub(crate) use open::{Channel, ChannelType};
pub use open::{CloseError, OpenError};
