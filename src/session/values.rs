//! The values that a session fetched, and the memory in which it keeps them.

use core::fmt;
use core::num::NonZeroU16;

use super::SettingsError;
use crate::config::{Answer, Confidence, Encoding, ItemMemory};
use crate::memory::Region;
use crate::mqtt::Host;
use crate::secret::Secret;
use crate::tls::{Certificate, Place, PrivateKey};
use crate::wipe::wipe;

/// The memory in which a session keeps values, a private key among them: overwritten when it is dropped.
pub(super) struct ValueMemory(Region);

impl ValueMemory {
    pub(super) fn new(memory: Region) -> Self {
        Self(memory)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }

    pub(super) fn wipe(&mut self) {
        self.0.wipe();
    }
}

impl Drop for ValueMemory {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Where a value lies in the session's memory.
///
/// A span of other memory, or of an earlier fetch, is not an error; what it denotes is another value, or
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Span {
    start: usize,
    len: usize,
}

impl Span {
    /// Its length in bytes.
    pub const fn len(self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// Reads what was fetched into the session's memory, where it is decoded in place.
pub struct ValueReader<'r> {
    fetch: Answer<'r, 'static>,
    memory: ItemMemory<'r>,
    size: usize,
}

impl<'r> ValueReader<'r> {
    pub(super) fn new(fetch: Answer<'r, 'static>, memory: &'r mut [u8]) -> Self {
        let size = memory.len();
        Self { fetch, memory: ItemMemory::new(memory), size }
    }

    /// Value `index` as UTF-8 text.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Item`], which names the key; as in all methods here.
    pub fn text(&mut self, index: usize) -> Result<Span, SettingsError> {
        let start = self.used();
        let text = self.fetch.text(index, &mut self.memory)?;
        Ok(Span { start, len: text.len() })
    }

    /// Value `index`, a host name.
    ///
    /// # Errors
    ///
    /// Also [`SettingsError::Host`], where it is none.
    pub fn host(&mut self, index: usize) -> Result<Span, SettingsError> {
        let start = self.used();
        let text = self.fetch.raw(index, &mut self.memory)?;
        match Host::from_bytes(text) {
            Ok(_) => Ok(Span { start, len: text.len() }),
            Err(error) => Err(SettingsError::Host { key: self.name(index), error }),
        }
    }

    /// Value `index`, a port in decimal. It takes no memory.
    ///
    /// # Errors
    ///
    /// See [`text`](Self::text).
    pub fn port(&mut self, index: usize) -> Result<NonZeroU16, SettingsError> {
        Ok(self.fetch.port(index, &mut self.memory)?)
    }

    /// Value `index`, a certificate in DER.
    ///
    /// # Errors
    ///
    /// Also [`SettingsError::Material`], where it is something else.
    pub fn certificate(&mut self, index: usize, encoding: Encoding) -> Result<Span, SettingsError> {
        self.material(index, encoding, Place::Certificate)
    }

    /// Value `index`, a private key in PKCS#8 DER, decoded in constant time. The session overwrites it
    /// when it needs it no more.
    ///
    /// # Errors
    ///
    /// Also [`SettingsError::Material`], where it is something else.
    pub fn private_key(&mut self, index: usize, encoding: Encoding) -> Result<Span, SettingsError> {
        self.material(index, encoding, Place::PrivateKey)
    }

    fn material(&mut self, index: usize, encoding: Encoding, place: Place) -> Result<Span, SettingsError> {
        let confidence = match place {
            Place::Certificate => Confidence::Public,
            Place::PrivateKey => Confidence::Secret,
        };
        let start = self.used();
        let der = self.fetch.take(index, &mut self.memory, encoding.decode_in_place(), confidence)?;
        match place.check(der) {
            Ok(()) => Ok(Span { start, len: der.len() }),
            Err(error) => {
                wipe(der);
                Err(SettingsError::Material { key: self.name(index), error })
            }
        }
    }

    /// Value `index` as it is, a secret such as a password. The session overwrites it when it needs it
    /// no more.
    ///
    /// # Errors
    ///
    /// See [`text`](Self::text).
    pub fn secret_text(&mut self, index: usize) -> Result<Span, SettingsError> {
        let start = self.used();
        let secret = self.fetch.secret_text(index, &mut self.memory)?;
        Ok(keep(start, secret))
    }

    fn used(&self) -> usize {
        self.size - self.memory.free_len()
    }

    fn name(&self, index: usize) -> &'static str {
        self.fetch.key_name(index)
    }
}

/// Leaves a secret where it is.
fn keep(start: usize, secret: Secret<'_>) -> Span {
    let len = secret.len();
    // Dropping it would overwrite it.
    core::mem::forget(secret);
    Span { start, len }
}

impl fmt::Debug for ValueReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueReader").field("free", &self.memory.free_len()).finish_non_exhaustive()
    }
}

/// The values that a session keeps.
#[derive(Clone, Copy)]
pub struct StoredValues<'m> {
    memory: &'m [u8],
}

impl<'m> StoredValues<'m> {
    pub(super) fn new(memory: &'m [u8]) -> Self {
        Self { memory }
    }

    /// The bytes of a value.
    pub fn bytes(self, span: Span) -> &'m [u8] {
        let end = span.start.saturating_add(span.len);
        self.memory.get(span.start..end).unwrap_or_default()
    }

    /// A value as text; empty where it is none.
    pub fn text(self, span: Span) -> &'m str {
        core::str::from_utf8(self.bytes(span)).unwrap_or_default()
    }

    /// A value as a host name. One that was not read by [`ValueReader::host`] is sent to the platform as it
    /// is, which then does not find it.
    pub fn host(self, span: Span) -> Host<'m> {
        Host::from_checked(self.bytes(span))
    }

    /// A value as a certificate. One that was not read by [`ValueReader::certificate`] is sent to the
    /// platform as it is, which then does not connect.
    pub fn certificate(self, span: Span) -> Certificate<'m> {
        Certificate::from_checked_der(self.bytes(span))
    }

    /// A value as a private key. One that was not read by [`ValueReader::private_key`] is sent to the
    /// platform as it is, which then does not connect.
    pub fn private_key(self, span: Span) -> PrivateKey<'m> {
        PrivateKey::from_checked_der(self.bytes(span))
    }
}

impl fmt::Debug for StoredValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredValues({} bytes)", self.memory.len())
    }
}
