//! Splits template text into items (`text/template/parse/lex.go`).

use std::borrow::Cow;

use bstr::ByteSlice;
use memchr::memmem::Finder;

use super::node::{Position, Span};
use crate::functions::unicode::{is_digit, is_letter};
use crate::quote;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What is wrong is [`Lexer::problem`].
    Error,
    Bool,
    /// Another printable ASCII character, such as a comma.
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    /// A name with its leading dot.
    Field,
    Identifier,
    LeftDelimiter,
    LeftParenthesis,
    Number,
    Pipe,
    /// With its backquotes.
    RawString,
    RightDelimiter,
    RightParenthesis,
    /// With its quotes.
    String,
    Text,
    /// A name with its leading `$`.
    Variable,
    Block,
    Break,
    Continue,
    Define,
    Dot,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl Kind {
    fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Block
                | Self::Break
                | Self::Continue
                | Self::Define
                | Self::Dot
                | Self::Else
                | Self::End
                | Self::If
                | Self::Nil
                | Self::Range
                | Self::Template
                | Self::With
        )
    }
}

/// One piece of a template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'t> {
    pub(super) kind: Kind,
    /// Byte offset in the text.
    pub(super) position: Position,
    pub(super) value: &'t [u8],
    /// Line of the item's start, from 1.
    pub(super) line: usize,
    /// Whether space separates the item from the one before it in its action. Go has items for the space itself.
    pub(super) after_space: bool,
}

impl Item<'_> {
    /// Where the item is in the text.
    pub(super) fn span(&self) -> Span {
        Span { start: self.position, end: self.position + self.value.len() as Position }
    }

    /// The value as text.
    pub(super) fn text(&self) -> Cow<'_, str> {
        self.value.to_str_lossy()
    }

    /// How messages show the item (Go: `item.String`).
    pub(super) fn describe(&self) -> String {
        /// Longer values are cut.
        const SHOWN_CHARACTERS: usize = 10;
        match self.kind {
            Kind::Eof => String::from("EOF"),
            kind if kind.is_keyword() => format!("<{}>", self.text()),
            _ if self.value.len() > SHOWN_CHARACTERS => {
                let end = self.value.char_indices().nth(SHOWN_CHARACTERS).map_or(self.value.len(), |(start, ..)| start);
                format!("{}...", quote::quote(&self.value[..end]))
            }
            _ => quote::quote(self.value),
        }
    }
}

const LEFT_DELIMITER: &[u8] = b"{{";
const RIGHT_DELIMITER: &[u8] = b"}}";
const LEFT_COMMENT: &[u8] = b"/*";
const RIGHT_COMMENT: &[u8] = b"*/";
/// The minus and the space beside it.
const TRIM_MARKER_LENGTH: usize = 2;

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || is_letter(character) || is_digit(character)
}

fn has_left_trim_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space(*space))
}

fn has_right_trim_marker(text: &[u8]) -> bool {
    matches!(text, [space, b'-', ..] if is_space(*space))
}

fn count_newlines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

