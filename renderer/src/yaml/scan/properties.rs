//! Directives, anchors and tags.

use std::borrow::Cow;

use super::TokenKind;
use super::cursor::{Cursor, Scanned};

/// The most digits of a version number (`max_number_length`).
const MAX_VERSION_DIGITS: usize = 2;

/// Reads a directive up to the end of its line. Go: `yaml_parser_scan_directive`
pub(super) fn directive<'text>(cursor: &mut Cursor<'text>) -> Scanned<TokenKind<'text>> {
    cursor.skip();
    let kind = match directive_name(cursor)? {
        "YAML" => version(cursor)?,
        "TAG" => tag_directive(cursor)?,
        _ => return cursor.error("found unknown directive name"),
    };
    end_line(cursor)?;
    Ok(kind)
}

/// Passes blanks, a comment and a line break, beside which the line may have nothing.
pub(super) fn end_line(cursor: &mut Cursor<'_>) -> Scanned<()> {
    cursor.ensure(1)?;
    cursor.skip_blanks()?;
    if cursor.peek() == b'#' {
        cursor.skip_to_break()?;
    }
    if !cursor.is_break() {
        if cursor.is_end() {
            return Ok(());
        }
        return cursor.error("did not find expected comment or line break");
    }
    cursor.ensure(2)?;
    cursor.read_line();
    Ok(())
}

/// Passes letters, digits, `_` and `-`.
fn word<'text>(cursor: &mut Cursor<'text>) -> Scanned<&'text str> {
    let start = cursor.place();
    cursor.ensure(1)?;
    while cursor.is_word() {
        cursor.skip();
        cursor.ensure(1)?;
    }
    Ok(cursor.since(start))
}

/// Go: `yaml_parser_scan_directive_name`
fn directive_name<'text>(cursor: &mut Cursor<'text>) -> Scanned<&'text str> {
    let name = word(cursor)?;
    if name.is_empty() {
        return cursor.error("could not find expected directive name");
    }
    if !cursor.is_separation_at(0) {
        return cursor.error("found unexpected non-alphabetical character");
    }
    Ok(name)
}

/// Go: `yaml_parser_scan_version_directive_value`
fn version<'text>(cursor: &mut Cursor<'text>) -> Scanned<TokenKind<'text>> {
    cursor.ensure(1)?;
    cursor.skip_blanks()?;
    let major = version_number(cursor)?;
    if cursor.peek() != b'.' {
        return cursor.error("did not find expected digit or '.' character");
    }
    cursor.skip();
    let minor = version_number(cursor)?;
    Ok(TokenKind::VersionDirective { major, minor })
}

/// Go: `yaml_parser_scan_version_directive_number`
fn version_number(cursor: &mut Cursor<'_>) -> Scanned<u8> {
    cursor.ensure(1)?;
    let mut number = 0;
    let mut digits = 0;
    while cursor.peek().is_ascii_digit() {
        digits += 1;
        if digits > MAX_VERSION_DIGITS {
            return cursor.error("found extremely long version number");
        }
        number = number * 10 + (cursor.peek() - b'0');
        cursor.skip();
        cursor.ensure(1)?;
    }
    if digits == 0 {
        return cursor.error("did not find expected version number");
    }
    Ok(number)
}

/// Go: `yaml_parser_scan_tag_directive_value`
fn tag_directive<'text>(cursor: &mut Cursor<'text>) -> Scanned<TokenKind<'text>> {
    cursor.ensure(1)?;
    cursor.skip_blanks()?;
    let handle = tag_handle(cursor)?;
    if !handle.ends_with('!') {
        return cursor.error("did not find expected '!'");
    }
    cursor.ensure(1)?;
    if !cursor.is_blank() {
        return cursor.error("did not find expected whitespace");
    }
    cursor.skip_blanks()?;
    let prefix = tag_uri(cursor, "", false)?;
    cursor.ensure(1)?;
    if !cursor.is_separation_at(0) {
        return cursor.error("did not find expected whitespace or line break");
    }
    Ok(TokenKind::TagDirective { handle, prefix })
}

/// Reads the name of an anchor or an alias after its indicator. Go: `yaml_parser_scan_anchor`
pub(super) fn anchor<'text>(cursor: &mut Cursor<'text>) -> Scanned<&'text str> {
    cursor.skip();
    let name = word(cursor)?;
    let ends =
        cursor.is_separation_at(0) || matches!(cursor.peek(), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
    if name.is_empty() || !ends {
        return cursor.error("did not find expected alphabetic or numeric character");
    }
    Ok(name)
}

