//! Go-flavoured YAML: reading with YAML 1.1 rules (`go.yaml.in/yaml` v2 through `sigs.k8s.io/yaml`) and writing.
//!
//! The event parser below follows YAML 1.2, Go's libyaml port YAML 1.1. Known differences: U+0085, U+2028 and U+2029 are
//! no line breaks here; a block scalar at the root may stand at column zero; anchors may contain punctuation, so that
//! `*a: 1` has no key `*a`; in flow collections `a:` before a comma or bracket is a key and tabs may not begin a line; a
//! line of a tab or of a tab and a comment is blank; and some broken texts are called broken in other words. Of 7,866
//! distinct files (Helm's, Kubernetes' and the Google Cloud SDK's, the charts of prometheus-community and argo-helm)
//! four are read differently, all for a colon in an anchor, and of the 918 that are broken 29 are so in other words.

mod construct;
mod error;
mod go_syntax;
mod node;
mod order;
mod plain;
mod read;
mod resolve;
mod source;
mod syntax;
mod write;

pub use error::YamlError;
pub use node::{Entry, Node, NodeKind, Position};

use crate::budget::Budget;
use crate::json::EncodeError;
use crate::value::Value;

/// The longest text that is read. Helm reads chart files up to 5 MiB; rendered manifests can be a little longer.
pub const MAX_INPUT_BYTES: usize = 16 << 20;
/// The deepest nesting that is read. Real manifests stay below 30; native stack bounds what recursion can take.
pub const MAX_DEPTH: usize = 200;
/// The most nodes a document may have, aliases expanded: a 5 MiB file of one-letter list elements has fewer.
pub const MAX_NODES: usize = 3_000_000;
/// The most bytes of scalars that aliases may add to a document.
pub const MAX_EXPANDED_BYTES: usize = 64 << 20;

/// Reads the first document of a YAML text. An empty text is null.
pub fn parse(bytes: &[u8]) -> Result<Node, YamlError> {
    check_length(bytes)?;
    let text = source::text(bytes)?;
    match read::Reader::new(&text).next_document()? {
        Some(document) => construct::construct(&document),
        None => Ok(Node::null()),
    }
}

/// Reads all documents of a YAML stream.
pub fn parse_all(bytes: &[u8]) -> Result<Vec<Node>, YamlError> {
    check_length(bytes)?;
    let text = source::text(bytes)?;
    let mut reader = read::Reader::new(&text);
    let mut documents = Vec::new();
    while let Some(document) = reader.next_document()? {
        documents.push(construct::construct(&document)?);
    }
    Ok(documents)
}

/// Decodes the first document of a YAML text as `sigs.k8s.io/yaml` does into `any`: all numbers are `f64`, keys are
/// text, duplicate keys keep the last value, NaN and infinities are errors. An empty text is null.
pub fn decode(bytes: &[u8]) -> Result<serde_json::Value, YamlError> {
    to_json(parse(bytes)?)
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
    let tree = plain::through_json(value, budget)?;
    charged(write::write(&tree, write::Layout::V2), budget)
}

/// Encodes a value as `toYamlPretty` does before it drops the final line break: directly, not wrapped, lists indented.
pub fn encode_pretty(value: &Value, budget: &Budget) -> Result<String, EncodeError> {
    let tree = plain::direct(value, budget)?;
    charged(write::write(&tree, write::Layout::V3), budget)
}

/// Encodes a JSON tree for people: keys and quotes as in `toYaml`, nothing wrapped, text of several lines in blocks. Ends
/// with a line break.
pub fn encode_json(json: &serde_json::Value) -> String {
    write::write(&plain::from_json(json, 0), write::Layout::Readable)
}

fn charged(text: String, budget: &Budget) -> Result<String, EncodeError> {
    budget.charge_bytes(text.len() as u64)?;
    Ok(text)
}

fn check_length(bytes: &[u8]) -> Result<(), YamlError> {
    if bytes.len() > MAX_INPUT_BYTES {
        return Err(YamlError::yaml(None, format!("text is longer than {MAX_INPUT_BYTES} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
