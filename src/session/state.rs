//! What a session is doing, and why it is not online.

use core::fmt;

use super::SettingsError;
use super::back_off::Pace;
use crate::clock;
use crate::config::FetchError;
use crate::mqtt::{
    AcknowledgeError, ConnectError, EventError, ReasonCode, RequestError, RequestState, SessionEnd,
};
use crate::{CloseError, NetworkError, OpenError, Recovery};

/// What a session is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum State {
    /// Nothing: it has not run yet, or it was disconnected on request.
    Stopped,
    /// It waits for the network.
    Offline,
    /// It fetches its settings.
    FetchingSettings,
    /// It connects to the broker.
    Connecting,
    /// It is connected, and subscribes.
    Subscribing,
    /// It is connected, and every subscribe request is answered, or the answer lies behind a message of an
    /// earlier connection that has to be received first.
    Online,
    /// It ends the session with the broker.
    Disconnecting,
    /// Something failed; it tries again later.
    BackingOff {
        /// When, in microseconds on the clock of [`clock::uptime_micros`].
        until_micros: u64,
        /// What failed.
        cause: Cause,
    },
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "stopped",
            Self::Offline => "waiting for the network",
            Self::FetchingSettings => "fetching the settings",
            Self::Connecting => "connecting",
            Self::Subscribing => "connected, subscribing",
            Self::Online => "online",
            Self::Disconnecting => "disconnecting",
            Self::BackingOff { until_micros, cause } => {
                let permanent = if cause.is_permanent() { " (it will not go away by itself)" } else { "" };
                let tenths = until_micros / 100_000;
                let (seconds, tenths) = (tenths / 10, tenths % 10);
                return write!(f, "{cause}{permanent}; next attempt at {seconds}.{tenths} s of uptime");
            }
        })
    }
}

/// Why a session is not online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Cause {
    /// The network could not be asked for, or its status not be read.
    Network(NetworkError),
    /// No channel could be opened.
    Open(OpenError),
    /// The settings could not be fetched.
    Fetch(FetchError),
    /// The settings are not usable. No connection was tried.
    Settings(SettingsError),
    /// The broker was not reached, or refused the connection.
    Connect(ConnectError),
    /// The subscriptions could not be asked for.
    Subscribe(RequestError),
    /// The kernel took a publish request no more.
    Publish(RequestError),
    /// A message could not be acknowledged, so it has to be delivered again.
    Acknowledge(AcknowledgeError),
    /// What the kernel has for the application could not be read.
    Event(EventError),
    /// The session with the broker ended.
    Ended(SessionEnd),
    /// The far end did not answer in time.
    NoAnswer(Awaited),
    /// A channel could not be closed; it is tried again until it is.
    Close(CloseError),
}

impl Cause {
    /// Whether somebody has to put something right: a certificate that has expired, a device that the
    /// broker does not let in, a value in the store. The session goes on trying, with the longest
    /// back-off.
    ///
    /// A certificate that is not valid may be so only because the clock is not set yet; while it is
    /// not, that is not permanent.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Fetch(error) => error.recovery() == Recovery::GiveUp,
            Self::Settings(SettingsError::Item(error)) => error.recovery() == Recovery::GiveUp,
            // No profile has a channel of its own.
            Self::Settings(error) => {
                !matches!(error, SettingsError::Open(_) | SettingsError::Fetch(_) | SettingsError::Close(_))
            }
            Self::Connect(ConnectError::Failed(RequestState::CERTIFICATE_EXPIRED)) => {
                !matches!(clock::wall_time_micros(), Ok(None))
            }
            Self::Connect(error) => error.recovery() == Recovery::GiveUp,
            // The network or the channel is what is wrong, which another may be without.
            _ => false,
        }
    }

    /// The name of the stored value at fault, where it is one.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::Settings(error) => error.key(),
            _ => None,
        }
    }

    /// A session that another client took over is not fought for, although it may be had again.
    #[inline(never)]
    pub(super) fn pace(&self) -> Pace {
        let taken_over = matches!(
            self,
            Self::Ended(SessionEnd::Disconnected { reason: ReasonCode::SESSION_TAKEN_OVER, .. })
        );
        if taken_over || self.is_permanent() { Pace::Longest } else { Pace::Growing }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
            Self::Fetch(error) => error.fmt(f),
            Self::Settings(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
            Self::Subscribe(error) => write!(f, "cannot subscribe: {error}"),
            Self::Publish(error) => write!(f, "cannot publish: {error}"),
            Self::Acknowledge(error) => error.fmt(f),
            Self::Event(error) => error.fmt(f),
            Self::Ended(end) => write!(f, "the session ended: {end}"),
            Self::NoAnswer(awaited) => awaited.fmt(f),
            Self::Close(error) => error.fmt(f),
        }
    }
}

/// What was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Awaited {
    /// The response to the config fetch.
    Settings,
    /// The answer to the connect request.
    Connect,
    /// The answer to a subscribe request.
    Subscribe,
    /// The answer to a publish request.
    Publish,
    /// Room for a request, which the kernel had not for a long time.
    Room,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Settings => "the config fetch was not answered in time",
            Self::Connect => "the broker did not answer the connect request in time",
            Self::Subscribe => "the broker did not answer the subscribe request in time",
            Self::Publish => "the broker did not answer a publish request in time",
            Self::Room => "the kernel had no room for requests for too long",
        })
    }
}
