//! Whether the platform carried a request out.

use core::convert::identity;
use core::fmt;

use crate::code::code;
use crate::sys;

code! {
    /// What became of an MQTT request on the platform's side (ABI 0.7.0).
    ///
    /// Only if it is [`REQUEST_COMPLETED`](Self::REQUEST_COMPLETED) does a broker's
    /// [`ReasonCode`](super::ReasonCode) say anything. Every `u32` is one.
    pub struct RequestState(u32): identity, identity;

    /// The request reached the broker, and the broker answered.
    REQUEST_COMPLETED = sys::MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, "the broker answered";
    /// The platform refused something in the request.
    INVALID_PARAMETERS = sys::MV_MQTTREQUESTSTATE_INVALIDPARAMETERS, "the platform refused a parameter of the request";
    /// The channel has a session already.
    ALREADY_CONNECTED = sys::MV_MQTTREQUESTSTATE_ALREADYCONNECTED, "the channel is connected to a broker already";
    /// There is no session.
    NOT_CONNECTED = sys::MV_MQTTREQUESTSTATE_NOTCONNECTED, "the channel is not connected to a broker";
    /// The broker's host name does not resolve.
    NX_DOMAIN = sys::MV_MQTTREQUESTSTATE_NXDOMAIN, "the broker's host name does not exist";
    /// The broker's certificate comes from a CA that is not trusted.
    UNKNOWN_CA = sys::MV_MQTTREQUESTSTATE_UNKNOWNCA, "the broker's certificate is from a CA that is not trusted";
    /// A certificate is not valid any more, or not yet.
    CERTIFICATE_EXPIRED = sys::MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED, "a certificate has expired or is not valid yet";
    /// The connection could not be made, or broke.
    SOCKET_ERROR = sys::MV_MQTTREQUESTSTATE_SOCKETERROR, "the connection to the broker failed";
    /// The platform is holding back connections after too many failed ones.
    CONNECTION_CIRCUIT_BREAKER = sys::MV_MQTTREQUESTSTATE_CONNECTIONCIRCUITBREAKER, "the platform holds back connections for now";
}

impl RequestState {
    /// The state with that number.
    #[inline]
    pub const fn from_raw(raw: sys::MvMqttRequestState) -> Self {
        Self(raw)
    }
}

impl fmt::Display for RequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some((_, prose)) => f.write_str(prose),
            None => write!(f, "request state {}, which ABI 0.7.0 does not list", self.raw()),
        }
    }
}

impl RequestState {
    /// Whether the broker answered, with a reason code.
    pub const fn is_completed(self) -> bool {
        self.0 == Self::REQUEST_COMPLETED.0
    }
}
