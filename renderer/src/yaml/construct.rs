//! Documents to typed trees: scalars resolved, aliases copied, merges applied (the `decoder` of `decode.go`).

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::document::{Document, NodeIndex, RawKind};
use super::error::YamlError;
use super::node::Position;
use super::resolve::{Scalar, resolve};
use super::scan::Scanned;
use super::{MAX_DEPTH, MAX_EXPANDED_BYTES, MAX_NODES};

/// Go's prefix of the tags that YAML defines.
const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// A scalar with its type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Typed<'text> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(Cow<'text, str>),
}

/// What a document is made into.
pub(crate) trait Build {
    type Tree;
    type Key;
    type Entries: Default;

    /// A scalar; none if a tree cannot hold it.
    fn scalar(&self, scalar: Typed<'_>, position: Position) -> Option<Self::Tree>;

    fn sequence(&self, items: Vec<Self::Tree>, position: Position) -> Self::Tree;

    /// The key of a mapping; none if a tree cannot hold it.
    fn key(&self, scalar: Typed<'_>, position: Position) -> Option<Self::Key>;

    /// Adds an entry. Of equal keys the last counts.
    fn insert(&self, entries: &mut Self::Entries, key: Self::Key, value: Self::Tree);

    fn mapping(&self, entries: Self::Entries, position: Position) -> Self::Tree;

    /// A collection in Go's syntax, if a tree has all that this tells.
    fn describe(&self, tree: &Self::Tree) -> Option<String>;
}

/// Why a document is not made into a tree.
#[derive(Debug)]
pub(crate) enum Halt {
    Error(Box<YamlError>),
    /// It has a scalar or a key that the tree cannot hold.
    Unfit,
}

impl From<Box<YamlError>> for Halt {
    fn from(error: Box<YamlError>) -> Self {
        Self::Error(error)
    }
}

/// Builds the tree of a document.
pub(crate) fn construct<B: Build>(document: &Document<'_>, build: &B) -> Result<B::Tree, Halt> {
    // The document itself counts as a node.
    let mut constructor =
        Constructor { document, build, expanding: Vec::new(), nodes: 1, aliased_nodes: 0, aliased_bytes: 0 };
    constructor.node(Document::ROOT, 0)
}

struct Constructor<'document, 'text, B> {
    document: &'document Document<'text>,
    build: &'document B,
    /// The alias nodes whose targets are being copied.
    expanding: Vec<NodeIndex>,
    nodes: usize,
    aliased_nodes: usize,
    aliased_bytes: usize,
}

impl<'document, B: Build> Constructor<'document, '_, B> {
    /// Go: `decoder.unmarshal`
    fn node(&mut self, index: NodeIndex, depth: usize) -> Result<B::Tree, Halt> {
        let raw = self.document.node(index);
        let position = raw.position();
        self.charge(index)?;
        match raw.kind {
            RawKind::Scalar { .. } => {
                let scalar = self.scalar(index)?;
                self.build.scalar(scalar, position).ok_or(Halt::Unfit)
            }
            RawKind::Alias { target, .. } => self.expand(index, |this| this.node(target, depth + 1)),
            RawKind::Sequence { length, .. } => {
                check_depth(depth, position)?;
                let mut items = Vec::with_capacity(length as usize);
                let mut item = index + 1;
                for _ in 0..length {
                    items.push(self.node(item, depth + 1)?);
                    item = self.document.after(item);
                }
                Ok(self.build.sequence(items, position))
            }
            RawKind::Mapping { .. } => {
                let mut entries = B::Entries::default();
                self.entries(index, depth, &mut entries)?;
                Ok(self.build.mapping(entries, position))
            }
        }
    }

    /// Copies what an alias stands for. Go: `decoder.alias`
    fn expand<T>(&mut self, index: NodeIndex, copy: impl FnOnce(&mut Self) -> Result<T, Halt>) -> Result<T, Halt> {
        let raw = self.document.node(index);
        if self.expanding.contains(&index) {
            let name = match raw.kind {
                RawKind::Alias { name, .. } => name,
                _ => "",
            };
            return Err(failed(format!("anchor '{name}' value contains itself"), raw.position()));
        }
        check_depth(self.expanding.len(), raw.position())?;
        self.expanding.push(index);
        let result = copy(self);
        self.expanding.pop();
        result
    }

    /// Counts a decoded node. Aliases may not multiply a document beyond the bounds that Go's decoder sets, nor beyond
    /// our own.
    fn charge(&mut self, index: NodeIndex) -> Result<(), Halt> {
        self.nodes += 1;
        if self.expanding.is_empty() {
            return Ok(());
        }
        let raw = self.document.node(index);
        self.aliased_nodes += 1;
        if let RawKind::Scalar { text, .. } = &raw.kind {
            self.aliased_bytes += text.len();
        }
        let share = self.aliased_nodes as f64 / self.nodes as f64;
        if self.aliased_nodes > 100 && self.nodes > 1000 && share > allowed_alias_share(self.nodes) {
            return Err(failed("document contains excessive aliasing", raw.position()));
        }
        if self.nodes > MAX_NODES || self.aliased_bytes > MAX_EXPANDED_BYTES {
            let error = YamlError::limit("aliases make the document too large");
            return Err(Halt::Error(Box::new(error.at(raw.position()))));
        }
        Ok(())
    }

    /// Adds the entries of a mapping. Go: `decoder.mapping`
    fn entries(&mut self, index: NodeIndex, depth: usize, entries: &mut B::Entries) -> Result<(), Halt> {
        let raw = self.document.node(index);
        let RawKind::Mapping { length, .. } = raw.kind else { return Ok(()) };
        check_depth(depth, raw.position())?;
        let mut key_index = index + 1;
        for _ in 0..length / 2 {
            let value_index = self.document.after(key_index);
            if self.is_merge(key_index) {
                self.merge(value_index, depth, entries)?;
            } else {
                let key = self.key(key_index, depth)?;
                let value = self.node(value_index, depth + 1)?;
                self.build.insert(entries, key, value);
            }
            key_index = self.document.after(value_index);
        }
        Ok(())
    }

    fn key(&mut self, index: NodeIndex, depth: usize) -> Result<B::Key, Halt> {
        let position = self.document.node(index).position();
        let target = match self.document.node(index).kind {
            RawKind::Alias { target, .. } => target,
            _ => index,
        };
        if let RawKind::Scalar { .. } = self.document.node(target).kind {
            self.charge(index)?;
            if target != index {
                self.expand(index, |this| this.charge(target))?;
            }
            let scalar = self.scalar(target)?;
            return self.build.key(scalar, position).ok_or(Halt::Unfit);
        }
        let tree = self.node(index, depth + 1)?;
        let shown = self.build.describe(&tree).ok_or(Halt::Unfit)?;
        Err(failed(format!("invalid map key: {shown}"), position))
    }

    /// Go: `isMerge`
    fn is_merge(&self, index: NodeIndex) -> bool {
        match &self.document.node(index).kind {
            RawKind::Scalar { text, implicit } => {
                text == "<<" && (*implicit || self.document.tag(index).and_then(core_tag) == Some("merge"))
            }
            _ => false,
        }
    }

    /// Adds the entries of a mapping, of an alias to one, or of a list of these, in which earlier ones win. They replace
    /// entries that stand before the merge. Go: `decoder.merge`
    fn merge(&mut self, index: NodeIndex, depth: usize, entries: &mut B::Entries) -> Result<(), Halt> {
        let RawKind::Sequence { length, .. } = self.document.node(index).kind else {
            return self.merge_mapping(index, depth, entries);
        };
        let mut items = Vec::with_capacity(length as usize);
        let mut item = index + 1;
        for _ in 0..length {
            items.push(item);
            item = self.document.after(item);
        }
        items.into_iter().rev().try_for_each(|item| self.merge_mapping(item, depth, entries))
    }

    fn merge_mapping(&mut self, index: NodeIndex, depth: usize, entries: &mut B::Entries) -> Result<(), Halt> {
        let raw = self.document.node(index);
        match raw.kind {
            RawKind::Mapping { .. } => {
                self.charge(index)?;
                self.entries(index, depth + 1, entries)
            }
            RawKind::Alias { target, .. } if matches!(self.document.node(target).kind, RawKind::Mapping { .. }) => {
                self.charge(index)?;
                self.expand(index, |this| {
                    this.charge(target)?;
                    this.entries(target, depth + 1, entries)
                })
            }
            _ => Err(failed("map merge requires map or sequence of maps as the value", raw.position())),
        }
    }

    /// The type and value of a scalar. Go: `decoder.scalar`, `resolve`
    fn scalar(&self, index: NodeIndex) -> Scanned<Typed<'document>> {
        let raw = self.document.node(index);
        let RawKind::Scalar { text, implicit } = &raw.kind else { return Ok(Typed::Null) };
        let text: &'document str = text;
        let Some(tag) = self.document.tag(index) else {
            return Ok(if *implicit { typed(resolve(text, true), text) } else { Typed::Text(Cow::Borrowed(text)) });
        };
        tagged_scalar(text, tag).map_err(|problem| Box::new(YamlError::yaml(None, problem).at(raw.position())))
    }
}

