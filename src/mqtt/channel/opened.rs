//! From open to connecting.

use super::{Connecting, Disconnected, MqttChannel};
use crate::channel::{Channel, ChannelType};
use crate::mqtt::{ConnectError, ConnectOptions};
use crate::{ChannelBuffers, HandedBack, Network, OpenError, Status, sys};

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

    /// Begins to connect; `Ok` makes it a [connecting](Self::connecting) channel.
    pub(crate) fn request_connect(&self, options: &ConnectOptions<'_>) -> Result<Connecting, ConnectError> {
        if let Some(will) = options.will() {
            options.limits().check_publish(will).map_err(ConnectError::Limit)?;
        }
        let handle = self.channel.handle();
        let sent = options.with_request(|request| {
            // SAFETY: the request and all that it points to live during the call, which copies it.
            unsafe { sys::mvMqttRequestConnect(handle, core::ptr::from_ref(request)) }
        });
        match Status::check(sent) {
            Ok(()) => Ok(Connecting::new(options.version(), options.limits())),
            Err(Status::CHANNEL_CLOSED) => Err(ConnectError::ChannelClosed(self.channel.closure_reason())),
            Err(status) => Err(ConnectError::Kernel(status)),
        }
    }

    pub(crate) fn connecting(self, state: Connecting) -> MqttChannel<Connecting> {
        self.into_state(state)
    }
}
