//! The managed MQTT channel and its states.
//!
//! ```text
//!                open           connect             connected
//!  ChannelBuffers ──▶ <Opened> ────────▶ <Connecting> ────────▶ <Connected> ⟲ requests, events
//!        ▲               │                    │                      │ disconnect
//!        │               │                    │ refused              ▼
//!        │               │                    └──────────────▶ <Disconnected>
//!        └───────────────┴────────── close, in every state ──────────┘
//! ```
//!
//! A channel connects once in its life: another session needs another channel.

mod connected;
mod connecting;
mod opened;
mod read;
mod send;

use crate::channel::Channel;
use crate::{ChannelBuffers, CloseError, HandedBack};

pub use connected::Connected;
pub use connecting::Connecting;
pub use opened::Opened;
pub(crate) use read::{MessageFacts, PublishResponse, TopicsResponse};

/// State: the session is over, or never came about; all that is left is to close the channel.
#[derive(Debug)]
pub struct Disconnected(());

/// A managed MQTT channel in state `S`.
///
/// Dropping it closes the channel, without an MQTT DISCONNECT, and puts the buffers back into the
/// [`KernelMemory`](crate::KernelMemory) that they came from. See the [module](crate::mqtt) for an
/// example.
#[derive(Debug)]
pub struct MqttChannel<S> {
    channel: Channel,
    state: S,
}

impl<S> MqttChannel<S> {
    /// Closes the channel and hands the buffers back. In a session, this ends it without a
    /// DISCONNECT, so that the broker publishes the will.
    ///
    /// # Errors
    ///
    /// [`CloseError`], where the kernel keeps the channel; it is handed back for another try.
    /// Dropping it then loses the buffers for good unless closing works out.
    pub fn close(mut self) -> Result<ChannelBuffers, HandedBack<MqttChannel<Disconnected>, CloseError>> {
        match self.channel.try_close() {
            Ok(()) => {
                self.channel.wipe();
                Ok(self.channel.take_buffers())
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    fn into_state<T>(self, state: T) -> MqttChannel<T> {
        MqttChannel { channel: self.channel, state }
    }

    fn failed<E>(self, error: E) -> HandedBack<MqttChannel<Disconnected>, E> {
        HandedBack { error, value: self.into_state(Disconnected(())) }
    }
}