/// Reads a tag. Go: `yaml_parser_scan_tag`
pub(super) fn tag<'text>(cursor: &mut Cursor<'text>) -> Scanned<TokenKind<'text>> {
    cursor.ensure(2)?;
    let (handle, suffix) = if cursor.peek_at(1) == b'<' {
        cursor.skip();
        cursor.skip();
        let suffix = tag_uri(cursor, "", false)?;
        if cursor.peek() != b'>' {
            return cursor.error("did not find the expected '>'");
        }
        cursor.skip();
        ("", suffix)
    } else {
        let handle = tag_handle(cursor)?;
        if handle.len() > 1 && handle.ends_with('!') {
            (handle, tag_uri(cursor, "", false)?)
        } else {
            // What looked like a handle was the start of the suffix.
            let suffix = tag_uri(cursor, &handle[1..], true)?;
            if suffix.is_empty() { ("", Cow::Borrowed("!")) } else { ("!", suffix) }
        }
    };
    cursor.ensure(1)?;
    if !cursor.is_separation_at(0) {
        return cursor.error("did not find expected whitespace or line break");
    }
    Ok(TokenKind::Tag { handle, suffix })
}

/// Reads `!`, a name, and another `!` if there is one. Go: `yaml_parser_scan_tag_handle`
fn tag_handle<'text>(cursor: &mut Cursor<'text>) -> Scanned<&'text str> {
    cursor.ensure(1)?;
    if cursor.peek() != b'!' {
        return cursor.error("did not find expected '!'");
    }
    let start = cursor.place();
    cursor.skip();
    word(cursor)?;
    if cursor.peek() == b'!' {
        cursor.skip();
    }
    Ok(cursor.since(start))
}

/// Reads the characters of a URI, after a part that was read already. Go: `yaml_parser_scan_tag_uri`
fn tag_uri<'text>(cursor: &mut Cursor<'text>, head: &'text str, may_be_empty: bool) -> Scanned<Cow<'text, str>> {
    let start = cursor.place() - head.len();
    let mut decoded: Option<Vec<u8>> = None;
    cursor.ensure(1)?;
    while is_uri_byte(cursor.peek()) {
        if cursor.peek() == b'%' {
            let decoded = decoded.get_or_insert_with(|| cursor.since(start).as_bytes().to_vec());
            uri_escapes(cursor, decoded)?;
        } else {
            if let Some(decoded) = &mut decoded {
                decoded.push(cursor.peek());
            }
            cursor.skip();
        }
        cursor.ensure(1)?;
    }
    let text = cursor.since(start);
    if text.is_empty() && !may_be_empty {
        return cursor.error("did not find expected tag URI");
    }
    // Tags are only compared, and no tag with a meaning has bytes that are no text.
    Ok(decoded.map_or(Cow::Borrowed(text), |bytes| Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())))
}

fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'_' | b'-'
                | b';'
                | b'/'
                | b'?'
                | b':'
                | b'@'
                | b'&'
                | b'='
                | b'+'
                | b'$'
                | b','
                | b'.'
                | b'!'
                | b'~'
                | b'*'
                | b'\''
                | b'('
                | b')'
                | b'['
                | b']'
                | b'%'
        )
}

/// Reads the escapes of one character. Go: `yaml_parser_scan_uri_escapes`
fn uri_escapes(cursor: &mut Cursor<'_>, decoded: &mut Vec<u8>) -> Scanned<()> {
    let mut remaining = None;
    while remaining != Some(0) {
        cursor.ensure(3)?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (b'%', Some(high), Some(low)) = (cursor.peek(), digit(cursor.peek_at(1)), digit(cursor.peek_at(2))) else {
            return cursor.error("did not find URI escaped octet");
        };
        let octet = (high * 16 + low) as u8;
        let left = match remaining {
            Some(left) if octet & 0xC0 == 0x80 => left,
            Some(_) => return cursor.error("found an incorrect trailing UTF-8 octet"),
            None => match octet {
                0..=0x7F => 1,
                0xC0..=0xDF => 2,
                0xE0..=0xEF => 3,
                0xF0..=0xF7 => 4,
                _ => return cursor.error("found an incorrect leading UTF-8 octet"),
            },
        };
        decoded.push(octet);
        for _ in 0..3 {
            cursor.skip();
        }
        remaining = Some(left - 1);
    }
    Ok(())
}
