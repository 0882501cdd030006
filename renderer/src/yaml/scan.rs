//! Text to tokens (`scannerc.go`): indentation, simple keys, and which token starts where.

mod cursor;
mod properties;
mod scalars;

use std::borrow::Cow;
use std::collections::VecDeque;

pub(crate) use cursor::{Mark, Scanned};

use super::error::YamlError;
use super::source::Source;
use cursor::Cursor;

/// How far, in characters, a `:` may be from the start of its key.
const MAX_SIMPLE_KEY: u32 = 1024;
/// The deepest nesting of brackets and braces (`max_flow_level`).
const MAX_FLOW_LEVEL: usize = 10_000;
/// The deepest nesting of indentation (`max_indents`).
const MAX_INDENTS: usize = 10_000;

/// A token and where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token<'text> {
    pub(crate) kind: TokenKind<'text>,
    pub(crate) start: Mark,
    /// How many characters an indicator takes; zero for implied tokens.
    pub(crate) width: u32,
}

impl Token<'_> {
    /// The place after an indicator.
    pub(crate) fn end(&self) -> Mark {
        self.start.after(self.width)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind<'text> {
    StreamStart,
    StreamEnd,
    VersionDirective {
        major: u8,
        minor: u8,
    },
    TagDirective {
        handle: &'text str,
        prefix: Cow<'text, str>,
    },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'text str),
    Anchor(&'text str),
    /// The parts of a tag; a tag in its full form has no handle.
    Tag {
        handle: &'text str,
        suffix: Cow<'text, str>,
    },
    Scalar {
        text: Cow<'text, str>,
        plain: bool,
    },
}

/// Where a simple key could start: the last such place of a flow level.
#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    /// Whether the text makes no sense unless this is a key.
    required: bool,
    /// Whether the token waits for the `:` that would make it a key (`simple_keys_by_tok`).
    awaited: bool,
    token: i64,
    mark: Mark,
}

/// Reads tokens one by one.
#[derive(Debug)]
pub(crate) struct Scanner<'text> {
    cursor: Cursor<'text>,
    /// The tokens read ahead: a key is known as one only at its `:`.
    tokens: VecDeque<Token<'text>>,
    /// How many tokens have been taken.
    taken: i64,
    /// Whether the first of the tokens is known to be final.
    available: bool,
    started: bool,
    /// The indentation of the innermost block collection, -1 outside of all.
    indent: i64,
    indents: Vec<i64>,
    /// One for each flow level, and one for the block context.
    keys: Vec<SimpleKey>,
    key_allowed: bool,
}

impl<'text> Scanner<'text> {
    pub(crate) fn new(source: &'text Source<'_>) -> Self {
        Self {
            cursor: Cursor::new(source),
            tokens: VecDeque::with_capacity(16),
            taken: 0,
            available: false,
            started: false,
            indent: -1,
            indents: Vec::new(),
            keys: vec![SimpleKey::default()],
            key_allowed: true,
        }
    }

