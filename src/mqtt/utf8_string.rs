//! What every string in an MQTT packet has to keep to (MQTT 5 §1.5.4).

/// The longest string, in bytes: its length is written in 16 bits.
pub(super) const MAX_LENGTH: usize = 65_535;

/// Why a string does not fit an MQTT packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StringFault {
    TooLong { length: usize },
    NulCharacter { at: usize },
    ControlCharacter { at: usize },
    NonCharacter { at: usize },
}

/// Finds what is wrong with `string`.
///
/// NUL must not be there. Control characters and noncharacters only should not, but a receiver may
/// close the connection for them, as mosquitto does, so they are refused as well.
pub(super) const fn check(string: &str) -> Result<(), StringFault> {
    let mut rest = string.as_bytes();
    let length = rest.len();
    if length > MAX_LENGTH {
        return Err(StringFault::TooLong { length });
    }
    while let [_, after @ ..] = rest {
        let at = length - rest.len();
        match rest {
            [0x00, ..] => return Err(StringFault::NulCharacter { at }),
            // U+0001 to U+001F, U+007F, U+0080 to U+009F.
            [0x01..=0x1F | 0x7F, ..] | [0xC2, 0x80..=0x9F, ..] => {
                return Err(StringFault::ControlCharacter { at });
            }
            // U+FDD0 to U+FDEF, U+FFFE and U+FFFF, and the same two of the other planes, where the second
            // byte ends in the four bits above the last twelve.
            [0xEF, 0xB7, 0x90..=0xAF, ..]
            | [0xEF, 0xBF, 0xBE | 0xBF, ..]
            | [0xF0..=0xF4, 0x8F | 0x9F | 0xAF | 0xBF, 0xBF, 0xBE | 0xBF, ..] => {
                return Err(StringFault::NonCharacter { at });
            }
            _ => rest = after,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;

    use super::*;

    #[test]
    fn exactly_the_characters_that_mqtt_discourages_are_refused() {
        for character in '\0'..=char::MAX {
            let mut bytes = [0; 4];
            let string: &str = character.encode_utf8(&mut bytes);
            let code = u32::from(character);
            let expected = if code == 0 {
                Err(StringFault::NulCharacter { at: 0 })
            } else if character.is_control() {
                Err(StringFault::ControlCharacter { at: 0 })
            } else if (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE {
                Err(StringFault::NonCharacter { at: 0 })
            } else {
                Ok(())
            };
            assert_eq!(check(string), expected, "U+{code:04X}");
        }
    }

    #[test]
    fn the_position_is_in_bytes() {
        assert_eq!(check("größe\n"), Err(StringFault::ControlCharacter { at: 7 }));
        assert_eq!(check("ß\u{0}"), Err(StringFault::NulCharacter { at: 2 }));
        assert_eq!(check("ab\u{10FFFF}"), Err(StringFault::NonCharacter { at: 2 }));
    }

    #[test]
    fn the_longest_string_has_65535_bytes() {
        let mut string = String::from("x").repeat(65_535);
        assert_eq!(check(&string), Ok(()));
        string.push('x');
        assert_eq!(check(&string), Err(StringFault::TooLong { length: 65_536 }));
    }
}