fn check_depth(depth: usize, position: Position) -> Result<(), Halt> {
    if depth < MAX_DEPTH {
        return Ok(());
    }
    let error = YamlError::limit(format!("exceeded max depth of {MAX_DEPTH}"));
    Err(Halt::Error(Box::new(error.at(position))))
}

fn failed(problem: impl Into<String>, position: Position) -> Halt {
    Halt::Error(Box::new(YamlError::yaml(None, problem).at(position)))
}

/// The share of a document's nodes that may come from aliases: 99 % of small ones, 10 % of huge ones, and in between a
/// straight line (`allowedAliasRatio`).
fn allowed_alias_share(nodes: usize) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    0.99 - 0.89 * ((nodes as f64 - LOW) / (HIGH - LOW)).clamp(0.0, 1.0)
}

/// The part of a tag after YAML's own prefix.
fn core_tag(tag: &str) -> Option<&str> {
    tag.strip_prefix(TAG_PREFIX)
}

fn tagged_scalar<'text>(text: &'text str, tag: &str) -> Result<Typed<'text>, String> {
    match core_tag(tag) {
        Some("binary") => decode_binary(text).map(|text| Typed::Text(Cow::Owned(text))),
        Some(name @ ("bool" | "int" | "float" | "null" | "timestamp")) => match resolve(text, name == "timestamp") {
            Scalar::Int(value) if name == "float" => Ok(Typed::Float(value as f64)),
            resolved if resolved.tag()[2..] == *name => Ok(typed(resolved, text)),
            resolved => Err(format!("cannot decode {} `{text}` as a !!{name}", resolved.tag())),
        },
        _ => Ok(Typed::Text(Cow::Borrowed(text))),
    }
}

fn typed(scalar: Scalar, text: &str) -> Typed<'_> {
    match scalar {
        Scalar::Null => Typed::Null,
        Scalar::Bool(value) => Typed::Bool(value),
        Scalar::Int(value) => Typed::Int(value),
        Scalar::Uint(value) => Typed::Uint(value),
        Scalar::Float(value) => Typed::Float(value),
        Scalar::Timestamp | Scalar::String => Typed::Text(Cow::Borrowed(text)),
    }
}

/// Go's `base64.StdEncoding` skips line breaks; the text passes through JSON, which replaces what is not UTF-8.
fn decode_binary(text: &str) -> Result<String, String> {
    let engine = GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let compact: String = text.chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
    engine
        .decode(compact)
        .map(|bytes| crate::json::valid_utf8(&bytes).into_owned())
        .map_err(|_| "!!binary value contains invalid base64 data".to_owned())
}
