//! What the YAML writers see of values: `toYaml` what is left of them in JSON, `toYamlPretty` the values themselves.

use std::borrow::Cow;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::node::{Node, NodeKind};
use super::order::{Order, sort_entries};
use super::resolve::{Scalar, resolve};
use super::write::{Layout, Slot, Writer};
use super::{build, document, source};
use crate::budget::{Budget, BudgetExceeded};
use crate::json::{self, EncodeError, MAX_ENCODE_DEPTH, valid_utf8};
use crate::number;
use crate::quote;
use crate::value::{Object, StructField, Value};

/// The longest key, in characters with its JSON quotes, that the YAML reader takes back from JSON.
const MAX_JSON_KEY: usize = 1024;
/// The most characters that JSON makes of a byte.
const MAX_JSON_ESCAPE: usize = 6;

/// Whole numbers below this have all their digits.
const LARGEST_EXACT: f64 = 1e15;

/// Writes what remains of a value after encoding it as JSON and reading that as YAML (`sigs.k8s.io/yaml.Marshal`).
pub(super) fn through_json(value: &Value, budget: &Budget) -> Result<String, EncodeError> {
    let mut walk = Walk { writer: Writer::new(Layout::V2), strategy: PhantomData::<ThroughJson>, budget, charged: 0 };
    match walk.value(value, Slot::ROOT, 0) {
        Ok(()) => walk.finish(),
        Err(Halt::Error(error)) => Err(error),
        Err(Halt::Reread) => reread(value, budget),
    }
}

/// Writes a value as the YAML v3 writer sees it.
pub(super) fn direct(value: &Value, budget: &Budget) -> Result<String, EncodeError> {
    let mut walk = Walk { writer: Writer::new(Layout::V3), strategy: PhantomData::<Direct>, budget, charged: 0 };
    match walk.value(value, Slot::ROOT, 0) {
        Ok(()) => walk.finish(),
        Err(Halt::Error(error)) => Err(error),
        Err(Halt::Reread) => Err(EncodeError::too_deep(value)),
    }
}

/// Writes a JSON tree for showing. Its own depth is bounded by whoever parsed it; deeper parts are left out here.
pub(super) fn readable(json: &serde_json::Value) -> String {
    let mut writer = Writer::new(Layout::Readable);
    json_tree(&mut writer, json, Slot::ROOT, 0);
    writer.finish()
}

/// What two writers see differently.
trait Strategy {
    const ORDER: Order;
    /// Whether a nil slice or map is `null`; otherwise it is an empty one.
    const NIL_IS_NULL: bool;

    fn number(value: f64) -> Result<String, Halt>;
    fn text(bytes: &[u8]) -> Result<Text<'_>, Halt>;
    fn key(bytes: &[u8]) -> Result<Cow<'_, str>, Halt>;
    /// Writes a `[]byte`.
    fn bytes(writer: &mut Writer, bytes: &[u8], slot: Slot);
    fn unsupported(value: &Value) -> EncodeError;
    /// Whether this is a time, written as a timestamp, or a duration, written as its text.
    fn writes_times(object: &dyn Object) -> bool;
    /// The fields of a struct that is written in their order.
    fn fields(object: &dyn Object) -> Option<Vec<(String, Value)>>;
}

/// A Go string.
enum Text<'bytes> {
    Text(Cow<'bytes, str>),
    /// Bytes that are no text, in base64.
    Binary(String),
}

/// Why a walk ends early.
enum Halt {
    Error(EncodeError),
    /// The value does not survive its way through JSON and YAML: only that way tells what becomes of it.
    Reread,
}

impl From<BudgetExceeded> for Halt {
    fn from(exceeded: BudgetExceeded) -> Self {
        Self::Error(exceeded.into())
    }
}

struct ThroughJson;

impl Strategy for ThroughJson {
    const ORDER: Order = Order::V2;
    const NIL_IS_NULL: bool = true;

