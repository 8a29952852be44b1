//! How a bridge is set up.

use std::time::Duration;

/// How a [`Bridge`](super::Bridge) connects.
#[derive(Clone, Debug)]
pub struct BridgeOptions {
    pub(super) address: Option<(String, u16)>,
    pub(super) connect_timeout: Duration,
    pub(super) session_expiry: Duration,
    pub(super) redelivery: Option<Duration>,
}

impl Default for BridgeOptions {
    fn default() -> Self {
        Self {
            address: None,
            connect_timeout: Duration::from_secs(10),
            session_expiry: Duration::from_hours(1),
            redelivery: Some(Duration::from_secs(10)),
        }
    }
}

impl BridgeOptions {
    /// Connects where the device asks to.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leads every TCP connection to this host and port. The server still has to show a certificate
    /// for the host that the device asked for.
    #[must_use]
    pub fn connect_to(mut self, host: impl Into<String>, port: u16) -> Self {
        self.address = Some((host.into(), port));
        self
    }

    /// How long a connection may take to come about, from the name to the CONNACK. 10 seconds by
    /// default.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the broker is asked to keep the session of a client that connects with clean start
    /// off. An hour by default, as at AWS. Only MQTT 5 has this.
    #[must_use]
    pub fn session_expiry(mut self, expiry: Duration) -> Self {
        self.session_expiry = expiry;
        self
    }

    /// After how long the device gets a message again that it has not acknowledged. 10 seconds by
    /// default; `None` leaves that to the broker, which does it after a reconnect.
    #[must_use]
    pub fn redelivery(mut self, after: Option<Duration>) -> Self {
        self.redelivery = after;
        self
    }
}
