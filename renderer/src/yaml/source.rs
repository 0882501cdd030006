//! The characters of a YAML text: encoding and the set that YAML allows (`readerc.go`).

use std::borrow::Cow;

use super::error::YamlError;

/// Decodes the bytes and refuses characters that YAML does not allow.
pub(crate) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, YamlError> {
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(decode_utf16(rest, u16::from_le_bytes)?),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(decode_utf16(rest, u16::from_be_bytes)?),
        _ => {
            let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            match std::str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(error) => {
                    // A control character before the broken one is found first.
                    let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
                    check_characters(valid)?;
                    return Err(YamlError::yaml(None, utf8_problem(&bytes[error.valid_up_to()..])));
                }
            }
        }
    };
    check_characters(&text)?;
    Ok(text)
}

fn check_characters(text: &str) -> Result<(), YamlError> {
    if text.chars().all(is_allowed) { Ok(()) } else { Err(YamlError::yaml(None, "control characters are not allowed")) }
}

/// Whether a character may stand in a YAML text.
pub(crate) fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Names what is wrong with the first sequence of these bytes.
fn utf8_problem(bytes: &[u8]) -> &'static str {
    let width = match bytes.first() {
        Some(0xC0..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF7) => 4,
        _ => return "invalid leading UTF-8 octet",
    };
    if bytes.len() < width {
        return "incomplete UTF-8 octet sequence";
    }
    if bytes[1..width].iter().any(|byte| byte & 0xC0 != 0x80) {
        return "invalid trailing UTF-8 octet";
    }
    match (bytes[0], bytes[1]) {
        (0xC0 | 0xC1, _) | (0xE0, ..=0x9F) | (0xF0, ..=0x8F) => "invalid length of a UTF-8 sequence",
        _ => "invalid Unicode character",
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, YamlError> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(YamlError::yaml(None, "incomplete UTF-16 character"));
    }
    char::decode_utf16(units.iter().map(|&pair| unit(pair))).collect::<Result<String, _>>().map_err(|error| match error
        .unpaired_surrogate()
    {
        0xDC00.. => YamlError::yaml(None, "unexpected low surrogate area"),
        _ => YamlError::yaml(None, "expected low surrogate area"),
    })
}
