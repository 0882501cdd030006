//! Values made ready for writing: sorted, with numbers as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::order::sort_entries;
use super::resolve::{Scalar, resolve};
use super::source;
use crate::budget::{Budget, BudgetExceeded};
use crate::json::{EncodeError, MAX_ENCODE_DEPTH, valid_utf8};
use crate::number;
use crate::value::Value;

/// A tree as the emitter takes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plain {
    /// A number, `true`, `null`: written as it is.
    Scalar(String),
    /// A string, to be quoted where needed.
    Text(String),
    /// Bytes that are no text, in base64, to be tagged `!!binary`.
    Binary(String),
    /// A list.
    Sequence(Vec<Plain>),
    /// A map in the order of writing.
    Mapping(Vec<(String, Plain)>),
}

/// The longest key, in characters with its JSON quotes, that the YAML reader takes back from JSON.
const MAX_JSON_KEY: usize = 1024;

/// What remains of a value after encoding it as JSON and reading that as YAML (`sigs.k8s.io/yaml.Marshal`).
pub(crate) fn through_json(value: &Value, budget: &Budget) -> Result<Plain, EncodeError> {
    json_node(value, budget, 0)
}

fn json_node(value: &Value, budget: &Budget, depth: usize) -> Result<Plain, EncodeError> {
    budget.charge_steps(1)?;
    if depth > MAX_ENCODE_DEPTH {
        return Err(EncodeError::too_deep(value));
    }
    Ok(match value {
        Value::Invalid | Value::Nil => null(),
        Value::Bool(value) => Plain::Scalar(value.to_string()),
        Value::Int(value) | Value::Int64(value) => Plain::Scalar(value.to_string()),
        Value::Uint64(value) => Plain::Scalar(value.to_string()),
        Value::Float64(value) => Plain::Scalar(json_number(*value)?),
        Value::Complex128(..) => return Err(EncodeError::unsupported_type(value)),
        Value::String(text) => {
            charge(budget, text.len())?;
            Plain::Text(json_text(text)?)
        }
        Value::Bytes(bytes) => {
            charge(budget, bytes.len())?;
            Plain::Text(STANDARD.encode(bytes))
        }
        Value::List(list) if list.is_nil() => null(),
        Value::Map(map) if map.is_nil() => null(),
        Value::List(list) => {
            Plain::Sequence(list.iter().map(|item| json_node(item, budget, depth + 1)).collect::<Result<_, _>>()?)
        }
        Value::Map(map) => {
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.entries() {
                charge(budget, key.len())?;
                entries.push((json_key(&key)?, json_node(&value, budget, depth + 1)?));
            }
            Plain::Mapping(sort_entries(entries))
        }
        Value::Object(object) => json_node(&object.to_plain(), budget, depth + 1)?,
    })
}

/// What the YAML v3 writer sees of a value.
pub(crate) fn direct(value: &Value, budget: &Budget) -> Result<Plain, EncodeError> {
    direct_node(value, budget, 0)
}

fn direct_node(value: &Value, budget: &Budget, depth: usize) -> Result<Plain, EncodeError> {
    budget.charge_steps(1)?;
    if depth > MAX_ENCODE_DEPTH {
        return Err(EncodeError::too_deep(value));
    }
    Ok(match value {
        Value::Invalid | Value::Nil => null(),
        Value::Bool(value) => Plain::Scalar(value.to_string()),
        Value::Int(value) | Value::Int64(value) => Plain::Scalar(value.to_string()),
        Value::Uint64(value) => Plain::Scalar(value.to_string()),
        Value::Float64(value) => Plain::Scalar(yaml_number(*value)),
        Value::Complex128(..) => return Err(EncodeError::message("cannot marshal type: complex128")),
        Value::String(text) => {
            charge(budget, text.len())?;
            match text.as_str() {
                Some(text) => Plain::Text(text.to_owned()),
                None => Plain::Binary(STANDARD.encode(text.as_bytes())),
            }
        }
        Value::Bytes(bytes) => {
            charge(budget, bytes.len())?;
            Plain::Sequence(bytes.iter().map(|byte| Plain::Scalar(byte.to_string())).collect())
        }
        Value::List(list) => {
            Plain::Sequence(list.iter().map(|item| direct_node(item, budget, depth + 1)).collect::<Result<_, _>>()?)
        }
        Value::Map(map) => {
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.entries() {
                charge(budget, key.len())?;
                entries.push((valid_utf8(&key).into_owned(), direct_node(&value, budget, depth + 1)?));
            }
            Plain::Mapping(sort_entries(entries))
        }
        Value::Object(object) => direct_node(&object.to_plain(), budget, depth + 1)?,
    })
}

