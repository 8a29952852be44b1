//! Whether the platform carried a request out.

use core::fmt;

use crate::sys;

macro_rules! request_states {
    ($($(#[$doc:meta])* $variant:ident = $constant:ident, $prose:literal;)*) => {
        /// What became of an MQTT request on the platform's side (ABI 0.7.0).
        ///
        /// Only if it is [`RequestCompleted`](Self::RequestCompleted) does a broker's
        /// [`ReasonCode`](super::ReasonCode) say anything. Every `u32` has a value here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum RequestState {
            $($(#[$doc])* $variant,)*
            /// A state that ABI 0.7.0 does not list.
            Unknown(u32),
        }

        impl RequestState {
            /// The state with that number.
            pub const fn from_raw(raw: sys::MvMqttRequestState) -> Self {
                match raw {
                    $(sys::$constant => Self::$variant,)*
                    other => Self::Unknown(other),
                }
            }

            /// The number that the platform gave.
            pub const fn raw(self) -> u32 {
                match self {
                    $(Self::$variant => sys::$constant,)*
                    Self::Unknown(raw) => raw,
                }
            }
        }

        impl fmt::Display for RequestState {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($prose),)*
                    Self::Unknown(raw) => write!(f, "request state {raw}, which ABI 0.7.0 does not list"),
                }
            }
        }
    };
}

request_states! {
    /// The request reached the broker, and the broker answered.
    RequestCompleted = MV_MQTTREQUESTSTATE_REQUESTCOMPLETED, "the broker answered";
    /// The platform refused something in the request.
    InvalidParameters = MV_MQTTREQUESTSTATE_INVALIDPARAMETERS, "the platform refused a parameter of the request";
    /// The channel has a session already.
    AlreadyConnected = MV_MQTTREQUESTSTATE_ALREADYCONNECTED, "the channel is connected to a broker already";
    /// There is no session.
    NotConnected = MV_MQTTREQUESTSTATE_NOTCONNECTED, "the channel is not connected to a broker";
    /// The broker's host name does not resolve.
    NxDomain = MV_MQTTREQUESTSTATE_NXDOMAIN, "the broker's host name does not exist";
    /// The broker's certificate comes from a CA that is not trusted.
    UnknownCa = MV_MQTTREQUESTSTATE_UNKNOWNCA, "the broker's certificate is from a CA that is not trusted";
    /// A certificate is not valid any more, or not yet.
    CertificateExpired = MV_MQTTREQUESTSTATE_CERTIFICATEEXPIRED, "a certificate has expired or is not valid yet";
    /// The connection could not be made, or broke.
    SocketError = MV_MQTTREQUESTSTATE_SOCKETERROR, "the connection to the broker failed";
    /// The platform is holding back connections after too many failed ones.
    ConnectionCircuitBreaker = MV_MQTTREQUESTSTATE_CONNECTIONCIRCUITBREAKER, "the platform holds back connections for now";
}

impl RequestState {
    /// Whether the broker answered, with a reason code.
    pub const fn is_completed(self) -> bool {
        matches!(self, Self::RequestCompleted)
    }
}