    fn number(value: f64) -> Result<String, Halt> {
        if value.fract() == 0.0 && value.abs() < LARGEST_EXACT {
            return Ok((value as i64).to_string());
        }
        number::format_json(value).map(reread_number).ok_or(Halt::Reread)
    }

    fn text(bytes: &[u8]) -> Result<Text<'_>, Halt> {
        let text = valid_utf8(bytes);
        if survives_json(&text) { Ok(Text::Text(text)) } else { Err(Halt::Reread) }
    }

    fn key(bytes: &[u8]) -> Result<Cow<'_, str>, Halt> {
        let text = valid_utf8(bytes);
        let short = text.len() * MAX_JSON_ESCAPE + 2 <= MAX_JSON_KEY;
        if short && survives_json(&text) { Ok(text) } else { Err(Halt::Reread) }
    }

    fn bytes(writer: &mut Writer, bytes: &[u8], slot: Slot) {
        writer.string(&STANDARD.encode(bytes), slot);
    }

    fn unsupported(value: &Value) -> EncodeError {
        in_json(&EncodeError::unsupported_type(value))
    }

    fn writes_times(_: &dyn Object) -> bool {
        false
    }

    fn fields(_: &dyn Object) -> Option<Vec<(String, Value)>> {
        // JSON's order is lost on the way.
        None
    }
}

/// Whether the YAML reader takes a text from JSON as it is. JSON escapes C0 controls, but not the other characters that
/// YAML does not allow, nor U+0085, at which the reader folds lines, nor a byte order mark, which confuses it.
fn survives_json(text: &str) -> bool {
    let fits = |character: char| {
        character < ' ' || (source::is_allowed(character) && !matches!(character, '\u{85}' | '\u{FEFF}'))
    };
    if text.is_ascii() { !text.bytes().any(|byte| byte == 0x7F) } else { text.chars().all(fits) }
}

struct Direct;

impl Strategy for Direct {
    const ORDER: Order = Order::V3;
    // yaml.v3: encode.go marshal: only pointers.
    const NIL_IS_NULL: bool = false;

    fn number(value: f64) -> Result<String, Halt> {
        Ok(yaml_number(value))
    }

    fn text(bytes: &[u8]) -> Result<Text<'_>, Halt> {
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) => Text::Text(Cow::Borrowed(text)),
            Err(_) => Text::Binary(STANDARD.encode(bytes)),
        })
    }

    fn key(bytes: &[u8]) -> Result<Cow<'_, str>, Halt> {
        Ok(valid_utf8(bytes))
    }

    fn bytes(writer: &mut Writer, bytes: &[u8], slot: Slot) {
        if bytes.is_empty() {
            return writer.empty_sequence();
        }
        let indent = writer.sequence(slot);
        for byte in bytes {
            writer.item(indent);
            writer.scalar(&byte.to_string());
        }
    }

    fn unsupported(_: &Value) -> EncodeError {
        EncodeError::message("cannot marshal type: complex128")
    }

    // go.yaml.in/yaml/v3: encode.go marshal
    fn writes_times(object: &dyn Object) -> bool {
        matches!(object.type_name(), "time.Time" | "time.Duration")
    }

    fn fields(object: &dyn Object) -> Option<Vec<(String, Value)>> {
        object.struct_fields().map(StructField::for_yaml).filter(|fields| !fields.is_empty())
    }
}

struct Walk<'budget, S> {
    writer: Writer,
    strategy: PhantomData<S>,
    budget: &'budget Budget,
    /// How much of the text is paid for.
    charged: usize,
}

