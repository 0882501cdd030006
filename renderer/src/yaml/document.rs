//! Events to documents: nodes with tags, anchors and aliases, nothing resolved yet (the `parser` of `decode.go`).

use std::borrow::Cow;
use std::collections::HashMap;

use super::error::YamlError;
use super::events::{Event, Properties};
use super::node::Position;
use super::parse::Parser;
use super::scan::{Mark, Scanned};
use super::source::Source;
use super::{MAX_EXPANDED_BYTES, MAX_NODES};

/// The index of a node in its document.
pub(crate) type NodeIndex = u32;

/// One document as it was written: its nodes in the order of their starts, each collection before its children.
#[derive(Debug)]
pub(crate) struct Document<'text> {
    nodes: Vec<RawNode<'text>>,
    tags: Vec<(NodeIndex, Box<str>)>,
}

#[derive(Debug)]
pub(crate) struct RawNode<'text> {
    pub(crate) kind: RawKind<'text>,
    line: u32,
    column: u32,
    tagged: bool,
}

#[derive(Debug)]
pub(crate) enum RawKind<'text> {
    /// A scalar. `implicit` says that its type follows from its text.
    Scalar { text: Cow<'text, str>, implicit: bool },
    /// A reference to an earlier node of the document, or to one that it is inside of.
    Alias { name: &'text str, target: NodeIndex },
    /// A list whose last descendant is before `end`.
    Sequence { end: NodeIndex, length: u32 },
    /// Keys and values in turn, the last descendant before `end`.
    Mapping { end: NodeIndex, length: u32 },
}

impl RawNode<'_> {
    /// Where the node starts, after its anchor and tag.
    pub(crate) fn position(&self) -> Position {
        Position { line: self.line as usize, column: self.column as usize }
    }
}

impl<'text> Document<'text> {
    /// The root comes first. There is none only in a document without events, which the parser does not make.
    pub(crate) const ROOT: NodeIndex = 0;

    pub(crate) fn node(&self, index: NodeIndex) -> &RawNode<'text> {
        &self.nodes[index as usize]
    }

    /// How many nodes it has.
    pub(crate) fn length(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn has_aliases(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.kind, RawKind::Alias { .. }))
    }

    /// The tag of a node, with its prefix.
    pub(crate) fn tag(&self, index: NodeIndex) -> Option<&str> {
        if !self.node(index).tagged {
            return None;
        }
        let place = self.tags.binary_search_by_key(&index, |(tagged, _)| *tagged).ok()?;
        Some(&self.tags[place].1)
    }

    /// The node after a node and all its descendants: its next sibling, if it has one.
    pub(crate) fn after(&self, index: NodeIndex) -> NodeIndex {
        match self.node(index).kind {
            RawKind::Scalar { .. } | RawKind::Alias { .. } => index + 1,
            RawKind::Sequence { end, .. } | RawKind::Mapping { end, .. } => end,
        }
    }
}

/// Reads the documents of a text one by one.
#[derive(Debug)]
pub(crate) struct Reader<'text> {
    parser: Parser<'text>,
}

impl<'text> Reader<'text> {
    pub(crate) fn new(source: &'text Source<'_>) -> Self {
        Self { parser: Parser::new(source) }
    }

    /// The next document, or none at the end of the text.
    pub(crate) fn next_document(&mut self) -> Scanned<Option<Document<'text>>> {
        loop {
            match self.parser.next()? {
                Event::StreamEnd => return Ok(None),
                Event::DocumentStart => return Composer::default().compose(&mut self.parser).map(Some),
                _ => {}
            }
        }
    }
}

/// Builds a document.
#[derive(Debug, Default)]
struct Composer<'text> {
    nodes: Vec<RawNode<'text>>,
    tags: Vec<(NodeIndex, Box<str>)>,
    tag_bytes: usize,
    anchors: HashMap<&'text str, NodeIndex>,
    /// The collections that are not complete, and how many children each has so far.
    open: Vec<(NodeIndex, u32)>,
}

impl<'text> Composer<'text> {
    fn compose(mut self, parser: &mut Parser<'text>) -> Scanned<Document<'text>> {
        loop {
            match parser.next()? {
                Event::Scalar { text, implicit, properties, start } => {
                    self.push(RawKind::Scalar { text, implicit }, properties, start)?;
                }
                Event::Alias { name, start } => {
                    // Go: parser.alias
                    let Some(&target) = self.anchors.get(name) else {
                        let problem = format!("unknown anchor '{name}' referenced");
                        return Err(Box::new(YamlError::yaml(None, problem).at(start.position())));
                    };
                    self.push(RawKind::Alias { name, target }, Properties::default(), start)?;
                }
                Event::SequenceStart { properties, start } => {
                    let index = self.push(RawKind::Sequence { end: 0, length: 0 }, properties, start)?;
                    self.open.push((index, 0));
                }
                Event::MappingStart { properties, start } => {
                    let index = self.push(RawKind::Mapping { end: 0, length: 0 }, properties, start)?;
                    self.open.push((index, 0));
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(),
                Event::DocumentEnd | Event::StreamEnd => {
                    return Ok(Document { nodes: self.nodes, tags: self.tags });
                }
                Event::StreamStart | Event::DocumentStart => {}
            }
        }
    }

    fn push(&mut self, kind: RawKind<'text>, properties: Properties<'text>, start: Mark) -> Scanned<NodeIndex> {
        let position = start.position();
        if self.nodes.len() >= MAX_NODES {
            return Err(Box::new(YamlError::limit(format!("more than {MAX_NODES} nodes")).at(position)));
        }
        let index = self.nodes.len() as NodeIndex;
        if let Some((_, children)) = self.open.last_mut() {
            *children += 1;
        }
        if let Some(anchor) = properties.anchor {
            self.anchors.insert(anchor, index);
        }
        let tagged = properties.tag.is_some();
        self.tag_bytes += properties.tag.as_ref().map_or(0, |tag| tag.len());
        if self.tag_bytes > MAX_EXPANDED_BYTES {
            return Err(Box::new(YamlError::limit("tags make the document too large").at(position)));
        }
        self.tags.extend(properties.tag.map(|tag| (index, tag)));
        self.nodes.push(RawNode { kind, line: position.line as u32, column: position.column as u32, tagged });
        Ok(index)
    }

    fn close(&mut self) {
        let after = self.nodes.len() as NodeIndex;
        if let Some((index, children)) = self.open.pop() {
            match &mut self.nodes[index as usize].kind {
                RawKind::Sequence { end, length } | RawKind::Mapping { end, length } => {
                    *end = after;
                    *length = children;
                }
                RawKind::Scalar { .. } | RawKind::Alias { .. } => {}
            }
        }
    }
}
