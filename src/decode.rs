//! Decoding what a config store holds, in the memory where it arrived.
//!
//! A store holds text only, so binary values are stored in an encoding. A decoded value is never longer
//! than its text, so it takes the text's place, and no second buffer is needed.

use core::cell::Cell;
use core::fmt;

use base64ct::Encoding as _;
use zeroize::Zeroizing;

use crate::mqtt::{Host, HostError};

/// Why a stored text is not the value it should stand for.
///
/// Positions are counted in bytes from the start of the text. Repeating does not help against any of
/// these: the stored value has to be put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecodeError {
    /// There is no text.
    Empty,
    /// PEM, where an encoding of the bytes themselves belongs.
    PemText,
    /// A character that is no hex digit, such as white space elsewhere than in line ends at the end.
    NotHex {
        /// Where it is.
        at: usize,
    },
    /// Hex digits come in pairs, and the last one is alone.
    OddLength,
    /// A character that is not of the standard base64 alphabet, such as white space elsewhere than in
    /// line ends at the end, or padding in the wrong place.
    NotBase64 {
        /// Where it is.
        at: usize,
    },
    /// The base64 text ends with a single character, which is too little for a byte.
    IncompleteBase64,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text is not a host name.
    NotHost(HostError),
    /// A character that is no decimal digit; signs, points and exponents are none.
    NotDecimal {
        /// Where it is.
        at: usize,
    },
    /// The number is smaller or larger than it may be.
    OutOfRange {
        /// The smallest value allowed.
        min: u32,
        /// The largest value allowed.
        max: u32,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the value is empty"),
            Self::PemText => {
                f.write_str("the value is PEM text; convert it to DER and store that encoded instead")
            }
            Self::NotHex { at } => {
                write!(f, "the character at byte {at} is not a hex digit; the value is one line of them")
            }
            Self::OddLength => {
                f.write_str("the value has an odd number of hex digits, so something is cut off")
            }
            Self::NotBase64 { at } => {
                write!(
                    f,
                    "the character at byte {at} is not base64 (standard alphabet, one line, padding at the end)"
                )
            }
            Self::IncompleteBase64 => {
                f.write_str("the value ends with a single base64 digit, so it is cut off")
            }
            Self::NotUtf8 => f.write_str("the value is not UTF-8 text"),
            Self::NotHost(error) => error.fmt(f),
            Self::NotDecimal { at } => write!(f, "the character at byte {at} is not a decimal digit"),
            Self::OutOfRange { min, max } => write!(f, "the number is not within {min} to {max}"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Makes something else of a text, in its place. What is at the front is the value then, and the answer its
/// length.
pub(crate) type DecodeInPlace = fn(&mut [u8]) -> Result<usize, DecodeError>;

/// Decodes the hex text (digits in either case) that fills `buffer`; answers the number of bytes, which
/// then are at the front.
///
/// Line ends after the text are ignored. What is left of the text is the caller's to wipe.
pub(crate) fn hex_in_place(buffer: &mut [u8]) -> Result<usize, DecodeError> {
    let text = Cell::from_mut(without_line_end(buffer)).as_slice_of_cells();
    let (pairs, rest) = text.as_chunks::<2>();
    // A byte is written where its digits, or some before them, were.
    for ((count, [first, second]), place) in pairs.iter().enumerate().zip(text) {
        let digits = u16::from_le_bytes([first.get(), second.get()]);
        match two_hex_digits(digits) {
            Ok(byte) => place.set(byte),
            // "-----BEGIN"
            Err(_) if count == 0 && digits == u16::from_le_bytes(*b"--") => return Err(DecodeError::PemText),
            Err(wrong) => return Err(DecodeError::NotHex { at: 2 * count + wrong }),
        }
    }
    match (rest, pairs.len()) {
        ([_], _) => Err(DecodeError::OddLength),
        (_, 0) => Err(DecodeError::Empty),
        (_, count) => Ok(count),
    }
}

/// What two hex digits, the first in the lower byte, stand for, or which of them is none. Both are decoded at once, without a table, and
/// nothing depends on which they are but whether they are digits.
#[inline]
fn two_hex_digits(digits: u16) -> Result<u8, usize> {
    const EACH: u32 = 0x0101;

    let text = u32::from(digits);
    // Bit 6 tells letters from decimal digits, bit 5 lower case from upper case.
    let letters = (text >> 6) & EACH;
    let values = (text | (letters << 5))
        .wrapping_sub(EACH * u32::from(b'0'))
        .wrapping_sub(letters * u32::from(b'a' - b'9' - 1));
    // Ten is the first of the values, all below sixteen, that is written as a letter.
    let above_nine = values.wrapping_add(EACH * 6);
    let wrong = (values | (above_nine ^ (letters << 4))) & (EACH * 0xF0);
    if wrong != 0 {
        // What a wrong first digit carries over changes the second one only.
        return Err(usize::from(wrong & 0xF0 == 0));
    }
    #[allow(clippy::cast_possible_truncation)] // The other digit is above it, and cut off.
    let byte = ((values << 4) | (values >> 8)) as u8;
    Ok(byte)
}

/// Decodes the base64 text (standard alphabet, with its padding or without) that fills `buffer`;
/// otherwise as [`hex_in_place`].
pub(crate) fn base64_in_place(buffer: &mut [u8]) -> Result<usize, DecodeError> {
    decode_in_place(buffer, &BASE64)
}

/// The number that `text` is in decimal, from `min` to `max`. Line ends after it are ignored.
pub(crate) fn decimal_u32(text: &mut [u8], min: u32, max: u32) -> Result<u32, DecodeError> {
    let digits = without_line_end(text);
    if digits.is_empty() {
        return Err(DecodeError::Empty);
    }
    let mut number = Some(0_u32);
    for (at, byte) in digits.iter().enumerate() {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            return Err(DecodeError::NotDecimal { at });
        }
        number = number.and_then(|number| number.checked_mul(10)?.checked_add(digit));
    }
    match number {
        Some(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(DecodeError::OutOfRange { min, max }),
    }
}

/// The host name that `text` is, as it is.
pub(crate) fn host(text: &mut [u8]) -> Result<usize, DecodeError> {
    match Host::from_bytes(text) {
        Ok(_) => Ok(text.len()),
        Err(error) => Err(DecodeError::NotHost(error)),
    }
}

/// The port that `text` is in decimal. Line ends after it are ignored.
pub(crate) fn port(text: &mut [u8]) -> Result<usize, DecodeError> {
    const MAX: u32 = 65_535;

    let mut port = 0;
    for (at, byte) in without_line_end(text).iter().enumerate() {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            return Err(DecodeError::NotDecimal { at });
        }
        // What is too large stays so.
        port = (port * 10 + digit).min(MAX + 1);
    }
    match port {
        1..=MAX => Ok(port as usize),
        _ => Err(DecodeError::OutOfRange { min: 1, max: MAX }),
    }
}

/// Characters of base64 that are decoded at a time: whole groups.
const CHUNK: usize = 64;

/// An encoding of bytes as text.
struct TextEncoding {
    /// Decodes at most [`CHUNK`] characters in a time that does not depend on which they are, and
    /// answers the number of bytes.
    decode_chunk: fn(&[u8], &mut [u8; CHUNK]) -> Option<usize>,
    is_digit: fn(u8) -> bool,
    not_a_digit: fn(usize) -> DecodeError,
    /// The length without padding of a text of digits, unless no bytes have an encoding of that length.
    unpadded_length: fn(&[u8]) -> Option<usize>,
    incomplete: DecodeError,
}

/// Finds what cannot be text in any encoding.
fn check_text(text: &[u8]) -> Result<(), DecodeError> {
    if text.is_empty() {
        Err(DecodeError::Empty)
    } else if text.starts_with(b"-----BEGIN") {
        Err(DecodeError::PemText)
    } else {
        Ok(())
    }
}

static BASE64: TextEncoding = TextEncoding {
    // `decode` would do without the copy, but it is three times as large, and can panic.
    decode_chunk: |text, scratch| {
        let chunk = scratch.get_mut(..text.len())?;
        copy(text, chunk);
        base64ct::Base64Unpadded::decode_in_place(chunk).ok().map(<[u8]>::len)
    },
    is_digit: |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
    not_a_digit: |at| DecodeError::NotBase64 { at },
    unpadded_length: |text| match (text.len() % 4, text) {
        (0, [digits @ .., b'=', b'='] | [digits @ .., b'=']) => Some(digits.len()),
        (1, _) => None,
        _ => Some(text.len()),
    },
    incomplete: DecodeError::IncompleteBase64,
};

fn decode_in_place(buffer: &mut [u8], encoding: &TextEncoding) -> Result<usize, DecodeError> {
    let text = without_line_end(buffer);
    check_text(text)?;
    let Some(length) = (encoding.unpadded_length)(text) else {
        return Err(encoding.error(text, 0));
    };

    let mut scratch = Zeroizing::new([0; _]);
    let (mut read, mut written) = (0, 0);
    while read < length {
        let end = length.min(read + CHUNK);
        let chunk = buffer.get(read..end).unwrap_or_default();
        let Some(count) = (encoding.decode_chunk)(chunk, &mut scratch) else {
            return Err(encoding.error(chunk, read));
        };
        // No text is shorter than what it stands for, so this never reaches what is still to be read.
        copy(scratch.get(..count).unwrap_or_default(), buffer.get_mut(written..).unwrap_or_default());
        read = end;
        written += count;
    }
    Ok(written)
}

/// Copies to the front of `to`, for which `copy_from_slice` would need equal lengths, or panic.
fn copy(from: &[u8], to: &mut [u8]) {
    for (place, byte) in to.iter_mut().zip(from) {
        *place = *byte;
    }
}

impl TextEncoding {
    /// What is wrong with `text`, which begins at `start` and could not be decoded.
    fn error(&self, text: &[u8], start: usize) -> DecodeError {
        match text.iter().enumerate().find(|(_, byte)| !(self.is_digit)(**byte)) {
            Some((at, _)) => (self.not_a_digit)(start + at),
            None => self.incomplete,
        }
    }
}

/// The text that is to be decoded, without line ends at its end.
#[inline(never)]
fn without_line_end(text: &mut [u8]) -> &mut [u8] {
    let mut line = &*text;
    while let [before @ .., b'\r' | b'\n'] = line {
        line = before;
    }
    let length = line.len();
    text.get_mut(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;
    use std::vec;
    use std::vec::Vec;

    use base64ct::{Base64, Base64Unpadded};

    use super::*;

    type Decode = fn(&mut [u8]) -> Result<usize, DecodeError>;

    fn decoded(decode: Decode, text: impl AsRef<[u8]>) -> Result<Vec<u8>, DecodeError> {
        let mut buffer = text.as_ref().to_vec();
        let result = decode(&mut buffer);
        result.map(|length| buffer[..length].to_vec())
    }

    /// Lengths around the size of a chunk of either encoding, and of several.
    fn samples() -> impl Iterator<Item = Vec<u8>> {
        (1..200).chain([3_000]).map(|length| (0..=255).step_by(7).cycle().take(length).collect())
    }

    #[test]
    fn hex_of_any_length_and_case_comes_back() {
        for bytes in samples() {
            let mut text = [0; 6_000];
            let lower = base16ct::lower::encode(&bytes, &mut text).expect("fits");
            assert_eq!(decoded(hex_in_place, lower).as_ref(), Ok(&bytes));
            let upper = base16ct::upper::encode(&bytes, &mut text).expect("fits");
            assert_eq!(decoded(hex_in_place, upper), Ok(bytes));
        }
        assert_eq!(decoded(hex_in_place, "aBcD"), Ok(vec![0xAB, 0xCD]));
    }

    #[test]
    fn exactly_the_hex_digits_are_taken_in_every_place() {
        for place in 0..6 {
            for byte in 0..=u8::MAX {
                let mut text = *b"0aF9c1";
                text[place] = byte;
                let expected = if byte.is_ascii_hexdigit() {
                    base16ct::mixed::decode_vec(text).map_err(|_| unreachable!())
                } else {
                    Err(DecodeError::NotHex { at: place })
                };
                // A line end, where it is one, leaves an odd number.
                if place < 5 || !matches!(byte, b'\r' | b'\n') {
                    assert_eq!(decoded(hex_in_place, text), expected, "{byte:#04x} at {place}");
                }
            }
        }
    }

    #[test]
    fn base64_of_any_length_comes_back_with_and_without_padding() {
        for bytes in samples() {
            let mut text = [0; 4_000];
            let padded = Base64::encode(&bytes, &mut text).expect("fits");
            assert_eq!(decoded(base64_in_place, padded).as_ref(), Ok(&bytes));
            let unpadded = Base64Unpadded::encode(&bytes, &mut text).expect("fits");
            assert_eq!(decoded(base64_in_place, unpadded), Ok(bytes));
        }
    }

    #[test]
    fn bits_that_are_left_over_in_base64_are_ignored() {
        assert_eq!(decoded(base64_in_place, "AR=="), Ok(vec![1]));
        assert_eq!(decoded(base64_in_place, "AQJ"), Ok(vec![1, 2]));
    }

    #[test]
    fn line_ends_are_ignored() {
        for end in ["\n", "\r\n", "\n\n"] {
            assert_eq!(decoded(hex_in_place, String::from("0102") + end), Ok(vec![1, 2]));
            assert_eq!(decoded(base64_in_place, String::from("AQI=") + end), Ok(vec![1, 2]));
            assert_eq!(
                decimal_u32((String::from("8883") + end).into_bytes().as_mut_slice(), 0, 9_999),
                Ok(8_883)
            );
        }
    }

    #[test]
    fn every_wrong_hex_text_has_its_own_error() {
        let far = "00".repeat(100) + "0g";
        let cases = [
            ("", DecodeError::Empty),
            ("\r\n", DecodeError::Empty),
            ("-----BEGIN CERTIFICATE-----\nMIIB", DecodeError::PemText),
            ("123", DecodeError::OddLength),
            ("123\n", DecodeError::OddLength),
            ("12 34", DecodeError::NotHex { at: 2 }),
            (" 1234", DecodeError::NotHex { at: 0 }),
            ("12\n34\n", DecodeError::NotHex { at: 2 }),
            ("0x1234", DecodeError::NotHex { at: 1 }),
            ("12g4", DecodeError::NotHex { at: 2 }),
            ("-1", DecodeError::NotHex { at: 0 }),
            ("MIIB", DecodeError::NotHex { at: 0 }),
            (&far, DecodeError::NotHex { at: 201 }),
        ];
        for (text, error) in cases {
            assert_eq!(decoded(hex_in_place, text), Err(error), "{text:?}");
        }
        assert_eq!(decoded(hex_in_place, [b'0', 0xFF]), Err(DecodeError::NotHex { at: 1 }));
    }

    #[test]
    fn every_wrong_base64_text_has_its_own_error() {
        let far = "A".repeat(200) + "A*AA";
        let cases = [
            ("", DecodeError::Empty),
            ("\n", DecodeError::Empty),
            ("-----BEGIN PRIVATE KEY-----", DecodeError::PemText),
            ("AAAA\nAAAA", DecodeError::NotBase64 { at: 4 }),
            ("AAAA ", DecodeError::NotBase64 { at: 4 }),
            ("AA-_", DecodeError::NotBase64 { at: 2 }),
            ("A=AA", DecodeError::NotBase64 { at: 1 }),
            ("A===", DecodeError::NotBase64 { at: 1 }),
            ("====", DecodeError::NotBase64 { at: 0 }),
            ("AA=", DecodeError::NotBase64 { at: 2 }),
            ("AA==AA==", DecodeError::NotBase64 { at: 2 }),
            (&far, DecodeError::NotBase64 { at: 201 }),
            ("AAAAA", DecodeError::IncompleteBase64),
            ("AAAAAA\nA", DecodeError::NotBase64 { at: 6 }),
        ];
        for (text, error) in cases {
            assert_eq!(decoded(base64_in_place, text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_decimal_and_in_range() {
        let range = DecodeError::OutOfRange { min: 1, max: 65_535 };
        let cases: [(&[u8], _); 12] = [
            (b"8883", Ok(8_883)),
            (b"1", Ok(1)),
            (b"65535", Ok(65_535)),
            (b"08883", Ok(8_883)),
            (b"", Err(DecodeError::Empty)),
            (b"\n", Err(DecodeError::Empty)),
            (b"0", Err(range)),
            (b"65536", Err(range)),
            (b"99999999999999999999", Err(range)),
            (b"+8883", Err(DecodeError::NotDecimal { at: 0 })),
            (b"8883 ", Err(DecodeError::NotDecimal { at: 4 })),
            (b"99999999999x", Err(DecodeError::NotDecimal { at: 11 })),
        ];
        for (text, expected) in cases {
            assert_eq!(decimal_u32(&mut text.to_vec(), 1, 65_535), expected);
            let as_port = expected.map(|port| port as usize);
            let as_port = as_port.map_err(|error| if error == DecodeError::Empty { range } else { error });
            assert_eq!(port(&mut text.to_vec()), as_port);
        }
        assert_eq!(decimal_u32(b"4294967295".to_vec().as_mut_slice(), 0, u32::MAX), Ok(u32::MAX));
    }
}
