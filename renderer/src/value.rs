//! The values that templates compute with: Go's `any`, as far as a chart can see it.
//!
//! Go's distinctions that output or errors depend on are kept: three kinds of nothing ([`Value::Invalid`],
//! [`Value::Nil`], typed nil lists and maps), five numeric types, byte strings that need not be UTF-8, named map
//! types, and reference semantics of maps (`set` is visible to everybody who holds the map).

mod circular;
mod dismantle;
mod entries;
mod frozen;
mod list;
mod map;
mod object;
mod string;

pub(crate) use frozen::FrozenMap;
pub use list::{ElementType, List};
pub use map::{Map, MapType};
pub use object::{MethodError, Object, StructField};
pub use string::GoString;

use std::rc::Rc;
use std::sync::Arc;

/// A template value. Cloning is cheap: strings, lists, maps and objects are shared handles.
#[derive(Clone, Debug)]
pub enum Value {
    /// No value at all: Go's zero `reflect.Value`. A field of nothing, a parenthesised missing key.
    Invalid,
    /// A nil interface: a map entry or list element that is null or missing.
    Nil,
    /// `bool`.
    Bool(bool),
    /// `int`: template literals, `len`, `int`, range indexes.
    Int(i64),
    /// `int64`: sprig arithmetic, `--set n=1`.
    Int64(i64),
    /// `uint64`: parts of a version.
    Uint64(u64),
    /// `uint8`: bytes of a string.
    Uint8(u8),
    /// `float64`: every number that comes from YAML or JSON.
    Float64(f64),
    /// `complex128`: only from literals such as `1i`.
    Complex128(f64, f64),
    /// `string`.
    String(GoString),
    /// `[]byte`.
    Bytes(Arc<[u8]>),
    /// `[]any`, `[]string`, `[]int`: a slice, possibly nil.
    List(List),
    /// `map[string]any` and its relatives: a shared, mutable map, possibly nil.
    Map(Map),
    /// A Go struct or other type with fields or methods: time, version, files, capabilities.
    Object(Rc<dyn Object>),
}

impl Value {
    /// A string value.
    pub fn string(text: impl Into<GoString>) -> Self {
        Self::String(text.into())
    }

    /// A `[]any`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(items))
    }

    /// Whether this is no value, a nil interface, or a nil list or map.
    pub fn is_nil(&self) -> bool {
        match self {
            Self::Invalid | Self::Nil => true,
            Self::List(list) => list.is_nil(),
            Self::Map(map) => map.is_nil(),
            _ => false,
        }
    }

    /// Go's `template.IsTrue`: false for nothing, `false`, zero numbers and empty strings, lists and maps; structs
    /// are true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Invalid | Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) => *value != 0,
            Self::Uint64(value) => *value != 0,
            Self::Uint8(value) => *value != 0,
            Self::Float64(value) => *value != 0.0,
            Self::Complex128(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::String(value) => !value.is_empty(),
            Self::Bytes(value) => !value.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => object.is_true(),
        }
    }

    /// The Go type name as `%T` prints it, such as `map[string]interface {}`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Invalid | Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Uint64(_) => "uint64",
            Self::Uint8(_) => "uint8",
            Self::Float64(_) => "float64",
            Self::Complex128(..) => "complex128",
            Self::String(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => list.element_type().slice_name(),
            Self::Map(map) => map.map_type().name(),
            Self::Object(object) => object.type_name(),
        }
    }

    /// The Go kind name as `reflect.Kind` prints it, such as `slice`.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Invalid | Self::Nil => "invalid",
            Self::Bytes(_) | Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Object(object) => object.kind_name(),
            other => other.type_name(),
        }
    }

    /// Converts a JSON tree. Numbers that JSON holds as floats become `float64`, integers `int64`: the `values` module
    /// decides which of the two a tree carries (`--set` integers stay integers, everything else is a float).
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Int64(integer),
                None => Self::Float64(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Self::string(text.as_str()),
            serde_json::Value::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            serde_json::Value::Object(members) => {
                let map = Map::new();
                for (key, member) in members {
                    map.insert(GoString::from(key.as_str()), Self::from_json(member));
                }
                Self::Map(map)
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
