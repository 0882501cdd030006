//! Plain, quoted and block scalars.

use std::borrow::Cow;

use super::cursor::{Cursor, Scanned};
use super::properties::end_line;

/// The text of a scalar: a part of the source as long as that will do.
#[derive(Debug)]
struct Text {
    /// Where the scalar starts in the source, and where what was read of it ends.
    start: usize,
    end: usize,
    /// The text, where it differs from the source.
    owned: Option<String>,
}

impl Text {
    fn starting_at(start: usize) -> Self {
        Self { start, end: start, owned: None }
    }

    /// Continues with a part of the source, which follows the previous one unless the text is no part of it anyway.
    fn extend(&mut self, cursor: &Cursor<'_>, start: usize, end: usize) {
        match &mut self.owned {
            Some(owned) => owned.push_str(cursor.between(start, end)),
            None => self.end = end,
        }
    }

    /// The text to which other characters than the source's are appended.
    fn owned(&mut self, cursor: &Cursor<'_>) -> &mut String {
        self.owned.get_or_insert_with(|| cursor.between(self.start, self.end).to_owned())
    }

    fn finish<'text>(self, cursor: &Cursor<'text>) -> Cow<'text, str> {
        match self.owned {
            Some(owned) => Cow::Owned(owned),
            None => Cow::Borrowed(cursor.between(self.start, self.end)),
        }
    }
}

/// In quotes, tabs may stand in any column.
const NO_INDENT: i64 = 0;

/// The line breaks between two parts of a scalar.
#[derive(Debug, Default)]
struct Breaks {
    first: Option<char>,
    others: String,
}

impl Breaks {
    /// Passes a line break.
    fn read(&mut self, cursor: &mut Cursor<'_>, first: bool) {
        let line_break = cursor.read_line();
        if first {
            self.first = line_break;
        } else {
            self.others.extend(line_break);
        }
    }

    /// Passes blanks and reads breaks up to the next part of a scalar; returns whether a break was read, now or before
    /// (`leading_blanks`). After a break, no tab may stand left of the column `indent`.
    fn read_between(&mut self, cursor: &mut Cursor<'_>, mut leading_blanks: bool, indent: i64) -> Scanned<bool> {
        loop {
            if cursor.is_blank() {
                if leading_blanks && i64::from(cursor.column()) < indent && cursor.peek() == b'\t' {
                    return cursor.error("found a tab character that violates indentation");
                }
                cursor.skip();
            } else if cursor.is_break() {
                cursor.ensure(2)?;
                self.read(cursor, !leading_blanks);
                leading_blanks = true;
            } else {
                return Ok(leading_blanks);
            }
            cursor.ensure(1)?;
        }
    }

    /// Writes what the breaks mean: a single one is a space, of several the first is dropped. LS and PS stay.
    fn fold(&mut self, text: &mut String) {
        match self.first.take() {
            Some('\n') if self.others.is_empty() => text.push(' '),
            Some('\n') | None => {}
            Some(other) => text.push(other),
        }
        text.push_str(&self.others);
        self.others.clear();
    }
}

/// Reads a plain scalar, and whether it ends with a line. Go: `yaml_parser_scan_plain_scalar`
pub(super) fn plain<'text>(cursor: &mut Cursor<'text>, indent: i64, in_flow: bool) -> Scanned<(Cow<'text, str>, bool)> {
    let indent = indent + 1;
    let mut text = Text::starting_at(cursor.place());
    let mut breaks = Breaks::default();
    let mut leading_blanks = false;
    let mut blanks_start = cursor.place();
    loop {
        cursor.ensure(4)?;
        if cursor.is_document_indicator() || cursor.peek() == b'#' {
            break;
        }
        let mut run_start = cursor.place();
        loop {
            let end = cursor.plain_run(in_flow);
            if end == run_start {
                break;
            }
            if leading_blanks {
                breaks.fold(text.owned(cursor));
                leading_blanks = false;
            } else if blanks_start < run_start {
                text.extend(cursor, blanks_start, run_start);
            }
            cursor.advance_to(end);
            text.extend(cursor, run_start, end);
            (run_start, blanks_start) = (end, end);
            cursor.ensure(2)?;
        }
        if !(cursor.is_blank() || cursor.is_break()) {
            break;
        }
        cursor.ensure(1)?;
        leading_blanks = breaks.read_between(cursor, leading_blanks, indent)?;
        if !in_flow && i64::from(cursor.column()) < indent {
            break;
        }
    }
    Ok((text.finish(cursor), leading_blanks))
}

/// Reads a scalar in quotes. Go: `yaml_parser_scan_flow_scalar`
pub(super) fn quoted<'text>(cursor: &mut Cursor<'text>, single: bool) -> Scanned<Cow<'text, str>> {
    cursor.skip();
    let quote = if single { b'\'' } else { b'"' };
    let mut text = Text::starting_at(cursor.place());
    let mut breaks = Breaks::default();
    loop {
        cursor.ensure(4)?;
        if cursor.is_document_indicator() {
            return cursor.error("found unexpected document indicator");
        }
        if cursor.is_end() {
            return cursor.error("found unexpected end of stream");
        }
        let mut leading_blanks = false;
        loop {
            let start = cursor.place();
            let end = cursor.quoted_run(single);
            if end > start {
                cursor.advance_to(end);
                text.extend(cursor, start, end);
            } else if single && cursor.peek() == b'\'' && cursor.peek_at(1) == b'\'' {
                text.owned(cursor).push('\'');
                cursor.skip();
                cursor.skip();
            } else if !single && cursor.peek() == b'\\' {
                if cursor.is_break_at(1) {
                    text.owned(cursor);
                    cursor.ensure(3)?;
                    cursor.skip();
                    cursor.read_line();
                    leading_blanks = true;
                    break;
                }
                let character = escape(cursor)?;
                text.owned(cursor).push(character);
            } else {
                break;
            }
            cursor.ensure(2)?;
        }
        cursor.ensure(1)?;
        if cursor.peek() == quote {
            break;
        }
        let start = cursor.place();
        leading_blanks = breaks.read_between(cursor, leading_blanks, NO_INDENT)?;
        if leading_blanks {
            breaks.fold(text.owned(cursor));
        } else {
            let end = cursor.place();
            text.extend(cursor, start, end);
        }
    }
    let text = text.finish(cursor);
    cursor.skip();
    Ok(text)
}