/// A JSON tree, for showing. Its own depth is bounded by whoever parsed it; deeper parts are left out here.
pub(crate) fn from_json(json: &serde_json::Value, depth: usize) -> Plain {
    if depth > MAX_ENCODE_DEPTH {
        return null();
    }
    match json {
        serde_json::Value::Null => null(),
        serde_json::Value::Bool(value) => Plain::Scalar(value.to_string()),
        serde_json::Value::Number(number) => Plain::Scalar(match number.as_f64() {
            Some(value) if number.is_f64() => reread_number(number::format_json(value).unwrap_or_default()),
            _ => number.to_string(),
        }),
        serde_json::Value::String(text) => Plain::Text(text.clone()),
        serde_json::Value::Array(items) => {
            Plain::Sequence(items.iter().map(|item| from_json(item, depth + 1)).collect())
        }
        serde_json::Value::Object(members) => Plain::Mapping(sort_entries(
            members.iter().map(|(key, member)| (key.clone(), from_json(member, depth + 1))).collect(),
        )),
    }
}

fn null() -> Plain {
    Plain::Scalar("null".to_owned())
}

fn charge(budget: &Budget, length: usize) -> Result<(), BudgetExceeded> {
    budget.charge_bytes(length as u64)
}

fn json_number(value: f64) -> Result<String, EncodeError> {
    number::format_json(value).map(reread_number).ok_or_else(|| EncodeError::unsupported_number(value))
}

/// The number that YAML sees in JSON's text: integers up to 64 bits stay integers, `-0` loses its sign.
fn reread_number(json: String) -> String {
    match resolve(&json, true) {
        Scalar::Int(value) => value.to_string(),
        Scalar::Uint(value) => value.to_string(),
        Scalar::Float(value) => yaml_number(value),
        _ => json,
    }
}

fn yaml_number(value: f64) -> String {
    match number::format_f64_general(value).as_str() {
        "+Inf" => ".inf".to_owned(),
        "-Inf" => "-.inf".to_owned(),
        "NaN" => ".nan".to_owned(),
        text => text.to_owned(),
    }
}

/// JSON leaves U+0085 raw, and the YAML reader folds lines there. It escapes C0 controls, but not the other characters
/// that the YAML reader refuses.
fn json_text(bytes: &[u8]) -> Result<String, EncodeError> {
    let text = valid_utf8(bytes);
    if !text.chars().all(|character| character < ' ' || source::is_allowed(character)) {
        return Err(EncodeError::message("yaml: control characters are not allowed"));
    }
    Ok(if text.contains(NEXT_LINE) { fold_lines(&text) } else { text.into_owned() })
}

/// A line break to YAML 1.1, an ordinary character to JSON.
const NEXT_LINE: char = '\u{85}';

/// Line folding inside double quotes: a lone break becomes a space, of several all but one stay.
fn fold_lines(text: &str) -> String {
    let mut lines = text.split(NEXT_LINE);
    let first = lines.next().unwrap_or_default();
    let mut folded = first.to_owned();
    let mut empty_lines = 0;
    let mut lines = lines.peekable();
    folded.truncate(first.trim_end_matches(' ').len());
    while let Some(line) = lines.next() {
        let line = line.trim_start_matches(' ');
        let line = if lines.peek().is_some() { line.trim_end_matches(' ') } else { line };
        if line.is_empty() && lines.peek().is_some() {
            empty_lines += 1;
            continue;
        }
        if empty_lines == 0 {
            folded.push(' ');
        } else {
            folded.extend(std::iter::repeat_n('\n', empty_lines));
        }
        folded.push_str(line);
        empty_lines = 0;
    }
    folded
}

/// A key has to stand on one line of the JSON text and be short enough to be recognised as a key.
fn json_key(bytes: &[u8]) -> Result<String, EncodeError> {
    let text = json_text(bytes)?;
    let raw = valid_utf8(bytes);
    let escaped: usize = raw.chars().map(json_width).sum();
    if raw.contains(NEXT_LINE) || escaped + 2 > MAX_JSON_KEY {
        return Err(EncodeError::message("yaml: did not find expected ',' or '}'"));
    }
    Ok(text)
}

/// How many characters one takes in JSON.
fn json_width(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | ..'\u{20}' => 6,
        _ => 1,
    }
}
