//! The tree that reading YAML gives: typed scalars, positions, aliases and merges already applied.

use crate::number;

/// Where a node starts in the source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// A YAML node and where it starts. A node that came through an alias or a merge keeps the position of its definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What the node is.
    pub kind: NodeKind,
    /// Where its text starts.
    pub position: Position,
}

/// The YAML 1.1 types that `go.yaml.in/yaml` v2 resolves to.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// `null`, `~`, nothing.
    Null,
    /// `true`, `yes`, `on`, `y` and their opposites.
    Bool(bool),
    /// An integer that fits Go's `int`.
    Int(i64),
    /// A larger integer that fits `uint64`.
    Uint(u64),
    /// A floating-point number, also infinite or not a number.
    Float(f64),
    /// Text, also timestamps.
    String(String),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping: keys are unique in their text form and stand in the order of first appearance.
    Mapping(Vec<Entry>),
}

/// A key of a mapping and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key as text: `yes: 1` has the key `true`.
    pub key: String,
    /// Where the key starts.
    pub key_position: Position,
    /// The value.
    pub value: Node,
}

impl Node {
    /// A null without a place in the text: what an empty document means.
    pub fn null() -> Self {
        Self { kind: NodeKind::Null, position: Position::default() }
    }

    /// The value of a mapping's key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a mapping's key, with both positions.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|entry| entry.key == key)
    }

    /// The entries, if this is a mapping.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            NodeKind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The elements, if this is a sequence.
    pub fn items(&self) -> Option<&[Self]> {
        match &self.kind {
            NodeKind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The text that `sigs.k8s.io/yaml` gives to a Go field of type `string`: strings as they are, integers in decimal,
    /// floats in the shortest form of their 32-bit value (`1.10` gives `1.1`, `1e6` gives `1e+06`), `true` and `false`.
    /// Nothing for null, sequences and mappings.
    pub fn coerced_text(&self) -> Option<String> {
        match &self.kind {
            NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => None,
            NodeKind::Bool(value) => Some(value.to_string()),
            NodeKind::Int(value) => Some(value.to_string()),
            NodeKind::Uint(value) => Some(value.to_string()),
            NodeKind::Float(value) => Some(number::format_f32_general(*value)),
            NodeKind::String(text) => Some(text.clone()),
        }
    }
}
