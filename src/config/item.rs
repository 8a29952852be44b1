//! Reading the values of a response.

use core::fmt;
use core::num::NonZeroU16;
use core::ops::RangeInclusive;

use super::fetch::{ConfigFetch, Received};
use super::{ConfigKey, ItemError, ItemErrorKind};
use crate::decode::{self, DecodeError};
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

    /// Cuts the first `len` bytes off.
    fn cut(&mut self, len: usize) -> Option<&'m mut [u8]> {
        if len > self.free.len() {
            return None;
        }
        let (value, free) = core::mem::take(&mut self.free).split_at_mut_checked(len)?;
        self.free = free;
        Some(value)
    }
}

impl fmt::Debug for ItemMemory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemMemory {{ free: {} }}", self.free.len())
    }
}

/// The length of a value that fills a buffer and is whole.
#[allow(clippy::cast_possible_truncation)] // 4096.
const MAX_VALUE: u32 = super::MAX_VALUE_LEN as u32;

/// Whether what is left of a value's text has to be overwritten.
#[derive(Clone, Copy, PartialEq)]
enum Confidence {
    Public,
    Secret,
}

impl<'k> ConfigFetch<Received<'k>> {
    /// How many values there are: as many as keys were asked for.
    pub fn len(&self) -> usize {
        self.state.keys.len()
    }

    /// Never: a request has one key at least.
    pub fn is_empty(&self) -> bool {
        self.state.keys.is_empty()
    }

