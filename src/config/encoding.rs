//! How bytes are written in a store.

use core::fmt;

use crate::decode::{self, DecodeInPlace};

/// How bytes are written in a store, whose values are text.
///
/// It is the decoder itself, so that firmware which nowhere names [`BASE64`](Self::BASE64) does without
/// that.
#[derive(Clone, Copy)]
pub struct Encoding(&'static Decoder);

struct Decoder {
    name: Name,
    decode_in_place: DecodeInPlace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Name {
    Hex,
    Base64,
}

impl Encoding {
    /// Hex, as the platform's AWS guide does it. 4,096 characters hold 2,048 bytes: enough for RSA-2048
    /// keys.
    pub const HEX: Self = Self(&Decoder { name: Name::Hex, decode_in_place: decode::hex_in_place });

    /// Base64. 4,096 characters hold 3,072 bytes: enough for RSA-4096 keys.
    pub const BASE64: Self = Self(&Decoder { name: Name::Base64, decode_in_place: decode::base64_in_place });

    pub(crate) fn decode_in_place(self) -> DecodeInPlace {
        self.0.decode_in_place
    }
}

impl Default for Encoding {
    /// Hex.
    fn default() -> Self {
        Self::HEX
    }
}

impl PartialEq for Encoding {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Encoding {}

impl core::hash::Hash for Encoding {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.name.fmt(f)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Encoding {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", self.0.name);
    }
}
