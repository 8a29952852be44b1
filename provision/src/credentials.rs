//! What a device identifies itself with, and its entries.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding as _};
use microvisor::DeviceId;
use microvisor::aws::KEYS;
use microvisor::config::ConfigKey;
use zeroize::Zeroizing;

use crate::bundle::{Bundle, BundleError, Encoding, Entry, EntryError};
use crate::check::Sizes;
use crate::endpoint::Endpoint;

/// How the three TLS values are to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EncodingChoice {
    /// In hex, as the platform's guide does it, where that fits a store; in base64 where it does not.
    #[default]
    Auto,
    /// All in hex.
    Hex,
    /// All in base64.
    Base64,
}

impl EncodingChoice {
    /// The encoding of a value of so many bytes.
    pub fn of(self, bytes: usize) -> Encoding {
        match self {
            Self::Auto => Sizes::of(bytes).fits.unwrap_or(Encoding::Base64),
            Self::Hex => Encoding::Hex,
            Self::Base64 => Encoding::Base64,
        }
    }
}

impl FromStr for EncodingChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            _ => Err("it is one of `auto`, `hex` and `base64`".to_owned()),
        }
    }
}

/// What a device needs to identify itself, and to identify its broker, in DER. The key is wiped from
/// memory when this is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    root_ca: Vec<u8>,
    certificate: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
}

impl Credentials {
    /// A root CA's certificate, the device's certificate, and its key in PKCS#8, all in DER. They are not
    /// looked at; [`Provisioning`](crate::Provisioning) reads them from files and checks them.
    pub fn new(root_ca: Vec<u8>, certificate: Vec<u8>, private_key: Zeroizing<Vec<u8>>) -> Self {
        Self { root_ca, certificate, private_key }
    }

    /// The certificate of the CA that the device trusts.
    pub fn root_ca(&self) -> &[u8] {
        &self.root_ca
    }

    /// The device's certificate.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The device's private key, in PKCS#8.
    pub fn private_key(&self) -> &[u8] {
        &self.private_key
    }

    /// The five entries of the platform's guide, for the device `sid` or for whichever one.
    ///
    /// # Errors
    ///
    /// [`Entry`](BundleError::Entry): a value is too long for a store in that encoding.
    pub fn bundle(
        &self,
        endpoint: &Endpoint,
        sid: Option<DeviceId>,
        encoding: EncodingChoice,
    ) -> Result<Bundle, BundleError> {
        let [private_key, root_ca, certificate, host, port] = &KEYS;
        let entries = vec![
            binary_entry(root_ca, &self.root_ca, encoding)?,
            binary_entry(certificate, &self.certificate, encoding)?,
            binary_entry(private_key, &self.private_key, encoding)?,
            entry(host, Encoding::Text, endpoint.host().to_owned().into())?,
            entry(port, Encoding::Text, endpoint.port().to_string().into())?,
        ];
        Bundle::new(sid, entries)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("root_ca", &format_args!("[{} bytes]", self.root_ca.len()))
            .field("certificate", &format_args!("[{} bytes]", self.certificate.len()))
            .finish_non_exhaustive()
    }
}

fn binary_entry(key: &ConfigKey<'_>, der: &[u8], encoding: EncodingChoice) -> Result<Entry, EntryError> {
    let encoding = encoding.of(der.len());
    let value = match encoding {
        Encoding::Base64 => Base64::encode_string(der),
        Encoding::Hex | Encoding::Text => base16ct::lower::encode_string(der),
    };
    entry(key, encoding, Zeroizing::new(value))
}

fn entry(key: &ConfigKey<'_>, encoding: Encoding, value: Zeroizing<String>) -> Result<Entry, EntryError> {
    Entry::new(key.store().into(), key.scope().into(), key.name(), encoding, value)
}
