//! Go's texts of strings and characters (`strconv`, the quoting verbs of `fmt`).

use std::borrow::Cow;
use std::fmt::Write;

use bstr::ByteSlice;

pub(crate) use crate::functions::unicode::is_print;

/// Go's double-quoted form of a string, as `%q` prints it.
// Go: strconv.Quote
pub fn quote(text: &[u8]) -> String {
    quote_with(text, '"', false)
}

/// The same with everything outside ASCII escaped, as `%+q` prints it.
// Go: strconv.QuoteToASCII
pub(crate) fn quote_to_ascii(text: &[u8]) -> String {
    quote_with(text, '"', true)
}

/// Go's single-quoted form of a character.
// Go: strconv.QuoteRune, strconv.QuoteRuneToASCII
pub(crate) fn quote_character(character: char, to_ascii: bool) -> String {
    quote_with(character.encode_utf8(&mut [0; 4]).as_bytes(), '\'', to_ascii)
}

/// The most bytes that [`quote`] or `quote_to_ascii` makes of a text: of one that is neither printable ASCII nor a part
/// of a longer character, `\u00ff`.
pub(crate) fn longest(text: &[u8]) -> u64 {
    /// What an escape takes beyond the byte itself, at worst.
    const GROWTH: u64 = 5;
    let escaped = text.iter().filter(|byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\')).count();
    (text.len() as u64 + 2).saturating_add((escaped as u64).saturating_mul(GROWTH))
}

// Go: strconv/quote.go appendQuotedWith
fn quote_with(text: &[u8], mark: char, to_ascii: bool) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(mark);
    for chunk in text.utf8_chunks() {
        let mut rest = chunk.valid();
        loop {
            let is_plain =
                |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'\\' && u32::from(*byte) != u32::from(mark);
            let plain = rest.bytes().take_while(is_plain).count();
            quoted.push_str(&rest[..plain]);
            let mut characters = rest[plain..].chars();
            let Some(character) = characters.next() else { break };
            push_escaped(&mut quoted, character, mark, to_ascii);
            rest = characters.as_str();
        }
        for byte in chunk.invalid() {
            let _ = write!(quoted, "\\x{byte:02x}");
        }
    }
    quoted.push(mark);
    quoted
}

// Go: strconv/quote.go appendEscapedRune
fn push_escaped(quoted: &mut String, character: char, mark: char, to_ascii: bool) {
    match character {
        '\\' => quoted.push_str("\\\\"),
        _ if character == mark => {
            quoted.push('\\');
            quoted.push(mark);
        }
        _ if is_print(character) && (character.is_ascii() || !to_ascii) => quoted.push(character),
        '\x07' => quoted.push_str("\\a"),
        '\x08' => quoted.push_str("\\b"),
        '\x0c' => quoted.push_str("\\f"),
        '\n' => quoted.push_str("\\n"),
        '\r' => quoted.push_str("\\r"),
        '\t' => quoted.push_str("\\t"),
        '\x0b' => quoted.push_str("\\v"),
        _ => {
            let code = u32::from(character);
            let _ = match code {
                0..0x20 | 0x7f => write!(quoted, "\\x{code:02x}"),
                0x20..0x1_0000 => write!(quoted, "\\u{code:04x}"),
                _ => write!(quoted, "\\U{code:08x}"),
            };
        }
    }
}

/// Whether the text can stand between backquotes as one line.
// Go: strconv.CanBackquote
pub(crate) fn can_backquote(text: &[u8]) -> bool {
    text.to_str().is_ok_and(|text| {
        text.chars().all(|character| {
            character != '\u{feff}'
                && character != '`'
                && character != '\x7f'
                && (character >= ' ' || character == '\t')
        })
    })
}

/// `U+002D '-'`, as `%#U` prints a character.
// Go: fmt/format.go fmtUnicode
pub(crate) fn unicode_name(character: char) -> String {
    let code = u32::from(character);
    if is_print(character) { format!("U+{code:04X} '{character}'") } else { format!("U+{code:04X}") }
}

