//! Values to TOML text.

use crate::budget::{Budget, BudgetExceeded};
use crate::functions::time::Time;
use crate::json::{EncodeError, MAX_ENCODE_DEPTH, valid_utf8};
use crate::number;
use crate::value::{GoString, Map, StructField, Value};

/// Spaces by which a table indents its content, per level below the first.
const INDENT: usize = 2;

/// Encodes a map as TOML: sorted keys, plain values before tables. Another value gives its bare TOML form.
pub fn encode(value: &Value, budget: &Budget) -> Result<String, EncodeError> {
    let mut encoder = Encoder { text: String::new(), charged: 0, budget };
    if matches!(value, Value::Complex128(..)) {
        return Err(EncodeError::message("unsupported type for key '': complex128"));
    }
    match Shape::of(value, budget, 0)? {
        Shape::Nothing if matches!(value, Value::Invalid | Value::Nil) => {
            return Err(EncodeError::Panic("reflect: call of reflect.Value.Type on zero Value".to_owned()));
        }
        // A nil slice, unlike a nil map.
        Shape::Nothing if matches!(value, Value::List(_)) => encoder.text.push_str("[]"),
        Shape::Nothing => {}
        Shape::Tables(_) => {
            return Err(EncodeError::message("toml: top-level values must be Go maps or structs"));
        }
        Shape::Table(entries) => encoder.table(&[], &entries)?,
        Shape::Value => encoder.element(value, 0)?,
    }
    encoder.charge()?;
    Ok(encoder.text)
}

/// The entries of a table in the order of writing.
type Entries = Vec<(GoString, Value)>;

/// How a value is written below a key.
enum Shape {
    /// Not at all: nil.
    Nothing,
    /// `key = value`.
    Value,
    /// `[key]`.
    Table(Entries),
    /// `[[key]]`.
    Tables(Vec<Entries>),
}

impl Shape {
    /// The shape follows from the value's type, and for lists from those of all elements, through lists of lists.
    fn of(value: &Value, budget: &Budget, depth: usize) -> Result<Self, EncodeError> {
        budget.charge_steps(1)?;
        if depth > MAX_ENCODE_DEPTH {
            return Err(EncodeError::too_deep(value));
        }
        Ok(match value {
            _ if value.is_nil() => Self::Nothing,
            Value::Map(map) => Self::Table(map.entries()),
            Value::Complex128(..) => return Err(EncodeError::message("unsupported type: complex128")),
            Value::List(list) => {
                let mut tables = Vec::new();
                for item in list.iter() {
                    match Self::of(item, budget, depth + 1)? {
                        Self::Nothing => {
                            return Err(EncodeError::message("toml: cannot encode array with nil element"));
                        }
                        Self::Table(entries) => tables.push(entries),
                        _ => {}
                    }
                }
                if tables.is_empty() || tables.len() < list.len() { Self::Value } else { Self::Tables(tables) }
            }
            Value::Object(object) => match (object.struct_fields(), object.entries()) {
                (Some(fields), _) => {
                    Self::Table(StructField::for_toml(fields).map(|(_, name, value)| (name, value)).collect())
                }
                (None, Some(entries)) => Self::Table(entries),
                (None, None) => Self::Value,
            },
            _ => Self::Value,
        })
    }

    fn is_table(&self) -> bool {
        matches!(self, Self::Table(_) | Self::Tables(_))
    }
}

struct Encoder<'a> {
    text: String,
    /// How much of the text is paid for.
    charged: usize,
    budget: &'a Budget,
}

