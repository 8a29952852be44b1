//! Just enough DER to see what a piece of key material is: tags and lengths, no values.

/// The universal tags that tell key material apart (X.690 §8), and context tag 0.
pub(super) mod tag {
    /// What stands for the tag of an element that is not there. No DER element has it.
    pub(in crate::tls) const END: u8 = 0x00;
    pub(in crate::tls) const INTEGER: u8 = 0x02;
    pub(in crate::tls) const BIT_STRING: u8 = 0x03;
    pub(in crate::tls) const OCTET_STRING: u8 = 0x04;
    pub(in crate::tls) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(in crate::tls) const SEQUENCE: u8 = 0x30;
    pub(in crate::tls) const CONTEXT_0: u8 = 0xA0;
}

/// Instead of a length: a tag of several bytes, an indefinite length, or a length not in its shortest form.
pub(super) const NOT_DER: usize = usize::MAX;

/// Instead of a length: the length is written in four bytes or more.
pub(super) const TOO_LARGE: usize = usize::MAX - 1;

/// The length that the element at the start of `input` claims, header included; at least so much, where
/// the header is cut off. No input is as long as [`NOT_DER`] and [`TOO_LARGE`].
pub(super) fn element_length(input: &[u8]) -> usize {
    let [tag, length, rest @ ..] = input else { return 2 };
    let length = usize::from(*length);
    if *tag == tag::END || tag & 0x1F == 0x1F {
        return NOT_DER;
    }
    if length < 0x80 {
        return 2 + length;
    }
    let count = match length {
        0x81..=0x83 => length - 0x80,
        0x80 | 0xFF => return NOT_DER,
        _ => return TOO_LARGE,
    };
    let header = 2 + count;
    let mut length = 0;
    let mut digits = rest.iter();
    for _ in 0..count {
        let Some(digit) = digits.next() else { return header };
        length = length << 8 | usize::from(*digit);
        // There is one encoding of a length that DER allows, the shortest (X.690 §10.1).
        if length == 0 {
            return NOT_DER;
        }
    }
    if length < 0x80 { NOT_DER } else { header + length }
}

/// Splits the first element off: its tag, its contents, and what follows it. There is none where
/// it is not whole.
pub(super) fn split_first(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (element, rest) = input.split_at_checked(element_length(input))?;
    let [tag, length, contents @ ..] = element else { return None };
    let count = if *length < 0x80 { 0 } else { usize::from(length & 0x7F) };
    Some((*tag, contents.get(count..)?, rest))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;
    use std::vec::Vec;

    use super::*;

    fn with_header(header: &[u8], length: usize) -> Vec<u8> {
        let mut der = header.to_vec();
        der.resize(header.len() + length, 0xEE);
        der
    }

    #[test]
    fn every_shortest_length_form_is_read() {
        let cases: &[(&[u8], usize)] = &[
            (&[0x30, 0x00], 0),
            (&[0x30, 0x7F], 0x7F),
            (&[0x30, 0x81, 0x80], 0x80),
            (&[0x30, 0x81, 0xFF], 0xFF),
            (&[0x30, 0x82, 0x01, 0x00], 0x100),
            (&[0x30, 0x82, 0xFF, 0xFF], 0xFFFF),
            (&[0x30, 0x83, 0x01, 0x00, 0x00], 0x1_0000),
        ];
        for (header, length) in cases {
            let der = with_header(header, *length);
            assert_eq!(element_length(&der), der.len());
            let (tag, contents, rest) = split_first(&der).expect("valid");
            assert_eq!((tag, contents.len(), rest.len()), (0x30, *length, 0));
        }
    }

    #[test]
    fn what_follows_the_element_is_handed_back() {
        let der = [0x02, 0x01, 0x05, 0x04, 0x00];
        assert_eq!(split_first(&der), Some((tag::INTEGER, &[5][..], &[0x04, 0x00][..])));
    }

    #[test]
    fn a_length_not_in_its_shortest_form_is_not_der() {
        for der in [
            with_header(&[0x30, 0x81, 0x7F], 0x7F),
            with_header(&[0x30, 0x82, 0x00, 0xFF], 0xFF),
            with_header(&[0x30, 0x83, 0x00, 0xFF, 0xFF], 0xFFFF),
        ] {
            assert_eq!((element_length(&der), split_first(&der)), (NOT_DER, None));
        }
    }

    #[test]
    fn indefinite_and_reserved_lengths_and_long_tags_are_not_der() {
        for der in [vec![0x30, 0x80, 0, 0], vec![0x30, 0xFF, 0], vec![0x3F, 0x21, 0x00], vec![0x00, 0x00]] {
            assert_eq!((element_length(&der), split_first(&der)), (NOT_DER, None));
        }
    }

    #[test]
    fn a_length_of_four_bytes_is_too_large() {
        assert_eq!(element_length(&[0x30, 0x84, 1, 0, 0, 0]), TOO_LARGE);
    }

    #[test]
    fn a_cut_element_says_how_long_it_should_be() {
        let cases: &[(&[u8], usize)] = &[
            (&[], 2),
            (&[0x30], 2),
            (&[0x30, 0x81], 3),
            (&[0x30, 0x82, 0x01], 4),
            (&[0x30, 0x83, 0x01, 0x02], 5),
            (&[0x30, 0x03, 1, 2], 5),
            (&[0x30, 0x82, 0x01, 0x00, 9], 260),
        ];
        for (der, expected) in cases {
            assert_eq!((element_length(der), split_first(der)), (*expected, None), "{der:x?}");
        }
    }
}
