//! A login with a user name and a password from the device's stores.

use core::num::NonZeroU16;

use super::{BrokerProfile, SettingsError, Span, StoredValues, ValueReader};
use crate::DeviceId;
use crate::config::ConfigKey;
use crate::config_key;
use crate::mqtt::{ClientId, ConnectOptions, Limits, ProtocolVersion, User};

static KEYS: [ConfigKey<'static>; 5] = [
    config_key!(Device, Secret, "password"),
    config_key!(Device, Config, "username"),
    config_key!(Device, Config, "client-id"),
    config_key!(Device, Config, "broker-host"),
    config_key!(Device, Config, "broker-port"),
];

const PASSWORD: usize = 0;
const USERNAME: usize = 1;
const CLIENT_ID: usize = 2;
const HOST: usize = 3;
const PORT: usize = 4;

/// A login with a user name and a password, at a broker whose certificate a public CA vouches for.
///
/// All values are in the device's stores, in device scope: `username`, `client-id`, `broker-host`
/// and `broker-port` in config, `password` in secret.
#[derive(Clone, Copy, Debug)]
pub struct StoredUserProfile {
    version: ProtocolVersion,
    keep_alive: u16,
    clean_start: bool,
    limits: &'static Limits,
}

impl StoredUserProfile {
    /// MQTT 5, a keep-alive of 60 s, clean start off.
    pub const fn new() -> Self {
        Self { version: ProtocolVersion::V5, keep_alive: 60, clean_start: false, limits: &Limits::MQTT }
    }

    /// With another version of MQTT.
    #[must_use]
    pub const fn with_version(mut self, version: ProtocolVersion) -> Self {
        self.version = version;
        self
    }

    /// With another keep-alive in seconds; 0 is none, as far as the broker agrees.
    #[must_use]
    pub const fn with_keep_alive(mut self, seconds: u16) -> Self {
        self.keep_alive = seconds;
        self
    }

    /// Whether the broker is to forget the device's subscriptions and the messages that wait for it.
    #[must_use]
    pub const fn with_clean_start(mut self, clean_start: bool) -> Self {
        self.clean_start = clean_start;
        self
    }

    /// With the limits of the broker, which requests are checked against.
    #[must_use]
    pub const fn with_limits(mut self, limits: &'static Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl Default for StoredUserProfile {
    fn default() -> Self {
        Self::new()
    }
}

/// What a login needs.
#[derive(Clone, Copy, Debug)]
pub struct UserSettings {
    password: Span,
    username: Span,
    client_id: Span,
    host: Span,
    port: NonZeroU16,
}

impl BrokerProfile for StoredUserProfile {
    type Settings = UserSettings;

    const KEYS: &'static [ConfigKey<'static>] = &KEYS;

    fn read(&self, values: &mut ValueReader<'_>) -> UserSettings {
        UserSettings {
            password: values.secret_text(PASSWORD),
            username: values.text(USERNAME),
            client_id: values.text(CLIENT_ID),
            host: values.host(HOST),
            port: values.port(PORT),
        }
    }

    fn connect(
        &self,
        _: &DeviceId,
        settings: &UserSettings,
        values: StoredValues<'_>,
        connect: impl FnOnce(&ConnectOptions<'_>),
    ) -> Result<(), SettingsError> {
        let host = values.host(settings.host);
        let client_id = ClientId::new(values.text(settings.client_id)).map_err(SettingsError::ClientId)?;
        let user = User::with_password_bytes(values.text(settings.username), values.bytes(settings.password))
            .map_err(SettingsError::User)?;
        let options = ConnectOptions::new(host, client_id)
            .with_version(self.version)
            .with_port(settings.port)
            .with_keep_alive(self.keep_alive)
            .with_clean_start(self.clean_start)
            .with_limits(self.limits)
            .with_user(user);
        connect(&options);
        Ok(())
    }
}
