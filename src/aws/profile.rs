//! A connection as AWS IoT Core wants it.

use core::fmt;
use core::num::NonZeroU16;

use super::{LIMITS, MAX_CLIENT_ID_LEN};
use crate::DeviceId;
use crate::mqtt::{ClientId, ClientIdError, ConnectOptions, Host, Publish};
use crate::tls::Credentials;

/// A connection to AWS IoT Core: MQTT 5, port 8883, mutual TLS, no user name, a keep-alive of 60 s,
/// clean start off, no will.
///
/// See the [module](super) for an example.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    options: ConnectOptions<'a>,
}

impl<'a> Profile<'a> {
    /// A connection of the device `id` to `endpoint`, the account's "device data endpoint"
    /// (`<prefix>-ats.iot.<region>.amazonaws.com`).
    ///
    /// # Errors
    ///
    /// [`NoIdentity`](ProfileError::NoIdentity), where the credentials lack the device's certificate.
    pub fn new(
        endpoint: Host<'a>,
        id: &'a DeviceId,
        credentials: &'a Credentials<'a>,
    ) -> Result<Self, ProfileError> {
        Self::of(endpoint, id.into(), credentials)
    }

    /// The same under another client id, of 1 to 128 bytes. The policy has to allow it.
    ///
    /// # Errors
    ///
    /// - [`NoIdentity`](ProfileError::NoIdentity), as in [`new`](Self::new).
    /// - [`ClientIdTooLong`](ProfileError::ClientIdTooLong),
    ///   [`ReservedClientId`](ProfileError::ReservedClientId), [`ClientId`](ProfileError::ClientId).
    pub fn with_client_id(
        endpoint: Host<'a>,
        client_id: &'a str,
        credentials: &'a Credentials<'a>,
    ) -> Result<Self, ProfileError> {
        if client_id.len() > MAX_CLIENT_ID_LEN {
            return Err(ProfileError::ClientIdTooLong { len: client_id.len() });
        }
        if client_id.starts_with('$') {
            return Err(ProfileError::ReservedClientId);
        }
        Self::of(endpoint, ClientId::new(client_id).map_err(ProfileError::ClientId)?, credentials)
    }

    fn of(
        endpoint: Host<'a>,
        client_id: ClientId<'a>,
        credentials: &'a Credentials<'a>,
    ) -> Result<Self, ProfileError> {
        if !credentials.has_identity() {
            return Err(ProfileError::NoIdentity);
        }
        let options =
            ConnectOptions::new(endpoint, client_id).with_credentials(credentials).with_limits(&LIMITS);
        Ok(Self { options })
    }

    /// With another port than 8883.
    #[must_use]
    pub fn with_port(self, port: NonZeroU16) -> Self {
        Self { options: self.options.with_port(port) }
    }

    /// With another keep-alive, of 30 to 1200 s, or 0, which AWS takes for 1200.
    ///
    /// # Errors
    ///
    /// [`KeepAlive`](ProfileError::KeepAlive), where AWS does not take it.
    pub fn with_keep_alive(self, seconds: u16) -> Result<Self, ProfileError> {
        match seconds {
            0 | 30..=1200 => Ok(Self { options: self.options.with_keep_alive(seconds) }),
            _ => Err(ProfileError::KeepAlive { seconds }),
        }
    }

    /// Whether AWS is to forget the device's subscriptions and the messages that wait for it.
    #[must_use]
    pub fn with_clean_start(self, clean_start: bool) -> Self {
        Self { options: self.options.with_clean_start(clean_start) }
    }

    /// With a message that AWS publishes if the session ends without a disconnect.
    #[must_use]
    pub fn with_will(self, will: Publish<'a>) -> Self {
        Self { options: self.options.with_will(will) }
    }

    /// The connect request.
    pub fn connect_options(&self) -> ConnectOptions<'a> {
        self.options
    }
}

/// Why there is no such connection to AWS IoT Core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ProfileError {
    /// The credentials have no device certificate, without which AWS does not let a device in.
    NoIdentity,
    /// The client id has more than 128 bytes.
    ClientIdTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The client id begins with `$`, as only AWS's own do.
    ReservedClientId,
    /// The client id is not one of MQTT's.
    ClientId(ClientIdError),
    /// The keep-alive is neither 0 nor 30 to 1200 s.
    KeepAlive {
        /// The one asked for.
        seconds: u16,
    },
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIdentity => {
                f.write_str("AWS IoT needs the device's certificate and key; the credentials have none")
            }
            Self::ClientIdTooLong { len } => {
                write!(f, "AWS IoT takes client ids of {MAX_CLIENT_ID_LEN} bytes at most, this one has {len}")
            }
            Self::ReservedClientId => f.write_str("AWS IoT takes no client id that begins with `$`"),
            Self::ClientId(error) => error.fmt(f),
            Self::KeepAlive { seconds } => {
                write!(f, "AWS IoT takes a keep-alive of 30 to 1200 s or 0, not {seconds} s")
            }
        }
    }
}

impl core::error::Error for ProfileError {}
