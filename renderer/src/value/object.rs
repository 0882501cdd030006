//! Go values with fields or methods: time, duration, version, certificates, files, capabilities.

use std::any::Any;
use std::fmt;

use super::Value;
use crate::functions::Signature;

/// A method call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MethodError {
    /// The object has no such method or field.
    Unknown,
    /// The method was found and reported this error.
    Failed(String),
}

/// A field of a Go struct.
#[derive(Clone, Debug)]
pub struct StructField {
    /// Its name in Go; only exported ones, with a capital letter, are encoded.
    pub name: &'static str,
    /// The name that the JSON encoder writes.
    pub json: &'static str,
    /// Whether the JSON encoder leaves out an empty value.
    pub omit_empty: bool,
    /// Whether the field is a struct embedded without a name of its own, whose fields encoders take for the outer's.
    pub embedded: bool,
    /// The value.
    pub value: Value,
}

impl StructField {
    /// A field that encoders write by its own name, even if it is empty.
    pub fn new(name: &'static str, value: impl Into<Value>) -> Self {
        Self { name, json: name, omit_empty: false, embedded: false, value: value.into() }
    }

    /// A field with the tag `json:"NAME,omitempty"`.
    pub fn omitting_empty(name: &'static str, json: &'static str, value: impl Into<Value>) -> Self {
        Self { json, omit_empty: true, ..Self::new(name, value) }
    }

    fn is_exported(&self) -> bool {
        self.name.starts_with(|first: char| first.is_ascii_uppercase())
    }

    /// Fields by the names that `name` gives them, those of embedded structs among them.
    fn flattened(fields: Vec<Self>, flattened: &mut Vec<Self>) {
        for field in fields.into_iter().filter(Self::is_exported) {
            match &field.value {
                Value::Object(object) if field.embedded => {
                    Self::flattened(object.struct_fields().unwrap_or_default(), flattened);
                }
                _ => flattened.push(field),
            }
        }
    }

    /// What Go's JSON encoder writes of a struct, in its order.
    pub(crate) fn for_json(fields: Vec<Self>) -> Vec<(super::GoString, Value)> {
        let mut flat = Vec::with_capacity(fields.len());
        Self::flattened(fields, &mut flat);
        let written = flat.into_iter().filter(|field| !field.omit_empty || field.value.is_true());
        written.map(|field| (field.json.into(), field.value)).collect()
    }

    /// What the TOML encoder writes of a struct, with the positions of the fields in it: it knows no tags of JSON.
    pub(crate) fn for_toml(fields: Vec<Self>) -> impl Iterator<Item = (usize, super::GoString, Value)> {
        fields.into_iter().enumerate().flat_map(|(position, field)| {
            let mut flat = Vec::new();
            Self::flattened(vec![field], &mut flat);
            flat.into_iter().map(move |field| (position, field.name.into(), field.value))
        })
    }

    /// What the YAML v3 encoder writes of a struct: names in lower case, embedded structs below theirs.
    pub(crate) fn for_yaml(fields: Vec<Self>) -> Vec<(String, Value)> {
        let exported = fields.into_iter().filter(Self::is_exported);
        exported.map(|field| (field.name.to_ascii_lowercase(), field.value)).collect()
    }
}

/// A Go struct, pointer or named type that templates can use through its fields and methods.
pub trait Object: fmt::Debug {
    /// The Go type name as `%T` prints it, such as `*semver.Version`.
    fn type_name(&self) -> &'static str;

    /// The Go kind name, such as `struct` or `ptr`.
    fn kind_name(&self) -> &'static str {
        "struct"
    }

    /// Go's `template.IsTrue`: structs and non-nil pointers are true.
    fn is_true(&self) -> bool {
        true
    }

    /// About how many bytes its text has or its plain value holds, to be charged before either is made.
    fn size(&self) -> usize {
        /// Times, versions and the like.
        const SMALL: usize = 128;
        SMALL
    }

    /// About how many bytes its entries take, to be charged before they are listed.
    fn entries_size(&self) -> usize {
        self.size()
    }

    /// How many bytes a call of the method may read and produce, to be charged before it.
    fn cost(&self, name: &str, arguments: &[Value]) -> usize {
        let _ = (name, arguments);
        self.size()
    }

    /// The value of an exported field, or none if there is no such field. A map-like object (`Files`) answers for its
    /// keys too.
    fn field(&self, name: &str) -> Option<Value>;

    /// The parameters of the exported method of that name, if there is one; methods win over fields.
    fn method(&self, name: &str) -> Option<Signature> {
        let _ = name;
        None
    }

    /// Calls an exported method with arguments that match its signature.
    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, MethodError>;

    /// What `fmt.Sprint` prints for it.
    fn to_text(&self) -> Vec<u8>;

    /// What a top-level `{{ . }}` prints where that differs from [`Object::to_text`]: an addressable value's pointer
    /// methods apply there.
    fn to_addressable_text(&self) -> Vec<u8> {
        self.to_text()
    }

    /// The plain value that Go's JSON encoder would write: maps, lists, strings, numbers.
    fn to_plain(&self) -> Value {
        let fields = self.struct_fields().unwrap_or_default();
        Value::Map(StructField::for_json(fields).into_iter().collect())
    }

    /// The fields of a struct, or of the struct that a pointer leads to, in Go's order; none for what is no struct or
    /// has a text form of its own for encoders (time, version).
    fn struct_fields(&self) -> Option<Vec<StructField>> {
        None
    }

    /// Whether printing calls its method `String`. A method of the pointer does not count for a value.
    fn is_stringer(&self) -> bool {
        self.method("String").is_some()
    }

    /// The fields that verbs print which ask for no text. Those of what has a text form of its own, too.
    fn printed_fields(&self) -> Option<Vec<StructField>> {
        self.struct_fields()
    }

    /// What `%#v` prints, if that is neither the text nor the fields.
    fn to_go_syntax(&self) -> Option<Vec<u8>> {
        None
    }

    /// What `deepCopy` makes of it, if that is no equal value: copies lack the fields that Go does not export.
    fn deep_copy(&self) -> Option<Value> {
        None
    }

    /// The entries of a map-like object in key order, for `range`, `len` and `index`. A list-like object (kind `slice`)
    /// answers with a list in [`Object::to_plain`] instead.
    fn entries(&self) -> Option<Vec<(super::GoString, Value)>> {
        None
    }

    /// Another number of the same named type; none for what is no number. `range` counts in it.
    fn with_number(&self, number: i64) -> Option<Value> {
        let _ = number;
        None
    }

    /// For downcasting by the functions that take this type.
    fn as_any(&self) -> &dyn Any;
}
