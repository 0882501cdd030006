//! Go's view of text: bytes that are decoded rune by rune, and Unicode 15.0 properties with simple case mappings.
//!
//! Rust's own methods map cases in full (one character can become several) and follow a newer Unicode.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// Sorted, inclusive character ranges.
type Ranges = Vec<(char, char)>;

/// The ranges of a character class in the syntax of the `regex` crate.
fn class(pattern: &str) -> Ranges {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Vec::new() };
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|range| (range.start(), range.end())).collect()
        }
        _ => Vec::new(),
    }
}

fn contains(ranges: &Ranges, character: char) -> bool {
    let after = ranges.partition_point(|&(start, _)| start <= character);
    after.checked_sub(1).and_then(|index| ranges.get(index)).is_some_and(|&(_, end)| character <= end)
}

macro_rules! property {
    ($(#[$documentation:meta])* $name:ident, $ascii:expr, $pattern:literal) => {
        $(#[$documentation])*
        pub(crate) fn $name(character: char) -> bool {
            static RANGES: LazyLock<Ranges> = LazyLock::new(|| class($pattern));
            if character.is_ascii() { $ascii(&character) } else { contains(&RANGES, character) }
        }
    };
}

property!(
    /// Go's `unicode.IsLetter`.
    is_letter, char::is_ascii_alphabetic, r"[\p{L}&&\p{Age:15.0}]"
);
property!(
    /// Go's `unicode.IsUpper`.
    is_upper, char::is_ascii_uppercase, r"[\p{Lu}&&\p{Age:15.0}]"
);
property!(
    /// Go's `unicode.IsLower`.
    is_lower, char::is_ascii_lowercase, r"[\p{Ll}&&\p{Age:15.0}]"
);
property!(
    /// Go's `unicode.IsTitle`.
    is_title, |_: &char| false, r"[\p{Lt}&&\p{Age:15.0}]"
);
property!(
    /// Go's `unicode.IsDigit`.
    is_digit, char::is_ascii_digit, r"[\p{Nd}&&\p{Age:15.0}]"
);
property!(
    /// Go's `unicode.IsNumber`.
    is_number, char::is_ascii_digit, r"[\p{N}&&\p{Age:15.0}]"
);
property!(
    /// Go's `unicode.IsPunct`.
    is_punctuation,
    |character: &char| character.is_ascii_punctuation() && !matches!(character, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~'),
    r"[\p{P}&&\p{Age:15.0}]"
);

property!(
    /// Go's `unicode.IsPrint`: of the spaces only the ASCII one.
    is_print,
    |character: &char| matches!(character, ' '..='~'),
    r"[[\p{L}\p{M}\p{N}\p{P}\p{S}]&&\p{Age:15.0}]"
);

/// Go's `unicode.IsSpace`.
pub(crate) fn is_space(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Whether Unicode 15.0, the version of Go 1.21 to 1.26, knows the character.
fn is_assigned(character: char) -> bool {
    static RANGES: LazyLock<Ranges> = LazyLock::new(|| class(r"\p{Age:15.0}"));
    character.is_ascii() || contains(&RANGES, character)
}

/// The simple form of a full case mapping: the character itself where the mapping is longer than one character.
fn simple(character: char, mut full: impl Iterator<Item = char>) -> char {
    match (full.next(), full.next()) {
        (Some(mapped), None) if mapped != character => {
            if is_assigned(character) && is_assigned(mapped) {
                mapped
            } else {
                character
            }
        }
        _ => character,
    }
}

/// Go's `unicode.ToUpper`.
pub(crate) fn to_upper(character: char) -> char {
    match character {
        // The Greek letters with iota subscript: their full mapping is two characters, the simple one a titlecase letter.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            char::from_u32(u32::from(character) + 8).unwrap_or(character)
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(u32::from(character) + 9).unwrap_or(character),
        _ => simple(character, character.to_uppercase()),
    }
}

/// Go's `unicode.ToLower`.
pub(crate) fn to_lower(character: char) -> char {
    match character {
        '\u{130}' => 'i',
        _ => simple(character, character.to_lowercase()),
    }
}

/// Go's `unicode.ToTitle`.
pub(crate) fn to_title(character: char) -> char {
    match character {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        // Georgian Mkhedruli letters are their own title case.
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => character,
        _ => to_upper(character),
    }
}

/// The runes of a Go string: each byte that is not part of valid UTF-8 is one U+FFFD.
pub(crate) fn runes(bytes: &[u8]) -> Runes<'_> {
    Runes { rest: bytes }
}

/// Iterator over the runes of a Go string, each with its width in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Runes<'a> {
    rest: &'a [u8],
}

impl Iterator for Runes<'_> {
    type Item = (char, usize);

    // Go: unicode/utf8 DecodeRune.
    fn next(&mut self) -> Option<(char, usize)> {
        if self.rest.is_empty() {
            return None;
        }
        let (character, width) = match bstr::decode_utf8(self.rest) {
            (Some(character), width) => (character, width),
            (None, _) => (char::REPLACEMENT_CHARACTER, 1),
        };
        self.rest = self.rest.get(width..).unwrap_or_default();
        Some((character, width))
    }
}

/// Appends a character as UTF-8.
pub(crate) fn push(buffer: &mut Vec<u8>, character: char) {
    buffer.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The text with every rune mapped.
pub(crate) fn map_runes(bytes: &[u8], mut mapping: impl FnMut(char) -> char) -> Vec<u8> {
    let mut mapped = Vec::with_capacity(bytes.len());
    for (character, _) in runes(bytes) {
        push(&mut mapped, mapping(character));
    }
    mapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_one_character_to_one() {
        let cases = [('ß', 'ß', 'ß'), ('ǆ', 'Ǆ', 'ǅ'), ('\u{1f80}', '\u{1f88}', '\u{1f88}'), ('ა', 'Ა', 'ა')];
        for (character, upper, title) in cases {
            assert_eq!((to_upper(character), to_title(character)), (upper, title), "{character}");
        }
        assert_eq!(to_lower('İ'), 'i');
    }

    #[test]
    fn decodes_every_invalid_byte_as_one_rune() {
        let decoded: Vec<_> = runes(b"a\xe2\x82z\xff").collect();
        let replacement = char::REPLACEMENT_CHARACTER;
        assert_eq!(decoded, [('a', 1), (replacement, 1), (replacement, 1), ('z', 1), (replacement, 1)]);
    }

    #[test]
    fn properties_follow_the_general_category() {
        assert!(is_letter('é') && !is_letter('_') && !is_letter('٣'));
        assert!(is_digit('٣') && is_number('½') && !is_digit('½'));
        assert!(is_title('ǅ') && is_upper('É') && is_lower('é'));
        assert!(is_punctuation('-') && is_punctuation('_') && !is_punctuation('+') && is_punctuation('«'));
        assert!(is_space('\u{a0}') && !is_space('\u{200b}'));
    }
}
