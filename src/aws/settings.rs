//! What a device's stores hold for AWS IoT.

use core::fmt;
use core::num::NonZeroU16;

use crate::config::{ConfigFetch, ConfigKey, Encoding, ItemMemory, Received};
use crate::config_key;
use crate::mqtt::Host;
use crate::session::SettingsError;
use crate::tls::{Certificate, CertificateChain, Credentials, PrivateKey, TlsMaterialError};
use crate::{ChannelBuffers, HandedBack, Network};

/// The five values of the guide, all in device scope, in the order in which [`Settings`] reads them.
///
/// The guide's listing reads the private key from the config store, although the guide puts it into
/// the secret store; that is where it is looked for here. It comes first, and the large certificate
/// next, since then the least memory is needed.
pub static KEYS: [ConfigKey<'static>; 5] = [
    config_key!(Device, Secret, "private_key"),
    config_key!(Device, Config, "root-CA"),
    config_key!(Device, Config, "cert"),
    config_key!(Device, Config, "broker-host"),
    config_key!(Device, Config, "broker-port"),
];

pub(super) const PRIVATE_KEY: usize = 0;
pub(super) const ROOT_CA: usize = 1;
pub(super) const CERTIFICATE: usize = 2;
pub(super) const ENDPOINT: usize = 3;
pub(super) const PORT: usize = 4;

/// How each of the three TLS values is written. Hex, unless said otherwise; it is not guessed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Encodings {
    pub(super) private_key: Encoding,
    pub(super) root_ca: Encoding,
    pub(super) certificate: Encoding,
}

impl Encodings {
    /// All in hex.
    pub const HEX: Self =
        Self { private_key: Encoding::HEX, root_ca: Encoding::HEX, certificate: Encoding::HEX };

    /// All in base64, which fits the store where hex is too long.
    pub const BASE64: Self =
        Self { private_key: Encoding::BASE64, root_ca: Encoding::BASE64, certificate: Encoding::BASE64 };

    /// With another encoding of `private_key`.
    #[must_use]
    pub const fn private_key(mut self, encoding: Encoding) -> Self {
        self.private_key = encoding;
        self
    }

    /// With another encoding of `root-CA`.
    #[must_use]
    pub const fn root_ca(mut self, encoding: Encoding) -> Self {
        self.root_ca = encoding;
        self
    }

    /// With another encoding of `cert`.
    #[must_use]
    pub const fn certificate(mut self, encoding: Encoding) -> Self {
        self.certificate = encoding;
        self
    }
}

/// A device's settings for AWS IoT, checked, in the caller's memory.
///
/// The memory has to hold what is decoded, and the text of the value that is being decoded. With an
/// RSA-2048 key in hex that is less than 5 KiB, with an RSA-4096 key in base64 less than 7 KiB. The
/// private key in it is overwritten when this is dropped.
pub struct Settings<'m> {
    root_ca: Certificate<'m>,
    certificate: Certificate<'m>,
    private_key: PrivateKey<'m>,
    endpoint: Host<'m>,
    port: NonZeroU16,
}

impl<'m> Settings<'m> {
    /// Fetches the five values, in hex, over a channel of its own, and hands the buffers back.
    ///
    /// # Errors
    ///
    /// A [`SettingsError`] that names the value at fault. The buffers are handed back unless the
    /// kernel did not close the channel.
    ///
    /// # Cancellation
    ///
    /// Dropping the future closes the channel, and the buffers go back where they were taken from.
    pub async fn fetch(
        network: &Network,
        buffers: ChannelBuffers,
        memory: &'m mut [u8],
    ) -> Result<(Self, ChannelBuffers), HandedBack<Option<ChannelBuffers>, SettingsError>> {
        Self::fetch_encoded(network, buffers, memory, Encodings::HEX).await
    }

    /// The same, with the encodings told.
    ///
    /// # Errors
    ///
    /// As [`fetch`](Self::fetch).
    ///
    /// # Cancellation
    ///
    /// As [`fetch`](Self::fetch).
    pub async fn fetch_encoded(
        network: &Network,
        buffers: ChannelBuffers,
        memory: &'m mut [u8],
        encodings: Encodings,
    ) -> Result<(Self, ChannelBuffers), HandedBack<Option<ChannelBuffers>, SettingsError>> {
        let opened = ConfigFetch::open(network, buffers).map_err(|failed| HandedBack {
            error: SettingsError::Open(failed.error),
            value: Some(failed.value),
        })?;
        let received = match opened.request(&KEYS) {
            Ok(requested) => requested.received().await,
            Err(failed) => Err(failed),
        };
        let fetch = received.map_err(|failed| HandedBack {
            error: SettingsError::Fetch(failed.error),
            value: failed.value.close().ok(),
        })?;
        let settings = Self::read(&fetch, memory, encodings);
        match (settings, fetch.close()) {
            (Ok(settings), Ok(buffers)) => Ok((settings, buffers)),
            (Ok(_), Err(failed)) => {
                Err(HandedBack { error: SettingsError::Close(failed.error), value: None })
            }
            (Err(error), closed) => Err(HandedBack { error, value: closed.ok() }),
        }
    }

    /// Reads the values of a fetch of [`KEYS`].
    ///
    /// # Errors
    ///
    /// A [`SettingsError`] that names the value at fault.
    pub fn read(
        fetch: &ConfigFetch<Received<'static>>,
        memory: &'m mut [u8],
        encodings: Encodings,
    ) -> Result<Self, SettingsError> {
        let mut memory = ItemMemory::new(memory);
        let private_key = fetch.secret_bytes(PRIVATE_KEY, &mut memory, encodings.private_key)?;
        let private_key =
            PrivateKey::from_secret(private_key).map_err(|error| material(PRIVATE_KEY, error))?;
        let root_ca = read_certificate(fetch, ROOT_CA, &mut memory, encodings.root_ca)?;
        let certificate = read_certificate(fetch, CERTIFICATE, &mut memory, encodings.certificate)?;
        let endpoint = fetch.answer().host(ENDPOINT, &mut memory)?;
        let port = fetch.port(PORT, &mut memory)?;
        Ok(Self { root_ca, certificate, private_key, endpoint, port })
    }

    /// The TLS material: `root-CA` trusted, `cert` and `private_key` shown.
    pub fn credentials(&self) -> Credentials<'_> {
        Credentials::new()
            .trust(CertificateChain::single(&self.root_ca))
            .identity(CertificateChain::single(&self.certificate), &self.private_key)
    }

    /// The broker's host name: `broker-host`.
    pub fn endpoint(&self) -> Host<'m> {
        self.endpoint
    }

    /// The broker's port: `broker-port`.
    pub fn port(&self) -> NonZeroU16 {
        self.port
    }
}

fn name_of(index: usize) -> &'static str {
    KEYS.get(index).map_or("", ConfigKey::name)
}

fn material(index: usize, error: TlsMaterialError) -> SettingsError {
    SettingsError::Material { key: name_of(index), error }
}

fn read_certificate<'m>(
    fetch: &ConfigFetch<Received<'static>>,
    index: usize,
    memory: &mut ItemMemory<'m>,
    encoding: Encoding,
) -> Result<Certificate<'m>, SettingsError> {
    let der = fetch.bytes(index, memory, encoding)?;
    Certificate::from_der(der).map_err(|error| material(index, error))
}

impl fmt::Debug for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
