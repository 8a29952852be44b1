//! Why a connection did not come about, and what to check.

use core::fmt;

use bitflags::bitflags;

use super::{LimitError, ReasonCode, RequestState};
use crate::{ClosureReason, Recovery, Status};

/// Why a connection did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConnectError {
    /// The will is beyond the broker's limits. Nothing was sent.
    Limit(LimitError),
    /// The kernel did not take the request. `LATE_FAULT`: the channel is unusable.
    /// `InvalidAuthentication`: a user name and a client certificate may exclude each other.
    Kernel(Status),
    /// The kernel could not carry the request out.
    Failed(RequestState),
    /// The broker refused.
    Refused(ReasonCode),
    /// The broker ended the connection before it answered.
    Disconnected(ReasonCode),
    /// The channel was closed before the broker answered.
    ChannelClosed(ClosureReason),
    /// Something else than the answer to the request came first (an `MvMqttReadableDataType`).
    Unexpected(u32),
}

bitflags! {
    /// What may be at fault when a connection does not come about.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Suspects: u16 {
        /// The CA certificate that the broker's certificate is checked against.
        const CA = 1 << 0;
        /// The device's certificate: expired, not registered or not activated at the broker.
        const CERTIFICATE = 1 << 1;
        /// The device's private key: it has to belong to the certificate.
        const KEY = 1 << 2;
        /// The broker's host name.
        const ENDPOINT = 1 << 3;
        /// The port, and whatever may block it.
        const PORT = 1 << 4;
        /// What the broker allows this device to do.
        const POLICY = 1 << 5;
        /// The time that certificates are checked against.
        const CLOCK = 1 << 6;
        /// The client id.
        const CLIENT_ID = 1 << 7;
        /// The user name and the password.
        const USER = 1 << 8;
        /// Whether another connection uses the same client id.
        const OTHER_CLIENT = 1 << 9;
        /// Nothing but time: the broker or the network has trouble.
        const WAIT = 1 << 10;
        /// A request that the program got wrong.
        const REQUEST = 1 << 11;
        /// The broker's own certificate.
        const BROKER_CERTIFICATE = 1 << 12;
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Suspects {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Suspects({=u16:#x})", self.bits());
    }
}

impl ConnectError {
    /// What to check.
    pub fn suspects(self) -> Suspects {
        match self {
            Self::Limit(_) | Self::Unexpected(_) => Suspects::REQUEST,
            Self::Kernel(status) => suspects_of_status(status),
            Self::Failed(state) => suspects_of_state(state),
            Self::Disconnected(ReasonCode::SUCCESS) => Suspects::WAIT,
            Self::Refused(reason) | Self::Disconnected(reason) => suspects_of_reason(reason),
            Self::ChannelClosed(_) => Suspects::WAIT | Suspects::POLICY | Suspects::CERTIFICATE,
        }
    }

    /// What can be done about it. A connect is never repeated on the same channel.
    ///
    /// [`GiveUp`](Recovery::GiveUp): somebody has to put something right first. A device in the
    /// field should still try again now and then, in case somebody does.
    pub fn recovery(self) -> Recovery {
        match self {
            Self::Limit(_)
            | Self::Kernel(
                Status::INVALID_AUTHENTICATION | Status::TOO_MANY_ELEMENTS | Status::REQUIRED_ELEMENT_MISSING,
            )
            | Self::Failed(
                RequestState::INVALID_PARAMETERS
                | RequestState::UNKNOWN_CA
                | RequestState::CERTIFICATE_EXPIRED
                | RequestState::NX_DOMAIN,
            ) => Recovery::GiveUp,
            Self::Refused(reason) | Self::Disconnected(reason) if is_permanent(reason) => Recovery::GiveUp,
            _ => Recovery::Reopen,
        }
    }
}

fn suspects_of_status(status: Status) -> Suspects {
    match status {
        Status::INVALID_AUTHENTICATION => Suspects::USER | Suspects::CERTIFICATE | Suspects::KEY,
        Status::REQUIRED_ELEMENT_MISSING => Suspects::ENDPOINT | Suspects::CLIENT_ID | Suspects::KEY,
        Status::TOO_MANY_ELEMENTS => Suspects::CA | Suspects::CERTIFICATE,
        Status::CHANNEL_CLOSED => Suspects::WAIT,
        _ => Suspects::REQUEST,
    }
}

fn suspects_of_state(state: RequestState) -> Suspects {
    match state {
        RequestState::NX_DOMAIN => Suspects::ENDPOINT,
        RequestState::UNKNOWN_CA => Suspects::CA | Suspects::ENDPOINT,
        RequestState::CERTIFICATE_EXPIRED => {
            Suspects::BROKER_CERTIFICATE | Suspects::CERTIFICATE | Suspects::CA | Suspects::CLOCK
        }
        // The connection or the TLS handshake broke off. A broker that does not like the client's
        // certificate says so in the same way as one that is not there.
        RequestState::SOCKET_ERROR => {
            Suspects::PORT | Suspects::ENDPOINT | Suspects::CERTIFICATE | Suspects::KEY | Suspects::POLICY
        }
        RequestState::CONNECTION_CIRCUIT_BREAKER => Suspects::WAIT,
        RequestState::NOT_CONNECTED => Suspects::WAIT | Suspects::POLICY | Suspects::CERTIFICATE,
        _ => Suspects::REQUEST,
    }
}

fn suspects_of_reason(reason: ReasonCode) -> Suspects {
    match reason {
        ReasonCode::NOT_AUTHORIZED => Suspects::POLICY | Suspects::CERTIFICATE | Suspects::CLIENT_ID,
        ReasonCode::BAD_USER_NAME_OR_PASSWORD | ReasonCode::BAD_AUTHENTICATION_METHOD => Suspects::USER,
        ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => Suspects::CLIENT_ID,
        ReasonCode::SESSION_TAKEN_OVER => Suspects::OTHER_CLIENT | Suspects::CLIENT_ID,
        ReasonCode::BANNED => Suspects::POLICY | Suspects::CLIENT_ID,
        ReasonCode::SERVER_UNAVAILABLE
        | ReasonCode::SERVER_BUSY
        | ReasonCode::SERVER_SHUTTING_DOWN
        | ReasonCode::CONNECTION_RATE_EXCEEDED
        | ReasonCode::QUOTA_EXCEEDED => Suspects::WAIT,
        ReasonCode::USE_ANOTHER_SERVER | ReasonCode::SERVER_MOVED => Suspects::ENDPOINT,
        _ => Suspects::REQUEST,
    }
}

fn is_permanent(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::NOT_AUTHORIZED
            | ReasonCode::BAD_USER_NAME_OR_PASSWORD
            | ReasonCode::BAD_AUTHENTICATION_METHOD
            | ReasonCode::CLIENT_IDENTIFIER_NOT_VALID
            | ReasonCode::UNSUPPORTED_PROTOCOL_VERSION
            | ReasonCode::BANNED
            | ReasonCode::SERVER_MOVED
    )
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(error) => write!(f, "the will cannot be used: {error}")?,
            Self::Kernel(status) => write!(f, "the connect request was not taken: {status}")?,
            Self::Failed(state) => write!(f, "not connected: {state}")?,
            Self::Refused(reason) => write!(f, "the broker refused the connection: {reason}")?,
            Self::Disconnected(reason) => {
                write!(f, "the broker ended the connection before it answered: {reason}")?;
            }
            Self::ChannelClosed(reason) => {
                write!(f, "the channel was closed before the broker answered: {reason}")?;
            }
            Self::Unexpected(kind) => write!(f, "data of kind {kind} came before the broker's answer")?,
        }
        f.write_str("; ")?;
        self.suspects().fmt(f)
    }
}

