//! Cuts a TOML text into items, in the states and with the errors of the lexer of `github.com/BurntSushi/toml` (`lex.go`).

use std::collections::VecDeque;

use crate::functions::unicode;
use crate::quote::quote_character;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Eof,
    /// A bare part of a key, or a comment.
    Text,
    String,
    /// A string with escapes.
    EscapedString,
    RawString,
    MultilineString,
    RawMultilineString,
    Bool,
    Integer,
    Float,
    Datetime,
    Array,
    ArrayEnd,
    TableStart,
    TableEnd,
    ArrayTableStart,
    ArrayTableEnd,
    KeyStart,
    KeyEnd,
    CommentStart,
    InlineTableStart,
    InlineTableEnd,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t [u8],
    pub(super) line: usize,
}

/// Why the text cannot be cut.
#[derive(Debug)]
pub(super) struct LexError {
    pub(super) line: usize,
    pub(super) problem: String,
}

/// The functions of the lexer in Go.
#[derive(Clone, Copy, Debug)]
enum State {
    Top,
    TopEnd,
    TableStart,
    TableEnd,
    ArrayTableEnd,
    TableNameStart,
    TableNameEnd,
    BareName,
    QuotedName,
    KeyStart,
    KeyNameStart,
    KeyEnd,
    Value,
    ArrayValue,
    ArrayValueEnd,
    InlineTableValue,
    InlineTableValueEnd,
    String,
    StringEscape,
    MultilineString,
    MultilineStringEscape,
    RawString,
    MultilineRawString,
    NumberOrDateStart,
    NumberOrDate,
    BaseNumberOrDate,
    Datetime,
    HexInteger,
    OctalInteger,
    BinaryInteger,
    DecimalNumber,
    DecimalNumberStart,
    Float,
    Bool,
    CommentStart,
    Comment,
}

/// What [`Lexer::next`] gives at the end of the text, and what it gives in place of a character that is refused.
const EOF: char = '\0';
const REFUSED: char = char::REPLACEMENT_CHARACTER;

/// How many characters can be taken back.
const BACKUPS: usize = 4;