    /// Value `index` (as in the request) as UTF-8 text.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key. Nothing of `memory` is used up then.
    pub fn text<'m>(&self, index: usize, memory: &mut ItemMemory<'m>) -> Result<&'m str, ItemError<'k>> {
        let key = self.key(index)?;
        let len = self.read(index, memory.free).map_err(|kind| ItemError::new(key, kind))?;
        let text = memory.free.get(..len).unwrap_or_default();
        if core::str::from_utf8(text).is_err() {
            return Err(ItemError::new(key, DecodeError::NotUtf8.into()));
        }
        let text: &'m [u8] = memory.cut(len).unwrap_or_default();
        // SAFETY: these bytes were found to be UTF-8 just now, and have not changed since.
        Ok(unsafe { core::str::from_utf8_unchecked(text) })
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
        let key = self.key(index)?;
        let number = self.read(index, memory.free).and_then(|len| {
            let text = memory.free.get(..len).unwrap_or_default();
            decode::decimal_u32(text, range).map_err(ItemErrorKind::from)
        });
        number.map_err(|kind| ItemError::new(key, kind))
    }

    /// Value `index` as a port, a decimal number from 1 to 65535. Uses no memory for good.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key.
    pub fn port(&self, index: usize, memory: &mut ItemMemory<'_>) -> Result<NonZeroU16, ItemError<'k>> {
        let number = self.number(index, 1..=u16::MAX.into(), memory)?;
        // The range of `number` is that of the type.
        Ok(u16::try_from(number).ok().and_then(NonZeroU16::new).unwrap_or(NonZeroU16::MAX))
    }

    /// Value `index`, bytes in hex of either case.
    ///
    /// # Errors
    ///
    /// An [`ItemError`] that names the key. Nothing of `memory` is used up then.
    pub fn hex<'m>(&self, index: usize, memory: &mut ItemMemory<'m>) -> Result<&'m mut [u8], ItemError<'k>> {
        self.bytes(index, memory, decode::hex_in_place, Confidence::Public)
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
        self.bytes(index, memory, decode::base64_in_place, Confidence::Public)
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
        self.bytes(index, memory, decode::hex_in_place, Confidence::Secret).map(Secret::new)
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
        self.bytes(index, memory, decode::base64_in_place, Confidence::Secret).map(Secret::new)
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
        self.bytes(index, memory, |text| Ok(text.len()), Confidence::Secret).map(Secret::new)
    }

    /// The name of key `index`; empty where there is none.
    pub(crate) fn key_name(&self, index: usize) -> &'k str {
        self.state.keys.get(index).map_or("", ConfigKey::name)
    }

    fn key(&self, index: usize) -> Result<&'k str, ItemError<'k>> {
        match self.state.keys.get(index) {
            Some(key) => Ok(key.name()),
            None => Err(ItemError::new("", ItemErrorKind::NoSuchItem { index, len: self.len() })),
        }
    }

    /// Reads a value into the free memory, decodes it there, and takes what came out.
    fn bytes<'m>(
        &self,
        index: usize,
        memory: &mut ItemMemory<'m>,
        decode_in_place: impl FnOnce(&mut [u8]) -> Result<usize, DecodeError>,
        confidence: Confidence,
    ) -> Result<&'m mut [u8], ItemError<'k>> {
        let key = self.key(index)?;
        let read = self.read(index, memory.free);
        if read.is_err() && confidence == Confidence::Secret {
            wipe(memory.free);
        }
        let text_len = *read.as_ref().unwrap_or(&0);
        let text = memory.free.get_mut(..text_len).unwrap_or_default();
        let decoded = read.and_then(|_| Ok(decode_in_place(text)?));
        if confidence == Confidence::Secret {
            let keep = *decoded.as_ref().unwrap_or(&0);
            wipe(text.get_mut(keep..).unwrap_or_default());
        }
        match decoded {
            Ok(len) => Ok(memory.cut(len).unwrap_or_default()),
            Err(kind) => Err(ItemError::new(key, kind)),
        }
    }

    /// Reads the text of value `index` into `memory` and returns its length.
    fn read(&self, index: usize, memory: &mut [u8]) -> Result<usize, ItemErrorKind> {
        let (Ok(item_index), Ok(size)) =
            (u32::try_from(index), u32::try_from(memory.len().min(super::MAX_VALUE_LEN)))
        else {
            return Err(ItemErrorKind::NoSuchItem { index, len: self.len() });
        };
        let mut nothing = 0;
        let mut result = sys::MV_CONFIGKEYFETCHRESULT__MAX;
        let mut length = 0;
        let params = sys::MvConfigResponseReadItemParams {
            item_index,
            result: &raw mut result,
            buf: sized_buffer(memory.get_mut(..size as usize).unwrap_or_default(), &mut nothing, &mut length),
        };
        // SAFETY: `params`, what it points to, and `memory` of `size` bytes at least live during
        // the call, and nothing else uses them.
        let read = unsafe { sys::mvReadConfigResponseItem(self.channel.handle(), &raw const params) };
        match Status::check(read) {
            Ok(()) => {}
            Err(Status::INVALID_BUFFER_SIZE) => {
                return Err(ItemErrorKind::MemoryTooSmall { free: memory.len() });
            }
            Err(Status::CHANNEL_CLOSED) => {
                return Err(ItemErrorKind::ChannelClosed(self.channel.closure_reason()));
            }
            Err(status) => return Err(ItemErrorKind::Kernel(status)),
        }
        match result {
            // The ABI does not say what becomes of a value that is longer than the buffer. A length
            // beyond it, or a buffer filled to the last byte, may be a value that was cut off.
            sys::MV_CONFIGKEYFETCHRESULT_OK if length < size || (length == size && size == MAX_VALUE) => {
                Ok(length as usize)
            }
            sys::MV_CONFIGKEYFETCHRESULT_OK => Err(ItemErrorKind::MemoryTooSmall { free: memory.len() }),
            sys::MV_CONFIGKEYFETCHRESULT_KEYNOTFOUND => Err(ItemErrorKind::KeyNotFound),
            sys::MV_CONFIGKEYFETCHRESULT_SERVERERROR => Err(ItemErrorKind::ServerError),
            other => Err(ItemErrorKind::UnknownResult(other)),
        }
    }
}
