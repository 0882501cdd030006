//! Values to JSON text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::MAX_ENCODE_DEPTH;
use crate::budget::{Budget, BudgetExceeded};
use crate::number;
use crate::value::{GoString, StructField, Value};

/// How the text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Spaces by which nesting indents; none writes everything on one line.
    pub indent: Option<usize>,
    /// Whether `<`, `>` and `&` are escaped, as Go does unless told otherwise.
    pub escape_html: bool,
}

impl Style {
    /// `json.Marshal`.
    pub const COMPACT: Self = Self { indent: None, escape_html: true };
    /// `json.MarshalIndent` with two spaces.
    pub const PRETTY: Self = Self { indent: Some(2), escape_html: true };
    /// Compact, with `<`, `>` and `&` as they are.
    pub const RAW: Self = Self { indent: None, escape_html: false };
}

/// Why a value cannot be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The format has no form for the value; the text is Go's.
    #[error("{0}")]
    Unsupported(String),
    /// As [`EncodeError::Unsupported`], but Go's encoder panics, which no function turns into a result.
    #[error("{0}")]
    Panic(String),
    /// The value nests deeper than this crate follows: in a circle, which Go's encoder refuses, or only so deep, which it
    /// writes. The text is Go's for a circle.
    #[error("json: unsupported value: encountered a cycle via {0}")]
    TooDeep(&'static str),
    /// The render's budget does not suffice for the text.
    #[error(transparent)]
    Budget(#[from] BudgetExceeded),
}

impl EncodeError {
    pub(crate) fn message(text: impl Into<String>) -> Self {
        Self::Unsupported(text.into())
    }

    pub(crate) fn unsupported_number(value: f64) -> Self {
        Self::Unsupported(format!("json: unsupported value: {}", number::format_f64_general(value)))
    }

    pub(crate) fn unsupported_type(value: &Value) -> Self {
        Self::Unsupported(format!("json: unsupported type: {}", value.type_name()))
    }

    pub(crate) fn too_deep(value: &Value) -> Self {
        Self::TooDeep(value.type_name())
    }
}

/// Encodes a value as `encoding/json` does: keys sorted bytewise, no line break at the end.
pub fn encode(value: &Value, style: Style, budget: &Budget) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = Encoder { text: String::new(), charged: 0, style, budget };
    encoder.value(value, 0)?;
    encoder.charge()?;
    Ok(encoder.text.into_bytes())
}

/// What an entry of a map takes while the map is written.
const ENTRY_BYTES: usize = 48;

struct Encoder<'a> {
    text: String,
    /// How much of the text is paid for.
    charged: usize,
    style: Style,
    budget: &'a Budget,
}

impl Encoder<'_> {
    fn charge(&mut self) -> Result<(), BudgetExceeded> {
        self.budget.charge_bytes((self.text.len() - self.charged) as u64)?;
        self.charged = self.text.len();
        Ok(())
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), EncodeError> {
        self.budget.charge_steps(1)?;
        self.charge()?;
        if depth > MAX_ENCODE_DEPTH {
            return Err(EncodeError::too_deep(value));
        }
        match value {
            Value::Invalid | Value::Nil => self.text.push_str("null"),
            Value::Bool(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) | Value::Int64(value) => self.text.push_str(&value.to_string()),
            Value::Uint64(value) => self.text.push_str(&value.to_string()),
            Value::Uint8(value) => self.text.push_str(&value.to_string()),
            Value::Float64(value) => {
                let text = number::format_json(*value).ok_or_else(|| EncodeError::unsupported_number(*value))?;
                self.text.push_str(&text);
            }
            Value::Complex128(..) => return Err(EncodeError::unsupported_type(value)),
            Value::String(text) => self.string(text)?,
            Value::Bytes(bytes) => {
                self.budget.charge_bytes(bytes.len() as u64)?;
                self.text.push('"');
                STANDARD.encode_string(bytes, &mut self.text);
                self.text.push('"');
            }
            Value::List(list) if list.is_nil() => self.text.push_str("null"),
            Value::Map(map) if map.is_nil() => self.text.push_str("null"),
            Value::List(list) => {
                self.text.push('[');
                for (index, item) in list.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.value(item, depth + 1)?;
                }
                self.close(list.len(), depth, ']');
            }
            Value::Map(map) => {
                self.budget.charge_bytes((map.len() * ENTRY_BYTES) as u64)?;
                self.entries(&map.entries(), depth)?;
            }
            Value::Object(object) => {
                self.budget.charge_bytes(object.size() as u64)?;
                match object.struct_fields() {
                    Some(fields) => self.entries(&StructField::for_json(fields), depth)?,
                    None => self.value(&object.to_plain(), depth)?,
                }
            }
        }
        Ok(())
    }

    fn entries(&mut self, entries: &[(GoString, Value)], depth: usize) -> Result<(), EncodeError> {
        self.text.push('{');
        for (index, (key, value)) in entries.iter().enumerate() {
            self.separate(index, depth + 1);
            self.string(key)?;
            self.text.push_str(if self.style.indent.is_some() { ": " } else { ":" });
            self.value(value, depth + 1)?;
        }
        self.close(entries.len(), depth, '}');
        Ok(())
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.text.push(',');
        }
        self.line(depth);
    }

    fn close(&mut self, length: usize, depth: usize, bracket: char) {
        if length > 0 {
            self.line(depth);
        }
        self.text.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = self.style.indent {
            self.text.push('\n');
            self.text.extend(std::iter::repeat_n(' ', indent * depth));
        }
    }

    // Go: encoding/json appendString
    fn string(&mut self, text: &[u8]) -> Result<(), BudgetExceeded> {
        // A byte becomes six at most.
        self.budget.charge_bytes((text.len() as u64).saturating_add(crate::quote::longest(text)))?;
        self.text.push('"');
        for chunk in text.utf8_chunks() {
            let mut rest = chunk.valid();
            loop {
                let is_plain =
                    |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&');
                let plain = rest.bytes().take_while(is_plain).count();
                self.text.push_str(&rest[..plain]);
                let mut characters = rest[plain..].chars();
                let Some(character) = characters.next() else { break };
                self.character(character);
                rest = characters.as_str();
            }
            for _ in chunk.invalid() {
                self.text.push_str("\\ufffd");
            }
        }
        self.text.push('"');
        Ok(())
    }

    fn character(&mut self, character: char) {
        match character {
            '"' => self.text.push_str("\\\""),
            '\\' => self.text.push_str("\\\\"),
            '\u{8}' => self.text.push_str("\\b"),
            '\u{c}' => self.text.push_str("\\f"),
            '\n' => self.text.push_str("\\n"),
            '\r' => self.text.push_str("\\r"),
            '\t' => self.text.push_str("\\t"),
            '<' | '>' | '&' if self.style.escape_html => self.unicode_escape(character),
            ..'\u{20}' | '\u{2028}' | '\u{2029}' => self.unicode_escape(character),
            _ => self.text.push(character),
        }
    }

    fn unicode_escape(&mut self, character: char) {
        self.text.extend(format!("\\u{:04x}", u32::from(character)).chars());
    }
}