impl Encoder<'_> {
    fn charge(&mut self) -> Result<(), BudgetExceeded> {
        self.budget.charge_steps(1)?;
        // Twice: parts of the text are made apart and put together.
        self.budget.charge_bytes(2 * (self.text.len() - self.charged) as u64)?;
        self.charged = self.text.len();
        Ok(())
    }

    /// Writes the entries of a table: plain values first, then tables.
    fn table(&mut self, path: &[String], entries: &[(GoString, Value)]) -> Result<(), EncodeError> {
        self.charge()?;
        if path.len() > MAX_ENCODE_DEPTH {
            return Err(EncodeError::too_deep(&Value::Map(Map::new())));
        }
        let mut tables = Vec::new();
        for (key, value) in entries {
            let key = valid_utf8(key).into_owned();
            let path = [path, &[key]].concat();
            match Shape::of(value, self.budget, path.len())? {
                Shape::Nothing => {}
                Shape::Value => {
                    self.indent(&path);
                    self.text.push_str(&key_text(path.last().map_or("", String::as_str)));
                    self.text.push_str(" = ");
                    self.element(value, path.len())?;
                    self.text.push('\n');
                }
                shape => tables.push((path, shape)),
            }
        }
        for (path, shape) in tables {
            match shape {
                Shape::Table(entries) => {
                    if path.len() == 1 {
                        self.blank_line();
                    }
                    self.header(&path, "[", "]");
                    self.table(&path, &entries)?;
                }
                Shape::Tables(tables) => {
                    for entries in tables {
                        self.blank_line();
                        self.header(&path, "[[", "]]");
                        self.table(&path, &entries)?;
                    }
                }
                Shape::Nothing | Shape::Value => {}
            }
        }
        Ok(())
    }

    fn blank_line(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn header(&mut self, path: &[String], open: &str, close: &str) {
        self.indent(path);
        let path: Vec<String> = path.iter().map(|key| key_text(key)).collect();
        self.text.extend([open, &path.join("."), close, "\n"]);
    }

    fn indent(&mut self, path: &[String]) {
        self.text.extend(std::iter::repeat_n(' ', INDENT * (path.len() - 1)));
    }

    /// Writes a value inline.
    fn element(&mut self, value: &Value, depth: usize) -> Result<(), EncodeError> {
        self.charge()?;
        if depth > MAX_ENCODE_DEPTH {
            return Err(EncodeError::too_deep(value));
        }
        match value {
            Value::Invalid | Value::Nil => {}
            Value::Bool(value) => self.text.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) | Value::Int64(value) => self.text.push_str(&value.to_string()),
            Value::Uint64(value) => self.text.push_str(&value.to_string()),
            Value::Uint8(value) => self.text.push_str(&value.to_string()),
            Value::Float64(value) => self.text.push_str(&float_text(*value)),
            Value::Complex128(..) => return Err(EncodeError::message("unexpected type: complex128")),
            Value::String(text) => self.text.push_str(&quoted(&valid_utf8(text))),
            Value::Bytes(bytes) => {
                let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
                self.text.extend(["[", &bytes.join(", "), "]"]);
            }
            Value::List(list) => {
                self.text.push('[');
                for (index, item) in list.iter().enumerate() {
                    if index > 0 {
                        self.text.push_str(", ");
                    }
                    self.element(item, depth + 1)?;
                }
                self.text.push(']');
            }
            Value::Map(map) => self.inline_map(map.entries(), depth)?,
            Value::Object(object) => match object.type_name() {
                "time.Time" => {
                    if let Some(time) = object.as_any().downcast_ref::<Time>() {
                        self.text.push_str(&valid_utf8(&time.to_toml()));
                    }
                }
                "time.Duration" => self.text.push_str(&quoted(&valid_utf8(&object.to_text()))),
                _ => match (object.struct_fields(), object.entries()) {
                    (Some(fields), _) => {
                        let fields = StructField::for_toml(fields);
                        let fields = fields.map(|(position, name, value)| (Some(position), name, value));
                        self.inline_table(fields, depth)?;
                    }
                    (None, Some(entries)) => self.inline_map(entries, depth)?,
                    (None, None) => self.element(&object.to_plain(), depth + 1)?,
                },
            },
        }
        Ok(())
    }

    fn inline_map(&mut self, entries: Entries, depth: usize) -> Result<(), EncodeError> {
        self.inline_table(entries.into_iter().map(|(key, value)| (None, key, value)), depth)
    }

    /// Writes `{a = 1, b = 2}`. A nil value leaves its comma behind, as in Go, which looks for the last field of a struct
    /// by its position there.
    // toml: encode.go eMap, eStruct
    fn inline_table(
        &mut self,
        entries: impl Iterator<Item = (Option<usize>, GoString, Value)>,
        depth: usize,
    ) -> Result<(), EncodeError> {
        let mut values = Vec::new();
        let mut tables = Vec::new();
        for (position, key, value) in entries {
            let shape = Shape::of(&value, self.budget, depth)?;
            if shape.is_table() { &mut tables } else { &mut values }.push((position, key, value));
        }
        self.text.push('{');
        let (value_count, table_count) = (values.len(), tables.len());
        for (index, (position, key, value)) in values.into_iter().chain(tables).enumerate() {
            if value.is_nil() {
                continue;
            }
            self.text.extend([&key_text(&valid_utf8(&key)), " = "]);
            self.element(&value, depth + 1)?;
            if position.unwrap_or(index) + 1 != value_count + table_count {
                self.text.push_str(", ");
            }
        }
        self.text.push('}');
        Ok(())
    }
}

pub(super) fn key_text(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if bare { key.to_owned() } else { quoted(key) }
}

fn float_text(value: f64) -> String {
    if value.is_nan() {
        return if value.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let text = number::format_f64_general(value);
    if text.contains(['e', '.']) { text } else { format!("{text}.0") }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{8}' => quoted.push_str("\\b"),
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\u{c}' => quoted.push_str("\\f"),
            '\r' => quoted.push_str("\\r"),
            ..'\u{20}' | '\u{7f}' => quoted.extend(format!("\\u{:04x}", u32::from(character)).chars()),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn tables_follow_values() {
        // Printed by github.com/BurntSushi/toml v1.6.0.
        let rows = [
            (
                r#"{"a":1,"b":{"c":"x","d":{"e":true}},"f":null}"#,
                "a = 1.0\n\n[b]\n  c = \"x\"\n  [b.d]\n    e = true\n",
            ),
            (
                r#"{"l":[1,2],"e":[{"x":1},{"y":[]}],"q r":"\t\""}"#,
                "l = [1.0, 2.0]\n\"q r\" = \"\\t\\\"\"\n\n[[e]]\n  x = 1.0\n\n[[e]]\n  y = []\n",
            ),
            (
                r#"{"m":[[{"a":{"b":1},"c":1}]],"n":[1,{"a":null}]}"#,
                "m = [[{c = 1.0, a = {b = 1.0}}]]\nn = [1.0, {}]\n",
            ),
        ];
        for (json, toml) in rows {
            let value = crate::json::decode(json.as_bytes()).unwrap().value;
            assert_eq!(encode(&value, &Budget::new(Limits::default())).unwrap(), toml);
        }
    }
}
