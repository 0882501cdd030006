//! PEM blocks (RFC 7468), read as leniently and written in the form of Go's `encoding/pem`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bstr::ByteSlice;

use crate::functions::encoding::decode_base64;

/// Characters of Base64 in a line.
const LINE: usize = 64;

/// A block: its label and contents.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) contents: Vec<u8>,
}

/// The first block of a text, whatever stands around it.
// Go: encoding/pem Decode
pub(super) fn decode(text: &[u8]) -> Option<Block> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let mut lines = text.lines().skip_while(|line| !line.starts_with(BEGIN));
    let label = lines.next()?.trim_ascii_end().strip_prefix(BEGIN)?.strip_suffix(b"-----")?;
    let end = [b"-----END ", label, b"-----"].concat();
    let mut body = Vec::new();
    for line in lines {
        let line = line.trim_ascii();
        if line == end {
            let contents = decode_base64(&body).ok()?;
            return Some(Block { label: label.to_str().ok()?.to_owned(), contents });
        }
        // Headers such as `Proc-Type: 4,ENCRYPTED` are no part of the contents.
        if !line.contains(&b':') {
            body.extend_from_slice(line);
        }
    }
    None
}

/// A block as text.
pub(super) fn encode(label: &str, contents: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let encoded = STANDARD.encode(contents);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_with_text_around_it() {
        let text = format!("before\n{}after\n", encode("TEST KEY", &[9; 100]));
        assert_eq!(text.lines().nth(2).map(str::len), Some(LINE));
        let block = decode(text.as_bytes()).unwrap();
        assert_eq!((block.label.as_str(), block.contents), ("TEST KEY", vec![9; 100]));
        assert!(decode(b"-----BEGIN X-----\nAAAA\n").is_none());
    }
}
