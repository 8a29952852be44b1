//! From connecting to connected.

use core::future::poll_fn;
use core::task::{Context, Poll};

use super::{Connected, Disconnected, MqttChannel};
use crate::channel::Channel;
use crate::mqtt::{ConnectError, Limits, ProtocolVersion, ReasonCode, RequestState};
use crate::{HandedBack, Status, Transition, sys};

/// State: the connect request is on its way.
#[derive(Debug)]
pub struct Connecting {
    version: ProtocolVersion,
    limits: &'static Limits,
    /// The broker's answer, which can be read once.
    answer: Option<Result<(), ConnectError>>,
}

impl Connecting {
    pub(super) fn new(version: ProtocolVersion, limits: &'static Limits) -> Self {
        Self { version, limits, answer: None }
    }
}

impl MqttChannel<Connecting> {
    /// Waits for the broker's answer.
    ///
    /// The platform sets no time limit. To give up, drop the future: that closes the channel.
    ///
    /// # Errors
    ///
    /// A [`ConnectError`], which says what to check. The channel is handed back to be closed.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the channel, and the buffers go back where they were taken from.
    /// To keep the channel, wait with [`poll_connected`](Self::poll_connected).
    pub async fn connected(
        mut self,
    ) -> Result<MqttChannel<Connected>, HandedBack<MqttChannel<Disconnected>, ConnectError>> {
        let answer = poll_fn(|cx| self.poll_connected(cx)).await;
        self.finish(answer)
    }

    /// Whether the broker has answered, and if so, how. The last waker polled with is woken.
    ///
    /// # Errors
    ///
    /// As [`connected`](Self::connected).
    ///
    /// After `Ready`, [`try_connected`](Self::try_connected) makes the transition.
    pub fn poll_connected(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        self.channel.register(cx.waker());
        match self.answer() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        }
    }

    /// The connected channel, without waiting. It fails as [`connected`](Self::connected) does.
    pub fn try_connected(
        mut self,
    ) -> Transition<MqttChannel<Connected>, Self, HandedBack<MqttChannel<Disconnected>, ConnectError>> {
        let Some(answer) = self.answer() else {
            return Transition::Waiting(self);
        };
        match self.finish(answer) {
            Ok(connected) => Transition::Done(connected),
            Err(failed) => Transition::Failed(failed),
        }
    }

    fn finish(
        self,
        answer: Result<(), ConnectError>,
    ) -> Result<MqttChannel<Connected>, HandedBack<MqttChannel<Disconnected>, ConnectError>> {
        match answer {
            Ok(()) => {
                let Connecting { version, limits, .. } = self.state;
                Ok(self.into_state(Connected::new(version, limits)))
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    fn answer(&mut self) -> Option<Result<(), ConnectError>> {
        if self.state.answer.is_none() {
            self.state.answer = self.read_answer();
        }
        self.state.answer
    }

    fn read_answer(&self) -> Option<Result<(), ConnectError>> {
        self.channel.read_connect_answer(self.state.version)
    }
}

impl Channel {
    /// The broker's answer to the connect request, if it is there.
    pub(crate) fn read_connect_answer(&self, version: ProtocolVersion) -> Option<Result<(), ConnectError>> {
        Some(match self.next_readable() {
            Ok(sys::MV_MQTTREADABLEDATATYPE_NONE) => return None,
            Ok(sys::MV_MQTTREADABLEDATATYPE_CONNECTRESPONSE) => self.read_connect(version),
            Ok(sys::MV_MQTTREADABLEDATATYPE_DISCONNECTRESPONSE) => match self.read_disconnect() {
                Ok((state, _)) if !state.is_completed() => Err(ConnectError::Failed(state)),
                Ok((_, reason)) => Err(ConnectError::Disconnected(reason)),
                Err(status) => Err(self.connect_error(status)),
            },
            Ok(kind) => Err(ConnectError::Unexpected(kind)),
            Err(status) => Err(self.connect_error(status)),
        })
    }

    /// Both layers of the answer have to be right: the platform's and the broker's.
    fn read_connect(&self, version: ProtocolVersion) -> Result<(), ConnectError> {
        let mut response = sys::MvMqttConnectResponse {
            request_state: sys::MV_MQTTREQUESTSTATE__MAX,
            reason_code: u32::MAX,
        };
        // SAFETY: `response` is a live out-parameter.
        Status::check(unsafe { sys::mvMqttReadConnectResponse(self.handle(), &raw mut response) })
            .map_err(|status| self.connect_error(status))?;
        let state = RequestState::from_raw(response.request_state);
        if !state.is_completed() {
            return Err(ConnectError::Failed(state));
        }
        let reason = if version.is_3() {
            ReasonCode::from_connack_v3(response.reason_code)
        } else {
            ReasonCode::from_raw(response.reason_code)
        };
        match reason {
            ReasonCode::SUCCESS => Ok(()),
            refused => Err(ConnectError::Refused(refused)),
        }
    }
}
