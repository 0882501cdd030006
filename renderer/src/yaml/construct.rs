//! Raw documents to typed trees: scalars resolved, aliases copied, merges applied (`decode.go`).

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::error::YamlError;
use super::go_syntax;
use super::node::{Entry, Node, NodeKind};
use super::read::{NodeIndex, RawDocument, RawKind};
use super::resolve::{Scalar, resolve};
use super::{MAX_DEPTH, MAX_EXPANDED_BYTES, MAX_NODES};
use crate::number;

/// Go's prefix of the tags that YAML defines.
const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// Builds the tree of a document.
pub(crate) fn construct(document: &RawDocument<'_>) -> Result<Node, YamlError> {
    let mut constructor =
        Constructor { document, expanding: Vec::new(), nodes: 0, aliased_nodes: 0, aliased_bytes: 0, conversion: None };
    let node = constructor.node(document.root, 0)?;
    match constructor.conversion {
        Some(error) => Err(error),
        None => Ok(node),
    }
}

struct Constructor<'document, 'text> {
    document: &'document RawDocument<'text>,
    /// The alias nodes whose targets are being copied.
    expanding: Vec<NodeIndex>,
    nodes: usize,
    aliased_nodes: usize,
    aliased_bytes: usize,
    /// The first error of the later conversion to JSON: a syntax or decoding error wins over it.
    conversion: Option<YamlError>,
}

/// The entries of a mapping under construction, and where each key stands.
#[derive(Default)]
struct Entries {
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
}

impl Entries {
    /// The last value of a key wins.
    fn insert(&mut self, entry: Entry) {
        if let Some(&place) = self.index.get(&entry.key) {
            self.entries[place] = entry;
        } else {
            self.index.insert(entry.key.clone(), self.entries.len());
            self.entries.push(entry);
        }
    }
}

impl Constructor<'_, '_> {
    fn node(&mut self, index: NodeIndex, depth: usize) -> Result<Node, YamlError> {
        let document = self.document;
        let raw = &document.nodes[index as usize];
        self.charge(raw.kind.text_length())?;
        if depth > MAX_DEPTH {
            return Err(YamlError::yaml(None, format!("exceeded max depth of {MAX_DEPTH}")).at(raw.position));
        }
        let kind = match &raw.kind {
            RawKind::Scalar { text, tag, implicit } => {
                scalar(text, tag.as_deref(), *implicit).map_err(|error| error.at(raw.position))?
            }
            RawKind::Alias { .. } => return self.alias(index, |this, target| this.node(target, depth + 1)),
            RawKind::Sequence(items) => NodeKind::Sequence(
                items.iter().map(|&item| self.node(item, depth + 1)).collect::<Result<_, YamlError>>()?,
            ),
            RawKind::Mapping(children) => {
                let mut entries = Entries::default();
                self.mapping(children, depth, &mut entries)?;
                NodeKind::Mapping(entries.entries)
            }
        };
        Ok(Node { kind, position: raw.position })
    }

    /// Runs `expand` on the target of an alias.
    fn alias<T>(
        &mut self,
        index: NodeIndex,
        expand: impl FnOnce(&mut Self, NodeIndex) -> Result<T, YamlError>,
    ) -> Result<T, YamlError> {
        let raw = &self.document.nodes[index as usize];
        let RawKind::Alias { name, target } = &raw.kind else { return expand(self, index) };
        if self.expanding.contains(&index) {
            return Err(YamlError::yaml(None, format!("anchor '{name}' value contains itself")).at(raw.position));
        }
        self.expanding.push(index);
        let result = expand(self, *target);
        self.expanding.pop();
        result
    }

    /// Counts a decoded node. Aliases may not multiply a document beyond the bounds that Go's decoder sets, nor beyond
    /// our own.
    fn charge(&mut self, text_length: usize) -> Result<(), YamlError> {
        self.nodes += 1;
        if !self.expanding.is_empty() {
            self.aliased_nodes += 1;
            self.aliased_bytes += text_length;
        }
        let share = self.aliased_nodes as f64 / self.nodes as f64;
        let excessive = self.aliased_nodes > 100 && self.nodes > 1000 && share > allowed_alias_share(self.nodes);
        if excessive || self.nodes > MAX_NODES || self.aliased_bytes > MAX_EXPANDED_BYTES {
            return Err(YamlError::yaml(None, "document contains excessive aliasing"));
        }
        Ok(())
    }

    fn mapping(&mut self, children: &[NodeIndex], depth: usize, entries: &mut Entries) -> Result<(), YamlError> {
        for pair in children.chunks_exact(2) {
            let (key_index, value_index) = (pair[0], pair[1]);
            if self.is_merge(key_index) {
                self.merge(value_index, depth, entries)?;
                continue;
            }
            let key = self.node(key_index, depth + 1)?;
            if matches!(key.kind, NodeKind::Sequence(_) | NodeKind::Mapping(_)) {
                let shown = go_syntax::describe(&key);
                return Err(YamlError::yaml(None, format!("invalid map key: {shown}")).at(key.position));
            }
            let value = self.node(value_index, depth + 1)?;
            if let Some(text) = key_text(&key) {
                entries.insert(Entry { key: text.into_owned(), key_position: key.position, value });
            } else {
                self.conversion.get_or_insert(unsupported_key(&key, &value));
            }
        }
        Ok(())
    }