impl<S: Strategy> Walk<'_, S> {
    fn finish(mut self) -> Result<String, EncodeError> {
        self.charge(0)?;
        Ok(self.writer.finish())
    }

    /// Pays for what was written and for some bytes that come next.
    fn charge(&mut self, next: usize) -> Result<(), BudgetExceeded> {
        let written = self.writer.len();
        self.budget.charge_bytes((written - self.charged + next) as u64)?;
        self.charged = written;
        Ok(())
    }

    fn value(&mut self, value: &Value, slot: Slot, depth: usize) -> Result<(), Halt> {
        self.budget.charge_steps(1)?;
        if depth > MAX_ENCODE_DEPTH {
            return Err(Halt::Error(EncodeError::too_deep(value)));
        }
        match value {
            Value::Invalid | Value::Nil => self.writer.scalar("null"),
            Value::Bool(value) => self.writer.scalar(if *value { "true" } else { "false" }),
            Value::Int(value) | Value::Int64(value) => self.writer.scalar(&value.to_string()),
            Value::Uint64(value) => self.writer.scalar(&value.to_string()),
            Value::Uint8(value) => self.writer.scalar(&value.to_string()),
            Value::Float64(value) => self.writer.scalar(&S::number(*value)?),
            Value::Complex128(..) => return Err(Halt::Error(S::unsupported(value))),
            Value::String(text) => {
                self.charge(longest_text(text, slot))?;
                match S::text(text)? {
                    Text::Text(text) => self.writer.string(&text, slot),
                    Text::Binary(base64) => self.writer.binary(&base64, slot),
                }
            }
            Value::Bytes(bytes) => {
                self.charge(bytes.len())?;
                S::bytes(&mut self.writer, bytes, slot);
            }
            Value::List(list) if S::NIL_IS_NULL && list.is_nil() => self.writer.scalar("null"),
            Value::List(list) if list.is_empty() => self.writer.empty_sequence(),
            Value::List(list) => {
                let indent = self.writer.sequence(slot);
                for item in list.iter() {
                    let slot = self.writer.item(indent);
                    self.value(item, slot, depth + 1)?;
                }
            }
            Value::Map(map) if map.is_nil() && S::NIL_IS_NULL => self.writer.scalar("null"),
            Value::Map(map) if map.is_nil() => self.writer.empty_mapping(),
            Value::Map(map) => {
                let Some(members) = map.borrow() else { return Ok(()) };
                if members.is_empty() {
                    self.writer.empty_mapping();
                    return Ok(());
                }
                self.charge(members.len().saturating_mul(MEMBER_BYTES))?;
                let mut entries = Vec::with_capacity(members.len());
                for (key, value) in members.iter() {
                    entries.push((S::key(key)?, value));
                }
                sort_entries(&mut entries, S::ORDER, |(key, _)| key);
                let indent = self.writer.mapping(slot);
                for (key, value) in entries {
                    self.charge(key.len())?;
                    let slot = self.writer.key(&key, indent);
                    self.value(value, slot, depth + 1)?;
                }
            }
            Value::Object(object) => match self.charge(object.size()).map(|()| S::fields(object.as_ref()))? {
                Some(fields) => {
                    let indent = self.writer.mapping(slot);
                    for (key, value) in fields {
                        let slot = self.writer.key(&key, indent);
                        self.value(&value, slot, depth + 1)?;
                    }
                }
                None if S::writes_times(object.as_ref()) => match object.to_plain() {
                    Value::String(text) => self.writer.scalar(&text.to_str_lossy()),
                    _ => self.writer.string(&String::from_utf8_lossy(&object.to_text()), slot),
                },
                None => self.value(&object.to_plain(), slot, depth + 1)?,
            },
        }
        Ok(())
    }
}

/// What an entry of a map takes while the map is sorted.
const MEMBER_BYTES: usize = 48;
/// What a byte of JSON takes as a node of the tree that is read from it, and in the text that is made of that.
const REREAD_BYTES_PER_BYTE: u64 = 16;

/// The most bytes that a text takes: with all escapes, and each of its lines indented.
fn longest_text(text: &[u8], slot: Slot) -> usize {
    let lines = memchr::memchr_iter(b'\n', text).count();
    let indentation = lines.saturating_mul(slot.content_indent());
    usize::try_from(quote::longest(text)).unwrap_or(usize::MAX).saturating_add(indentation)
}

