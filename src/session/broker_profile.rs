//! Which broker a session connects to, as whom, and where it learns that.

use super::{SettingsError, StoredValues, ValueReader};
use crate::DeviceId;
use crate::config::ConfigKey;
use crate::mqtt::{ConnectOptions, Limits, ProtocolVersion};

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
///     BrokerProfile, SettingsError, Span, StoredValues, ValueReader,
/// };
/// use microvisor::{DeviceId, config_key};
///
/// /// A broker that the whole account shares, and that lets anybody in.
/// struct OpenBroker;
///
/// impl BrokerProfile for OpenBroker {
///     type Settings = Span;
///
///     const KEYS: &'static [ConfigKey<'static>] = &[config_key!(Account, Config, "broker")];
///
///     fn read(&self, values: &mut ValueReader<'_>) -> Span {
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

    /// The version of MQTT and the broker's limits, where all connections that [`connect`](Self::connect)
    /// makes have the same. The compiler then leaves out of the session what is for others.
    const ALWAYS: Option<(ProtocolVersion, &'static Limits)> = None;

    /// The keys of the values to fetch. Where there are none, nothing is fetched: the settings are known
    /// beforehand.
    const KEYS: &'static [ConfigKey<'static>];

    /// Reads and checks what was fetched: value `index` is that of key `index` of [`KEYS`](Self::KEYS).
    ///
    /// Where a value is at fault, which the reader remembers, no connection is tried with what this returns;
    /// the values are fetched again after a back-off.
    fn read(&self, values: &mut ValueReader<'_>) -> Self::Settings;

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
