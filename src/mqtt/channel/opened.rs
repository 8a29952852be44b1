//! From open to connecting.

use super::{Connecting, Disconnected, MqttChannel};
use crate::channel::{Channel, ChannelType};
use crate::mqtt::{ConnectError, ConnectOptions};
use crate::{ChannelBuffers, HandedBack, Network, OpenError};

/// State: open, not connected to a broker.
#[derive(Debug)]
pub struct Opened(());

impl MqttChannel<Opened> {
    /// Opens a channel over `network`, which has to be connected, and lends it `buffers`.
    ///
    /// # Errors
    ///
    /// An [`OpenError`], with the buffers handed back.
    pub fn open(
        network: &Network,
        buffers: ChannelBuffers,
    ) -> Result<Self, HandedBack<ChannelBuffers, OpenError>> {
        let channel = Channel::open(network, buffers, ChannelType::Mqtt)?;
        Ok(Self { channel, state: Opened(()) })
    }

    /// Begins to connect. The kernel copies all of `options`, credentials included.
    ///
    /// # Errors
    ///
    /// - [`Limit`](ConnectError::Limit): the will is beyond the broker's limits.
    /// - [`Kernel`](ConnectError::Kernel): the kernel did not take the request.
    ///
    /// The channel is handed back to be closed: it can only be connected once.
    pub fn connect(
        self,
        options: &ConnectOptions<'_>,
    ) -> Result<MqttChannel<Connecting>, HandedBack<MqttChannel<Disconnected>, ConnectError>> {
        match self.request_connect(options) {
            Ok(state) => Ok(self.into_state(state)),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn request_connect(&self, options: &ConnectOptions<'_>) -> Result<Connecting, ConnectError> {
        self.channel.send_connect(options, options.limits()).map_err(|error| match error {
            ConnectError::Kernel(status) => self.channel.connect_error(status),
            other => other,
        })?;
        Ok(Connecting::new(options.version(), options.limits()))
    }
}
