//! The place in a text, and what stands there.

use std::str;

use super::super::error::YamlError;
use super::super::node::Position;
use super::super::source::{Pace, Source};

/// A place in a text: characters from its start, lines, and characters from the start of the line, all from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) index: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Mark {
    /// The place for people: from one.
    pub(crate) fn position(self) -> Position {
        Position { line: self.line as usize + 1, column: self.column as usize + 1 }
    }

    /// The place some characters later on the same line.
    pub(crate) fn after(self, characters: u32) -> Self {
        Self { index: self.index + characters, column: self.column + characters, ..self }
    }
}

/// The result of reading. The error is boxed: it is rare and large.
pub(crate) type Scanned<T> = Result<T, Box<YamlError>>;

/// What Go's reader has decoded so far, see [`Pace`].
#[derive(Debug)]
struct Buffer<'text> {
    pace: &'text Pace,
    /// How many steps are taken.
    steps: usize,
    /// The place up to which the text is decoded.
    end: usize,
    /// The place at which the buffer starts.
    start: usize,
    /// The terminators that follow the decoded text, less those that were passed.
    terminators: usize,
}

/// Walks through a text, character by character.
#[derive(Debug)]
pub(crate) struct Cursor<'text> {
    text: &'text str,
    place: usize,
    mark: Mark,
    is_ascii: bool,
    buffer: Option<Buffer<'text>>,
}

/// Space and tab.
const BLANK: u8 = 1;
/// `\r`, `\n`.
const BREAK: u8 = 2;
/// The first byte of U+0085, U+2028 or U+2029, or of another character.
const MAYBE_BREAK: u8 = 4;
/// The end of the text.
const END: u8 = 8;
/// What ends a plain scalar inside brackets.
const FLOW: u8 = 16;
const COLON: u8 = 32;
/// Letters, digits, `_` and `-`.
const WORD: u8 = 64;
/// `'`, `"` and `\`.
const QUOTE: u8 = 128;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b' ' | b'\t' => BLANK,
            b'\r' | b'\n' => BREAK,
            0xC2 | 0xE2 => MAYBE_BREAK,
            0 => END,
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => FLOW,
            b':' => COLON,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' => WORD,
            b'\'' | b'"' | b'\\' => QUOTE,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> u8 {
    CLASSES[byte as usize]
}

impl<'text> Cursor<'text> {
    pub(crate) fn new(source: &'text Source<'_>) -> Self {
        let buffer = source.pace.as_ref().map(|pace| Buffer { pace, steps: 0, end: 0, start: 0, terminators: 0 });
        Self { text: &source.text, place: 0, mark: Mark::default(), is_ascii: source.text.is_ascii(), buffer }
    }

    pub(crate) fn mark(&self) -> Mark {
        self.mark
    }

    pub(crate) fn column(&self) -> u32 {
        self.mark.column
    }

