//! Telling text from binary.

use zeroize::Zeroizing;

/// Text in UTF-8, or in UTF-16 as `PowerShell` redirects it.
pub(super) fn decode(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(match bytes {
        [0xff, 0xfe, rest @ ..] => {
            let (pairs, _) = rest.as_chunks::<2>();
            let units = Zeroizing::new(pairs.iter().copied().map(u16::from_le_bytes).collect::<Vec<_>>());
            String::from_utf16_lossy(&units)
        }
        // PEM allows any text around its blocks, such as a certificate's contents in Latin-1.
        _ => String::from_utf8_lossy(bytes).into_owned(),
    })
}

/// Whether `bytes` are something that people write.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| text.chars().all(|character| !character.is_control() || character.is_whitespace()))
}
