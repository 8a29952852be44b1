//! Opening and closing.

use core::fmt;
use core::task::Waker;

use super::{ChannelBuffers, ClosureReason};
use crate::notifications::Source;
use crate::{HandedBack, Network, Recovery, Status, sys};

/// The kinds of channel that this crate opens.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum ChannelType {
    ConfigFetch = sys::MV_CHANNELTYPE_CONFIGFETCH,
    Mqtt = sys::MV_CHANNELTYPE_MQTT,
}

/// A kernel channel: its handle, the buffers that the kernel holds while it is open, and the waker's slot.
///
/// One that is closed can be opened again. Dropping it closes the channel. Where the kernel does not close
/// it, the buffers are lost: they may still be written to.
pub(crate) struct Channel {
    /// 0 while it is closed.
    handle: u32,
    source: Source,
    /// None of any size once they are [taken](Self::take_buffers).
    buffers: ChannelBuffers,
    /// The channel that the kernel said it does not know, although it may be open; 0 if there is none.
    doubtful: u32,
}

impl Channel {
    /// A channel that is not open yet.
    pub(crate) fn closed(source: Source, buffers: ChannelBuffers) -> Self {
        Self { handle: 0, source, buffers, doubtful: 0 }
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
        match channel.try_open(network, channel_type) {
            Ok(()) => Ok(channel),
            Err(error) => Err(HandedBack { error, value: channel.take_buffers() }),
        }
    }

    /// Opens a channel that is closed.
    pub(crate) fn try_open(&mut self, network: &Network, channel_type: ChannelType) -> Result<(), OpenError> {
        self.request_open(network, channel_type).map_err(|status| {
            if status == Status::BUFFER_ALREADY_IN_USE {
                self.close_doubtful();
            }
            OpenError::Kernel(status)
        })
    }

    fn request_open(&mut self, network: &Network, channel_type: ChannelType) -> Result<(), Status> {
        let buffers = &self.buffers;
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
                    channel_type: channel_type as sys::MvChannelType,
                    // None, which points to a byte all the same.
                    endpoint: sys::MvSizedString { data: buffers.receive_ptr(), length: 0 },
                },
            },
        };
        let mut handle = 0;
        // SAFETY: `params` and `handle` live during the call. The buffers, which the kernel keeps
        // using, are static and exclusive; they stay in the `Channel` until the kernel lets go. A call
        // that does not answer with success has opened nothing.
        Status::check(unsafe { sys::mvOpenChannel(&raw const params, &raw mut handle) })?;
        self.handle = handle;
        // The kernel has just taken the buffers, so no other channel had them.
        self.doubtful = 0;
        Ok(())
    }

    /// The kernel still has the buffers, so the channel that it said it does not know is open. Once it is
    /// closed, another can be opened.
    #[cold]
    fn close_doubtful(&mut self) {
        if self.doubtful != 0 && close(self.doubtful).is_ok() {
            self.doubtful = 0;
        }
    }

    /// The buffers, to be divided anew the next time that the channel is opened.
    pub(crate) fn divide(&mut self, receive_len: usize) {
        self.buffers.divide(receive_len);
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

    /// Closes the channel, unless it is closed. `Err` leaves everything as it was.
    pub(crate) fn try_close(&mut self) -> Result<(), CloseError> {
        if self.handle != 0 {
            close(self.handle).map_err(CloseError)?;
            self.handle = 0;
        }
        Ok(())
    }

    fn is_closed_for_certain(&self) -> bool {
        self.handle | self.doubtful == 0
    }

    /// Overwrites the buffers of a channel that is closed for certain: the kernel received secrets in the one,
    /// and built the request to connect with the private key in the other.
    pub(crate) fn wipe(&mut self) {
        if self.is_closed_for_certain() {
            self.buffers.wipe();
        }
    }

    /// The buffers of a channel that is closed for certain. Others stay where they are.
    pub(crate) fn take_buffers(&mut self) -> ChannelBuffers {
        let nothing = ChannelBuffers::nothing();
        if self.is_closed_for_certain() { core::mem::replace(&mut self.buffers, nothing) } else { nothing }
    }

    /// Takes the channel, which the kernel says it does not know, for closed. Its buffers are for another
    /// channel only from now on.
    ///
    /// The kernel may have closed it while it answered otherwise. If it has not, it knows that it still has
    /// the buffers, and opens no other channel on them; then this one is closed after all, before the next
    /// attempt.
    pub(crate) fn doubt(&mut self) {
        self.doubtful = core::mem::take(&mut self.handle);
    }
}

fn close(handle: u32) -> Result<(), Status> {
    let mut handle = handle;
    // SAFETY: `handle` is a live in-out-parameter.
    Status::check(unsafe { sys::mvCloseChannel(&raw mut handle) })
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.try_close().is_ok() && self.is_closed_for_certain() {
            self.wipe();
        } else {
            core::mem::forget(core::mem::replace(&mut self.buffers, ChannelBuffers::nothing()));
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
