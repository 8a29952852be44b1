//! The connection that a device's stores describe.

use core::num::NonZeroU16;

use super::settings::{CERTIFICATE, ENDPOINT, PORT, PRIVATE_KEY, ROOT_CA};
use super::{Encodings, KEYS, Profile};
use crate::DeviceId;
use crate::mqtt::ConnectOptions;
use crate::session::{BrokerProfile, SettingsError, SettingsSource, Span, StoredValues, ValueReader};
use crate::tls::{CertificateChain, Credentials};

/// The [`Profile`] of a [`Session`](crate::session::Session): what to connect with is fetched from the
/// device's stores ([`KEYS`]), the client id is the device's id.
#[derive(Clone, Copy, Debug)]
pub struct StoredProfile {
    encodings: Encodings,
    keep_alive: u16,
    clean_start: bool,
}

impl StoredProfile {
    /// All values in hex, a keep-alive of 60 s, clean start off.
    pub const fn new() -> Self {
        Self { encodings: Encodings::HEX, keep_alive: 60, clean_start: false }
    }

    /// With other encodings of the stored values.
    #[must_use]
    pub const fn with_encodings(mut self, encodings: Encodings) -> Self {
        self.encodings = encodings;
        self
    }

    /// With another keep-alive, of 30 to 1200 s, or 0, which AWS takes for 1200. With any other the
    /// session stays offline, and says so.
    #[must_use]
    pub const fn with_keep_alive(mut self, seconds: u16) -> Self {
        self.keep_alive = seconds;
        self
    }

    /// Whether AWS is to forget the device's subscriptions and the messages that wait for it.
    #[must_use]
    pub const fn with_clean_start(mut self, clean_start: bool) -> Self {
        self.clean_start = clean_start;
        self
    }
}

impl Default for StoredProfile {
    fn default() -> Self {
        Self::new()
    }
}

/// What a device's stores hold for AWS IoT, checked.
#[derive(Clone, Copy, Debug)]
pub struct StoredSettings {
    private_key: Span,
    root_ca: Span,
    certificate: Span,
    endpoint: Span,
    port: NonZeroU16,
}

impl BrokerProfile for StoredProfile {
    type Settings = StoredSettings;

    fn source(&self) -> SettingsSource<StoredSettings> {
        SettingsSource::Stored(&KEYS)
    }

    fn read(&self, values: &mut ValueReader<'_>) -> Result<StoredSettings, SettingsError> {
        Ok(StoredSettings {
            private_key: values.private_key(PRIVATE_KEY, self.encodings.private_key)?,
            root_ca: values.certificate(ROOT_CA, self.encodings.root_ca)?,
            certificate: values.certificate(CERTIFICATE, self.encodings.certificate)?,
            endpoint: values.host(ENDPOINT)?,
            port: values.port(PORT)?,
        })
    }

    fn connect(
        &self,
        device: &DeviceId,
        settings: &StoredSettings,
        values: StoredValues<'_>,
        connect: impl FnOnce(&ConnectOptions<'_>),
    ) -> Result<(), SettingsError> {
        let root_ca = values.certificate(settings.root_ca);
        let certificate = values.certificate(settings.certificate);
        let private_key = values.private_key(settings.private_key);
        let endpoint = values.host(settings.endpoint);
        let credentials = Credentials::new()
            .trust(CertificateChain::single(&root_ca))
            .identity(CertificateChain::single(&certificate), private_key);
        let profile = Profile::new(endpoint, device, &credentials)
            .and_then(|profile| profile.with_keep_alive(self.keep_alive))
            .map_err(SettingsError::Profile)?
            .with_port(settings.port)
            .with_clean_start(self.clean_start);
        connect(&profile.connect_options());
        Ok(())
    }
}
