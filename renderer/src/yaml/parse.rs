//! Tokens to events (`parserc.go`): a machine whose states stand on a stack of its own.

use std::borrow::Cow;

use super::error::YamlError;
use super::events::{Event, Properties};
use super::scan::{Mark, Scanned, Scanner, Token, TokenKind};
use super::source::Source;

/// Which part of the grammar comes next. The names are those of the `yaml_PARSE_*_STATE` constants.
#[derive(Clone, Copy, Debug)]
enum State {
    StreamStart,
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequenceEntryMappingKey,
    FlowSequenceEntryMappingValue,
    FlowSequenceEntryMappingEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

const MISSING_CONTENT: &str = "did not find expected node content";

/// The prefixes of tags that need no directive.
const DEFAULT_TAG_PREFIXES: [(&str, &str); 2] = [("!", "!"), ("!!", "tag:yaml.org,2002:")];

/// Reads events one by one.
#[derive(Debug)]
pub(crate) struct Parser<'text> {
    scanner: Scanner<'text>,
    state: State,
    /// The states to return to after a node.
    states: Vec<State>,
    tag_prefixes: Vec<(&'text str, Cow<'text, str>)>,
}

impl<'text> Parser<'text> {
    pub(crate) fn new(source: &'text Source<'_>) -> Self {
        Self {
            scanner: Scanner::new(source),
            state: State::StreamStart,
            states: Vec::with_capacity(16),
            tag_prefixes: Vec::new(),
        }
    }

    /// The next event; after the last one, the end of the stream again. Go: `yaml_parser_state_machine`
    pub(crate) fn next(&mut self) -> Scanned<Event<'text>> {
        match self.state {
            State::StreamStart => {
                self.scanner.peek()?;
                self.scanner.take();
                self.state = State::ImplicitDocumentStart;
                Ok(Event::StreamStart)
            }
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirstEntry => {
                self.scanner.take();
                self.block_sequence_entry()
            }
            State::BlockSequenceEntry => self.block_sequence_entry(),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => {
                self.scanner.take();
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequenceEntryMappingKey => self.flow_sequence_entry_mapping_key(),
            State::FlowSequenceEntryMappingValue => self.flow_sequence_entry_mapping_value(),
            State::FlowSequenceEntryMappingEnd => {
                self.scanner.peek()?;
                self.state = State::FlowSequenceEntry;
                Ok(Event::MappingEnd)
            }
            State::FlowMappingFirstKey => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => {
                let start = self.scanner.peek()?.start;
                self.state = State::FlowMappingKey;
                Ok(empty_scalar(start))
            }
            State::End => Ok(Event::StreamEnd),
        }
    }

