//! The values that a session fetched, and the memory in which it keeps them.

use core::fmt;
use core::num::NonZeroU16;

use super::SettingsError;
use super::state::Cause;
use crate::config::{Answer, Encoding, ItemError, ItemErrorKind, as_it_is, utf8};
use crate::decode::{self, DecodeInPlace};
use crate::memory::Region;
use crate::mqtt::Host;
use crate::tls::{Certificate, Place, PrivateKey, TlsMaterialError};
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
        wipe(self.bytes_mut());
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
pub struct Span(u32);

impl Span {
    /// Its length in bytes.
    pub const fn len(self) -> usize {
        (self.0 & 0xFFFF) as usize
    }

    /// Whether it has no bytes.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    #[allow(clippy::cast_possible_truncation)] // A `MemoryPlan` has less than 64 KiB for values.
    fn new(start: usize, len: usize) -> Self {
        Self((start << 16 | len) as u32)
    }

    fn start(self) -> usize {
        (self.0 >> 16) as usize
    }
}

/// Reads what was fetched into the session's memory, where it is decoded in place.
///
/// A value that is not what it should be is not told where it is read: what is read of it, and after it,
/// is nothing. The session then drops all of it, and tells the [`SettingsError`], which names the key.
pub struct ValueReader<'r> {
    answer: Answer<'r, 'static>,
    memory: &'r mut [u8],
    /// [`FAILED`] once a value was not what it should be.
    used: usize,
    /// What is wrong then.
    cause: &'r mut Cause,
}

/// More than there is memory.
const FAILED: usize = usize::MAX;

impl<'r> ValueReader<'r> {
    pub(super) fn new(answer: Answer<'r, 'static>, memory: &'r mut [u8], cause: &'r mut Cause) -> Self {
        Self { answer, memory, used: 0, cause }
    }

    /// Whether the cause is that of a value that is not what it should be.
    pub(super) fn has_failed(&self) -> bool {
        self.used == FAILED
    }

    /// Value `index` as UTF-8 text.
    pub fn text(&mut self, index: usize) -> Span {
        self.take(index, utf8, Place::Anywhere)
    }

    /// Value `index`, a host name.
    pub fn host(&mut self, index: usize) -> Span {
        self.take(index, decode::host, Place::Anywhere)
    }

    /// Value `index`, a port in decimal. Its text takes memory.
    pub fn port(&mut self, index: usize) -> NonZeroU16 {
        let port = self.take(index, decode::port, Place::Anywhere);
        #[allow(clippy::cast_possible_truncation)] // The rest is where it lies.
        NonZeroU16::new(port.0 as u16).unwrap_or(NonZeroU16::MAX)
    }

    /// Value `index`, a certificate in DER.
    pub fn certificate(&mut self, index: usize, encoding: Encoding) -> Span {
        self.take(index, encoding.decode_in_place(), Place::Certificate)
    }

    /// Value `index`, a private key in PKCS#8 DER, decoded in constant time. The session overwrites it, and
    /// what is left of its text, when it needs it no more.
    pub fn private_key(&mut self, index: usize, encoding: Encoding) -> Span {
        self.take(index, encoding.decode_in_place(), Place::PrivateKey)
    }

    /// Value `index` as it is, a secret such as a password. The session overwrites it when it needs it
    /// no more.
    pub fn secret_text(&mut self, index: usize) -> Span {
        self.take(index, as_it_is, Place::Anywhere)
    }

    /// Reads a value, decodes it, and checks it if it is TLS material; answers where it is and what `decode`
    /// answered, which is mostly its length.
    ///
    /// All values are read by this one function, whatever they are.
    #[inline(never)]
    fn take(&mut self, index: usize, decode: DecodeInPlace, place: Place) -> Span {
        let start = self.used;
        let Some(free) = self.memory.get_mut(start..) else { return Span::default() };
        match read_value(&self.answer, index, free, decode, place) {
            Ok((len, kept)) => {
                self.used = start.wrapping_add(kept);
                Span::new(start, len)
            }
            Err(wrong) => {
                self.used = FAILED;
                let key = self.answer.key_name(index);
                *self.cause = Cause::Settings(match wrong {
                    Wrong::Item(kind) => SettingsError::Item(ItemError::new(key, kind)),
                    Wrong::Material(error) => SettingsError::Material { key, error },
                });
                Span::default()
            }
        }
    }
}

/// What is wrong with a value.
enum Wrong {
    Item(ItemErrorKind),
    Material(TlsMaterialError),
}

/// What `decode` answers, and how much of the memory that leaves occupied.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is called once")]
fn read_value(
    answer: &Answer<'_, 'static>,
    index: usize,
    free: &mut [u8],
    decode: DecodeInPlace,
    place: Place,
) -> Result<(usize, usize), Wrong> {
    let len = answer.read_text(index, free).map_err(Wrong::Item)?;
    let text = free.get_mut(..len).unwrap_or_default();
    let value = decode(text).map_err(|error| Wrong::Item(error.into()))?;
    let kept = value.min(len);
    place.check(text.get(..kept).unwrap_or_default()).map_err(Wrong::Material)?;
    Ok((value, kept))
}

impl fmt::Debug for ValueReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueReader").field("used", &self.used).finish_non_exhaustive()
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
    #[inline(never)]
    pub fn bytes(self, span: Span) -> &'m [u8] {
        // Not just any empty slice: it is pointed to.
        let nothing = self.memory.get(..0).unwrap_or_default();
        self.memory.get(span.start()..span.start() + span.len()).unwrap_or(nothing)
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