    /// The next token. Go: `peek_token`
    pub(crate) fn peek(&mut self) -> Scanned<&Token<'text>> {
        if !self.available {
            self.fetch_more()?;
        }
        self.tokens.front().ok_or_else(|| Box::new(YamlError::yaml(None, "unknown problem parsing YAML content")))
    }

    /// Takes the token that [`Scanner::peek`] has shown. Go: `skip_token`
    pub(crate) fn take(&mut self) -> Option<Token<'text>> {
        self.available = false;
        self.taken += 1;
        self.tokens.pop_front()
    }

    fn in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    /// The number of the next token to be read.
    fn next_number(&self) -> i64 {
        self.taken + self.tokens.len() as i64
    }

    fn push(&mut self, kind: TokenKind<'text>, start: Mark, width: u32) {
        self.tokens.push_back(Token { kind, start, width });
    }

    /// Inserts a token that the text implies before the token of a number. Go: `yaml_insert_token`
    fn insert_implied(&mut self, number: i64, kind: TokenKind<'text>, start: Mark) {
        let token = Token { kind, start, width: 0 };
        match usize::try_from(number - self.taken) {
            Ok(index) if index < self.tokens.len() => self.tokens.insert(index, token),
            _ => self.tokens.push_back(token),
        }
    }

    /// Reads until the first token is final. Go: `yaml_parser_fetch_more_tokens`
    fn fetch_more(&mut self) -> Scanned<()> {
        loop {
            if !self.tokens.is_empty() {
                let Some(level) = self.awaited_level(self.taken) else { break };
                if !self.is_valid(level)? {
                    break;
                }
            }
            self.fetch_next()?;
        }
        self.available = true;
        Ok(())
    }

    /// The flow level at which the token of a number may turn out to be a key. Numbers do not fall from level to level.
    fn awaited_level(&self, number: i64) -> Option<usize> {
        let first = self.keys.partition_point(|key| key.token < number);
        let candidates = self.keys.get(first..)?.iter().take_while(|key| key.token == number);
        candidates.enumerate().find(|(_, key)| key.awaited).map(|(offset, _)| first + offset)
    }

    /// Whether a `:` here would make the possible key of a level a key. Go: `yaml_simple_key_is_valid`
    fn is_valid(&mut self, level: usize) -> Scanned<bool> {
        let mark = self.cursor.mark();
        let key = &mut self.keys[level];
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < mark.line || key.mark.index + MAX_SIMPLE_KEY < mark.index {
            if key.required {
                return self.cursor.error("could not find expected ':'");
            }
            key.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn key(&mut self) -> &mut SimpleKey {
        let last = self.keys.len() - 1;
        &mut self.keys[last]
    }

    /// Notes that the next token may be a key. Go: `yaml_parser_save_simple_key`
    fn save_key(&mut self) -> Scanned<()> {
        if self.key_allowed {
            let required = !self.in_flow() && self.indent == i64::from(self.cursor.column());
            let (token, mark) = (self.next_number(), self.cursor.mark());
            self.remove_key()?;
            *self.key() = SimpleKey { possible: true, required, awaited: true, token, mark };
        }
        Ok(())
    }

    /// Forgets the possible key of this flow level. Go: `yaml_parser_remove_simple_key`
    fn remove_key(&mut self) -> Scanned<()> {
        let key = self.key();
        if key.possible {
            if key.required {
                return self.cursor.error("could not find expected ':'");
            }
            key.possible = false;
            key.awaited = false;
        }
        Ok(())
    }

    /// Go: `yaml_parser_increase_flow_level`
    fn enter_flow(&mut self) -> Scanned<()> {
        self.keys.push(SimpleKey { token: self.next_number(), mark: self.cursor.mark(), ..SimpleKey::default() });
        if self.keys.len() > MAX_FLOW_LEVEL + 1 {
            return self.cursor.error("exceeded max depth of 10000");
        }
        Ok(())
    }

    /// Leaves a flow level. An empty collection stops waiting to become a key, since the level had the number of its
    /// bracket. Go: `yaml_parser_decrease_flow_level`
    fn leave_flow(&mut self) {
        if self.in_flow()
            && let Some(left) = self.keys.pop()
        {
            let key = self.key();
            if key.token == left.token {
                key.awaited = false;
            }
        }
    }

    /// Opens a block collection if the column is deeper than the indentation: before the token of a number, or last.
    /// Go: `yaml_parser_roll_indent`
    fn roll_indent(&mut self, number: Option<i64>, kind: TokenKind<'text>, mark: Mark) -> Scanned<()> {
        let column = i64::from(mark.column);
        if self.in_flow() || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_INDENTS {
            return self.cursor.error("exceeded max depth of 10000");
        }
        match number {
            Some(number) => self.insert_implied(number, kind, mark),
            None => self.push(kind, mark, 0),
        }
        Ok(())
    }

    /// Closes the block collections that are deeper than a column. Go: `yaml_parser_unroll_indent`
    fn unroll_indent(&mut self, column: i64) {
        if self.in_flow() {
            return;
        }
        let mark = self.cursor.mark();
        while self.indent > column {
            self.push(TokenKind::BlockEnd, mark, 0);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    /// Go: `yaml_parser_fetch_next_token`
    fn fetch_next(&mut self) -> Scanned<()> {
        self.cursor.ensure(1)?;
        if !self.started {
            self.started = true;
            self.push(TokenKind::StreamStart, self.cursor.mark(), 0);
            return Ok(());
        }
        self.skip_to_token()?;
        self.unroll_indent(i64::from(self.cursor.column()));
        self.cursor.ensure(4)?;
        if self.cursor.is_end() {
            return self.fetch_stream_end();
        }
        let byte = self.cursor.peek();
        if self.cursor.column() == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if self.cursor.is_document_indicator() {
                let kind = if byte == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
                return self.fetch_document_indicator(kind);
            }
        }
        let in_flow = self.in_flow();
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.cursor.is_separation_at(1) => self.fetch_block_entry(),
            b'?' if in_flow || self.cursor.is_separation_at(1) => self.fetch_key(),
            b':' if in_flow || self.cursor.is_separation_at(1) => self.fetch_value(),
            b'*' | b'&' => self.fetch_anchor(byte == b'*'),
            b'!' => self.fetch_tag(),
            b'|' | b'>' if !in_flow => self.fetch_block_scalar(byte == b'|'),
            b'\'' | b'"' => self.fetch_flow_scalar(byte == b'\''),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => self.cursor.error("found character that cannot start any token"),
            // A tab that may not separate here, or what follows a byte order mark that was passed.
            _ if self.cursor.is_separation_at(0) => self.cursor.error("found character that cannot start any token"),
            _ => self.fetch_plain_scalar(),
        }
    }

    /// Passes white space and comments. Go: `yaml_parser_scan_to_next_token`
    fn skip_to_token(&mut self) -> Scanned<()> {
        loop {
            self.cursor.ensure(1)?;
            if self.cursor.column() == 0 && self.cursor.buffer_starts_with_mark() {
                self.cursor.skip();
            }
            self.cursor.ensure(1)?;
            while self.cursor.peek() == b' ' || (self.cursor.peek() == b'\t' && (self.in_flow() || !self.key_allowed)) {
                self.cursor.skip();
                self.cursor.ensure(1)?;
            }
            if self.cursor.peek() == b'#' {
                self.cursor.skip_to_break()?;
            }
            if !self.cursor.is_break() {
                return Ok(());
            }
            self.cursor.ensure(2)?;
            self.cursor.read_line();
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    /// Takes an indicator of some characters.
    fn push_indicator(&mut self, kind: TokenKind<'text>, width: u32) {
        let start = self.cursor.mark();
        for _ in 0..width {
            self.cursor.skip();
        }
        self.push(kind, start, width);
    }

    /// Go: `yaml_parser_fetch_stream_end`
    fn fetch_stream_end(&mut self) -> Scanned<()> {
        self.cursor.force_line();
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.push(TokenKind::StreamEnd, self.cursor.mark(), 0);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_directive`
    fn fetch_directive(&mut self) -> Scanned<()> {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark();
        let kind = properties::directive(&mut self.cursor)?;
        self.push(kind, start, 0);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_document_indicator`
    fn fetch_document_indicator(&mut self, kind: TokenKind<'text>) -> Scanned<()> {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.push_indicator(kind, 3);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_flow_collection_start`
    fn fetch_flow_start(&mut self, kind: TokenKind<'text>) -> Scanned<()> {
        self.save_key()?;
        self.enter_flow()?;
        self.key_allowed = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_flow_collection_end`
    fn fetch_flow_end(&mut self, kind: TokenKind<'text>) -> Scanned<()> {
        self.remove_key()?;
        self.leave_flow();
        self.key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_flow_entry`
    fn fetch_flow_entry(&mut self) -> Scanned<()> {
        self.remove_key()?;
        self.key_allowed = true;
        self.push_indicator(TokenKind::FlowEntry, 1);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_block_entry`
    fn fetch_block_entry(&mut self) -> Scanned<()> {
        if !self.in_flow() {
            if !self.key_allowed {
                return self.cursor.error("block sequence entries are not allowed in this context");
            }
            self.roll_indent(None, TokenKind::BlockSequenceStart, self.cursor.mark())?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_key`
    fn fetch_key(&mut self) -> Scanned<()> {
        if !self.in_flow() {
            if !self.key_allowed {
                return self.cursor.error("mapping keys are not allowed in this context");
            }
            self.roll_indent(None, TokenKind::BlockMappingStart, self.cursor.mark())?;
        }
        self.remove_key()?;
        self.key_allowed = !self.in_flow();
        self.push_indicator(TokenKind::Key, 1);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_value`
    fn fetch_value(&mut self) -> Scanned<()> {
        let level = self.keys.len() - 1;
        if self.is_valid(level)? {
            let SimpleKey { token, mark, .. } = self.keys[level];
            self.insert_implied(token, TokenKind::Key, mark);
            self.roll_indent(Some(token), TokenKind::BlockMappingStart, mark)?;
            let key = &mut self.keys[level];
            key.possible = false;
            key.awaited = false;
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.key_allowed {
                    return self.cursor.error("mapping values are not allowed in this context");
                }
                self.roll_indent(None, TokenKind::BlockMappingStart, self.cursor.mark())?;
            }
            self.key_allowed = !self.in_flow();
        }
        self.push_indicator(TokenKind::Value, 1);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_anchor`
    fn fetch_anchor(&mut self, alias: bool) -> Scanned<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark();
        let name = properties::anchor(&mut self.cursor)?;
        self.push(if alias { TokenKind::Alias(name) } else { TokenKind::Anchor(name) }, start, 0);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_tag`
    fn fetch_tag(&mut self) -> Scanned<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark();
        let kind = properties::tag(&mut self.cursor)?;
        self.push(kind, start, 0);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_block_scalar`
    fn fetch_block_scalar(&mut self, literal: bool) -> Scanned<()> {
        self.remove_key()?;
        self.key_allowed = true;
        let start = self.cursor.mark();
        let text = scalars::block(&mut self.cursor, self.indent, literal)?;
        self.push(TokenKind::Scalar { text, plain: false }, start, 0);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_flow_scalar`
    fn fetch_flow_scalar(&mut self, single: bool) -> Scanned<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark();
        let text = scalars::quoted(&mut self.cursor, single)?;
        self.push(TokenKind::Scalar { text, plain: false }, start, 0);
        Ok(())
    }

    /// Go: `yaml_parser_fetch_plain_scalar`
    fn fetch_plain_scalar(&mut self) -> Scanned<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark();
        let in_flow = self.in_flow();
        let (text, before_line) = scalars::plain(&mut self.cursor, self.indent, in_flow)?;
        if before_line {
            self.key_allowed = true;
        }
        self.push(TokenKind::Scalar { text, plain: true }, start, 0);
        Ok(())
    }
}