    /// Takes the token that was peeked at and peeks at the next one.
    fn advance(&mut self) -> Scanned<&Token<'text>> {
        self.scanner.take();
        self.scanner.peek()
    }

    /// Returns to the state that waits for the current node's end.
    fn return_to_parent(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// Parses a node, and then goes on in a state.
    fn node_then(&mut self, state: State, block: bool, indentless: bool) -> Scanned<Event<'text>> {
        self.states.push(state);
        self.node(block, indentless)
    }

    fn empty_then(&mut self, state: State, mark: Mark) -> Scanned<Event<'text>> {
        self.state = state;
        Ok(empty_scalar(mark))
    }

    /// Go: `yaml_parser_parse_document_start`
    fn document_start(&mut self, implicit: bool) -> Scanned<Event<'text>> {
        let mut token = self.scanner.peek()?;
        while !implicit && matches!(token.kind, TokenKind::DocumentEnd) {
            self.scanner.take();
            token = self.scanner.peek()?;
        }
        match token.kind {
            TokenKind::StreamEnd => {
                self.scanner.take();
                self.state = State::End;
                return Ok(Event::StreamEnd);
            }
            TokenKind::VersionDirective { .. } | TokenKind::TagDirective { .. } | TokenKind::DocumentStart => {}
            _ if implicit => {
                self.directives()?;
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                return Ok(Event::DocumentStart);
            }
            _ => {}
        }
        self.directives()?;
        let token = self.scanner.peek()?;
        if !matches!(token.kind, TokenKind::DocumentStart) {
            return error("did not find expected <document start>", token.start);
        }
        self.scanner.take();
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(Event::DocumentStart)
    }

    /// Go: `yaml_parser_parse_document_content`
    fn document_content(&mut self) -> Scanned<Event<'text>> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::VersionDirective { .. }
            | TokenKind::TagDirective { .. }
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                let start = token.start;
                self.return_to_parent();
                Ok(empty_scalar(start))
            }
            _ => self.node(true, false),
        }
    }

    /// Go: `yaml_parser_parse_document_end`
    fn document_end(&mut self) -> Scanned<Event<'text>> {
        if matches!(self.scanner.peek()?.kind, TokenKind::DocumentEnd) {
            self.scanner.take();
        }
        self.tag_prefixes.clear();
        self.state = State::DocumentStart;
        Ok(Event::DocumentEnd)
    }

    /// Go: `yaml_parser_process_directives`
    fn directives(&mut self) -> Scanned<()> {
        let mut has_version = false;
        loop {
            let token = self.scanner.peek()?;
            let start = token.start;
            match &token.kind {
                TokenKind::VersionDirective { .. } if has_version => {
                    return error("found duplicate %YAML directive", start);
                }
                TokenKind::VersionDirective { major: 1, minor: 1 } => has_version = true,
                TokenKind::VersionDirective { .. } => return error("found incompatible YAML document", start),
                TokenKind::TagDirective { handle, prefix } => {
                    let directive = (*handle, prefix.clone());
                    if self.tag_prefixes.iter().any(|(handle, _)| *handle == directive.0) {
                        return error("found duplicate %TAG directive", start);
                    }
                    self.tag_prefixes.push(directive);
                }
                _ => break,
            }
            self.scanner.take();
        }
        for (handle, prefix) in DEFAULT_TAG_PREFIXES {
            if !self.tag_prefixes.iter().any(|(known, _)| *known == handle) {
                self.tag_prefixes.push((handle, Cow::Borrowed(prefix)));
            }
        }
        Ok(())
    }

    /// Go: `yaml_parser_parse_node`
    fn node(&mut self, block: bool, indentless: bool) -> Scanned<Event<'text>> {
        let start = self.scanner.peek()?.start;
        let properties = self.properties()?;
        let tagged = properties.tag.is_some();
        let token = self.scanner.peek()?;
        let content_start = token.start;
        match token.kind {
            TokenKind::Alias(name) if properties == Properties::default() => {
                self.scanner.take();
                self.return_to_parent();
                Ok(Event::Alias { name, start })
            }
            TokenKind::BlockEntry if indentless => {
                self.state = State::IndentlessSequenceEntry;
                Ok(Event::SequenceStart { properties, start: content_start })
            }
            TokenKind::Scalar { .. } => {
                self.return_to_parent();
                let Some(Token { kind: TokenKind::Scalar { text, plain }, .. }) = self.scanner.take() else {
                    return error(MISSING_CONTENT, content_start);
                };
                let implicit = properties.tag.as_deref().map_or(plain, |tag| tag == "!");
                Ok(Event::Scalar { text, implicit, properties, start: content_start })
            }
            TokenKind::FlowSequenceStart => {
                self.state = State::FlowSequenceFirstEntry;
                Ok(Event::SequenceStart { properties, start: content_start })
            }
            TokenKind::FlowMappingStart => {
                self.state = State::FlowMappingFirstKey;
                Ok(Event::MappingStart { properties, start: content_start })
            }
            TokenKind::BlockSequenceStart if block => {
                self.state = State::BlockSequenceFirstEntry;
                Ok(Event::SequenceStart { properties, start: content_start })
            }
            TokenKind::BlockMappingStart if block => {
                self.state = State::BlockMappingFirstKey;
                Ok(Event::MappingStart { properties, start: content_start })
            }
            _ if properties != Properties::default() => {
                self.return_to_parent();
                Ok(Event::Scalar { text: Cow::Borrowed(""), implicit: !tagged, properties, start })
            }
            _ => error(MISSING_CONTENT, content_start),
        }
    }

    /// Reads an anchor and a tag, in either order.
    fn properties(&mut self) -> Scanned<Properties<'text>> {
        let mut properties = Properties::default();
        let mut tag = None;
        loop {
            match &self.scanner.peek()?.kind {
                TokenKind::Anchor(name) if properties.anchor.is_none() => properties.anchor = Some(name),
                TokenKind::Tag { .. } if tag.is_none() => tag = self.scanner.peek().ok().cloned(),
                _ => break,
            }
            self.scanner.take();
        }
        if let Some(Token { kind: TokenKind::Tag { handle, suffix }, start, .. }) = tag {
            properties.tag = Some(self.full_tag(handle, &suffix, start)?);
        }
        Ok(properties)
    }

    fn full_tag(&self, handle: &str, suffix: &str, start: Mark) -> Scanned<Box<str>> {
        if handle.is_empty() {
            return Ok(Box::from(suffix));
        }
        match self.tag_prefixes.iter().find(|(known, _)| *known == handle) {
            Some((_, prefix)) => Ok(format!("{prefix}{suffix}").into_boxed_str()),
            None => error("found undefined tag handle", start),
        }
    }

    /// Go: `yaml_parser_parse_block_sequence_entry`
    fn block_sequence_entry(&mut self) -> Scanned<Event<'text>> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::BlockEntry => {
                let end = token.end();
                if matches!(self.advance()?.kind, TokenKind::BlockEntry | TokenKind::BlockEnd) {
                    self.empty_then(State::BlockSequenceEntry, end)
                } else {
                    self.node_then(State::BlockSequenceEntry, true, false)
                }
            }
            TokenKind::BlockEnd => {
                self.scanner.take();
                self.return_to_parent();
                Ok(Event::SequenceEnd)
            }
            _ => error("did not find expected '-' indicator", token.start),
        }
    }

    /// Go: `yaml_parser_parse_indentless_sequence_entry`
    fn indentless_sequence_entry(&mut self) -> Scanned<Event<'text>> {
        let token = self.scanner.peek()?;
        if !matches!(token.kind, TokenKind::BlockEntry) {
            self.return_to_parent();
            return Ok(Event::SequenceEnd);
        }
        let end = token.end();
        if matches!(
            self.advance()?.kind,
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        ) {
            self.empty_then(State::IndentlessSequenceEntry, end)
        } else {
            self.node_then(State::IndentlessSequenceEntry, true, false)
        }
    }

    /// Go: `yaml_parser_parse_block_mapping_key`
    fn block_mapping_key(&mut self) -> Scanned<Event<'text>> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::Key => {
                let end = token.end();
                if matches!(self.advance()?.kind, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
                    self.empty_then(State::BlockMappingValue, end)
                } else {
                    self.node_then(State::BlockMappingValue, true, true)
                }
            }
            TokenKind::BlockEnd => {
                self.scanner.take();
                self.return_to_parent();
                Ok(Event::MappingEnd)
            }
            _ => error("did not find expected key", token.start),
        }
    }

    /// Go: `yaml_parser_parse_block_mapping_value`
    fn block_mapping_value(&mut self) -> Scanned<Event<'text>> {
        let token = self.scanner.peek()?;
        if !matches!(token.kind, TokenKind::Value) {
            let start = token.start;
            return self.empty_then(State::BlockMappingKey, start);
        }
        let end = token.end();
        if matches!(self.advance()?.kind, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
            self.empty_then(State::BlockMappingKey, end)
        } else {
            self.node_then(State::BlockMappingKey, true, true)
        }
    }

    /// Go: `yaml_parser_parse_flow_sequence_entry`
    fn flow_sequence_entry(&mut self, first: bool) -> Scanned<Event<'text>> {
        if first {
            self.scanner.take();
        }
        let mut token = self.scanner.peek()?;
        if !matches!(token.kind, TokenKind::FlowSequenceEnd) {
            if !first {
                if !matches!(token.kind, TokenKind::FlowEntry) {
                    return error("did not find expected ',' or ']'", token.start);
                }
                token = self.advance()?;
            }
            if matches!(token.kind, TokenKind::Key) {
                let start = token.start;
                self.scanner.take();
                self.state = State::FlowSequenceEntryMappingKey;
                return Ok(Event::MappingStart { properties: Properties::default(), start });
            }
            if !matches!(token.kind, TokenKind::FlowSequenceEnd) {
                return self.node_then(State::FlowSequenceEntry, false, false);
            }
        }
        self.scanner.take();
        self.return_to_parent();
        Ok(Event::SequenceEnd)
    }

    /// An empty key swallows what follows it. Go: `yaml_parser_parse_flow_sequence_entry_mapping_key`
    fn flow_sequence_entry_mapping_key(&mut self) -> Scanned<Event<'text>> {
        let token = self.scanner.peek()?;
        if matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
            let end = token.end();
            self.scanner.take();
            return self.empty_then(State::FlowSequenceEntryMappingValue, end);
        }
        self.node_then(State::FlowSequenceEntryMappingValue, false, false)
    }

    /// Go: `yaml_parser_parse_flow_sequence_entry_mapping_value`
    fn flow_sequence_entry_mapping_value(&mut self) -> Scanned<Event<'text>> {
        let token = self.scanner.peek()?;
        let start = token.start;
        if matches!(token.kind, TokenKind::Value)
            && !matches!(self.advance()?.kind, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd)
        {
            return self.node_then(State::FlowSequenceEntryMappingEnd, false, false);
        }
        self.empty_then(State::FlowSequenceEntryMappingEnd, start)
    }

    /// Go: `yaml_parser_parse_flow_mapping_key`
    fn flow_mapping_key(&mut self, first: bool) -> Scanned<Event<'text>> {
        if first {
            self.scanner.take();
        }
        let mut token = self.scanner.peek()?;
        if !matches!(token.kind, TokenKind::FlowMappingEnd) {
            if !first {
                if !matches!(token.kind, TokenKind::FlowEntry) {
                    return error("did not find expected ',' or '}'", token.start);
                }
                token = self.advance()?;
            }
            if matches!(token.kind, TokenKind::Key) {
                let token = self.advance()?;
                if matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                    let start = token.start;
                    return self.empty_then(State::FlowMappingValue, start);
                }
                return self.node_then(State::FlowMappingValue, false, false);
            }
            if !matches!(token.kind, TokenKind::FlowMappingEnd) {
                return self.node_then(State::FlowMappingEmptyValue, false, false);
            }
        }
        self.scanner.take();
        self.return_to_parent();
        Ok(Event::MappingEnd)
    }

    /// Go: `yaml_parser_parse_flow_mapping_value`
    fn flow_mapping_value(&mut self) -> Scanned<Event<'text>> {
        let mut token = self.scanner.peek()?;
        if matches!(token.kind, TokenKind::Value) {
            token = self.advance()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                return self.node_then(State::FlowMappingKey, false, false);
            }
        }
        let start = token.start;
        self.empty_then(State::FlowMappingKey, start)
    }
}

/// Go: `yaml_parser_process_empty_scalar`
fn empty_scalar<'text>(start: Mark) -> Event<'text> {
    Event::Scalar { text: Cow::Borrowed(""), implicit: true, properties: Properties::default(), start }
}

/// An error of the parser, whose lines count from zero. Go: `yaml_parser_set_parser_error`, and `fail`
fn error<T>(problem: &'static str, mark: Mark) -> Scanned<T> {
    let line = (mark.line != 0).then_some(mark.line as usize);
    Err(Box::new(YamlError::yaml(line, problem).at(mark.position())))
}
