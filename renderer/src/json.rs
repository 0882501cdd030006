//! Go-flavoured JSON (`encoding/json`).

use std::borrow::Cow;

/// The text of a Go string as `encoding/json` and `range` see it: each byte that is not part of a valid character
/// becomes U+FFFD.
pub fn valid_utf8(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(std::iter::repeat_n('\u{FFFD}', chunk.invalid().len()));
            }
            Cow::Owned(text)
        }
    }
}
