//! The connection that a device's stores describe.

use core::num::NonZeroU16;

use super::settings::{CERTIFICATE, ENDPOINT, PORT, PRIVATE_KEY, ROOT_CA};
use super::{Encodings, KEYS, LIMITS, Profile, ProfileError};
use crate::DeviceId;
use crate::config::ConfigKey;
use crate::mqtt::{ConnectOptions, Limits, ProtocolVersion};
use crate::session::{BrokerProfile, SettingsError, Span, StoredValues, ValueReader};
use crate::tls::{CertificateChain, Credentials};
use crate::uses::ADJUSTED_PROFILES;

/// The [`Profile`] of a [`Session`](crate::session::Session): what to connect with is fetched from the
/// device's stores ([`KEYS`]), the client id is the device's id.
#[derive(Clone, Copy, Debug)]
pub struct StoredProfile(Manner);

#[derive(Clone, Copy, Debug)]
// A tag of its own, which begins as zero like what is around it.
#[repr(u32)]
enum Manner {
    Guide,
    Adjusted(Adjustable),
}

#[derive(Clone, Copy, Debug)]
struct Adjustable {
    encodings: Encodings,
    keep_alive: u16,
    clean_start: bool,
}

impl StoredProfile {
    /// All values in hex, a keep-alive of 60 s, clean start off.
    pub const fn new() -> Self {
        Self(Manner::Guide)
    }

    /// With other encodings of the stored values.
    #[must_use]
    pub fn with_encodings(self, encodings: Encodings) -> Self {
        self.adjusted(|profile| profile.encodings = encodings)
    }

    /// With another keep-alive, of 30 to 1200 s, or 0, which AWS takes for 1200.
    ///
    /// # Errors
    ///
    /// [`KeepAlive`](ProfileError::KeepAlive), where AWS does not take it.
    pub fn with_keep_alive(self, seconds: u16) -> Result<Self, ProfileError> {
        match seconds {
            0 | 30..=1200 => Ok(self.adjusted(|profile| profile.keep_alive = seconds)),
            _ => Err(ProfileError::KeepAlive { seconds }),
        }
    }

    /// Whether AWS is to forget the device's subscriptions and the messages that wait for it.
    #[must_use]
    pub fn with_clean_start(self, clean_start: bool) -> Self {
        self.adjusted(|profile| profile.clean_start = clean_start)
    }

    fn adjusted(self, adjust: impl FnOnce(&mut Adjustable)) -> Self {
        ADJUSTED_PROFILES.make();
        let mut profile = self.get();
        adjust(&mut profile);
        Self(Manner::Adjusted(profile))
    }

    fn get(&self) -> Adjustable {
        const GUIDE: Adjustable =
            Adjustable { encodings: Encodings::HEX, keep_alive: 60, clean_start: false };
        match self.0 {
            Manner::Adjusted(profile) if ADJUSTED_PROFILES.is_made() => profile,
            _ => GUIDE,
        }
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

    const ALWAYS: Option<(ProtocolVersion, &'static Limits)> = Some((ProtocolVersion::V5, &LIMITS));

    const KEYS: &'static [ConfigKey<'static>] = &KEYS;

    fn read(&self, values: &mut ValueReader<'_>) -> StoredSettings {
        let Encodings { private_key, root_ca, certificate } = self.get().encodings;
        StoredSettings {
            private_key: values.private_key(PRIVATE_KEY, private_key),
            root_ca: values.certificate(ROOT_CA, root_ca),
            certificate: values.certificate(CERTIFICATE, certificate),
            endpoint: values.host(ENDPOINT),
            port: values.port(PORT),
        }
    }

    fn connect(
        &self,
        device: &DeviceId,
        settings: &StoredSettings,
        values: StoredValues<'_>,
        connect: impl FnOnce(&ConnectOptions<'_>),
    ) -> Result<(), SettingsError> {
        let Adjustable { keep_alive, clean_start, .. } = self.get();
        let root_ca = values.certificate(settings.root_ca);
        let certificate = values.certificate(settings.certificate);
        let private_key = values.private_key(settings.private_key);
        let endpoint = values.host(settings.endpoint);
        let credentials = Credentials::new()
            .trust(CertificateChain::single(&root_ca))
            .identity(CertificateChain::single(&certificate), &private_key);
        let profile = Profile::new(endpoint, device, &credentials)
            .map_err(SettingsError::Profile)?
            .with_port(settings.port)
            .with_clean_start(clean_start);
        connect(&profile.connect_options().with_keep_alive(keep_alive));
        Ok(())
    }
}