/// Reads an escape of a character, which is not one of a line break.
fn escape(cursor: &mut Cursor<'_>) -> Scanned<char> {
    let mut digits = 0;
    let mut character = match cursor.peek_at(1) {
        b'0' => '\0',
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\u{b}',
        b'f' => '\u{c}',
        b'r' => '\r',
        b'e' => '\u{1b}',
        byte @ (b' ' | b'"' | b'\'' | b'\\') => char::from(byte),
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        byte @ (b'x' | b'u' | b'U') => {
            digits = match byte {
                b'x' => 2,
                b'u' => 4,
                _ => 8,
            };
            '\0'
        }
        _ => return cursor.error("found unknown escape character"),
    };
    cursor.skip();
    cursor.skip();
    if digits > 0 {
        cursor.ensure(digits)?;
        let mut code: u32 = 0;
        for ahead in 0..digits {
            let Some(digit) = char::from(cursor.peek_at(ahead)).to_digit(16) else {
                return cursor.error("did not find expected hexdecimal number");
            };
            code = code * 16 + digit;
        }
        character = match char::from_u32(code) {
            Some(character) => character,
            None => return cursor.error("found invalid Unicode character escape code"),
        };
        for _ in 0..digits {
            cursor.skip();
        }
    }
    Ok(character)
}

/// What becomes of the line breaks at the end of a block scalar.
#[derive(Clone, Copy, PartialEq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

/// Reads a block scalar. Go: `yaml_parser_scan_block_scalar`
pub(super) fn block<'text>(cursor: &mut Cursor<'text>, parent: i64, literal: bool) -> Scanned<Cow<'text, str>> {
    cursor.skip();
    let (chomping, increment) = block_header(cursor)?;
    end_line(cursor)?;
    let mut indent = increment.map_or(0, |increment| parent.max(0) + increment);
    let mut text = String::new();
    let mut leading_break = None;
    let mut trailing_breaks = String::new();
    block_breaks(cursor, parent, &mut indent, &mut trailing_breaks)?;
    cursor.ensure(1)?;
    let mut leading_blank = false;
    while i64::from(cursor.column()) == indent && !cursor.is_end() {
        let blank = cursor.is_blank();
        match leading_break.take() {
            Some('\n') if !literal && !leading_blank && !blank => {
                if trailing_breaks.is_empty() {
                    text.push(' ');
                }
            }
            line_break => text.extend(line_break),
        }
        text.push_str(&trailing_breaks);
        trailing_breaks.clear();
        leading_blank = blank;
        let start = cursor.place();
        cursor.skip_to_break()?;
        text.push_str(cursor.since(start));
        cursor.ensure(2)?;
        leading_break = cursor.read_line();
        block_breaks(cursor, parent, &mut indent, &mut trailing_breaks)?;
    }
    if chomping != Chomping::Strip {
        text.extend(leading_break);
    }
    if chomping == Chomping::Keep {
        text.push_str(&trailing_breaks);
    }
    Ok(Cow::Owned(text))
}

/// Reads the indicators of chomping and of indentation, in either order.
fn block_header(cursor: &mut Cursor<'_>) -> Scanned<(Chomping, Option<i64>)> {
    let mut chomping = None;
    let mut increment = None;
    cursor.ensure(1)?;
    for _ in 0..2 {
        match cursor.peek() {
            sign @ (b'+' | b'-') if chomping.is_none() => {
                chomping = Some(if sign == b'+' { Chomping::Keep } else { Chomping::Strip });
            }
            b'0' if increment.is_none() => return cursor.error("found an indentation indicator equal to 0"),
            digit @ b'1'..=b'9' if increment.is_none() => increment = Some(i64::from(digit - b'0')),
            _ => break,
        }
        cursor.skip();
        cursor.ensure(1)?;
    }
    Ok((chomping.unwrap_or(Chomping::Clip), increment))
}

/// Passes empty lines and the indentation of the next one, and finds out what the indentation is, if that is not known.
/// Go: `yaml_parser_scan_block_scalar_breaks`
fn block_breaks(cursor: &mut Cursor<'_>, parent: i64, indent: &mut i64, breaks: &mut String) -> Scanned<()> {
    let mut widest = 0;
    loop {
        cursor.ensure(1)?;
        let within = |cursor: &Cursor<'_>| *indent == 0 || i64::from(cursor.column()) < *indent;
        while within(cursor) && cursor.peek() == b' ' {
            cursor.skip();
            cursor.ensure(1)?;
        }
        widest = widest.max(i64::from(cursor.column()));
        if within(cursor) && cursor.peek() == b'\t' {
            return cursor.error("found a tab character where an indentation space is expected");
        }
        if !cursor.is_break() {
            break;
        }
        cursor.ensure(2)?;
        breaks.extend(cursor.read_line());
    }
    if *indent == 0 {
        *indent = widest.max(parent + 1).max(1);
    }
    Ok(())
}
