//! Writes ASN.1 by the Distinguished Encoding Rules (X.690), as far as certificates and keys need it.

/// Universal tags.
pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The tag of a context-specific element that replaces another's tag.
pub(super) const fn implicit(number: u8) -> u8 {
    0x80 | number
}

/// The tag of a context-specific element that wraps another.
pub(super) const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

/// An element: tag, length, contents.
pub(super) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut written = vec![tag];
    let length = contents.len();
    if length < 0x80 {
        written.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let leading = bytes.iter().take_while(|&&byte| byte == 0).count();
        written.push(0x80 | (bytes.len() - leading) as u8);
        written.extend_from_slice(&bytes[leading..]);
    }
    written.extend_from_slice(contents);
    written
}

/// A sequence of elements.
pub(super) fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    element(SEQUENCE, &elements.concat())
}

/// A non-negative integer from its big-endian bytes.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let leading = bytes.iter().take_while(|&&byte| byte == 0).count();
    let mut contents = bytes[leading..].to_vec();
    // A set first bit would be a sign.
    if contents.first().is_none_or(|first| first & 0x80 != 0) {
        contents.insert(0, 0);
    }
    element(INTEGER, &contents)
}

/// An object identifier from its encoded arcs.
pub(super) fn object_identifier(arcs: &[u8]) -> Vec<u8> {
    element(OBJECT_IDENTIFIER, arcs)
}

/// A string of whole bytes as bits.
pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_as_few_bytes_as_possible() {
        assert_eq!(element(OCTET_STRING, &[7]), [4, 1, 7]);
        assert_eq!(element(OCTET_STRING, &[0; 0x80])[..3], [4, 0x81, 0x80]);
        assert_eq!(element(OCTET_STRING, &[0; 0x123])[..4], [4, 0x82, 0x01, 0x23]);
    }

    #[test]
    fn integers_are_short_and_positive() {
        assert_eq!(integer(&[0, 0, 1]), [2, 1, 1]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[]), [2, 1, 0]);
    }
}