    /// The byte some bytes ahead; zero at the end of the text.
    pub(crate) fn peek_at(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.place + ahead).copied().unwrap_or(0)
    }

    pub(crate) fn peek(&self) -> u8 {
        self.peek_at(0)
    }

    /// The place in bytes.
    pub(crate) fn place(&self) -> usize {
        self.place
    }

    /// The text from an earlier place to here.
    pub(crate) fn since(&self, start: usize) -> &'text str {
        self.between(start, self.place)
    }

    /// The text between two places that the cursor has been at.
    pub(crate) fn between(&self, start: usize, end: usize) -> &'text str {
        self.text.get(start..end).unwrap_or_default()
    }

    pub(crate) fn is_end(&self) -> bool {
        self.place >= self.text.len()
    }

    pub(crate) fn is_blank(&self) -> bool {
        class(self.peek()) == BLANK
    }

    /// Go: `is_break`, with LS and PS as in YAML 1.1
    pub(crate) fn is_break(&self) -> bool {
        self.is_break_at(0)
    }

    pub(crate) fn is_break_at(&self, ahead: usize) -> bool {
        match class(self.peek_at(ahead)) {
            BREAK => true,
            MAYBE_BREAK => is_wide_break(&self.text.as_bytes()[self.place + ahead..]),
            _ => false,
        }
    }

    /// Whether a blank, a break or the end of the text stands some bytes ahead. Go: `is_blankz`
    pub(crate) fn is_separation_at(&self, ahead: usize) -> bool {
        class(self.peek_at(ahead)) & (BLANK | END) != 0 || self.is_break_at(ahead)
    }

    /// Go: `is_alpha`
    pub(crate) fn is_word(&self) -> bool {
        class(self.peek()) == WORD
    }

    /// Whether `---` or `...` stands here at the start of a line, by itself.
    pub(crate) fn is_document_indicator(&self) -> bool {
        self.mark.column == 0
            && matches!(self.peek(), b'-' | b'.')
            && self.peek_at(1) == self.peek()
            && self.peek_at(2) == self.peek()
            && self.is_separation_at(3)
    }

    /// Makes sure that Go has decoded this many more characters, the end of the text counting as any number of them.
    /// Go: `yaml_parser_update_buffer`
    pub(crate) fn ensure(&mut self, characters: usize) -> Scanned<()> {
        match &self.buffer {
            None => Ok(()),
            Some(_) => self.fill(characters),
        }
    }

    #[cold]
    fn fill(&mut self, characters: usize) -> Scanned<()> {
        let Some(buffer) = &mut self.buffer else { return Ok(()) };
        let available = |buffer: &Buffer<'_>| {
            let decoded = self.text.get(self.place..buffer.end).unwrap_or_default();
            decoded.chars().take(characters).count() + buffer.terminators
        };
        if available(buffer) >= characters {
            return Ok(());
        }
        buffer.start = self.place;
        while available(buffer) < characters {
            if let Some(&end) = buffer.pace.steps.get(buffer.steps) {
                buffer.end = end;
                buffer.steps += 1;
            } else if let Some(problem) = buffer.pace.problem {
                return Err(Box::new(YamlError::yaml(None, problem).at(self.mark.position())));
            } else {
                buffer.terminators += 1;
                break;
            }
        }
        Ok(())
    }

    /// Whether Go's buffer starts with a byte order mark. Go: `is_bom`
    pub(crate) fn buffer_starts_with_mark(&self) -> bool {
        self.buffer.as_ref().is_some_and(|buffer| self.text[buffer.start..].starts_with('\u{FEFF}'))
    }

    /// Passes one character. Go: `skip`
    pub(crate) fn skip(&mut self) {
        match self.text.as_bytes().get(self.place) {
            Some(0..=0x7F) => self.place += 1,
            Some(_) => self.place += self.width(),
            None => {
                if let Some(buffer) = &mut self.buffer {
                    buffer.terminators = buffer.terminators.saturating_sub(1);
                }
            }
        }
        self.mark.index += 1;
        self.mark.column += 1;
    }

    fn width(&self) -> usize {
        self.text[self.place..].chars().next().map_or(0, char::len_utf8)
    }

    /// Passes the characters up to a place on the same line.
    pub(crate) fn advance_to(&mut self, end: usize) {
        let characters =
            if self.is_ascii { end - self.place } else { self.text[self.place..end].chars().count() } as u32;
        self.mark.index += characters;
        self.mark.column += characters;
        self.place = end;
    }

    /// Passes a line break, if one is here, and names it: `\n` for all but LS and PS. Go: `read_line`
    pub(crate) fn read_line(&mut self) -> Option<char> {
        let (width, line_break) = match self.peek() {
            b'\r' if self.peek_at(1) == b'\n' => {
                self.mark.index += 1;
                (2, '\n')
            }
            b'\r' | b'\n' => (1, '\n'),
            _ if !self.is_break() => return None,
            0xC2 => (2, '\n'),
            _ if self.peek_at(2) == 0xA8 => (3, '\u{2028}'),
            _ => (3, '\u{2029}'),
        };
        self.place += width;
        self.mark.index += 1;
        self.mark.line += 1;
        self.mark.column = 0;
        Some(line_break)
    }

    /// Starts a new line at the end of the text. Go: `yaml_parser_fetch_stream_end`
    pub(crate) fn force_line(&mut self) {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
    }

    /// The end of the text that a predicate on classes of bytes lets pass, or of its first character where Go's reader
    /// has to keep up.
    fn run(&self, stops: u8, mut passes: impl FnMut(&Self, usize) -> bool) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = self.place;
        while let Some(&byte) = bytes.get(end) {
            if class(byte) & stops != 0 && !passes(self, end - self.place) {
                break;
            }
            end += 1;
            if self.buffer.is_some() {
                while !self.text.is_char_boundary(end) {
                    end += 1;
                }
                break;
            }
        }
        end
    }

    /// Where the characters of a plain scalar end: at a blank, a break, a colon before one of these, or an indicator of
    /// flow collections inside one.
    pub(crate) fn plain_run(&self, in_flow: bool) -> usize {
        let stops = BLANK | BREAK | MAYBE_BREAK | COLON | if in_flow { FLOW } else { 0 };
        self.run(stops, |cursor, ahead| match class(cursor.peek_at(ahead)) {
            COLON => !cursor.is_separation_at(ahead + 1),
            MAYBE_BREAK => !cursor.is_break_at(ahead),
            _ => false,
        })
    }

    /// Where the characters of a quoted scalar that stand for themselves end.
    pub(crate) fn quoted_run(&self, single: bool) -> usize {
        self.run(BLANK | BREAK | MAYBE_BREAK | QUOTE, |cursor, ahead| match cursor.peek_at(ahead) {
            b'\'' => !single,
            b'"' | b'\\' => single,
            byte if class(byte) == MAYBE_BREAK => !cursor.is_break_at(ahead),
            _ => false,
        })
    }

    /// Where the line ends.
    pub(crate) fn line_run(&self) -> usize {
        self.run(BREAK | MAYBE_BREAK, |cursor, ahead| {
            class(cursor.peek_at(ahead)) == MAYBE_BREAK && !cursor.is_break_at(ahead)
        })
    }

    /// Passes what is left of the line.
    pub(crate) fn skip_to_break(&mut self) -> Scanned<()> {
        loop {
            let end = self.line_run();
            if end == self.place {
                return Ok(());
            }
            self.advance_to(end);
            self.ensure(1)?;
        }
    }

    /// Passes spaces and tabs.
    pub(crate) fn skip_blanks(&mut self) -> Scanned<()> {
        while self.is_blank() {
            self.skip();
            self.ensure(1)?;
        }
        Ok(())
    }

    /// An error of the scanner at the current place. Go: `yaml_parser_set_scanner_error`, and `fail`, which counts the
    /// line of the scanner's errors from one unless they are in the first.
    pub(crate) fn error<T>(&self, problem: &'static str) -> Scanned<T> {
        let line = (self.mark.line != 0).then_some(self.mark.line as usize + 1);
        Err(Box::new(YamlError::yaml(line, problem).at(self.mark.position())))
    }
}

/// U+0085, U+2028 or U+2029.
fn is_wide_break(bytes: &[u8]) -> bool {
    matches!(bytes, [0xC2, 0x85, ..] | [0xE2, 0x80, 0xA8 | 0xA9, ..])
}
