//! Parser events to raw documents: nodes with tags, anchors and aliases, nothing resolved yet.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, StructureStyle, Tag};

use super::error::YamlError;
use super::node::Position;
use super::syntax::{self, Collection};
use super::{MAX_DEPTH, MAX_NODES};

/// The index of a node in its document.
pub(crate) type NodeIndex = u32;

/// One document as it was written.
#[derive(Debug)]
pub(crate) struct RawDocument<'text> {
    pub(crate) nodes: Vec<RawNode<'text>>,
    pub(crate) root: NodeIndex,
}

#[derive(Debug)]
pub(crate) struct RawNode<'text> {
    pub(crate) kind: RawKind<'text>,
    pub(crate) position: Position,
}

#[derive(Debug)]
pub(crate) enum RawKind<'text> {
    /// A scalar. `implicit` says that its type follows from its text.
    Scalar {
        text: Cow<'text, str>,
        tag: Option<String>,
        implicit: bool,
    },
    /// A reference to an earlier node of the document, or to one that it is inside of.
    Alias {
        name: String,
        target: NodeIndex,
    },
    Sequence(Vec<NodeIndex>),
    /// Keys and values in turn.
    Mapping(Vec<NodeIndex>),
}

/// Reads the documents of a text one by one.
pub(crate) struct Reader<'text> {
    text: &'text str,
    parser: Parser<'text, StrInput<'text>>,
    /// The open collections, for error texts.
    collections: Vec<Collection>,
}

impl<'text> Reader<'text> {
    pub(crate) fn new(text: &'text str) -> Self {
        let mut options = granit_parser::options! {
            // As libyaml, whose Go port Helm uses.
            bom_inside_document_as_content: true,
            block_scalar_eof_without_line_feed: true,
            emit_unresolved_aliases: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        options.set_emit_comments(false);
        Self { text, parser: Parser::new_from_str_with_options(text, options), collections: Vec::new() }
    }

    /// The next document, or nothing at the end of the text.
    pub(crate) fn next_document(&mut self) -> Result<Option<RawDocument<'text>>, YamlError> {
        loop {
            match self.next_event()? {
                Some((Event::DocumentStart(_, version), _)) => {
                    if version.is_some_and(|version| (version.major, version.minor) != (1, 1)) {
                        return Err(syntax::incompatible_version());
                    }
                    return self.document().map(Some);
                }
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    fn next_event(&mut self) -> Result<Option<(Event<'text>, Span)>, YamlError> {
        let next = self.parser.next_event().transpose();
        let next = next.map_err(|error| syntax::describe(self.text, &error, self.collections.last().copied()))?;
        match next {
            Some((Event::SequenceStart(StructureStyle::Flow, ..), _)) => {
                self.collections.push(Collection::FlowSequence);
            }
            Some((Event::MappingStart(StructureStyle::Flow, ..), span)) => {
                // A single pair inside brackets has no braces of its own.
                let braces = span.slice(self.text).is_some_and(|text| text.starts_with('{'));
                self.collections.push(if braces { Collection::FlowMapping } else { Collection::FlowSequence });
            }
            Some((Event::SequenceStart(..) | Event::MappingStart(..), _)) => self.collections.push(Collection::Block),
            Some((Event::SequenceEnd | Event::MappingEnd, _)) => {
                self.collections.pop();
            }
            _ => {}
        }
        Ok(next)
    }

    /// Refuses a tab before a node of a block collection, where nothing but `-` and spaces may precede it.
    fn check_tabs(&self, span: &Span) -> Result<(), YamlError> {
        let inside_flow = self.collections.iter().any(|collection| *collection != Collection::Block);
        let before = span.start.byte_offset().and_then(|offset| self.text.get(..offset)).unwrap_or_default();
        let tail = before.trim_end_matches([' ', '\t', '-']);
        let line_start = tail.is_empty() || tail.ends_with('\n');
        if !inside_flow && line_start && before[tail.len()..].contains('\t') {
            return Err(syntax::misplaced_tab(span.start.line()));
        }
        Ok(())
    }

    fn document(&mut self) -> Result<RawDocument<'text>, YamlError> {
        let mut builder = Builder { nodes: Vec::new(), open: Vec::new(), anchors: HashMap::new(), root: None };
        while let Some((event, span)) = self.next_event()? {
            let position = Position { line: span.start.line(), column: span.start.col() + 1 };
            if event.is_node() {
                self.check_tabs(&span)?;
            }
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let empty = style == ScalarStyle::Plain && span.is_empty();
                    let text = if empty { Cow::Borrowed("") } else { text };
                    let (tag, implicit) = scalar_tag(tag.as_deref(), style);
                    builder.add(RawKind::Scalar { text, tag, implicit }, position, anchor)?;
                }
                Event::Alias(anchor) => {
                    let name = span.slice(self.text).unwrap_or_default().trim_start_matches('*').to_owned();
                    let Some(&target) = builder.anchors.get(&anchor) else {
                        return Err(unknown_anchor(&name, position));
                    };
                    builder.add(RawKind::Alias { name, target }, position, 0)?;
                }
                Event::UnresolvedAlias(name) => return Err(unknown_anchor(&name, position)),
                Event::SequenceStart(_, anchor, _) => builder.open(RawKind::Sequence(Vec::new()), position, anchor)?,
                Event::MappingStart(_, anchor, _) => builder.open(RawKind::Mapping(Vec::new()), position, anchor)?,
                Event::SequenceEnd | Event::MappingEnd => {
                    builder.open.pop();
                }
                Event::DocumentEnd => break,
                _ => {}
            }
        }
        let root = match builder.root {
            Some(root) => root,
            None => builder.add(
                RawKind::Scalar { text: Cow::Borrowed(""), tag: None, implicit: true },
                Position::default(),
                0,
            )?,
        };
        Ok(RawDocument { nodes: builder.nodes, root })
    }
}

fn unknown_anchor(name: &str, position: Position) -> YamlError {
    YamlError::yaml(None, format!("unknown anchor '{name}' referenced")).at(position)
}

/// The explicit tag of a scalar, if any, and whether its type follows from its text.
fn scalar_tag(tag: Option<&Tag>, style: ScalarStyle) -> (Option<String>, bool) {
    match tag {
        None => (None, style == ScalarStyle::Plain),
        Some(tag) => (Some(format!("{}{}", tag.handle(), tag.suffix())), false),
    }
}

struct Builder<'text> {
    nodes: Vec<RawNode<'text>>,
    open: Vec<NodeIndex>,
    anchors: HashMap<usize, NodeIndex>,
    root: Option<NodeIndex>,
}

impl<'text> Builder<'text> {
    fn add(&mut self, kind: RawKind<'text>, position: Position, anchor: usize) -> Result<NodeIndex, YamlError> {
        let index = NodeIndex::try_from(self.nodes.len()).unwrap_or(NodeIndex::MAX);
        if self.nodes.len() >= MAX_NODES {
            return Err(YamlError::yaml(None, format!("document has more than {MAX_NODES} nodes")).at(position));
        }
        self.nodes.push(RawNode { kind, position });
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
        match self.open.last().and_then(|&parent| self.nodes.get_mut(parent as usize)) {
            Some(RawNode { kind: RawKind::Sequence(children) | RawKind::Mapping(children), .. }) => {
                children.push(index);
            }
            _ => self.root = Some(index),
        }
        Ok(index)
    }

    fn open(&mut self, kind: RawKind<'text>, position: Position, anchor: usize) -> Result<(), YamlError> {
        let index = self.add(kind, position, anchor)?;
        self.open.push(index);
        Ok(())
    }
}