/// The value of a Go string literal with its quotes, `"…"` or `` `…` ``; nothing if an escape is invalid.
// Go: strconv.Unquote
pub(crate) fn unquote(literal: &[u8]) -> Option<Cow<'_, [u8]>> {
    match literal {
        [b'`', text @ .., b'`'] => {
            let has_returns = text.contains(&b'\r');
            (!text.contains(&b'`')).then(|| if has_returns { text.replace("\r", "").into() } else { text.into() })
        }
        [b'"', text @ .., b'"'] => {
            if text.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
                return Some(text.into());
            }
            let mut value = Vec::with_capacity(text.len());
            let mut rest = text;
            while !rest.is_empty() {
                if rest[0] == b'\n' {
                    return None;
                }
                rest = unquote_character(rest, b'"', &mut value)?.1;
            }
            Some(value.into())
        }
        _ => None,
    }
}

/// Decodes the first character or escape of a literal's inside, appends it, and gives its code and what follows.
// Go: strconv.UnquoteChar
pub(crate) fn unquote_character<'t>(text: &'t [u8], quote: u8, value: &mut Vec<u8>) -> Option<(u32, &'t [u8])> {
    let (&first, after_first) = text.split_first()?;
    if first == quote {
        return None;
    }
    if first != b'\\' {
        let (character, width) = match bstr::decode_utf8(text) {
            (Some(character), width) => (character, width),
            (None, _) => (char::REPLACEMENT_CHARACTER, 1),
        };
        value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        return Some((u32::from(character), &text[width..]));
    }
    let (&escape, rest) = after_first.split_first()?;
    let push_code = |code: u32, value: &mut Vec<u8>| {
        let character = char::from_u32(code)?;
        value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Some(code)
    };
    let simple = match escape {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\\' => b'\\',
        b'\'' | b'"' if escape == quote => escape,
        b'x' | b'u' | b'U' => {
            let length = match escape {
                b'x' => 2,
                b'u' => 4,
                _ => 8,
            };
            let (digits, rest) = rest.split_at_checked(length)?;
            let code = parse_digits(digits, 16)?;
            if escape == b'x' {
                value.push(u8::try_from(code).ok()?);
                return Some((code, rest));
            }
            return Some((push_code(code, value)?, rest));
        }
        b'0'..=b'7' => {
            let (digits, rest) = after_first.split_at_checked(3)?;
            let code = parse_digits(digits, 8)?;
            value.push(u8::try_from(code).ok()?);
            return Some((code, rest));
        }
        _ => return None,
    };
    value.push(simple);
    Some((u32::from(simple), rest))
}

fn parse_digits(digits: &[u8], base: u32) -> Option<u32> {
    digits.iter().try_fold(0_u32, |code, digit| code.checked_mul(base)?.checked_add(char::from(*digit).to_digit(base)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_like_go() {
        for (text, quoted) in [
            (&b"a\"b\n\t\\\xc3\xa9"[..], "\"a\\\"b\\n\\t\\\\é\""),
            (b"\x00\x7f", r#""\x00\x7f""#),
            ("\u{200b}\u{a0}".as_bytes(), r#""\u200b\u00a0""#),
            ("\u{1F600}".as_bytes(), "\"\u{1F600}\""),
            (b"h\xc3", r#""h\xc3""#),
            (b"", r#""""#),
            ("\u{ad}\u{feff}".as_bytes(), r#""\u00ad\ufeff""#),
            ("\u{e0001}\u{fffd}".as_bytes(), "\"\\U000e0001\u{fffd}\""),
            (b"a\xffb\xe2\x82", r#""a\xffb\xe2\x82""#),
        ] {
            assert_eq!(quote(text), quoted);
        }
        assert_eq!(quote_to_ascii("é\u{1F600}".as_bytes()), r#""\u00e9\U0001f600""#);
        assert_eq!(quote_character('\'', false), r"'\''");
    }

    #[test]
    fn unquotes_like_go() {
        assert_eq!(unquote(br#""a\x41\101\u00e9\n""#), Some("aAA\u{e9}\n".as_bytes().into()));
        assert_eq!(unquote(b"`a\\n\r`"), Some(b"a\\n".into()));
        for invalid in [&br#""\q""#[..], br#""\'""#, br#""\400""#, br#""\ud800""#, br#""\x4""#] {
            assert_eq!(unquote(invalid), None, "{}", invalid.as_bstr());
        }
    }
}
