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
    fn to_plain(&self) -> Value;

    /// The fields of a struct under the names and in the order in which Go's JSON encoder writes them, if that order is
    /// not the one of [`Object::to_plain`].
    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// The entries of a map-like object in key order, for `range`, `len` and `index`. A list-like object (kind `slice`)
    /// answers with a list in [`Object::to_plain`] instead.
    fn entries(&self) -> Option<Vec<(super::GoString, Value)>> {
        None
    }

    /// For downcasting by the functions that take this type.
    fn as_any(&self) -> &dyn Any;
}
