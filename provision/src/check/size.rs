//! Whether a value fits a store.

use microvisor::config::MAX_VALUE_LEN;
use serde::Serialize;

use super::{Problem, Report, Role};
use crate::bundle::Encoding;
use crate::credentials::EncodingChoice;

/// What a binary value takes of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// As it is, in bytes.
    pub bytes: usize,
    /// Characters as hex.
    pub hex_characters: usize,
    /// Characters as base64.
    pub base64_characters: usize,
    /// The encoding in which it fits the 4,096 characters of a store: hex if it does, else base64.
    pub fits: Option<Encoding>,
}

impl Sizes {
    /// Those of a value of so many bytes.
    pub fn of(bytes: usize) -> Self {
        let (hex_characters, base64_characters) = (2 * bytes, bytes.div_ceil(3) * 4);
        let fits = if hex_characters <= MAX_VALUE_LEN {
            Some(Encoding::Hex)
        } else {
            (base64_characters <= MAX_VALUE_LEN).then_some(Encoding::Base64)
        };
        Self { bytes, hex_characters, base64_characters, fits }
    }
}

/// Checks that a value fits, in the encoding that was asked for.
pub(crate) fn check_size(
    role: Role,
    file: &str,
    sizes: Sizes,
    encoding: EncodingChoice,
    report: &mut Report,
) {
    let (hex, base64) = (sizes.hex_characters, sizes.base64_characters);
    let file = file.to_owned();
    match sizes.fits {
        None => report.problems.push(Problem::TooLargeForStore { role, file, hex, base64 }),
        Some(Encoding::Base64) if encoding == EncodingChoice::Hex => {
            report.problems.push(Problem::TooLargeAsHex { role, file, hex, base64 });
        }
        Some(_) => {}
    }
}