    fn is_merge(&self, index: NodeIndex) -> bool {
        match &self.document.nodes[index as usize].kind {
            RawKind::Scalar { text, tag, implicit } => {
                text == "<<" && (*implicit || tag.as_deref().and_then(core_tag) == Some("merge"))
            }
            _ => false,
        }
    }

    /// Adds the entries of a mapping, of an alias to one, or of a list of these, in which earlier ones win.
    fn merge(&mut self, index: NodeIndex, depth: usize, entries: &mut Entries) -> Result<(), YamlError> {
        let document = self.document;
        match &document.nodes[index as usize].kind {
            RawKind::Sequence(items) => {
                for &item in items.iter().rev() {
                    self.merge_mapping(item, depth, entries)?;
                }
                Ok(())
            }
            _ => self.merge_mapping(index, depth, entries),
        }
    }

    fn merge_mapping(&mut self, index: NodeIndex, depth: usize, entries: &mut Entries) -> Result<(), YamlError> {
        self.charge(0)?;
        let position = self.document.nodes[index as usize].position;
        if depth > MAX_DEPTH {
            return Err(YamlError::yaml(None, format!("exceeded max depth of {MAX_DEPTH}")).at(position));
        }
        self.alias(index, |this, target| match &this.document.nodes[target as usize].kind {
            RawKind::Mapping(children) => this.mapping(children, depth + 1, entries),
            _ => Err(YamlError::yaml(None, "map merge requires map or sequence of maps as the value").at(position)),
        })
    }
}

impl RawKind<'_> {
    fn text_length(&self) -> usize {
        match self {
            Self::Scalar { text, .. } => text.len(),
            _ => 0,
        }
    }
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

fn scalar(text: &str, tag: Option<&str>, implicit: bool) -> Result<NodeKind, YamlError> {
    let Some(tag) = tag else {
        return Ok(if implicit { typed(resolve(text, true), text) } else { NodeKind::String(text.to_owned()) });
    };
    match core_tag(tag) {
        Some("binary") => decode_binary(text).map(NodeKind::String),
        Some(name @ ("bool" | "int" | "float" | "null" | "timestamp")) => {
            let resolved = resolve(text, name == "timestamp");
            match (name, resolved) {
                ("float", Scalar::Int(value)) => Ok(NodeKind::Float(value as f64)),
                (name, resolved) if resolved.tag()[2..] == *name => Ok(typed(resolved, text)),
                (name, resolved) => {
                    Err(YamlError::yaml(None, format!("cannot decode {} `{text}` as a !!{name}", resolved.tag())))
                }
            }
        }
        _ => Ok(NodeKind::String(text.to_owned())),
    }
}

fn typed(scalar: Scalar, text: &str) -> NodeKind {
    match scalar {
        Scalar::Null => NodeKind::Null,
        Scalar::Bool(value) => NodeKind::Bool(value),
        Scalar::Int(value) => NodeKind::Int(value),
        Scalar::Uint(value) => NodeKind::Uint(value),
        Scalar::Float(value) => NodeKind::Float(value),
        Scalar::Timestamp | Scalar::String => NodeKind::String(text.to_owned()),
    }
}

/// Go's `base64.StdEncoding` skips line breaks; the text passes through JSON, which replaces what is not UTF-8.
fn decode_binary(text: &str) -> Result<String, YamlError> {
    let engine = GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let compact: String = text.chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
    engine
        .decode(compact)
        .map(|bytes| crate::json::valid_utf8(&bytes).into_owned())
        .map_err(|_| YamlError::yaml(None, "!!binary value contains invalid base64 data"))
}

/// The text of a scalar key in JSON; nothing for the types that `sigs.k8s.io/yaml` refuses.
fn key_text(key: &Node) -> Option<Cow<'_, str>> {
    Some(match &key.kind {
        NodeKind::String(text) => Cow::Borrowed(text.as_str()),
        NodeKind::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        NodeKind::Int(value) => Cow::Owned(value.to_string()),
        NodeKind::Float(value) => Cow::Owned(match number::format_f32_general(*value).as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        }),
        _ => return None,
    })
}

fn unsupported_key(key: &Node, value: &Node) -> YamlError {
    let key_type = match key.kind {
        NodeKind::Uint(_) => "uint64",
        _ => "%!s(<nil>)",
    };
    YamlError::conversion(format!(
        "unsupported map key of type: {key_type}, key: {}, value: {}",
        go_syntax::describe_top(key),
        go_syntax::describe_top(value)
    ))
    .at(key.position)
}