impl core::error::Error for ConnectError {}

impl fmt::Display for Suspects {
    /// A sentence that begins with a verb: "check the private key, …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is easiest to check comes first.
        const PROSE: [(Suspects, &str); 12] = [
            (Suspects::ENDPOINT, "the broker's host name"),
            (Suspects::PORT, "the port (it must speak TLS) and what may block it"),
            (Suspects::BROKER_CERTIFICATE, "the broker's certificate"),
            (Suspects::CA, "the CA certificate"),
            (Suspects::CERTIFICATE, "the device certificate (valid, registered and active at the broker)"),
            (Suspects::KEY, "the private key (it must belong to the certificate)"),
            (Suspects::POLICY, "the policy attached to the certificate"),
            (Suspects::CLOCK, "the date"),
            (Suspects::CLIENT_ID, "the client id"),
            (Suspects::USER, "the user name and password"),
            (Suspects::OTHER_CLIENT, "whether another client uses this client id"),
            (Suspects::REQUEST, "the program: it asks for something that cannot be done"),
        ];
        if *self == Self::WAIT {
            return f.write_str("try again later");
        }
        let mut separator = "check ";
        for (flag, prose) in PROSE {
            if self.contains(flag) {
                f.write_str(separator)?;
                f.write_str(prose)?;
                separator = ", ";
            }
        }
        Ok(())
    }
}
