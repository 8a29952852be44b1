//! The channel that values are fetched over.

use core::future::poll_fn;
use core::task::{Context, Poll};

use super::{ConfigKey, FetchError};
use crate::channel::{Channel, ChannelType};
use crate::{ChannelBuffers, CloseError, HandedBack, Network, OpenError, Status, Transition, sys};

/// State: open, nothing asked for yet.
#[derive(Debug)]
pub struct Opened(());

/// State: the request is on its way.
#[derive(Debug)]
pub struct Requested<'k> {
    keys: &'k [ConfigKey<'k>],
    /// The overall result, which a kernel may let be read once.
    response: Option<Result<(), FetchError>>,
}

/// State: the values are here.
#[derive(Debug)]
pub struct Received<'k> {
    pub(super) keys: &'k [ConfigKey<'k>],
}

/// State: the one request of the channel failed; all that is left is to close it.
#[derive(Debug)]
pub struct Spent(());

/// A config fetch channel in state `S`.
///
/// Dropping it closes the channel and puts the buffers back into the
/// [`KernelMemory`](crate::KernelMemory) that they came from. See the [module](super) for an example.
#[derive(Debug)]
pub struct ConfigFetch<S> {
    pub(super) channel: Channel,
    pub(super) state: S,
}

impl<S> ConfigFetch<S> {
    /// Closes the channel, hands the buffers back, and overwrites them, since they held secrets.
    ///
    /// # Errors
    ///
    /// [`CloseError`], where the kernel keeps the channel; it is handed back for another try.
    /// Dropping it then loses the buffers for good unless closing works out.
    pub fn close(mut self) -> Result<ChannelBuffers, HandedBack<ConfigFetch<Spent>, CloseError>> {
        match self.channel.try_close() {
            Ok(()) => {
                self.channel.wipe();
                Ok(self.channel.take_buffers())
            }
            Err(error) => Err(HandedBack { error, value: self.into_state(Spent(())) }),
        }
    }

    fn into_state<T>(self, state: T) -> ConfigFetch<T> {
        ConfigFetch { channel: self.channel, state }
    }

    fn spent(self, error: FetchError) -> HandedBack<ConfigFetch<Spent>, FetchError> {
        HandedBack { error, value: self.into_state(Spent(())) }
    }
}

impl ConfigFetch<Opened> {
    /// Opens a channel over `network`, which has to be connected, and lends it `buffers`.
    ///
    /// # Errors
    ///
    /// An [`OpenError`], with the buffers handed back.
    pub fn open(
        network: &Network,
        buffers: ChannelBuffers,
    ) -> Result<Self, HandedBack<ChannelBuffers, OpenError>> {
        let channel = Channel::open(network, buffers, ChannelType::ConfigFetch)?;
        Ok(Self { channel, state: Opened(()) })
    }

    /// Asks for the values of `keys`, in this order.
    ///
    /// The platform documents no number for how many keys one request may have; 16 is a safe one.
    ///
    /// # Errors
    ///
    /// - [`NoKeys`](FetchError::NoKeys), [`TooManyKeys`](FetchError::TooManyKeys): the list is at fault.
    /// - [`ChannelClosed`](FetchError::ChannelClosed), [`Kernel`](FetchError::Kernel): see there.
    ///
    /// The channel is handed back to be closed.
    pub fn request<'k>(
        self,
        keys: &'k [ConfigKey<'k>],
    ) -> Result<ConfigFetch<Requested<'k>>, HandedBack<ConfigFetch<Spent>, FetchError>> {
        match self.channel.send_fetch(keys) {
            Ok(()) => Ok(self.into_state(Requested { keys, response: None })),
            Err(error) => {
                let error = match error {
                    FetchError::Kernel(Status::TOO_MANY_CONFIG_KEYS) => FetchError::TooManyKeys,
                    FetchError::Kernel(status) => self.channel.fetch_error(status),
                    other => other,
                };
                Err(self.spent(error))
            }
        }
    }
}

