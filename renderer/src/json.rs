//! Go-flavoured JSON (`encoding/json`).

mod decode;
mod encode;

use std::borrow::Cow;

pub use decode::{DecodeError, Decoded, MAX_DECODE_DEPTH, decode};
pub use encode::{EncodeError, Style, encode};

/// The deepest nesting that the encoders follow. Go follows 1,000 levels before it looks for cycles; native stack bounds
/// what recursion can take, and real values stay below 30.
pub const MAX_ENCODE_DEPTH: usize = 300;

/// The most keys, values and collections that a text may hold: each follows a character of its own.
pub(crate) fn parts(text: &[u8]) -> usize {
    1 + text.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count()
}

/// The text of a Go string as `encoding/json` and `range` see it: each byte that is not part of a valid character
/// becomes U+FFFD.
pub fn valid_utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('\u{FFFD}', chunk.invalid().len()));
    }
    Cow::Owned(text)
}