/// Goes the way through JSON and YAML.
fn reread(value: &Value, budget: &Budget) -> Result<String, EncodeError> {
    let text = json::encode(value, json::Style::COMPACT, budget).map_err(|error| match error {
        EncodeError::Budget(_) | EncodeError::TooDeep(_) => error,
        error => in_json(&error),
    })?;
    budget.charge_bytes((text.len() as u64).saturating_mul(REREAD_BYTES_PER_BYTE))?;
    let source = source::Source::read(&text);
    let refused = |error: super::YamlError| EncodeError::message(error.problem());
    let document = document::Reader::new(&source).next_document().map_err(|error| refused(*error))?;
    let mut writer = Writer::new(Layout::V2);
    match document {
        None => writer.scalar("null"),
        Some(document) => node(&mut writer, &build::build(&document, &build::Nodes).map_err(refused)?, Slot::ROOT),
    }
    Ok(writer.finish())
}

/// Go: `yaml.Marshal` of sigs.k8s.io
fn in_json(error: &EncodeError) -> EncodeError {
    EncodeError::message(format!("error marshaling into JSON: {error}"))
}

/// Writes a tree that was read. It is not deeper than reading allows.
fn node(writer: &mut Writer, tree: &Node, slot: Slot) {
    match &tree.kind {
        NodeKind::Null => writer.scalar("null"),
        NodeKind::Bool(value) => writer.scalar(if *value { "true" } else { "false" }),
        NodeKind::Int(value) => writer.scalar(&value.to_string()),
        NodeKind::Uint(value) => writer.scalar(&value.to_string()),
        NodeKind::Float(value) => writer.scalar(&yaml_number(*value)),
        NodeKind::String(text) => writer.string(text, slot),
        NodeKind::Sequence(items) if items.is_empty() => writer.empty_sequence(),
        NodeKind::Sequence(items) => {
            let indent = writer.sequence(slot);
            for item in items {
                let slot = writer.item(indent);
                node(writer, item, slot);
            }
        }
        NodeKind::Mapping(entries) if entries.is_empty() => writer.empty_mapping(),
        NodeKind::Mapping(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            sort_entries(&mut entries, Order::V2, |entry| &entry.key);
            let indent = writer.mapping(slot);
            for entry in entries {
                let slot = writer.key(&entry.key, indent);
                node(writer, &entry.value, slot);
            }
        }
    }
}

fn json_tree(writer: &mut Writer, json: &serde_json::Value, slot: Slot, depth: usize) {
    if depth > MAX_ENCODE_DEPTH {
        return writer.scalar("null");
    }
    match json {
        serde_json::Value::Null => writer.scalar("null"),
        serde_json::Value::Bool(value) => writer.scalar(if *value { "true" } else { "false" }),
        serde_json::Value::Number(number) => writer.scalar(&match number.as_f64() {
            Some(value) if number.is_f64() => reread_number(number::format_json(value).unwrap_or_default()),
            _ => number.to_string(),
        }),
        serde_json::Value::String(text) => writer.string(text, slot),
        serde_json::Value::Array(items) if items.is_empty() => writer.empty_sequence(),
        serde_json::Value::Array(items) => {
            let indent = writer.sequence(slot);
            for item in items {
                let slot = writer.item(indent);
                json_tree(writer, item, slot, depth + 1);
            }
        }
        serde_json::Value::Object(members) if members.is_empty() => writer.empty_mapping(),
        serde_json::Value::Object(members) => {
            let mut entries: Vec<_> = members.iter().collect();
            sort_entries(&mut entries, Order::V2, |(key, _)| key);
            let indent = writer.mapping(slot);
            for (key, member) in entries {
                let slot = writer.key(key, indent);
                json_tree(writer, member, slot, depth + 1);
            }
        }
    }
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
