//! Opening and closing.

use core::fmt;
use core::task::Waker;

use super::{ChannelBuffers, ClosureReason};
use crate::notifications::Source;
use crate::sized_string::sized_string;
use crate::{HandedBack, Network, Recovery, Status, sys};

/// The kinds of channel that this crate opens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ChannelType {
    ConfigFetch,
    Mqtt,
}

impl ChannelType {
    fn raw(self) -> sys::MvChannelType {
        match self {
            Self::ConfigFetch => sys::MV_CHANNELTYPE_CONFIGFETCH,
            Self::Mqtt => sys::MV_CHANNELTYPE_MQTT,
        }
    }
}

/// A kernel channel: its handle, the buffers that the kernel holds while it is open, and the waker's slot.
///
/// One that is closed can be opened again. Dropping it closes the channel. Where the kernel does not close
/// it, the buffers are lost: they may still be written to.
pub(crate) struct Channel {
    /// 0 while it is closed.
    handle: u32,
    source: Source,
    /// There until they are [taken](Self::take_buffers).
    buffers: Option<ChannelBuffers>,
}

impl Channel {
    /// A channel that is not open yet.
    pub(crate) fn closed(source: Source, buffers: ChannelBuffers) -> Self {
        Self { handle: 0, source, buffers: Some(buffers) }
    }

    /// A new channel, open.
    pub(crate) fn open(
        network: &Network,
        buffers: ChannelBuffers,
        channel_type: ChannelType,
    ) -> Result<Self, HandedBack<ChannelBuffers, OpenError>> {
        let Some(source) = network.source().another() else {
            return Err(HandedBack { error: OpenError::TooManySources, value: buffers });
        };
        let mut channel = Self::closed(source, buffers);
        match (channel.try_open(network, channel_type), &mut channel.buffers) {
            (Err(error), buffers) => match buffers.take() {
                Some(value) => Err(HandedBack { error, value }),
                // They were put there just now.
                None => Ok(channel),
            },
            (Ok(()), _) => Ok(channel),
        }
    }

    /// Opens a channel that is closed.
    pub(crate) fn try_open(&mut self, network: &Network, channel_type: ChannelType) -> Result<(), OpenError> {
        match self.request_open(network, channel_type) {
            Err(Status::BUFFER_ALREADY_IN_USE) if self.close_doubtful() => {
                self.request_open(network, channel_type)
            }
            opened => opened,
        }
        .map_err(OpenError::Kernel)?;
        if let Some(buffers) = &mut self.buffers {
            buffers.settle();
        }
        Ok(())
    }

    #[inline(never)]
    fn request_open(&mut self, network: &Network, channel_type: ChannelType) -> Result<(), Status> {
        let Some(buffers) = &self.buffers else { return Err(Status::INVALID_BUFFER_SIZE) };
        // The platform's addresses and sizes are 32 bits wide.
        let (Ok(receive_buffer_len), Ok(send_buffer_len)) =
            (u32::try_from(buffers.receive_len()), u32::try_from(buffers.send_len()))
        else {
            return Err(Status::INVALID_BUFFER_SIZE);
        };
        let params = sys::MvOpenChannelParams {
            version: 1,
            __bindgen_anon_1: sys::MvOpenChannelParams__bindgen_ty_1 {
                v1: sys::MvOpenChannelParams__bindgen_ty_1__bindgen_ty_1 {
                    notification_handle: self.source.center_handle(),
                    notification_tag: self.source.tag(),
                    network_handle: network.handle(),
                    receive_buffer: buffers.receive_ptr(),
                    receive_buffer_len,
                    send_buffer: buffers.send_ptr(),
                    send_buffer_len,
                    channel_type: channel_type.raw(),
                    endpoint: sized_string(&[]),
                },
            },
        };
        let mut handle = 0;
        // SAFETY: `params` and `handle` live during the call. The buffers, which the kernel keeps
        // using, are static and exclusive; they stay in the `Channel` until the kernel lets go. A call
        // that does not answer with success has opened nothing.
        Status::check(unsafe { sys::mvOpenChannel(&raw const params, &raw mut handle) })?;
        self.handle = handle;
        Ok(())
    }

    /// The kernel still has the buffers, so the channel that it said it does not know is open: closes it.
    /// Whether it did.
    #[cold]
    fn close_doubtful(&mut self) -> bool {
        let Some(buffers) = &mut self.buffers else { return false };
        let Some(handle) = buffers.doubtful_channel() else { return false };
        let mut handle = handle.get();
        // SAFETY: `handle` is a live in-out-parameter.
        let closed = Status::check(unsafe { sys::mvCloseChannel(&raw mut handle) }).is_ok();
        if closed {
            buffers.settle();
        }
        closed
    }