impl<'k> ConfigFetch<Requested<'k>> {
    /// Waits for the response.
    ///
    /// The platform sets no time limit. To give up, drop the future: that closes the channel.
    ///
    /// # Errors
    ///
    /// - [`ResponseTooLarge`](FetchError::ResponseTooLarge): fetch with a larger receive buffer.
    /// - [`ChannelClosed`](FetchError::ChannelClosed), [`Kernel`](FetchError::Kernel) and the rest: see there.
    ///
    /// The channel is handed back to be closed.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the channel, and the buffers go back where they were taken from.
    /// To keep the channel, wait with [`poll_received`](Self::poll_received).
    pub async fn received(
        mut self,
    ) -> Result<ConfigFetch<Received<'k>>, HandedBack<ConfigFetch<Spent>, FetchError>> {
        let response = poll_fn(|cx| self.poll_received(cx)).await;
        self.finish(response)
    }

    /// Whether the response is there, and if so, how it went. The last waker polled with is woken.
    ///
    /// # Errors
    ///
    /// As [`received`](Self::received).
    ///
    /// After `Ready`, [`try_received`](Self::try_received) makes the transition.
    pub fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        self.channel.register(cx.waker());
        match self.response() {
            Some(response) => Poll::Ready(response),
            None => Poll::Pending,
        }
    }

    /// The channel with the values, without waiting. It fails as [`received`](Self::received) does.
    pub fn try_received(
        mut self,
    ) -> Transition<ConfigFetch<Received<'k>>, Self, HandedBack<ConfigFetch<Spent>, FetchError>> {
        let Some(response) = self.response() else {
            return Transition::Waiting(self);
        };
        match self.finish(response) {
            Ok(received) => Transition::Done(received),
            Err(failed) => Transition::Failed(failed),
        }
    }

    fn finish(
        self,
        response: Result<(), FetchError>,
    ) -> Result<ConfigFetch<Received<'k>>, HandedBack<ConfigFetch<Spent>, FetchError>> {
        match response {
            Ok(()) => {
                let keys = self.state.keys;
                Ok(self.into_state(Received { keys }))
            }
            Err(error) => Err(self.spent(error)),
        }
    }

    fn response(&mut self) -> Option<Result<(), FetchError>> {
        if self.state.response.is_none() {
            self.state.response = self.channel.read_fetch_result(self.state.keys.len());
        }
        self.state.response
    }
}

impl Channel {
    /// Asks for the values of `keys`. What the kernel does not take is told with its status, as it is.
    pub(crate) fn send_fetch(&self, keys: &[ConfigKey<'_>]) -> Result<(), FetchError> {
        if keys.is_empty() {
            return Err(FetchError::NoKeys);
        }
        let Ok(num_items) = u32::try_from(keys.len()) else { return Err(FetchError::TooManyKeys) };
        let request = sys::MvConfigKeyFetchParams {
            num_items,
            // A `ConfigKey` is a transparent `MvConfigKeyToFetch`.
            keys_to_fetch: keys.as_ptr().cast(),
        };
        // SAFETY: the request, the keys and their names live during the call, which copies them.
        let sent = unsafe { sys::mvSendConfigFetchRequest(self.handle(), &raw const request) };
        Status::check(sent).map_err(FetchError::Kernel)
    }

    /// Reads the overall result of a fetch of `requested` values, if it is there.
    ///
    /// The ABI documents no status for "not yet" here. A kernel answers `RESPONSE_NOT_PRESENT`, or
    /// succeeds without writing: hence a result that the kernel does not use to begin with.
    pub(crate) fn read_fetch_result(&self, requested: usize) -> Option<Result<(), FetchError>> {
        let mut data =
            sys::MvConfigResponseData { result: sys::MV_CONFIGFETCHRESULT__MAX, num_items: u32::MAX };
        // SAFETY: `data` is a live out-parameter.
        let read = unsafe { sys::mvReadConfigFetchResponseData(self.handle(), &raw mut data) };
        let result = match Status::check(read) {
            Err(Status::RESPONSE_NOT_PRESENT) => return None,
            Err(status) => Err(self.fetch_error(status)),
            Ok(()) => match data.result {
                sys::MV_CONFIGFETCHRESULT__MAX => return None,
                sys::MV_CONFIGFETCHRESULT_OK if data.num_items as usize == requested => Ok(()),
                sys::MV_CONFIGFETCHRESULT_OK => {
                    Err(FetchError::WrongItemCount { requested, received: data.num_items })
                }
                sys::MV_CONFIGFETCHRESULT_RESPONSETOOLARGE => Err(FetchError::ResponseTooLarge),
                other => Err(FetchError::UnknownResult(other)),
            },
        };
        Some(result)
    }

    fn fetch_error(&self, status: Status) -> FetchError {
        match status {
            Status::CHANNEL_CLOSED => FetchError::ChannelClosed(self.closure_reason()),
            other => FetchError::Kernel(other),
        }
    }
}
