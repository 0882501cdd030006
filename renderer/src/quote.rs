//! Go's quoted strings (`strconv.Quote`), which many of Helm's messages contain.

use std::fmt::Write;
use std::sync::OnceLock;

use bstr::ByteSlice;
use regex_syntax::hir::{Class, ClassUnicode, HirKind};

/// A Go string literal for these bytes, with double quotes.
pub fn quote(bytes: &[u8]) -> String {
    let mut literal = String::with_capacity(bytes.len() + 2);
    literal.push('"');
    for (start, end, character) in bytes.char_indices() {
        let raw = &bytes[start..end];
        if character == char::REPLACEMENT_CHARACTER && raw != "\u{fffd}".as_bytes() {
            for byte in raw {
                let _ = write!(literal, "\\x{byte:02x}");
            }
            continue;
        }
        match character {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\x07' => literal.push_str("\\a"),
            '\x08' => literal.push_str("\\b"),
            '\x0c' => literal.push_str("\\f"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\x0b' => literal.push_str("\\v"),
            _ if is_print(character) => literal.push(character),
            _ => {
                let code = character as u32;
                let _ = if code < 0x80 {
                    write!(literal, "\\x{code:02x}")
                } else if code < 0x1_0000 {
                    write!(literal, "\\u{code:04x}")
                } else {
                    write!(literal, "\\U{code:08x}")
                };
            }
        }
    }
    literal.push('"');
    literal
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space.
pub fn is_print(character: char) -> bool {
    static PRINTABLE: OnceLock<ClassUnicode> = OnceLock::new();
    if character.is_ascii() {
        return (' '..='~').contains(&character);
    }
    let class = PRINTABLE.get_or_init(|| {
        match regex_syntax::parse(r"[\p{L}\p{M}\p{N}\p{P}\p{S}]").map(regex_syntax::hir::Hir::into_kind) {
            Ok(HirKind::Class(Class::Unicode(class))) => class,
            _ => ClassUnicode::empty(),
        }
    });
    class
        .ranges()
        .binary_search_by(|range| {
            if range.end() < character {
                std::cmp::Ordering::Less
            } else if range.start() > character {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn quotes_as_go_does() {
        let cases: [(&[u8], &str); 7] = [
            (b"", r#""""#),
            (b"a\"b\\", r#""a\"b\\""#),
            (b"\x00\x07\n\t\x7f", r#""\x00\a\n\t\x7f""#),
            ("\u{e4}\u{20ac}\u{1f600}".as_bytes(), "\"\u{e4}\u{20ac}\u{1f600}\""),
            ("\u{a0}\u{200b}\u{ad}\u{feff}".as_bytes(), r#""\u00a0\u200b\u00ad\ufeff""#),
            ("\u{e0001}\u{fffd}".as_bytes(), "\"\\U000e0001\u{fffd}\""),
            (b"a\xffb\xe2\x82", r#""a\xffb\xe2\x82""#),
        ];
        for (input, expected) in cases {
            assert_eq!(quote(input), expected);
        }
    }
}
