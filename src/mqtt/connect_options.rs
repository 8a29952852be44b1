//! How to connect.

use core::num::NonZeroU16;

use super::{ClientId, Host, Limits, Publish, User};
use crate::sized_string::{filled_string, sized_string};
use crate::sys;
use crate::tls::Credentials;

/// The port of MQTT over TLS (IANA `secure-mqtt`).
pub const MQTT_TLS_PORT: u16 = 8883;

/// The version of MQTT to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ProtocolVersion {
    /// MQTT 3.1.1, which has no reason codes but for connecting and subscribing.
    V3_1_1,
    /// MQTT 5.
    V5,
}

impl ProtocolVersion {
    pub(crate) fn is_3(self) -> bool {
        self == Self::V3_1_1
    }
}

/// A connection to make: to which broker, as whom, how.
///
/// MQTT 5 on port 8883, a keep-alive of 60 s, clean start off, no will, no authentication, and the
/// public CAs trusted, unless said otherwise. TLS is always on.
///
/// ```
/// use microvisor::mqtt::{ClientId, ConnectOptions, Host};
///
/// let options = ConnectOptions::new(Host::new("broker.example")?, ClientId::new("device-7")?)
///     .with_keep_alive(120)
///     .with_clean_start(true);
/// # let _ = options;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ConnectOptions<'a> {
    version: ProtocolVersion,
    host: Host<'a>,
    port: NonZeroU16,
    client_id: ClientId<'a>,
    keep_alive: u16,
    clean_start: bool,
    will: Option<Publish<'a>>,
    user: Option<User<'a>>,
    credentials: Option<&'a Credentials<'a>>,
    limits: &'static Limits,
}

const DEFAULT_PORT: NonZeroU16 = NonZeroU16::new(MQTT_TLS_PORT).unwrap();

impl<'a> ConnectOptions<'a> {
    /// A connection to `host` as `client_id`.
    pub fn new(host: Host<'a>, client_id: ClientId<'a>) -> Self {
        Self {
            version: ProtocolVersion::V5,
            host,
            port: DEFAULT_PORT,
            client_id,
            keep_alive: 60,
            clean_start: false,
            will: None,
            user: None,
            credentials: None,
            limits: &Limits::MQTT,
        }
    }

    /// With another version of MQTT.
    #[must_use]
    pub fn with_version(mut self, version: ProtocolVersion) -> Self {
        self.version = version;
        self
    }

    /// With another port.
    #[must_use]
    pub fn with_port(mut self, port: NonZeroU16) -> Self {
        self.port = port;
        self
    }

    /// With another keep-alive in seconds; 0 is none, as far as the broker agrees.
    #[must_use]
    pub fn with_keep_alive(mut self, seconds: u16) -> Self {
        self.keep_alive = seconds;
        self
    }

    /// Whether the broker is to forget what it knows of this client: its subscriptions, and the
    /// messages that wait for it.
    #[must_use]
    pub fn with_clean_start(mut self, clean_start: bool) -> Self {
        self.clean_start = clean_start;
        self
    }

    /// With a message that the broker publishes if the session ends without a disconnect.
    #[must_use]
    pub fn with_will(mut self, will: Publish<'a>) -> Self {
        self.will = Some(will);
        self
    }

    /// With a user name and a password. Whether the platform takes them together with a client
    /// certificate is uncertain.
    #[must_use]
    pub fn with_user(mut self, user: User<'a>) -> Self {
        self.user = Some(user);
        self
    }

    /// With a CA chain of its own, a client certificate, or both.
    #[must_use]
    pub fn with_credentials(mut self, credentials: &'a Credentials<'a>) -> Self {
        self.credentials = Some(credentials).filter(|credentials| credentials.is_set());
        self
    }

    /// With the limits of the broker, which the session's requests are checked against.
    #[must_use]
    pub fn with_limits(mut self, limits: &'static Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The broker's host.
    pub fn host(&self) -> Host<'a> {
        self.host
    }

    /// The broker's port.
    pub fn port(&self) -> NonZeroU16 {
        self.port
    }

    /// The client id.
    pub fn client_id(&self) -> ClientId<'a> {
        self.client_id
    }

    pub(crate) fn version(&self) -> ProtocolVersion {
        self.version
    }

    pub(crate) fn limits(&self) -> &'static Limits {
        self.limits
    }

    pub(crate) fn will(&self) -> Option<&Publish<'a>> {
        self.will.as_ref()
    }

    /// Builds the kernel's request and calls `send` with it; what it points to lives that long.
    pub(super) fn with_request<R>(&self, send: impl FnOnce(&sys::MvMqttConnectRequest) -> R) -> R {
        let host = filled_string(self.host.as_bytes());
        // What is empty points to a byte all the same.
        let empty = sys::MvSizedString { length: 0, ..host };
        let (method, username, password) = match self.user {
            Some(user) => (
                sys::MV_MQTTAUTHENTICATIONMETHOD_USERNAMEPASSWORD,
                sized_string(user.name().as_bytes()),
                sized_string(user.password()),
            ),
            None => (sys::MV_MQTTAUTHENTICATIONMETHOD_NONE, empty, empty),
        };
        let will = self.will.map(|will| sys::MvMqttWill {
            topic: filled_string(will.topic().as_str().as_bytes()),
            payload: sized_string(will.payload()),
            qos: will.qos().raw(),
            retain: will.is_retained().into(),
        });
        let credentials = self.credentials.map(Credentials::raw);
        send(&sys::MvMqttConnectRequest {
            protocol_version: if self.version.is_3() {
                sys::MV_MQTTPROTOCOLVERSION_V3_1_1
            } else {
                sys::MV_MQTTPROTOCOLVERSION_V5
            },
            host,
            port: self.port.get(),
            clientid: filled_string(self.client_id.as_str().as_bytes()),
            authentication: sys::MvMqttAuthentication {
                method,
                username_password: sys::MvUsernamePassword { username, password },
            },
            tls_credentials: credentials.map_or(core::ptr::null(), core::ptr::from_ref),
            keepalive: self.keep_alive.into(),
            clean_start: self.clean_start.into(),
            will: will.as_ref().map_or(core::ptr::null(), core::ptr::from_ref),
        })
    }
}