    /// The buffers, to be divided anew while the channel is closed.
    pub(crate) fn divide(&mut self, receive_len: usize) {
        if self.handle == 0
            && let Some(buffers) = &mut self.buffers
        {
            // Whoever divides them has checked the length.
            let _ = buffers.split_again(receive_len);
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.handle != 0
    }

    pub(crate) fn handle(&self) -> u32 {
        self.handle
    }

    /// Has `waker` woken by the channel's next notification; before the state is read.
    pub(crate) fn register(&mut self, waker: &Waker) {
        self.source.register(waker);
    }

    /// Why the channel is closed. A kernel that does not say is not an error worth a second one.
    #[inline(never)]
    pub(crate) fn closure_reason(&self) -> ClosureReason {
        let mut reason = sys::MV_CLOSUREREASON_NONE;
        // SAFETY: `reason` is a live out-parameter of the enum's width.
        match Status::check(unsafe { sys::mvGetChannelClosureReason(self.handle, &raw mut reason) }) {
            Ok(()) => ClosureReason::from_raw(reason),
            Err(_) => ClosureReason::NONE,
        }
    }

    /// Closes the channel, unless it is closed, and overwrites the buffers: the kernel received secrets in
    /// the one, and built the request to connect with the private key in the other. `Err` leaves everything
    /// as it was.
    pub(crate) fn try_close(&mut self) -> Result<(), CloseError> {
        let mut handle = self.handle;
        if handle == 0 {
            return Ok(());
        }
        // SAFETY: `handle` is a live in-out-parameter.
        Status::check(unsafe { sys::mvCloseChannel(&raw mut handle) }).map_err(CloseError)?;
        self.handle = 0;
        if let Some(buffers) = &mut self.buffers {
            buffers.wipe();
        }
        Ok(())
    }

    /// The buffers, once the channel is closed.
    pub(crate) fn take_buffers(&mut self) -> Option<ChannelBuffers> {
        if self.is_open() { None } else { self.buffers.take() }
    }

    /// Takes the channel, which the kernel says it does not know, for closed. Its buffers are for another
    /// channel only from now on.
    ///
    /// The kernel may have closed it while it answered otherwise. If it has not, it knows that it still has
    /// the buffers, and opens no other channel on them; then this one is closed after all.
    pub(crate) fn doubt(&mut self) {
        if let Some(buffers) = &mut self.buffers
            && self.handle != 0
        {
            buffers.doubt(self.handle);
        }
        self.handle = 0;
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.try_close().is_err() {
            core::mem::forget(self.buffers.take());
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel {{ handle: {:#010x} }}", self.handle)
    }
}

/// Why a channel did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum OpenError {
    /// The notification centre serves as many networks and channels as it can.
    TooManySources,
    /// The kernel refused: `NETWORK_NOT_CONNECTED` until the network is up, `RATE_LIMITED` above 8
    /// opens in a short time (wait a second), `TOO_MANY_CHANNELS` where 4 are open.
    Kernel(Status),
}

impl OpenError {
    /// What can be done about it.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::TooManySources
            | Self::Kernel(
                Status::PARAMETER_FAULT
                | Status::BUFFER_ALREADY_IN_USE
                | Status::UNSUPPORTED_STRUCTURE_VERSION
                | Status::INVALID_BUFFER_ALIGNMENT
                | Status::INVALID_BUFFER_SIZE
                | Status::UNKNOWN_CHANNEL_ENDPOINT
                | Status::UNKNOWN_CHANNEL_TYPE,
            ) => Recovery::GiveUp,
            Self::Kernel(Status::INVALID_HANDLE) => Recovery::Reopen,
            Self::Kernel(_) => Recovery::Retry,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManySources => f.write_str(
                "the notification centre serves as many networks and channels as it can; close one or open another centre",
            ),
            Self::Kernel(Status::NETWORK_NOT_CONNECTED) => {
                f.write_str("the channel cannot be opened before the network is connected; wait for it")
            }
            Self::Kernel(Status::RATE_LIMITED) => {
                f.write_str("channels are opened too fast; wait a second and open it again")
            }
            Self::Kernel(Status::TOO_MANY_CHANNELS) => {
                f.write_str("4 channels are open, which is all there are; close one")
            }
            Self::Kernel(status) => write!(f, "the channel cannot be opened: {status}"),
        }
    }
}

impl core::error::Error for OpenError {}

/// The kernel did not close a channel, so its buffers may still be in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CloseError(pub(crate) Status);

impl CloseError {
    /// What the kernel answered.
    pub fn status(self) -> Status {
        self.0
    }

    /// [`Retry`](Recovery::Retry), unless the kernel says that there is no such channel: then its
    /// buffers are lost.
    pub fn recovery(self) -> Recovery {
        match self.0 {
            Status::INVALID_HANDLE => Recovery::GiveUp,
            _ => Recovery::Retry,
        }
    }
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the kernel did not close the channel, which keeps its buffers: {}", self.0)
    }
}

impl core::error::Error for CloseError {}