pub(super) struct Lexer<'t> {
    text: &'t [u8],
    start: usize,
    place: usize,
    line: usize,
    state: Option<State>,
    items: VecDeque<Result<Item<'t>, LexError>>,
    /// Whether the string being read has escapes.
    escaped: bool,
    /// The lengths of the last characters, the latest first.
    widths: [usize; BACKUPS],
    at_end: bool,
    /// Where to go on after a value, a name or a comment.
    stack: Vec<State>,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            start: 0,
            place: 0,
            line: 1,
            state: Some(State::Top),
            items: VecDeque::new(),
            escaped: false,
            widths: [0; BACKUPS],
            at_end: false,
            stack: Vec::new(),
        }
    }

    /// The next item; after the last one, the end again and again.
    pub(super) fn next_item(&mut self) -> Result<Item<'t>, LexError> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return item;
            }
            match self.state {
                Some(state) => self.state = self.step(state),
                None => return Ok(Item { kind: Kind::Eof, text: b"", line: self.line }),
            }
        }
    }

    fn current(&self) -> &'t [u8] {
        self.text.get(self.start..self.place).unwrap_or_default()
    }

    fn emit(&mut self, kind: Kind) {
        let item = Item { kind, text: self.current(), line: self.line };
        self.items.push_back(Ok(item));
        self.start = self.place;
    }

    fn emit_and_pop(&mut self, kind: Kind) -> Option<State> {
        self.emit(kind);
        self.stack.pop()
    }

    /// Takes back the last character and ends an item before it.
    fn emit_before(&mut self, kind: Kind) -> Option<State> {
        self.backup();
        self.emit_and_pop(kind)
    }

    fn next(&mut self) -> char {
        let Some(&byte) = self.text.get(self.place) else {
            self.at_end = true;
            return EOF;
        };
        self.line += usize::from(byte == b'\n');
        self.widths.copy_within(..BACKUPS - 1, 1);
        let (decoded, width) = bstr::decode_utf8(&self.text[self.place..]);
        let Some(character) = decoded else {
            self.fail(format!("invalid UTF-8 byte: {byte:#04x}"));
            return REFUSED;
        };
        let is_alone = character == '\r' && self.text.get(self.place + 1) != Some(&b'\n');
        if is_alone || character.is_ascii_control() && !matches!(character, '\t' | '\r' | '\n') {
            self.fail(format!("TOML files cannot contain control characters: '0x{byte:02x}'"));
            return REFUSED;
        }
        self.widths[0] = width;
        self.place += width;
        character
    }

    fn ignore(&mut self) {
        self.start = self.place;
    }

    fn backup(&mut self) {
        if self.at_end {
            self.at_end = false;
            return;
        }
        let width = self.widths[0];
        self.widths.copy_within(1.., 0);
        // After a refused character there may be less to take back; nothing is read any more then.
        self.place = self.place.saturating_sub(width);
        if self.text.get(self.place) == Some(&b'\n') {
            self.line = self.line.saturating_sub(1);
        }
    }

    fn accept(&mut self, valid: char) -> bool {
        let accepted = self.next() == valid;
        if !accepted {
            self.backup();
        }
        accepted
    }

    fn peek(&mut self) -> char {
        let next = self.next();
        self.backup();
        next
    }

    fn skip_space(&mut self) {
        while is_space(self.next()) {}
        self.backup();
        self.ignore();
    }

    fn fail_at(&mut self, line: usize, problem: impl Into<String>) -> Option<State> {
        self.items.push_back(Err(LexError { line, problem: problem.into() }));
        None
    }

    // Go: lexer.error
    fn fail(&mut self, problem: String) -> Option<State> {
        self.fail_at(self.line - usize::from(self.at_end), problem)
    }

    /// Behind the last line break the line before it is named.
    // Go: lexer.errorf
    fn expected(&mut self, problem: impl Into<String>) -> Option<State> {
        let is_past_last_line = self.at_end && self.place > 0 && self.text[self.place - 1] == b'\n';
        self.fail_at(self.line - usize::from(is_past_last_line), problem)
    }

    /// Blames the line before the line break that was just read.
    // Go: lexer.errorPrevLine
    fn broken_line(&mut self, problem: impl Into<String>) -> Option<State> {
        self.fail_at(self.line - 1, problem)
    }

    fn enter(&mut self, after: State, state: State) -> Option<State> {
        self.stack.push(after);
        Some(state)
    }

    /// Goes on in a state without what was read.
    fn skip_to(&mut self, state: State) -> Option<State> {
        self.ignore();
        Some(state)
    }

    fn step(&mut self, state: State) -> Option<State> {
        match state {
            State::Top => self.top(),
            State::TopEnd => self.top_end(),
            State::TableStart => self.table_start(),
            State::TableEnd => {
                self.emit(Kind::TableEnd);
                Some(State::TopEnd)
            }
            State::ArrayTableEnd => match self.next() {
                ']' => {
                    self.emit(Kind::ArrayTableEnd);
                    Some(State::TopEnd)
                }
                other => self.expected(format!(
                    "expected end of table array name delimiter ']', but got {} instead",
                    quoted(other)
                )),
            },
            State::TableNameStart => self.table_name_start(),
            State::TableNameEnd => {
                self.skip_space();
                match self.next() {
                    '.' => self.skip_to(State::TableNameStart),
                    ']' => self.stack.pop(),
                    other => self
                        .expected(format!("expected '.' or ']' to end table name, but got {} instead", quoted(other))),
                }
            }
            State::BareName => match self.next() {
                'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' => Some(State::BareName),
                _ => self.emit_before(Kind::Text),
            },
            State::QuotedName => match self.next() {
                '"' => self.skip_to(State::String),
                _ => self.skip_to(State::RawString),
            },
            State::KeyStart => self.key_start(),
            State::KeyNameStart => {
                self.skip_space();
                match self.peek() {
                    '"' | '\'' => {
                        self.ignore();
                        self.enter(State::KeyEnd, State::QuotedName)
                    }
                    '=' | EOF => self.expected("unexpected '='"),
                    '.' => self.expected("unexpected '.'"),
                    _ => self.enter(State::KeyEnd, State::BareName),
                }
            }
            State::KeyEnd => self.key_end(),
            State::Value => self.value(),
            State::ArrayValue => self.array_value(),
            State::ArrayValueEnd => self.array_value_end(),
            State::InlineTableValue => self.inline_table_value(),
            State::InlineTableValueEnd => self.inline_table_value_end(),
            State::String => self.string(),
            State::StringEscape => self.string_escape(),
            State::MultilineString => self.multiline_string(),
            State::MultilineStringEscape => {
                if is_line_break(self.next()) {
                    return Some(State::MultilineString);
                }
                self.backup();
                self.enter(State::MultilineString, State::StringEscape)
            }
            State::RawString => match self.next() {
                EOF => self.expected("unexpected EOF; expected \"'\""),
                '\n' | '\r' => self.broken_line(STRING_WITH_LINE_BREAK),
                '\'' => self.end_string(Kind::RawString, 1),
                _ => Some(State::RawString),
            },
            State::MultilineRawString => self.multiline_raw_string(),
            State::NumberOrDateStart => match self.next() {
                '0' => Some(State::BaseNumberOrDate),
                _ => Some(State::NumberOrDate),
            },
            State::NumberOrDate => match self.next() {
                '0'..='9' => Some(State::NumberOrDate),
                '-' | ':' => Some(State::Datetime),
                '_' => Some(State::DecimalNumber),
                '.' | 'e' | 'E' => Some(State::Float),
                _ => self.emit_before(Kind::Integer),
            },
            State::BaseNumberOrDate => self.base_number_or_date(),
            State::Datetime => match self.next() {
                '0'..='9' | '-' | ':' | 'T' | 't' | ' ' | '.' | 'Z' | 'z' | '+' => Some(State::Datetime),
                _ => self.emit_before(Kind::Datetime),
            },
            State::HexInteger => self.digits(state, |digit| digit.is_ascii_hexdigit()),
            State::OctalInteger => self.digits(state, is_octal),
            State::BinaryInteger => self.digits(state, is_binary),
            State::DecimalNumber => match self.next() {
                '0'..='9' | '_' => Some(State::DecimalNumber),
                '.' | 'e' | 'E' => Some(State::Float),
                _ => self.emit_before(Kind::Integer),
            },
            State::DecimalNumberStart => self.decimal_number_start(),
            State::Float => match self.next() {
                '0'..='9' | '_' | '.' | '-' | '+' | 'e' | 'E' => Some(State::Float),
                _ => self.emit_before(Kind::Float),
            },
            State::Bool => self.bool(),
            State::CommentStart => {
                self.ignore();
                self.emit(Kind::CommentStart);
                Some(State::Comment)
            }
            State::Comment => match self.next() {
                '\n' | '\r' | EOF => self.emit_before(Kind::Text),
                _ => Some(State::Comment),
            },
        }
    }

    fn top(&mut self) -> Option<State> {
        match self.next() {
            ' ' | '\t' | '\n' | '\r' => self.skip_to(State::Top),
            '#' => self.enter(State::Top, State::CommentStart),
            '[' => Some(State::TableStart),
            EOF => {
                self.emit(Kind::Eof);
                None
            }
            _ => {
                self.backup();
                self.enter(State::TopEnd, State::KeyStart)
            }
        }
    }

    fn top_end(&mut self) -> Option<State> {
        match self.next() {
            '#' => self.enter(State::Top, State::CommentStart),
            ' ' | '\t' => Some(State::TopEnd),
            '\n' | '\r' => self.skip_to(State::Top),
            EOF => {
                self.emit(Kind::Eof);
                None
            }
            other => self.expected(format!(
                "expected a top-level item to end with a newline, comment, or EOF, but got {} instead",
                quoted(other)
            )),
        }
    }

    fn table_start(&mut self) -> Option<State> {
        if self.peek() == '[' {
            self.next();
            self.emit(Kind::ArrayTableStart);
            self.enter(State::ArrayTableEnd, State::TableNameStart)
        } else {
            self.emit(Kind::TableStart);
            self.enter(State::TableEnd, State::TableNameStart)
        }
    }

    fn table_name_start(&mut self) -> Option<State> {
        self.skip_space();
        match self.peek() {
            ']' | EOF => self.expected("unexpected end of table name (table names cannot be empty)"),
            '.' => self.expected("unexpected table separator (table names cannot be empty)"),
            '"' | '\'' => {
                self.ignore();
                self.enter(State::TableNameEnd, State::QuotedName)
            }
            _ => self.enter(State::TableNameEnd, State::BareName),
        }
    }

    fn key_start(&mut self) -> Option<State> {
        self.skip_space();
        match self.peek() {
            '=' | EOF => self.expected("unexpected '=': key name appears blank"),
            '.' => self.expected("unexpected '.': keys cannot start with a '.'"),
            _ => {
                self.emit(Kind::KeyStart);
                Some(State::KeyNameStart)
            }
        }
    }

    fn key_end(&mut self) -> Option<State> {
        self.skip_space();
        match self.next() {
            EOF => self.expected("unexpected EOF; expected key separator '='"),
            '.' => self.skip_to(State::KeyNameStart),
            '=' => {
                self.emit(Kind::KeyEnd);
                self.skip_to(State::Value)
            }
            other => {
                let problem = format!("expected '.' or '=', but got {} instead", quoted(other));
                if other == '\n' { self.broken_line(problem) } else { self.expected(problem) }
            }
        }
    }

    fn value(&mut self) -> Option<State> {
        let first = self.next();
        match first {
            ' ' | '\t' => return self.skip_to(State::Value),
            '0'..='9' => {
                self.backup();
                return Some(State::NumberOrDateStart);
            }
            '[' => {
                self.ignore();
                self.emit(Kind::Array);
                return Some(State::ArrayValue);
            }
            '{' => {
                self.ignore();
                self.emit(Kind::InlineTableStart);
                return Some(State::InlineTableValue);
            }
            '"' => return self.string_start('"', State::String, State::MultilineString),
            '\'' => return self.string_start('\'', State::RawString, State::MultilineRawString),
            '.' => return self.expected("floats must start with a digit, not '.'"),
            'i' | 'n' if self.accept('n') && self.accept('f') || self.accept('a') && self.accept('n') => {
                return self.emit_and_pop(Kind::Float);
            }
            '-' | '+' => return Some(State::DecimalNumberStart),
            _ => {}
        }
        if unicode::is_letter(first) {
            self.backup();
            return Some(State::Bool);
        }
        let problem = format!("expected value but found {} instead", quoted(first));
        match first {
            EOF => self.expected("unexpected EOF; expected value"),
            '\n' => self.broken_line(problem),
            _ => self.expected(problem),
        }
    }

    /// Goes on inside a string, after its first quote or its first three.
    fn string_start(&mut self, quote: char, single: State, multiline: State) -> Option<State> {
        if self.accept(quote) {
            if self.accept(quote) {
                return self.skip_to(multiline);
            }
            self.backup();
        }
        self.skip_to(single)
    }

    fn array_value(&mut self) -> Option<State> {
        match self.next() {
            ' ' | '\t' | '\n' | '\r' => self.skip_to(State::ArrayValue),
            '#' => self.enter(State::ArrayValue, State::CommentStart),
            ',' => self.expected("unexpected comma"),
            ']' => self.array_end(),
            _ => {
                self.backup();
                self.enter(State::ArrayValueEnd, State::Value)
            }
        }
    }

    fn array_value_end(&mut self) -> Option<State> {
        match self.next() {
            ' ' | '\t' | '\n' | '\r' => self.skip_to(State::ArrayValueEnd),
            '#' => self.enter(State::ArrayValueEnd, State::CommentStart),
            ',' => self.skip_to(State::ArrayValue),
            ']' => self.array_end(),
            other => self.expected(format!(
                "expected a comma (',') or array terminator (']'), but got {}",
                or_end_of_file(other)
            )),
        }
    }

    fn array_end(&mut self) -> Option<State> {
        self.ignore();
        self.emit_and_pop(Kind::ArrayEnd)
    }

    fn inline_table_value(&mut self) -> Option<State> {
        match self.next() {
            ' ' | '\t' | '\n' | '\r' => self.skip_to(State::InlineTableValue),
            '#' => self.enter(State::InlineTableValue, State::CommentStart),
            ',' => self.expected("unexpected comma"),
            '}' => self.inline_table_end(),
            _ => {
                self.backup();
                self.enter(State::InlineTableValueEnd, State::KeyStart)
            }
        }
    }

    fn inline_table_value_end(&mut self) -> Option<State> {
        match self.next() {
            ' ' | '\t' | '\n' | '\r' => self.skip_to(State::InlineTableValueEnd),
            '#' => self.enter(State::InlineTableValueEnd, State::CommentStart),
            ',' => {
                self.ignore();
                self.skip_space();
                let is_last = self.peek() == '}';
                Some(if is_last { State::InlineTableValueEnd } else { State::InlineTableValue })
            }
            '}' => self.inline_table_end(),
            other => self.expected(format!(
                "expected a comma or an inline table terminator '}}', but got {} instead",
                or_end_of_file(other)
            )),
        }
    }

    fn inline_table_end(&mut self) -> Option<State> {
        self.ignore();
        self.emit_and_pop(Kind::InlineTableEnd)
    }

    /// Ends a string before its quotes, all of which have been read, and leaves them out.
    fn end_string(&mut self, kind: Kind, quotes: usize) -> Option<State> {
        for _ in 0..quotes {
            self.backup();
        }
        self.emit(kind);
        for _ in 0..quotes {
            self.next();
        }
        self.ignore();
        self.stack.pop()
    }

    fn string(&mut self) -> Option<State> {
        match self.next() {
            EOF => self.expected("unexpected EOF; expected '\"'"),
            '\n' | '\r' => self.broken_line(STRING_WITH_LINE_BREAK),
            '\\' => self.enter(State::String, State::StringEscape),
            '"' => {
                let kind = if std::mem::take(&mut self.escaped) { Kind::EscapedString } else { Kind::String };
                self.end_string(kind, 1)
            }
            _ => Some(State::String),
        }
    }

    fn multiline_string(&mut self) -> Option<State> {
        match self.next() {
            EOF => self.expected("unexpected EOF; expected '\"\"\"'"),
            '\\' => Some(State::MultilineStringEscape),
            '"' if self.accept('"') => {
                if !self.accept('"') {
                    self.backup();
                    return Some(State::MultilineString);
                }
                // One or two quotes may stand before the closing three.
                if self.peek() == '"' {
                    let current = self.current();
                    if current.ends_with(br#"""""""#) && !current.ends_with(br#"\""""""#) {
                        return self.expected("unexpected '\"\"\"\"\"\"'");
                    }
                    self.backup();
                    self.backup();
                    return Some(State::MultilineString);
                }
                self.escaped = false;
                self.end_string(Kind::MultilineString, 3)
            }
            _ => Some(State::MultilineString),
        }
    }

    fn multiline_raw_string(&mut self) -> Option<State> {
        match self.next() {
            EOF => self.expected("unexpected EOF; expected \"'''\""),
            '\'' if self.accept('\'') => {
                if !self.accept('\'') {
                    self.backup();
                    return Some(State::MultilineRawString);
                }
                if self.peek() == '\'' {
                    if self.current().ends_with(b"'''''") {
                        return self.expected("unexpected \"''''''\"");
                    }
                    self.backup();
                    self.backup();
                    return Some(State::MultilineRawString);
                }
                self.end_string(Kind::RawMultilineString, 3)
            }
            _ => Some(State::MultilineRawString),
        }
    }

    fn string_escape(&mut self) -> Option<State> {
        self.escaped = true;
        match self.next() {
            'e' | 'b' | 't' | 'n' | 'f' | 'r' | '"' | ' ' | '\t' | '\\' => self.stack.pop(),
            'x' => self.hexadecimal(2, "two hexadecimal digits after '\\x'"),
            'u' => self.hexadecimal(4, "four hexadecimal digits after '\\u'"),
            'U' => self.hexadecimal(8, "eight hexadecimal digits after '\\U'"),
            other => self.fail(format!("invalid escape in string '\\{other}'")),
        }
    }

    fn hexadecimal(&mut self, count: usize, expected: &str) -> Option<State> {
        for _ in 0..count {
            if !self.next().is_ascii_hexdigit() {
                let found = crate::quote::quote(self.current());
                return self.expected(format!("expected {expected}, but got {found} instead"));
            }
        }
        self.stack.pop()
    }

    /// Reads digits of a base with underscores between them.
    fn digits(&mut self, state: State, is_digit: fn(char) -> bool) -> Option<State> {
        let next = self.next();
        if next == '_' || is_digit(next) { Some(state) } else { self.emit_before(Kind::Integer) }
    }

    fn shown_current(&self) -> String {
        String::from_utf8_lossy(self.current()).into_owned()
    }

    /// After a sign.
    fn decimal_number_start(&mut self) -> Option<State> {
        let first = self.next();
        match first {
            'i' | 'n' => {
                let rest = if first == 'i' { ['n', 'f'] } else { ['a', 'n'] };
                if self.accept(rest[0]) && self.accept(rest[1]) {
                    return self.emit_and_pop(Kind::Float);
                }
                return self.expected(format!("invalid float: '{}'", self.shown_current()));
            }
            '0' => {
                let base = self.peek();
                if matches!(base, 'b' | 'o' | 'x') {
                    let shown = self.shown_current();
                    return self.expected(format!("cannot use sign with non-decimal numbers: '{shown}{base}'"));
                }
            }
            '.' => return self.expected("floats must start with a digit, not '.'"),
            _ => {}
        }
        if first.is_ascii_digit() {
            return Some(State::DecimalNumber);
        }
        self.expected(format!("expected a digit but got {}", quoted(first)))
    }

    /// After a zero at the begin of a number.
    fn base_number_or_date(&mut self) -> Option<State> {
        let (is_digit, kind, state): (fn(char) -> bool, _, _) = match self.next() {
            '0'..='9' => return Some(State::NumberOrDate),
            '_' => return Some(State::DecimalNumber),
            '.' | 'e' | 'E' => return Some(State::Float),
            'b' => (is_binary, "a binary", State::BinaryInteger),
            'o' => (is_octal, "an octal", State::OctalInteger),
            'x' => (|digit| digit.is_ascii_hexdigit(), "a hexadecimal", State::HexInteger),
            _ => return self.emit_before(Kind::Integer),
        };
        let next = self.peek();
        if is_digit(next) {
            return Some(state);
        }
        let shown = self.shown_current();
        self.expected(format!("not {kind} number: '{shown}{next}'"))
    }

    fn bool(&mut self) -> Option<State> {
        let mut word = String::new();
        loop {
            let next = self.next();
            if !unicode::is_letter(next) {
                self.backup();
                break;
            }
            word.push(next);
        }
        if word == "true" || word == "false" {
            return self.emit_and_pop(Kind::Bool);
        }
        self.expected(format!("expected value but found {} instead", crate::quote::quote(word.as_bytes())))
    }
}

const STRING_WITH_LINE_BREAK: &str = "strings cannot contain newlines";

/// Go's `%q` of a character.
fn quoted(character: char) -> String {
    quote_character(character, false)
}

// Go: runeOrEOF
fn or_end_of_file(character: char) -> String {
    if character == EOF { "end of file".to_owned() } else { format!("'{character}'") }
}

fn is_space(character: char) -> bool {
    matches!(character, '\t' | ' ')
}

fn is_line_break(character: char) -> bool {
    matches!(character, '\n' | '\r')
}

fn is_octal(character: char) -> bool {
    matches!(character, '0'..='7')
}

fn is_binary(character: char) -> bool {
    matches!(character, '0' | '1')
}