/// A lexer over one text. It works on demand, so that an error shows only when the parser gets there.
pub(super) struct Lexer<'t> {
    input: &'t [u8],
    position: usize,
    start: usize,
    at_end: bool,
    parenthesis_depth: usize,
    line: usize,
    start_line: usize,
    inside_action: bool,
    after_space: bool,
    problem: String,
    /// Prepared once: dashboards are full of single braces.
    left_delimiters: Finder<'static>,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(input: &'t [u8]) -> Self {
        Self {
            input,
            position: 0,
            start: 0,
            at_end: false,
            parenthesis_depth: 0,
            line: 1,
            start_line: 1,
            inside_action: false,
            after_space: false,
            problem: String::new(),
            left_delimiters: Finder::new(LEFT_DELIMITER),
        }
    }

    /// What is wrong with the text, after an item that says so.
    pub(super) fn problem(&self) -> &str {
        &self.problem
    }

    /// The next item; after the end, [`Kind::Eof`] or an error for ever.
    pub(super) fn next_item(&mut self) -> Item<'t> {
        if self.inside_action { self.inside_action() } else { self.text() }
    }

    fn rest(&self) -> &'t [u8] {
        self.input.get(self.position..).unwrap_or_default()
    }

    /// Consumes the next character; an invalid byte is one U+FFFD.
    fn next(&mut self) -> Option<char> {
        let rest = self.rest();
        let Some(first) = rest.first() else {
            self.at_end = true;
            return None;
        };
        if first.is_ascii() {
            self.position += 1;
            self.line += usize::from(*first == b'\n');
            return Some(char::from(*first));
        }
        let (character, width) = match bstr::decode_utf8(rest) {
            (Some(character), width) => (character, width),
            (None, _) => (char::REPLACEMENT_CHARACTER, 1),
        };
        self.position += width;
        Some(character)
    }

    fn peek(&mut self) -> Option<char> {
        if let Some(first) = self.rest().first()
            && first.is_ascii()
        {
            return Some(char::from(*first));
        }
        let character = self.next();
        self.back_up();
        character
    }

    /// Steps back one character, unless the end has been seen.
    fn back_up(&mut self) {
        if self.at_end || self.position == 0 {
            return;
        }
        let last = self.input[self.position - 1];
        if last.is_ascii() {
            self.position -= 1;
            self.line -= usize::from(last == b'\n');
            return;
        }
        let (_, width) = bstr::decode_last_utf8(&self.input[..self.position]);
        self.position -= width.max(1);
    }

    fn emit(&mut self, kind: Kind) -> Item<'t> {
        let item = Item {
            kind,
            position: self.start as Position,
            value: &self.input[self.start..self.position],
            line: self.start_line,
            after_space: self.after_space,
        };
        self.start = self.position;
        self.start_line = self.line;
        self.after_space = false;
        item
    }

    /// Skips the pending text, which was not consumed through `next`.
    fn ignore(&mut self) {
        self.line += count_newlines(&self.input[self.start..self.position]);
        self.start = self.position;
        self.start_line = self.line;
    }

    fn accept(&mut self, valid: &str) -> bool {
        if self.next().is_some_and(|character| valid.contains(character)) {
            return true;
        }
        self.back_up();
        false
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    /// An error item; the rest of the text is given up.
    fn fail(&mut self, message: impl Into<String>) -> Item<'t> {
        let item = Item {
            kind: Kind::Error,
            position: self.start as Position,
            value: b"",
            line: self.start_line,
            after_space: self.after_space,
        };
        self.problem = message.into();
        self.start = 0;
        self.position = 0;
        self.input = &[];
        item
    }

    /// Text up to the next action.
    fn text(&mut self) -> Item<'t> {
        loop {
            let Some(length) = self.left_delimiters.find(self.rest()) else {
                self.position = self.input.len();
                if self.position > self.start {
                    self.line += count_newlines(&self.input[self.start..self.position]);
                    return self.emit(Kind::Text);
                }
                return self.emit(Kind::Eof);
            };
            if length > 0 {
                self.position += length;
                let after_delimiter = &self.input[self.position + LEFT_DELIMITER.len()..];
                let mut trimmed = 0;
                if has_left_trim_marker(after_delimiter) {
                    let text = &self.input[self.start..self.position];
                    trimmed = text.iter().rev().take_while(|byte| is_space(**byte)).count();
                }
                self.position -= trimmed;
                self.line += count_newlines(&self.input[self.start..self.position]);
                let item = self.emit(Kind::Text);
                self.position += trimmed;
                self.ignore();
                if !item.value.is_empty() {
                    return item;
                }
            }
            if let Some(item) = self.left_delimiter() {
                return item;
            }
        }
    }

    /// The left delimiter with its trim marker; nothing if it begins a comment.
    fn left_delimiter(&mut self) -> Option<Item<'t>> {
        self.position += LEFT_DELIMITER.len();
        let marker = if has_left_trim_marker(self.rest()) { TRIM_MARKER_LENGTH } else { 0 };
        if self.rest().get(marker..).unwrap_or_default().starts_with(LEFT_COMMENT) {
            self.position += marker;
            self.ignore();
            return self.comment();
        }
        let item = self.emit(Kind::LeftDelimiter);
        self.inside_action = true;
        self.position += marker;
        self.ignore();
        self.parenthesis_depth = 0;
        Some(item)
    }

    /// Skips a comment with its delimiter. Gives an item only for an error.
    fn comment(&mut self) -> Option<Item<'t>> {
        self.position += LEFT_COMMENT.len();
        let Some(length) = self.rest().find(RIGHT_COMMENT) else {
            return Some(self.fail("unclosed comment"));
        };
        self.position += length + RIGHT_COMMENT.len();
        let Some(trims) = self.at_right_delimiter() else {
            return Some(self.fail("comment ends before closing delimiter"));
        };
        if trims {
            self.position += TRIM_MARKER_LENGTH;
        }
        self.position += RIGHT_DELIMITER.len();
        if trims {
            self.position += self.rest().iter().take_while(|byte| is_space(**byte)).count();
        }
        self.ignore();
        None
    }

    /// Whether a right delimiter follows, and if so, whether it has a trim marker.
    fn at_right_delimiter(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim_marker(rest) && rest[TRIM_MARKER_LENGTH..].starts_with(RIGHT_DELIMITER) {
            return Some(true);
        }
        rest.starts_with(RIGHT_DELIMITER).then_some(false)
    }

    fn right_delimiter(&mut self) -> Item<'t> {
        let trims = self.at_right_delimiter() == Some(true);
        if trims {
            self.position += TRIM_MARKER_LENGTH;
            self.ignore();
        }
        self.position += RIGHT_DELIMITER.len();
        let item = self.emit(Kind::RightDelimiter);
        if trims {
            self.position += self.rest().iter().take_while(|byte| is_space(**byte)).count();
            self.ignore();
        }
        self.inside_action = false;
        item
    }

    fn inside_action(&mut self) -> Item<'t> {
        self.skip_space();
        if self.at_right_delimiter().is_some() {
            return if self.parenthesis_depth == 0 { self.right_delimiter() } else { self.fail("unclosed left paren") };
        }
        let Some(character) = self.next() else { return self.fail("unclosed action") };
        match character {
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.next() == Some('=') {
                    self.emit(Kind::Declare)
                } else {
                    self.fail("expected :=")
                }
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted(b'"', Kind::String, "unterminated quoted string"),
            '\'' => self.quoted(b'\'', Kind::CharConstant, "unterminated character constant"),
            '`' => self.raw_string(),
            '$' => self.field_or_variable(Kind::Variable),
            '.' => match self.rest().first() {
                Some(byte) if !byte.is_ascii_digit() => self.field_or_variable(Kind::Field),
                _ => {
                    self.back_up();
                    self.number()
                }
            },
            '+' | '-' | '0'..='9' => {
                self.back_up();
                self.number()
            }
            _ if is_alphanumeric(character) => self.identifier(),
            '(' => {
                self.parenthesis_depth += 1;
                self.emit(Kind::LeftParenthesis)
            }
            ')' => match self.parenthesis_depth.checked_sub(1) {
                Some(depth) => {
                    self.parenthesis_depth = depth;
                    self.emit(Kind::RightParenthesis)
                }
                None => self.fail("unexpected right paren"),
            },
            '!'..='~' => self.emit(Kind::Char),
            _ => {
                let message = format!("unrecognized character in action: {}", quote::unicode_name(character));
                self.fail(message)
            }
        }
    }

    /// Skips a run of spaces, but for the last of them if it belongs to a trim marker.
    fn skip_space(&mut self) {
        let spaces = self.rest().iter().take_while(|byte| is_space(**byte)).count();
        if spaces == 0 {
            return;
        }
        self.position += spaces - 1;
        if self.at_right_delimiter().is_none() {
            self.position += 1;
        }
        self.after_space = self.position > self.start;
        self.ignore();
    }

    fn identifier(&mut self) -> Item<'t> {
        let following = self.skip_alphanumerics();
        if !self.at_terminator() {
            return self.bad_character(following);
        }
        let kind = match &self.input[self.start..self.position] {
            b"block" => Kind::Block,
            b"break" => Kind::Break,
            b"continue" => Kind::Continue,
            b"define" => Kind::Define,
            b"else" => Kind::Else,
            b"end" => Kind::End,
            b"if" => Kind::If,
            b"nil" => Kind::Nil,
            b"range" => Kind::Range,
            b"template" => Kind::Template,
            b"with" => Kind::With,
            b"true" | b"false" => Kind::Bool,
            _ => Kind::Identifier,
        };
        self.emit(kind)
    }

    /// The name after a dot or dollar sign, which has been consumed.
    fn field_or_variable(&mut self, kind: Kind) -> Item<'t> {
        if self.at_terminator() {
            return self.emit(if kind == Kind::Variable { Kind::Variable } else { Kind::Dot });
        }
        let following = self.skip_alphanumerics();
        if !self.at_terminator() {
            return self.bad_character(following);
        }
        self.emit(kind)
    }

    /// Consumes letters, digits and underscores; gives the character after them.
    fn skip_alphanumerics(&mut self) -> Option<char> {
        let is_plain = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        self.position += self.rest().iter().take_while(is_plain).count();
        loop {
            let character = self.next();
            if !character.is_some_and(is_alphanumeric) {
                self.back_up();
                return character;
            }
        }
    }

    fn bad_character(&mut self, character: Option<char>) -> Item<'t> {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        self.fail(format!("bad character {}", quote::unicode_name(character)))
    }

    /// Whether a name may end here.
    fn at_terminator(&mut self) -> bool {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.rest().starts_with(RIGHT_DELIMITER),
        }
    }

    /// A string or character constant, whose first quote has been consumed. The parser checks the escapes.
    fn quoted(&mut self, quote: u8, kind: Kind, unterminated: &str) -> Item<'t> {
        loop {
            let is_plain = |byte: &&u8| byte.is_ascii() && !matches!(**byte, b'\\' | b'\n') && **byte != quote;
            self.position += self.rest().iter().take_while(is_plain).count();
            match self.next() {
                Some('\\') if self.next().is_some_and(|character| character != '\n') => {}
                None | Some('\\' | '\n') => return self.fail(unterminated),
                Some(character) if character == char::from(quote) => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_string(&mut self) -> Item<'t> {
        loop {
            match self.next() {
                None => return self.fail("unterminated raw quoted string"),
                Some('`') => return self.emit(Kind::RawString),
                Some(_) => {}
            }
        }
    }

    /// A number, real, imaginary or complex. Not every item is a valid number; the parser finds out.
    fn number(&mut self) -> Item<'t> {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || self.input[self.position - 1] != b'i' {
                return self.bad_number();
            }
            return self.emit(Kind::Complex);
        }
        self.emit(Kind::Number)
    }

    fn bad_number(&mut self) -> Item<'t> {
        let text = &self.input[self.start..self.position];
        self.fail(format!("bad number syntax: {}", quote::quote(text)))
    }

    fn scan_number(&mut self) -> bool {
        const DECIMAL: &str = "0123456789_";
        const HEXADECIMAL: &str = "0123456789abcdefABCDEF_";
        self.accept("+-");
        let mut digits = DECIMAL;
        if self.accept("0") {
            if self.accept("xX") {
                digits = HEXADECIMAL;
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        if digits == DECIMAL && self.accept("eE") || digits == HEXADECIMAL && self.accept("pP") {
            self.accept("+-");
            self.accept_run(DECIMAL);
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The items of a text up to its end or first error, as `Kind value`.
    fn items(text: &str) -> Vec<String> {
        let mut lexer = Lexer::new(text.as_bytes());
        let mut items = Vec::new();
        loop {
            let item = lexer.next_item();
            match item.kind {
                Kind::Eof => return items,
                Kind::LeftDelimiter => items.push(String::from("{{")),
                Kind::RightDelimiter => items.push(String::from("}}")),
                Kind::Error => items.push(format!("Error {}", lexer.problem())),
                kind => items.push(format!("{kind:?} {}", item.text())),
            }
            if item.kind == Kind::Error {
                return items;
            }
        }
    }

    #[test]
    fn trim_markers_remove_space_on_their_side_only() {
        for (text, expected) in [
            ("a {{- 3 }} b", &["Text a", "{{", "Number 3", "}}", "Text  b"][..]),
            ("a {{ 3 -}} b", &["Text a ", "{{", "Number 3", "}}", "Text b"]),
            ("a \t\r\n{{- 3 -}}\r\n\t b", &["Text a", "{{", "Number 3", "}}", "Text b"]),
            ("a {{-3}} b", &["Text a ", "{{", "Number -3", "}}", "Text  b"]),
            ("a {{-\n3\n-}} b", &["Text a", "{{", "Number 3", "}}", "Text b"]),
            ("a \u{a0}{{- 3 }}", &["Text a \u{a0}", "{{", "Number 3", "}}"]),
            ("  {{- 3 }}", &["{{", "Number 3", "}}"]),
            ("a {{- /* c */ -}} b", &["Text a", "Text b"]),
            ("a {{/* }} */}} b", &["Text a ", "Text  b"]),
            ("{{ x -}}", &["{{", "Identifier x", "}}"]),
            // A minus that begins a number, which the parser refuses.
            ("{{- -}}", &["{{", "Number -", "}}"]),
        ] {
            assert_eq!(items(text), expected, "{text:?}");
        }
    }

    #[test]
    fn tells_terms_apart() {
        assert_eq!(
            items(r#"{{$x := .a.b | f (1.5e3) 'c' "s" `r` nil true . $ $y.z, if}}"#),
            [
                "{{",
                "Variable $x",
                "Declare :=",
                "Field .a",
                "Field .b",
                "Pipe |",
                "Identifier f",
                "LeftParenthesis (",
                "Number 1.5e3",
                "RightParenthesis )",
                "CharConstant 'c'",
                "String \"s\"",
                "RawString `r`",
                "Nil nil",
                "Bool true",
                "Dot .",
                "Variable $",
                "Variable $y",
                "Field .z",
                "Char ,",
                "If if",
                "}}",
            ]
        );
        assert_eq!(
            items("{{0x1F 0b1_0 1+2i .5 -1i}}")[1..6],
            ["Number 0x1F", "Number 0b1_0", "Complex 1+2i", "Number .5", "Number -1i"]
        );
    }

    #[test]
    fn errors_end_the_text() {
        for (text, message) in [
            ("{{", "unclosed action"),
            ("{{ \"a }}", "unterminated quoted string"),
            ("{{ \"a\n\" }}", "unterminated quoted string"),
            ("{{ 'a }}", "unterminated character constant"),
            ("{{ `a }}", "unterminated raw quoted string"),
            ("{{ (1 }}", "unclosed left paren"),
            ("{{ 1) }}", "unexpected right paren"),
            ("{{ .a-b }}", "bad character U+002D '-'"),
            ("{{ a\u{1} }}", "bad character U+0001"),
            ("{{ 3k }}", "bad number syntax: \"3k\""),
            ("{{ 1+2 }}", "bad number syntax: \"1+2\""),
            ("{{ $x : 1 }}", "expected :="),
            ("{{ \u{1} }}", "unrecognized character in action: U+0001"),
            ("{{/* a", "unclosed comment"),
            ("{{/* a */ x}}", "comment ends before closing delimiter"),
        ] {
            assert_eq!(items(text).last().map(String::as_str), Some(&*format!("Error {message}")), "{text}");
        }
    }

    #[test]
    fn items_know_their_line() {
        let mut lexer = Lexer::new(b"a\n{{ if\n.x }}\n\n{{- end }}");
        let mut lines = Vec::new();
        loop {
            let item = lexer.next_item();
            if item.kind == Kind::Eof {
                break;
            }
            lines.push((item.text().into_owned(), item.line));
        }
        let expected = [("a\n", 1), ("{{", 2), ("if", 2), (".x", 3), ("}}", 3), ("{{", 5), ("end", 5), ("}}", 5)];
        assert_eq!(lines, expected.map(|(text, line)| (text.to_owned(), line)));
    }
}
