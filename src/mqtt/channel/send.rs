//! Sending requests over an open channel, whatever its state.
//!
//! Each function here makes one system call, which copies the request and all that it points to.

use crate::Status;
use crate::channel::Channel;
use crate::mqtt::{ConnectError, ConnectOptions, Limits, Publish, RequestError, SessionEnd, Subscription};
use crate::sized_string::{filled_string, sized_string};
use crate::sys;

impl Channel {
    /// What the kernel does not take is told with its status, as it is.
    pub(crate) fn send_connect(
        &self,
        options: &ConnectOptions<'_>,
        limits: &Limits,
    ) -> Result<(), ConnectError> {
        if let Some(will) = options.will() {
            limits.check_publish(will).map_err(ConnectError::Limit)?;
        }
        let sent = options.with_request(|request| {
            // SAFETY: the request and all that it points to live during the call, which copies it.
            unsafe { sys::mvMqttRequestConnect(self.handle(), core::ptr::from_ref(request)) }
        });
        Status::check(sent).map_err(ConnectError::Kernel)
    }

    pub(crate) fn send_publish(&self, correlation_id: u32, publish: &Publish<'_>) -> Result<(), Status> {
        let request = sys::MvMqttPublishRequest {
            correlation_id,
            topic: filled_string(publish.topic().as_str().as_bytes()),
            payload: sized_string(publish.payload()),
            desired_qos: publish.qos().raw(),
            retain: publish.is_retained().into(),
        };
        // SAFETY: the request, its topic and its payload live during the call, which copies them.
        Status::check(unsafe { sys::mvMqttRequestPublish(self.handle(), &raw const request) })
    }

    /// Up to [`MAX_TOPICS`](crate::mqtt::MAX_TOPICS) subscriptions, as the caller has checked.
    #[allow(clippy::cast_possible_truncation)] // 8.
    pub(crate) fn send_subscribe(
        &self,
        correlation_id: u32,
        subscriptions: &[Subscription<'_>],
    ) -> Result<(), Status> {
        let request = sys::MvMqttSubscribeRequest {
            correlation_id,
            // A `Subscription` is a transparent `MvMqttSubscription`.
            subscriptions: subscriptions.as_ptr().cast(),
            num_subscriptions: subscriptions.len() as u32,
        };
        // SAFETY: the request, the subscriptions and their filters live during the call, which
        // copies them.
        Status::check(unsafe { sys::mvMqttRequestSubscribe(self.handle(), &raw const request) })
    }

    pub(crate) fn send_disconnect(&self) -> Result<(), Status> {
        // SAFETY: the call takes no pointers.
        Status::check(unsafe { sys::mvMqttRequestDisconnect(self.handle()) })
    }

    /// What a status means that a request was not taken with.
    pub(crate) fn request_error(&self, status: Status) -> RequestError {
        match status {
            Status::RATE_LIMITED => RequestError::RateLimited,
            Status::CHANNEL_CLOSED => RequestError::Ended(SessionEnd::ChannelClosed(self.closure_reason())),
            other => RequestError::Kernel(other),
        }
    }

    /// What a status means that came in the place of a connection.
    pub(crate) fn connect_error(&self, status: Status) -> ConnectError {
        match status {
            Status::CHANNEL_CLOSED => ConnectError::ChannelClosed(self.closure_reason()),
            other => ConnectError::Kernel(other),
        }
    }
}
