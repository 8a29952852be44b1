//! Reading the values of a response.

use core::fmt;
use core::num::NonZeroU16;
use core::ops::RangeInclusive;

use super::fetch::{ConfigFetch, Received};
use super::{ConfigKey, Encoding, ItemError, ItemErrorKind};
use crate::channel::Channel;
use crate::decode::{self, DecodeError, DecodeInPlace};
use crate::mqtt::Host;
use crate::secret::Secret;
use crate::sized_string::sized_buffer;
use crate::wipe::wipe;
use crate::{Status, sys};

/// The caller's memory that values are decoded into, one behind the other.
///
/// A value is read as text into the free part and decoded in place, so the free part has to hold
/// the *text* of the next value and one byte more: hex takes twice, base64 four thirds of what comes out. What is
/// left of the text of a secret is overwritten. AWS credentials with an RSA-2048 key take less than
/// 5 KiB.
pub struct ItemMemory<'m> {
    free: &'m mut [u8],
}

impl<'m> ItemMemory<'m> {
    /// All of `memory`, free.
    pub fn new(memory: &'m mut [u8]) -> Self {
        Self { free: memory }
    }

    /// How many bytes are free.
    pub fn free_len(&self) -> usize {
        self.free.len()
    }

    /// Cuts the first `len` bytes off, as far as there are so many.
    fn cut(&mut self, len: usize) -> &'m mut [u8] {
        self.free.split_off_mut(..len).unwrap_or_default()
    }
}

impl fmt::Debug for ItemMemory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemMemory {{ free: {} }}", self.free.len())
    }
}

/// Whether what is left of a value's text has to be overwritten.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Confidence {
    Public,
    Secret,
}

impl<'k> ConfigFetch<Received<'k>> {
    /// The response, to be read.
    pub(crate) fn answer(&self) -> Answer<'_, 'k> {
        Answer { channel: &self.channel, keys: self.state.keys }
    }

    /// How many values there are: as many as keys were asked for.
    pub fn len(&self) -> usize {
        self.answer().len()
    }

    /// Never: a request has one key at least.
    pub fn is_empty(&self) -> bool {
        self.answer().is_empty()
    }

    /// Value `index` (as in the request) as UTF-8 text.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key. Nothing of `memory` is used up then.
    pub fn text<'m>(&self, index: usize, memory: &mut ItemMemory<'m>) -> Result<&'m str, ItemError<'k>> {
        self.answer().text(index, memory)
    }

    /// Value `index` as a decimal number within `range`. Uses no memory for good.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key.
    pub fn number(
        &self,
        index: usize,
        range: RangeInclusive<u32>,
        memory: &mut ItemMemory<'_>,
    ) -> Result<u32, ItemError<'k>> {
        self.answer().number(index, range, memory)
    }

    /// Value `index` as a port, a decimal number from 1 to 65535. Uses no memory for good.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key.
    pub fn port(&self, index: usize, memory: &mut ItemMemory<'_>) -> Result<NonZeroU16, ItemError<'k>> {
        self.answer().port(index, memory)
    }

    /// Value `index`, bytes in hex of either case.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key. Nothing of `memory` is used up then.
    pub fn hex<'m>(&self, index: usize, memory: &mut ItemMemory<'m>) -> Result<&'m mut [u8], ItemError<'k>> {
        self.answer().hex(index, memory)
    }

    /// Value `index`, bytes in base64.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key. Nothing of `memory` is used up then.
    pub fn base64<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<&'m mut [u8], ItemError<'k>> {
        self.answer().base64(index, memory)
    }

    /// Value `index`, bytes in `encoding`.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key. Nothing of `memory` is used up then.
    pub fn bytes<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
        encoding: Encoding,
    ) -> Result<&'m mut [u8], ItemError<'k>> {
        self.answer().bytes(index, memory, encoding)
    }

    /// Value `index`, a secret in hex. Decoded in constant time; every trace is overwritten but for
    /// the secret itself, which is when dropped.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key. Nothing of `memory` is used up then; it is overwritten.
    pub fn secret_hex<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<Secret<'m>, ItemError<'k>> {
        self.answer().secret_hex(index, memory)
    }

    /// Value `index`, a secret in base64; otherwise as [`secret_hex`](Self::secret_hex).
    ///
    /// # Errors
    ///
    /// As [`secret_hex`](Self::secret_hex).
    pub fn secret_base64<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<Secret<'m>, ItemError<'k>> {
        self.answer().secret_base64(index, memory)
    }

    /// Value `index`, a secret in `encoding`; otherwise as [`secret_hex`](Self::secret_hex).
    ///
    /// # Errors
    ///
    /// As [`secret_hex`](Self::secret_hex).
    pub fn secret_bytes<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
        encoding: Encoding,
    ) -> Result<Secret<'m>, ItemError<'k>> {
        self.answer().secret_bytes(index, memory, encoding)
    }

    /// Value `index` as it is, a secret such as a password.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key.
    pub fn secret_text<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<Secret<'m>, ItemError<'k>> {
        self.answer().secret_text(index, memory)
    }
}

