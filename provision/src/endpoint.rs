//! Where the broker is.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use microvisor::mqtt::{Host, HostError};

/// A broker's host name and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    host: String,
    port: NonZeroU16,
}

impl Endpoint {
    /// MQTT over TLS.
    pub const DEFAULT_PORT: NonZeroU16 = NonZeroU16::new(8883).unwrap();

    /// A broker at `host`, at port 8883.
    ///
    /// # Errors
    ///
    /// A [`HostError`] for what is no host name, such as a URL.
    pub fn new(host: impl Into<String>) -> Result<Self, HostError> {
        let host = host.into();
        Host::new(&host)?;
        Ok(Self { host, port: Self::DEFAULT_PORT })
    }

    /// The same host at another port.
    #[must_use]
    pub fn with_port(mut self, port: NonZeroU16) -> Self {
        self.port = port;
        self
    }

    /// The host name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> NonZeroU16 {
        self.port
    }

    /// The region of an endpoint of AWS IoT, such as "eu-west-1".
    pub fn aws_region(&self) -> Option<&str> {
        let name =
            self.host.strip_suffix(".amazonaws.com").or(self.host.strip_suffix(".amazonaws.com.cn"))?;
        let (_, region) = name.split_once(".iot.")?;
        Some(region)
    }

    /// Whether it is one of those of AWS IoT that show certificates of Amazon's own root CAs.
    pub(crate) fn is_ats(&self) -> bool {
        // In China, all do, and none is called so.
        self.host.strip_suffix(".cn").is_some()
            || self.host.split('.').next().is_some_and(|name| name.ends_with("-ats"))
    }
}

/// A host name, at port 8883.
impl FromStr for Endpoint {
    type Err = HostError;

    fn from_str(host: &str) -> Result<Self, HostError> {
        Self::new(host)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
