//! Go-flavoured YAML: reading with YAML 1.1 rules (`go.yaml.in/yaml` v2 through `sigs.k8s.io/yaml`) and writing.
//!
//! Reading goes from bytes through these steps, each in a file or folder of its name: `source` (encoding, allowed
//! characters), `scan` (tokens), `parse` (events), `document` (nodes as they were written), `construct` (types, aliases,
//! merges), `build` (the trees that callers get). Only the last two recurse, as deep as [`MAX_DEPTH`].

mod build;
mod construct;
mod document;
mod error;
mod events;
mod exact;
mod node;
mod order;
mod parse;
mod plain;
mod resolve;
mod scan;
mod source;
mod write;

pub use error::YamlError;
pub use node::{Entry, Node, NodeKind, Position};

use crate::budget::{Budget, BudgetExceeded};
use crate::json::EncodeError;
use crate::value::Value;

/// The longest text that is read. Helm reads chart files up to 5 MiB; rendered manifests can be a little longer.
pub const MAX_INPUT_BYTES: usize = 16 << 20;
/// The deepest nesting that is read. Real manifests stay below 30; native stack bounds what recursion can take.
pub const MAX_DEPTH: usize = 200;
/// The most nodes a document may have, also with its aliases expanded. The largest public values and manifests have some
/// 30,000; each node takes about 200 bytes while values are merged.
pub const MAX_NODES: usize = 300_000;
/// The most bytes of scalars that aliases may add to a document, and the most that its tags may have.
pub const MAX_EXPANDED_BYTES: usize = 16 << 20;

/// What a node takes as a template value: a key of a map with one entry is the worst.
const NODE_BYTES: u64 = 96;

/// Reads the first document of a YAML text. An empty text is null.
pub fn parse(bytes: &[u8]) -> Result<Node, YamlError> {
    Ok(first(bytes, &build::Nodes)?.unwrap_or_else(Node::null))
}

/// Reads the first document of a YAML text, and tells whether the text has no other.
pub(crate) fn parse_first(bytes: &[u8]) -> Result<(Node, bool), YamlError> {
    check_length(bytes)?;
    let source = source::Source::read(bytes);
    let mut reader = document::Reader::new(&source);
    let Some(first) = reader.next_document().map_err(|error| *error)? else { return Ok((Node::null(), true)) };
    let node = build::build(&first, &build::Nodes)?;
    Ok((node, matches!(reader.next_document(), Ok(None))))
}

/// Reads all documents of a YAML stream.
pub fn parse_all(bytes: &[u8]) -> Result<Vec<Node>, YamlError> {
    check_length(bytes)?;
    let source = source::Source::read(bytes);
    let mut reader = document::Reader::new(&source);
    let mut documents = Vec::new();
    while let Some(document) = reader.next_document().map_err(|error| *error)? {
        documents.push(build::build(&document, &build::Nodes)?);
    }
    Ok(documents)
}

/// Decodes the first document of a YAML text as `sigs.k8s.io/yaml` does into `any`: all numbers are `f64`, keys are
/// text, duplicate keys keep the last value, NaN and infinities are errors. An empty text is null.
pub fn decode(bytes: &[u8]) -> Result<serde_json::Value, YamlError> {
    Ok(first(bytes, &build::Json)?.unwrap_or_default())
}

/// As [`decode`], into a template value.
pub fn decode_value(bytes: &[u8]) -> Result<Value, YamlError> {
    Ok(first(bytes, &build::Values)?.unwrap_or(Value::Nil))
}

/// As [`decode_value`], charging for the value.
pub(crate) fn decode_charged(bytes: &[u8], budget: &Budget) -> Result<Result<Value, YamlError>, BudgetExceeded> {
    if let Err(error) = check_length(bytes) {
        return Ok(Err(error));
    }
    let source = source::Source::read(bytes);
    let document = match document::Reader::new(&source).next_document() {
        Ok(Some(document)) => document,
        Ok(None) => return Ok(Ok(Value::Nil)),
        Err(error) => return Ok(Err(*error)),
    };
    budget.charge_bytes(document.length() as u64 * NODE_BYTES)?;
    let result = build::build(&document, &build::Values);
    if let Ok(value) = &result
        && document.has_aliases()
    {
        budget.charge_bytes(expanded_bytes(value))?;
    }
    Ok(result)
}

/// What a value takes that was made of aliases.
fn expanded_bytes(value: &Value) -> u64 {
    let below = match value {
        Value::String(text) => text.len() as u64,
        Value::List(list) => list.iter().map(expanded_bytes).sum(),
        Value::Map(map) => map.entries().iter().map(|(key, value)| key.len() as u64 + expanded_bytes(value)).sum(),
        _ => 0,
    };
    NODE_BYTES + below
}

/// Makes the first document of a text into a tree, if it has one.
fn first<B: construct::Build>(bytes: &[u8], build: &B) -> Result<Option<B::Tree>, YamlError> {
    check_length(bytes)?;
    let source = source::Source::read(bytes);
    let document = document::Reader::new(&source).next_document().map_err(|error| *error)?;
    document.map(|document| build::build(&document, build)).transpose()
}

/// Converts a tree to JSON with all numbers as `f64`; NaN and infinities are errors.
pub fn to_json(node: Node) -> Result<serde_json::Value, YamlError> {
    Ok(match node.kind {
        NodeKind::Null => serde_json::Value::Null,
        NodeKind::Bool(value) => serde_json::Value::Bool(value),
        NodeKind::Int(value) => json_number(value as f64)?,
        NodeKind::Uint(value) => json_number(value as f64)?,
        NodeKind::Float(value) => json_number(value).map_err(|error| error.at(node.position))?,
        NodeKind::String(text) => serde_json::Value::String(text),
        NodeKind::Sequence(items) => {
            serde_json::Value::Array(items.into_iter().map(to_json).collect::<Result<_, _>>()?)
        }
        NodeKind::Mapping(entries) => serde_json::Value::Object(
            entries
                .into_iter()
                .map(|entry| Ok((entry.key, to_json(entry.value)?)))
                .collect::<Result<_, YamlError>>()?,
        ),
    })
}

fn json_number(value: f64) -> Result<serde_json::Value, YamlError> {
    serde_json::Number::from_f64(value).map(serde_json::Value::Number).ok_or_else(|| {
        let shown = crate::number::format_f64_general(value);
        YamlError::conversion(format!("json: unsupported value: {shown}"))
    })
}

/// Encodes a value as `toYaml` does before it drops the final line break: through JSON, wrapped after column 80, lists
/// below keys not indented.
pub fn encode(value: &Value, budget: &Budget) -> Result<String, EncodeError> {
    plain::through_json(value, budget)
}

/// Encodes a value as `toYamlPretty` does before it drops the final line break: directly, not wrapped, lists indented.
pub fn encode_pretty(value: &Value, budget: &Budget) -> Result<String, EncodeError> {
    plain::direct(value, budget)
}

/// Encodes a JSON tree for people: keys and quotes as in `toYaml`, nothing wrapped, text of several lines in blocks. Ends
/// with a line break.
pub fn encode_json(json: &serde_json::Value) -> String {
    plain::readable(json)
}

fn check_length(bytes: &[u8]) -> Result<(), YamlError> {
    if bytes.len() > MAX_INPUT_BYTES {
        return Err(YamlError::limit(format!("text is longer than {MAX_INPUT_BYTES} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