/// A response whose overall result was read, as it lies in an open channel.
#[derive(Clone, Copy)]
pub(crate) struct Answer<'c, 'k> {
    pub(crate) channel: &'c Channel,
    pub(crate) keys: &'k [ConfigKey<'k>],
}

impl<'k> Answer<'_, 'k> {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn text<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<&'m str, ItemError<'k>> {
        let text: &'m [u8] = self.take(index, memory, utf8, Confidence::Public)?;
        // SAFETY: `utf8` found these bytes to be UTF-8 just now, and they have not changed since.
        Ok(unsafe { core::str::from_utf8_unchecked(text) })
    }

    pub(crate) fn host<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<Host<'m>, ItemError<'k>> {
        let host: &'m [u8] = self.take(index, memory, decode::host, Confidence::Public)?;
        Ok(Host::from_checked(host))
    }

    pub(crate) fn number(
        &self,
        index: usize,
        range: RangeInclusive<u32>,
        memory: &mut ItemMemory<'_>,
    ) -> Result<u32, ItemError<'k>> {
        let len = self.read(index, memory, as_it_is, Confidence::Public)?;
        let text = memory.free.get_mut(..len).unwrap_or_default();
        decode::decimal_u32(text, *range.start(), *range.end())
            .map_err(|error| ItemError::new(self.key_name(index), error.into()))
    }

    pub(crate) fn port(
        &self,
        index: usize,
        memory: &mut ItemMemory<'_>,
    ) -> Result<NonZeroU16, ItemError<'k>> {
        let number = self.read(index, memory, decode::port, Confidence::Public)?;
        // The range of `decode::port` is that of the type.
        Ok(u16::try_from(number).ok().and_then(NonZeroU16::new).unwrap_or(NonZeroU16::MAX))
    }

    pub(crate) fn hex<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<&'m mut [u8], ItemError<'k>> {
        self.bytes(index, memory, Encoding::HEX)
    }

    pub(crate) fn base64<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<&'m mut [u8], ItemError<'k>> {
        self.bytes(index, memory, Encoding::BASE64)
    }

    pub(crate) fn bytes<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
        encoding: Encoding,
    ) -> Result<&'m mut [u8], ItemError<'k>> {
        self.take(index, memory, encoding.decode_in_place(), Confidence::Public)
    }

    pub(crate) fn secret_hex<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<Secret<'m>, ItemError<'k>> {
        self.secret_bytes(index, memory, Encoding::HEX)
    }

    pub(crate) fn secret_base64<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<Secret<'m>, ItemError<'k>> {
        self.secret_bytes(index, memory, Encoding::BASE64)
    }

    pub(crate) fn secret_bytes<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
        encoding: Encoding,
    ) -> Result<Secret<'m>, ItemError<'k>> {
        self.take(index, memory, encoding.decode_in_place(), Confidence::Secret).map(Secret::new)
    }

    pub(crate) fn secret_text<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
    ) -> Result<Secret<'m>, ItemError<'k>> {
        self.take(index, memory, as_it_is, Confidence::Secret).map(Secret::new)
    }

    /// The name of key `index`; empty where there is none.
    pub(crate) fn key_name(&self, index: usize) -> &'k str {
        self.keys.get(index).map_or("", ConfigKey::name)
    }

    /// Reads a value into the free memory, decodes it there, and takes what came out.
    pub(crate) fn take<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
        decode: DecodeInPlace,
        confidence: Confidence,
    ) -> Result<&'m mut [u8], ItemError<'k>> {
        let len = self.read(index, memory, decode, confidence)?;
        Ok(memory.cut(len))
    }

    /// Reads the text of value `index` into the free memory, where `decode` makes something of it.
    fn read(
        &self,
        index: usize,
        memory: &mut ItemMemory<'_>,
        decode: DecodeInPlace,
        confidence: Confidence,
    ) -> Result<usize, ItemError<'k>> {
        let mut memory = &mut *memory.free;
        let len = self.keys.len();
        let read = if index < len {
            self.read_text(index, memory)
        } else {
            Err(ItemErrorKind::NoSuchItem { index, len })
        };
        if let Ok(len) = read {
            memory = memory.get_mut(..len).unwrap_or_default();
        }
        let value = read.and_then(|_| decode(memory).map_err(ItemErrorKind::Decode));
        if confidence == Confidence::Secret {
            wipe(memory.get_mut(*value.as_ref().unwrap_or(&0)..).unwrap_or_default());
        }
        value.map_err(|kind| ItemError::new(self.key_name(index), kind))
    }

    /// Reads the text of value `index`, one of those that were asked for, into `memory` and returns its length.
    pub(crate) fn read_text(&self, index: usize, memory: &mut [u8]) -> Result<usize, ItemErrorKind> {
        let free = memory.len();
        if memory.is_empty() {
            return Err(ItemErrorKind::MemoryTooSmall { free });
        }
        let (Ok(item_index), Ok(size)) = (u32::try_from(index), u32::try_from(free)) else {
            return Err(ItemErrorKind::NoSuchItem { index, len: self.keys.len() });
        };
        let mut result = sys::MV_CONFIGKEYFETCHRESULT__MAX;
        let mut length = 0;
        let buf = sized_buffer(memory, &mut length);
        let params = sys::MvConfigResponseReadItemParams { item_index, result: &raw mut result, buf };
        // SAFETY: `params`, what it points to, and `memory` of `size` bytes live during the call, and
        // nothing else uses them.
        let read = unsafe { sys::mvReadConfigResponseItem(self.channel.handle(), &raw const params) };
        Err(match (Status::check(read), result) {
            // The ABI does not say what becomes of a value that is longer than the buffer. A length
            // beyond it, or a buffer filled to the last byte, may be a value that was cut off.
            (Ok(()), sys::MV_CONFIGKEYFETCHRESULT_OK) if length < size => return Ok(length as usize),
            (Ok(()), sys::MV_CONFIGKEYFETCHRESULT_OK) | (Err(Status::INVALID_BUFFER_SIZE), _) => {
                ItemErrorKind::MemoryTooSmall { free }
            }
            // `ItemError::kind` knows more of them.
            (Ok(()), other) => ItemErrorKind::UnknownResult(other),
            (Err(Status::CHANNEL_CLOSED), _) => ItemErrorKind::ChannelClosed(self.channel.closure_reason()),
            (Err(status), _) => ItemErrorKind::Kernel(status),
        })
    }
}

/// Text that is kept as it is.
#[allow(clippy::unnecessary_wraps)] // One of the ways to decode.
pub(crate) fn as_it_is(text: &mut [u8]) -> Result<usize, DecodeError> {
    Ok(text.len())
}

pub(crate) fn utf8(text: &mut [u8]) -> Result<usize, DecodeError> {
    match core::str::from_utf8(text) {
        Ok(_) => Ok(text.len()),
        Err(_) => Err(DecodeError::NotUtf8),
    }
}
