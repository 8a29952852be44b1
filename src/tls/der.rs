//! Just enough DER to see what a piece of key material is: tags and lengths, no values.

/// The universal tags that tell key material apart (X.690 §8), and context tag 0.
pub(super) mod tag {
    /// What [`Reader::next`](super::Reader::next) answers at the end. No DER element has it.
    pub(in crate::tls) const END: u8 = 0x00;
    pub(in crate::tls) const INTEGER: u8 = 0x02;
    pub(in crate::tls) const BIT_STRING: u8 = 0x03;
    pub(in crate::tls) const OCTET_STRING: u8 = 0x04;
    pub(in crate::tls) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(in crate::tls) const SEQUENCE: u8 = 0x30;
    pub(in crate::tls) const CONTEXT_0: u8 = 0xA0;
}

/// One element: what it is, and what it contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) contents: &'a [u8],
}

/// Why there is no whole element at the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoElement {
    /// The element needs (at least) so many bytes, header included.
    Truncated { expected: usize },
    /// The length is written in four bytes or more.
    TooLarge,
    /// A tag of several bytes, an indefinite length, or a length not in its shortest form.
    NotDer,
}

/// Splits the first element off; the second value is what follows it.
pub(super) fn split_first(input: &[u8]) -> Result<(Element<'_>, &[u8]), NoElement> {
    let [tag, after_tag @ ..] = input else { return Err(NoElement::Truncated { expected: 2 }) };
    if *tag == tag::END || tag & 0x1F == 0x1F {
        return Err(NoElement::NotDer);
    }
    let (header, length, body) = match after_tag {
        [length @ 0x00..=0x7F, body @ ..] => (2, be(0, 0, *length), body),
        [0x81, a, body @ ..] => (3, be(0, 0, *a), body),
        [0x82, a, b, body @ ..] => (4, be(0, *a, *b), body),
        [0x83, a, b, c, body @ ..] => (5, be(*a, *b, *c), body),
        [] => return Err(NoElement::Truncated { expected: 2 }),
        [count @ 0x81..=0x83, ..] => {
            return Err(NoElement::Truncated { expected: 2 + usize::from(count & 0x7F) });
        }
        [0x80 | 0xFF, ..] => return Err(NoElement::NotDer),
        [0x84..=0xFE, ..] => return Err(NoElement::TooLarge),
    };
    if header != shortest_header(length) {
        return Err(NoElement::NotDer);
    }
    match body.split_at_checked(length) {
        Some((contents, rest)) => Ok((Element { tag: *tag, contents }, rest)),
        None => Err(NoElement::Truncated { expected: header + length }),
    }
}

fn be(high: u8, middle: u8, low: u8) -> usize {
    usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)
}

/// The size of a tag and the one encoding of `length` that DER allows (X.690 §10.1).
fn shortest_header(length: usize) -> usize {
    match length {
        0..=0x7F => 2,
        0x80..=0xFF => 3,
        0x100..=0xFFFF => 4,
        _ => 5,
    }
}

/// Goes through the elements that an element contains.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(contents: &'a [u8]) -> Self {
        Self { rest: contents }
    }

    /// The next element, or one with [`tag::END`] when there is none left.
    pub(super) fn next(&mut self) -> Result<Element<'a>, NoElement> {
        if self.rest.is_empty() {
            return Ok(Element { tag: tag::END, contents: &[] });
        }
        let (element, rest) = split_first(self.rest)?;
        self.rest = rest;
        Ok(element)
    }
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
            let (element, rest) = split_first(&der).expect("valid");
            assert_eq!((element.tag, element.contents.len(), rest.len()), (0x30, *length, 0));
        }
    }

    #[test]
    fn what_follows_the_element_is_handed_back() {
        let (element, rest) = split_first(&[0x02, 0x01, 0x05, 0x04, 0x00]).expect("valid");
        assert_eq!(element, Element { tag: tag::INTEGER, contents: &[5] });
        assert_eq!(rest, [0x04, 0x00]);
    }

    #[test]
    fn a_length_not_in_its_shortest_form_is_not_der() {
        for der in [
            with_header(&[0x30, 0x81, 0x7F], 0x7F),
            with_header(&[0x30, 0x82, 0x00, 0xFF], 0xFF),
            with_header(&[0x30, 0x83, 0x00, 0xFF, 0xFF], 0xFFFF),
        ] {
            assert_eq!(split_first(&der), Err(NoElement::NotDer));
        }
    }

    #[test]
    fn indefinite_and_reserved_lengths_and_long_tags_are_not_der() {
        for der in [vec![0x30, 0x80, 0, 0], vec![0x30, 0xFF, 0], vec![0x3F, 0x21, 0x00], vec![0x00, 0x00]] {
            assert_eq!(split_first(&der), Err(NoElement::NotDer));
        }
    }

    #[test]
    fn a_length_of_four_bytes_is_too_large() {
        assert_eq!(split_first(&[0x30, 0x84, 1, 0, 0, 0]), Err(NoElement::TooLarge));
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
            assert_eq!(split_first(der), Err(NoElement::Truncated { expected: *expected }), "{der:x?}");
        }
    }

    #[test]
    fn a_reader_ends_with_the_end_tag() {
        let mut reader = Reader::new(&[0x02, 0x01, 0x05, 0x04, 0x00]);
        let tags = [(); 4].map(|()| reader.next().expect("valid").tag);
        assert_eq!(tags, [tag::INTEGER, tag::OCTET_STRING, tag::END, tag::END]);
    }
}
