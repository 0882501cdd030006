//! Typed reading of YAML mappings with the rules of Go's JSON decoder: names fold case, the last of several spellings
//! wins, unknown names are ignored, null leaves a field empty.

use std::collections::BTreeMap;

use crate::yaml::{Entry, Node, NodeKind};

/// A value of the wrong type. Displays as `sigs.k8s.io/yaml` prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go {place} of type {wanted}"
)]
pub struct TypeMismatch {
    /// The JSON type that was found, such as `array`.
    pub found: &'static str,
    /// Go's description of the place, such as `struct field Metadata.keywords`.
    pub place: String,
    /// The Go type that the place has.
    pub wanted: String,
}

/// A mapping that is read into a Go struct.
pub(crate) struct Structure<'a> {
    entries: Vec<&'a Entry>,
    type_name: &'static str,
    path: String,
}

/// A field of a [`Structure`].
pub(crate) struct Field<'a> {
    pub(crate) node: &'a Node,
    type_name: &'static str,
    path: String,
}

impl<'a> Structure<'a> {
    /// The root of a document, or none for null. `go_type` is the qualified name, such as `v2.Metadata`.
    pub(crate) fn root(node: &'a Node, go_type: &'static str) -> Result<Option<Self>, TypeMismatch> {
        let type_name = go_type.rsplit('.').next().unwrap_or(go_type);
        match &node.kind {
            NodeKind::Null => Ok(None),
            NodeKind::Mapping(entries) => Ok(Some(Self::new(entries, type_name, String::new()))),
            _ => Err(TypeMismatch { found: found(node), place: "value".to_owned(), wanted: go_type.to_owned() }),
        }
    }

    fn new(entries: &'a [Entry], type_name: &'static str, path: String) -> Self {
        // Go decodes the keys of a map that was encoded in key order.
        let mut entries: Vec<&Entry> = entries.iter().collect();
        entries.sort_by(|left, right| left.key.cmp(&right.key));
        Self { entries, type_name, path }
    }

    /// The field of this name, unless it is absent or null.
    pub(crate) fn field(&self, name: &str) -> Option<Field<'a>> {
        let entry = self
            .entries
            .iter()
            .rev()
            .find(|entry| entry.key.eq_ignore_ascii_case(name) && !matches!(entry.value.kind, NodeKind::Null))?;
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Some(Field { node: &entry.value, type_name: self.type_name, path })
    }

    /// A field of type `string`; empty if absent.
    pub(crate) fn string(&self, name: &str) -> Result<String, TypeMismatch> {
        self.field(name).map_or_else(|| Ok(String::new()), |field| field.string())
    }

    /// A field of type `[]string`; none if absent.
    pub(crate) fn strings(&self, name: &str) -> Result<Option<Vec<String>>, TypeMismatch> {
        let Some(field) = self.field(name) else { return Ok(None) };
        let items = field.items("[]string")?;
        items.iter().map(Field::string_or_empty).collect::<Result<_, _>>().map(Some)
    }

    /// A field of type `map[string]string`; none if absent.
    pub(crate) fn string_map(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, TypeMismatch> {
        let Some(field) = self.field(name) else { return Ok(None) };
        let NodeKind::Mapping(entries) = &field.node.kind else {
            return Err(field.mismatch("map[string]string"));
        };
        let mut map = BTreeMap::new();
        for entry in entries {
            let value = Field { node: &entry.value, type_name: field.type_name, path: field.path.clone() };
            map.insert(entry.key.clone(), value.string_or_empty()?);
        }
        Ok(Some(map))
    }

    /// A field of type `bool`; false if absent.
    pub(crate) fn bool(&self, name: &str) -> Result<bool, TypeMismatch> {
        match self.field(name) {
            None => Ok(false),
            Some(Field { node: Node { kind: NodeKind::Bool(value), .. }, .. }) => Ok(*value),
            Some(field) => Err(field.mismatch("bool")),
        }
    }
}

impl<'a> Field<'a> {
    /// The value as a Go string.
    pub(crate) fn string(&self) -> Result<String, TypeMismatch> {
        self.node.coerced_text().ok_or_else(|| self.mismatch("string"))
    }

    fn string_or_empty(&self) -> Result<String, TypeMismatch> {
        if matches!(self.node.kind, NodeKind::Null) { Ok(String::new()) } else { self.string() }
    }

    /// The elements of a slice.
    pub(crate) fn items(&self, go_type: &str) -> Result<Vec<Field<'a>>, TypeMismatch> {
        let items = self.node.items().ok_or_else(|| self.mismatch(go_type))?;
        Ok(items.iter().map(|node| Field { node, type_name: self.type_name, path: self.path.clone() }).collect())
    }

    /// The value as a Go struct, or none for null.
    pub(crate) fn structure(
        &self,
        type_name: &'static str,
        go_type: &str,
    ) -> Result<Option<Structure<'a>>, TypeMismatch> {
        match &self.node.kind {
            NodeKind::Null => Ok(None),
            NodeKind::Mapping(entries) => Ok(Some(Structure::new(entries, type_name, self.path.clone()))),
            _ => Err(self.mismatch(go_type)),
        }
    }

    fn mismatch(&self, wanted: &str) -> TypeMismatch {
        TypeMismatch {
            found: found(self.node),
            place: format!("struct field {}.{}", self.type_name, self.path),
            wanted: wanted.to_owned(),
        }
    }
}

fn found(node: &Node) -> &'static str {
    match node.kind {
        NodeKind::Null => "null",
        NodeKind::Bool(_) => "bool",
        NodeKind::Int(_) | NodeKind::Uint(_) | NodeKind::Float(_) => "number",
        NodeKind::String(_) => "string",
        NodeKind::Sequence(_) => "array",
        NodeKind::Mapping(_) => "object",
    }
}
