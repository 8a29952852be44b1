//! A connection that is known beforehand.

use super::{BrokerProfile, SettingsError, StoredValues, ValueReader};
use crate::DeviceId;
use crate::config::ConfigKey;
use crate::mqtt::ConnectOptions;

/// A connection that is known beforehand: nothing is fetched.
///
/// ```
/// use microvisor::mqtt::{ClientId, ConnectOptions, Host, ProtocolVersion};
/// use microvisor::session::FixedProfile;
///
/// let options = ConnectOptions::new(Host::new("broker.example")?, ClientId::new("device-7")?)
///     .with_version(ProtocolVersion::V3_1_1);
/// let profile = FixedProfile::new(options);
/// # let _ = profile;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FixedProfile<'a> {
    options: ConnectOptions<'a>,
}

impl<'a> FixedProfile<'a> {
    /// The connection `options`.
    pub const fn new(options: ConnectOptions<'a>) -> Self {
        Self { options }
    }
}

impl BrokerProfile for FixedProfile<'_> {
    type Settings = ();

    const KEYS: &'static [ConfigKey<'static>] = &[];

    fn read(&self, _: &mut ValueReader<'_>) {}

    fn connect(
        &self,
        _: &DeviceId,
        (): &(),
        _: StoredValues<'_>,
        connect: impl FnOnce(&ConnectOptions<'_>),
    ) -> Result<(), SettingsError> {
        connect(&self.options);
        Ok(())
    }
}
