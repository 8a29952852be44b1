//! Which broker a session connects to, as whom, and where it learns that.

use super::{SettingsError, StoredValues, ValueReader};
use crate::DeviceId;
use crate::config::ConfigKey;
use crate::mqtt::ConnectOptions;

/// Which broker a session connects to, as whom, and where it learns that.
///
/// [`aws::StoredProfile`](crate::aws::StoredProfile) is the one for AWS IoT,
/// [`StoredUserProfile`](super::StoredUserProfile) logs in to any broker with a user name and a
/// password from the device's stores, and [`FixedProfile`](super::FixedProfile) knows everything
/// beforehand. For another, implement this trait: name the keys, read their values into a
/// `Settings` of [spans](super::Span), and make a connection of them.
///
/// ```
/// use microvisor::config::ConfigKey;
/// use microvisor::mqtt::{ClientId, ConnectOptions};
/// use microvisor::session::{
///     BrokerProfile, SettingsError, SettingsSource, Span, StoredValues, ValueReader,
/// };
/// use microvisor::{DeviceId, config_key};
///
/// static KEYS: [ConfigKey<'static>; 1] = [config_key!(Account, Config, "broker")];
///
/// /// A broker that the whole account shares, and that lets anybody in.
/// struct OpenBroker;
///
/// impl BrokerProfile for OpenBroker {
///     type Settings = Span;
///
///     fn source(&self) -> SettingsSource<Span> {
///         SettingsSource::Stored(&KEYS)
///     }
///
///     fn read(&self, values: &mut ValueReader<'_>) -> Result<Span, SettingsError> {
///         values.host(0)
///     }
///
///     fn connect(
///         &self,
///         device: &DeviceId,
///         host: &Span,
///         values: StoredValues<'_>,
///         connect: impl FnOnce(&ConnectOptions<'_>),
///     ) -> Result<(), SettingsError> {
///         let client_id = ClientId::from(device);
///         connect(&ConnectOptions::new(values.host(*host), client_id));
///         Ok(())
///     }
/// }
/// # let _ = OpenBroker;
/// ```
pub trait BrokerProfile {
    /// What was read from the values, without their bytes, which the session keeps.
    type Settings;

    /// Where the settings come from.
    fn source(&self) -> SettingsSource<Self::Settings>;

    /// Reads and checks what was fetched: value `index` is that of key `index` of the
    /// [`source`](Self::source).
    ///
    /// # Errors
    ///
    /// A [`SettingsError`] that names the value at fault. No connection is tried then; the values are
    /// fetched again after a back-off.
    fn read(&self, values: &mut ValueReader<'_>) -> Result<Self::Settings, SettingsError>;

    /// Calls `connect` with the connection to make, which may borrow from everything here. This is also where
    /// what was read can be looked at.
    ///
    /// # Errors
    ///
    /// A [`SettingsError`], where no connection can be made of the settings.
    fn connect(
        &self,
        device: &DeviceId,
        settings: &Self::Settings,
        values: StoredValues<'_>,
        connect: impl FnOnce(&ConnectOptions<'_>),
    ) -> Result<(), SettingsError>;
}

/// Where a profile's settings come from.
#[derive(Clone, Copy, Debug)]
pub enum SettingsSource<S> {
    /// They are known beforehand; nothing is fetched.
    Known(S),
    /// The values of these keys.
    Stored(&'static [ConfigKey<'static>]),
}
