//! The characters of a YAML text: encoding and the set that YAML allows (`readerc.go`).

use std::borrow::Cow;

/// How many bytes Go's reader decodes at a time (`input_raw_buffer_size`). It finds bad bytes only when it gets to the
/// chunk that they are in, which decides which of two errors is reported.
const CHUNK_BYTES: usize = 512;

/// A byte order mark. One inside the text confuses Go's scanner, see [`Pace`].
const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// A decoded text. It ends before the first byte that cannot be read.
#[derive(Debug)]
pub(crate) struct Source<'bytes> {
    pub(crate) text: Cow<'bytes, str>,
    /// How Go gets through the text, where that can be noticed.
    pub(crate) pace: Option<Pace>,
}

/// The steps in which Go's reader decodes a text. They matter only where the text has bytes that cannot be read, or a
/// byte order mark: the scanner skips a character at the start of each line while its buffer begins with one (`is_bom`
/// looks at the start of the buffer).
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// The places up to which the text is decoded after each step.
    pub(crate) steps: Vec<usize>,
    /// What is wrong with the bytes after the last step; nothing where the text simply ends.
    pub(crate) problem: Option<&'static str>,
}

impl<'bytes> Source<'bytes> {
    /// Decodes a text.
    pub(crate) fn read(bytes: &'bytes [u8]) -> Self {
        let (encoding, start) = Encoding::of(bytes);
        if encoding == Encoding::Utf8
            && let Ok(text) = std::str::from_utf8(&bytes[start..])
            && is_unremarkable(text)
        {
            return Self { text: Cow::Borrowed(text), pace: None };
        }
        let mut text = String::with_capacity(bytes.len());
        let steps = encoding.decode(bytes, start, &mut text);
        let remarkable = steps.problem.is_some() || text.contains(BYTE_ORDER_MARK);
        Self { text: Cow::Owned(text), pace: remarkable.then_some(steps) }
    }
}

/// Whether a text has only allowed characters and no byte order mark.
fn is_unremarkable(text: &str) -> bool {
    let control = |byte: &u8| (*byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7F;
    if text.as_bytes().iter().fold(false, |found, byte| found | control(byte)) {
        return false;
    }
    text.is_ascii() || text.chars().all(|character| is_allowed(character) && character != BYTE_ORDER_MARK)
}

/// Whether a character may stand in a YAML text.
pub(crate) fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{FFFD}' | '\u{10000}'..)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
}

/// What the next bytes are.
enum Next {
    Character(char, usize),
    /// The beginning of a character; an error at the end of the text.
    Incomplete(&'static str),
    Broken(&'static str),
}

impl Encoding {
    /// Go: `yaml_parser_determine_encoding`
    fn of(bytes: &[u8]) -> (Self, usize) {
        match bytes {
            [0xFF, 0xFE, ..] => (Self::Utf16LittleEndian, 2),
            [0xFE, 0xFF, ..] => (Self::Utf16BigEndian, 2),
            [0xEF, 0xBB, 0xBF, ..] => (Self::Utf8, 3),
            _ => (Self::Utf8, 0),
        }
    }

    /// Decodes the bytes from `place` on until the first that cannot be read. Go: `yaml_parser_update_buffer`
    fn decode(self, bytes: &[u8], start: usize, text: &mut String) -> Pace {
        let mut pace = Pace::default();
        let mut offset = start;
        let mut end = CHUNK_BYTES.min(bytes.len());
        loop {
            match self.next(&bytes[offset..end]) {
                Next::Character(character, width) if is_allowed(character) => {
                    text.push(character);
                    offset += width;
                }
                Next::Character(..) => {
                    pace.problem = Some("control characters are not allowed");
                    return pace;
                }
                Next::Broken(problem) => {
                    pace.problem = Some(problem);
                    return pace;
                }
                Next::Incomplete(problem) => {
                    pace.steps.push(text.len());
                    if end == bytes.len() {
                        pace.problem = (offset < end).then_some(problem);
                        return pace;
                    }
                    end = (offset + CHUNK_BYTES).min(bytes.len());
                }
            }
        }
    }

    fn next(self, bytes: &[u8]) -> Next {
        match self {
            Self::Utf8 => next_utf8(bytes),
            Self::Utf16LittleEndian => next_utf16(bytes, u16::from_le_bytes),
            Self::Utf16BigEndian => next_utf16(bytes, u16::from_be_bytes),
        }
    }
}

fn next_utf8(bytes: &[u8]) -> Next {
    const INCOMPLETE: &str = "incomplete UTF-8 octet sequence";
    let (width, lead, minimum) = match bytes.first() {
        None => return Next::Incomplete(INCOMPLETE),
        Some(byte @ 0..=0x7F) => return Next::Character(char::from(*byte), 1),
        Some(byte @ 0xC0..=0xDF) => (2, byte & 0x1F, 0x80),
        Some(byte @ 0xE0..=0xEF) => (3, byte & 0x0F, 0x800),
        Some(byte @ 0xF0..=0xF7) => (4, byte & 0x07, 0x1_0000),
        Some(_) => return Next::Broken("invalid leading UTF-8 octet"),
    };
    let Some(trail) = bytes.get(1..width) else { return Next::Incomplete(INCOMPLETE) };
    let mut code = u32::from(lead);
    for byte in trail {
        if byte & 0xC0 != 0x80 {
            return Next::Broken("invalid trailing UTF-8 octet");
        }
        code = (code << 6) | u32::from(byte & 0x3F);
    }
    if code < minimum {
        return Next::Broken("invalid length of a UTF-8 sequence");
    }
    char::from_u32(code)
        .map_or(Next::Broken("invalid Unicode character"), |character| Next::Character(character, width))
}

fn next_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Next {
    let unit = |place: usize| Some(u32::from(unit([*bytes.get(place)?, *bytes.get(place + 1)?])));
    let Some(first) = unit(0) else { return Next::Incomplete("incomplete UTF-16 character") };
    if first & 0xFC00 == 0xDC00 {
        return Next::Broken("unexpected low surrogate area");
    }
    let (code, width) = if first & 0xFC00 == 0xD800 {
        let Some(second) = unit(2) else { return Next::Incomplete("incomplete UTF-16 surrogate pair") };
        if second & 0xFC00 != 0xDC00 {
            return Next::Broken("expected low surrogate area");
        }
        (0x1_0000 + ((first & 0x3FF) << 10) + (second & 0x3FF), 4)
    } else {
        (first, 2)
    };
    Next::Character(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), width)
}
