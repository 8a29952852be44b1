//! What is in the device's stores.

use std::error::Error;
use std::path::Path;

use microvisor::aws::{Encodings, KEYS};
use microvisor_provision::bundle::{Bundle, Entry};
use microvisor_provision::{
    CheckOptions, Credentials, EncodingChoice, Endpoint, Provisioning, ProvisioningError,
};
use microvisor_sim::Builder;

use crate::options::{Broker, Options};
use crate::report;

/// The model's "device data endpoint", where nothing names another.
pub(crate) const MODEL_HOST: &str = "a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com";
const DEFAULT_SID: &str = "UV0123456789abcdef0123456789abcdef";

/// A device's SID, and what is in its stores.
pub(crate) struct Stores {
    pub(crate) sid: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) encodings: Encodings,
    bundle: Bundle,
}

impl Stores {
    /// What the guide puts there, of these credentials, and the broker that the options name.
    pub(crate) fn of(credentials: &Credentials, options: &Options) -> Result<Self, Box<dyn Error>> {
        let endpoint = match &options.broker {
            Broker::At(endpoint) => endpoint.clone(),
            Broker::Model | Broker::Stored => Endpoint::new(MODEL_HOST)?,
        };
        Self::with(credentials.bundle(&endpoint, None, EncodingChoice::Auto)?, endpoint, options)
    }

    /// The same, of the files that AWS IoT handed out. What a broker will refuse is told, and taken.
    pub(crate) fn of_folder(folder: &Path, options: &Options) -> Result<Self, Box<dyn Error>> {
        let provisioning = Provisioning::from_folder(folder)?;
        let found = provisioning.check(&CheckOptions::new());
        let Some(credentials) = provisioning.credentials() else {
            return Err(ProvisioningError::Unfit(Box::new(found)).into());
        };
        let stores = Self::of(&credentials, options)?;
        report::found(&found);
        Ok(stores)
    }

    /// What a bundle says. Another broker takes the place of its own where the options name one.
    pub(crate) fn of_bundle(file: &Path, options: &Options) -> Result<Self, Box<dyn Error>> {
        let bundle = Bundle::read(file)?;
        let endpoint = match &options.broker {
            Broker::At(endpoint) => endpoint.clone(),
            Broker::Model | Broker::Stored => endpoint_of(&bundle)?,
        };
        Self::with(bundle, endpoint, options)
    }

    fn with(bundle: Bundle, endpoint: Endpoint, options: &Options) -> Result<Self, Box<dyn Error>> {
        let sid = match (&options.sid, bundle.sid()) {
            (Some(wanted), Some(bundles)) if wanted != bundles.as_str() => {
                return Err(format!("the bundle is for {bundles}, not for {wanted}; leave --sid out").into());
            }
            (Some(wanted), _) => wanted.clone(),
            (None, bundles) => bundles.map_or(DEFAULT_SID, |sid| sid.as_str()).to_owned(),
        };
        let encodings = bundle.encodings().ok_or(
            "the bundle lacks root-CA, cert or private_key in hex or base64; make it with `microvisor-provision \
             bundle`",
        )?;
        Ok(Self { sid, endpoint, encodings, bundle })
    }

    /// The device's certificate, in DER.
    pub(crate) fn certificate(&self) -> Option<Vec<u8>> {
        let [_, _, certificate, ..] = &KEYS;
        Some(entry(&self.bundle, certificate)?.decoded().to_vec())
    }

    /// A device with all of it.
    pub(crate) fn load(&self, builder: Builder) -> Result<Builder, Box<dyn Error>> {
        let json = self.bundle.to_json()?;
        let builder = builder.bundle(str::from_utf8(&json)?)?.device_id(&self.sid);
        let [.., host, port] = &KEYS;
        let (host, port) = (host.name(), port.name());
        Ok(builder.config(host, self.endpoint.host()).config(port, &self.endpoint.port().to_string()))
    }
}

fn endpoint_of(bundle: &Bundle) -> Result<Endpoint, Box<dyn Error>> {
    let [.., host, port] = &KEYS;
    let missing = |key: &str| format!("the bundle has no {key}; name the broker with --broker HOST:PORT");
    let host = entry(bundle, host).ok_or_else(|| missing(host.name()))?;
    let port = entry(bundle, port).ok_or_else(|| missing(port.name()))?;
    let port = port.value().parse().map_err(|_| "the bundle's broker-port is no number from 1 to 65535")?;
    Ok(Endpoint::new(host.value())?.with_port(port))
}

fn entry<'b>(bundle: &'b Bundle, key: &microvisor::config::ConfigKey<'_>) -> Option<&'b Entry> {
    bundle.entry(key.store().into(), key.scope().into(), key.name())
}
