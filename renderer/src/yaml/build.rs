//! The trees that documents are made into: with positions, as JSON, as template values.

use std::borrow::Cow;
use std::collections::HashMap;

use super::construct::{Build, Halt, Typed, construct};
use super::document::Document;
use super::error::YamlError;
use super::exact;
use super::node::{Entry, Node, NodeKind, Position};
use crate::number;
use crate::value::{GoString, Map, Value};

/// Makes a document into a tree; if the tree cannot hold it, finds out why, as Go would say it.
pub(crate) fn build<B: Build>(document: &Document<'_>, build: &B) -> Result<B::Tree, YamlError> {
    match construct(document, build) {
        Ok(tree) => Ok(tree),
        Err(Halt::Error(error)) => Err(*error),
        Err(Halt::Unfit) => exact::rebuild(document, build),
    }
}

/// The text of a scalar key in JSON; nothing for the types that `sigs.k8s.io/yaml` refuses
/// (`convertToJSONableObject`).
pub(crate) fn key_text(key: Typed<'_>) -> Option<Cow<'_, str>> {
    Some(match key {
        Typed::Text(text) => text,
        Typed::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
        Typed::Int(value) => Cow::Owned(value.to_string()),
        Typed::Float(value) => match number::format_f32_general(value).as_str() {
            "+Inf" => Cow::Borrowed(".inf"),
            "-Inf" => Cow::Borrowed("-.inf"),
            "NaN" => Cow::Borrowed(".nan"),
            text => Cow::Owned(text.to_owned()),
        },
        Typed::Null | Typed::Uint(_) => return None,
    })
}

/// Builds [`Node`]s.
#[derive(Debug)]
pub(crate) struct Nodes;

impl Build for Nodes {
    type Tree = Node;
    type Key = (String, Position);
    type Entries = Vec<Entry>;

    fn scalar(&self, scalar: Typed<'_>, position: Position) -> Option<Node> {
        let kind = match scalar {
            Typed::Null => NodeKind::Null,
            Typed::Bool(value) => NodeKind::Bool(value),
            Typed::Int(value) => NodeKind::Int(value),
            Typed::Uint(value) => NodeKind::Uint(value),
            Typed::Float(value) if !value.is_finite() => return None,
            Typed::Float(value) => NodeKind::Float(value),
            Typed::Text(text) => NodeKind::String(text.into_owned()),
        };
        Some(Node { kind, position })
    }

    fn sequence(&self, items: Vec<Node>, position: Position) -> Node {
        Node { kind: NodeKind::Sequence(items), position }
    }

    fn key(&self, scalar: Typed<'_>, position: Position) -> Option<(String, Position)> {
        Some((key_text(scalar)?.into_owned(), position))
    }

    fn insert(&self, entries: &mut Vec<Entry>, (key, key_position): (String, Position), value: Node) {
        entries.push(Entry { key, key_position, value });
    }

    fn mapping(&self, entries: Vec<Entry>, position: Position) -> Node {
        Node { kind: NodeKind::Mapping(without_duplicates(entries)), position }
    }

    fn describe(&self, _: &Node) -> Option<String> {
        None
    }
}

/// The last entry of each key, where the first one was.
fn without_duplicates(entries: Vec<Entry>) -> Vec<Entry> {
    /// Up to so many keys are compared with each other.
    const FEW: usize = 8;
    let has_duplicates = if entries.len() <= FEW {
        entries.iter().enumerate().any(|(index, entry)| entries[..index].iter().any(|other| other.key == entry.key))
    } else {
        let mut keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        keys.sort_unstable();
        keys.windows(2).any(|pair| pair[0] == pair[1])
    };
    if !has_duplicates {
        return entries;
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut unique: Vec<Entry> = Vec::new();
    for entry in entries {
        if let Some(&place) = places.get(&entry.key) {
            unique[place] = entry;
        } else {
            places.insert(entry.key.clone(), unique.len());
            unique.push(entry);
        }
    }
    unique
}

/// Builds JSON in which all numbers are floats.
#[derive(Debug)]
pub(crate) struct Json;

impl Build for Json {
    type Tree = serde_json::Value;
    type Key = String;
    type Entries = Vec<(String, serde_json::Value)>;

    fn scalar(&self, scalar: Typed<'_>, _: Position) -> Option<serde_json::Value> {
        let float = |value| serde_json::Number::from_f64(value).map(serde_json::Value::Number);
        Some(match scalar {
            Typed::Null => serde_json::Value::Null,
            Typed::Bool(value) => serde_json::Value::Bool(value),
            Typed::Int(value) => float(value as f64)?,
            Typed::Uint(value) => float(value as f64)?,
            Typed::Float(value) => float(value)?,
            Typed::Text(text) => serde_json::Value::String(text.into_owned()),
        })
    }

    fn sequence(&self, items: Vec<serde_json::Value>, _: Position) -> serde_json::Value {
        serde_json::Value::Array(items)
    }

    fn key(&self, scalar: Typed<'_>, _: Position) -> Option<String> {
        Some(key_text(scalar)?.into_owned())
    }

    fn insert(&self, entries: &mut Self::Entries, key: String, value: serde_json::Value) {
        entries.push((key, value));
    }

    fn mapping(&self, entries: Self::Entries, _: Position) -> serde_json::Value {
        serde_json::Value::Object(entries.into_iter().collect())
    }

    fn describe(&self, _: &serde_json::Value) -> Option<String> {
        None
    }
}

/// Builds template values in which all numbers are `float64`.
#[derive(Debug)]
pub(crate) struct Values;

impl Build for Values {
    type Tree = Value;
    type Key = GoString;
    type Entries = Vec<(GoString, Value)>;

    fn scalar(&self, scalar: Typed<'_>, _: Position) -> Option<Value> {
        Some(match scalar {
            Typed::Null => Value::Nil,
            Typed::Bool(value) => Value::Bool(value),
            Typed::Int(value) => Value::Float64(value as f64),
            Typed::Uint(value) => Value::Float64(value as f64),
            Typed::Float(value) if !value.is_finite() => return None,
            Typed::Float(value) => Value::Float64(value),
            Typed::Text(text) => Value::String(GoString::from(&*text)),
        })
    }

    fn sequence(&self, items: Vec<Value>, _: Position) -> Value {
        Value::list(items)
    }

    fn key(&self, scalar: Typed<'_>, _: Position) -> Option<GoString> {
        Some(GoString::from(&*key_text(scalar)?))
    }

    fn insert(&self, entries: &mut Self::Entries, key: GoString, value: Value) {
        entries.push((key, value));
    }

    fn mapping(&self, entries: Self::Entries, _: Position) -> Value {
        Value::Map(entries.into_iter().collect::<Map>())
    }

    fn describe(&self, _: &Value) -> Option<String> {
        None
    }
}
