//! How bytes are written in a store.

/// How bytes are written in a store, whose values are text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Encoding {
    /// Hex, as the platform's AWS guide does it. 4,096 characters hold 2,048 bytes: enough for RSA-2048
    /// keys.
    #[default]
    Hex,
    /// Base64. 4,096 characters hold 3,072 bytes: enough for RSA-4096 keys.
    Base64,
}
