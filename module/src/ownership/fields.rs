//! `FieldsV1`, the form in which the API server writes down sets of fields (structured-merge-diff: `fieldpath`).

use serde_json::{Map, Value};

use crate::path::ValuePath;

/// Fields of one manager, and list elements that are compared with them. A Module of the largest size that a cluster
/// stores has fewer.
const MAX_WORK: usize = 1_000_000;
/// Keys and positions from `spec.values` on.
const MAX_DEPTH: usize = 100;

/// Why `managedFields` cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManagedFieldsError {
    /// The fields are in a form other than `FieldsV1`.
    #[error("metadata.managedFields of {manager} is of the type `{fields_type}`, not FieldsV1")]
    Type {
        /// The field manager.
        manager: String,
        /// The type.
        fields_type: String,
    },
    /// Something that is no field.
    #[error("metadata.managedFields of {manager} has the field `{field}`, which is not understood")]
    Field {
        /// The field manager.
        manager: String,
        /// What it says.
        field: String,
    },
    /// More or deeper fields than a Module can have.
    #[error("metadata.managedFields of {manager} is too large")]
    TooLarge {
        /// The field manager.
        manager: String,
    },
}

/// The values below `spec.values` that an entry of `managedFields` lists.
pub(super) fn paths(entry: &Value, values: &Value) -> Result<Vec<ValuePath>, ManagedFieldsError> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut reader = Reader { manager: text("manager"), paths: Vec::new(), work: 0 };
    let Some(fields) = entry.get("fieldsV1").filter(|fields| !fields.is_null()) else { return Ok(Vec::new()) };
    if text("fieldsType") != "FieldsV1" {
        return Err(ManagedFieldsError::Type { manager: reader.manager, fields_type: text("fieldsType") });
    }
    let inner = ["f:spec", "f:values"].iter().try_fold(fields, |fields, name| fields.get(name));
    if let Some(inner) = inner {
        reader.read(inner, Some(values), &ValuePath::root(), 0)?;
    }
    Ok(reader.paths)
}

struct Reader {
    manager: String,
    paths: Vec<ValuePath>,
    work: usize,
}

impl Reader {
    fn read(
        &mut self,
        fields: &Value,
        value: Option<&Value>,
        path: &ValuePath,
        depth: usize,
    ) -> Result<(), ManagedFieldsError> {
        self.work += 1;
        if self.work > MAX_WORK || depth > MAX_DEPTH {
            return Err(ManagedFieldsError::TooLarge { manager: self.manager.clone() });
        }
        let Value::Object(members) = fields else { return Err(self.unknown(&fields.to_string())) };
        // The field itself: alone, or as `.` beside what it consists of.
        if members.is_empty() || members.contains_key(".") {
            self.paths.push(path.clone());
        }
        for (key, below) in members.iter().filter(|(key, _)| *key != ".") {
            let (kind, name) = key.split_once(':').ok_or_else(|| self.unknown(key))?;
            if kind == "f" {
                let value = value.and_then(|value| value.as_object()?.get(name));
                self.read(below, value, &path.key(name), depth + 1)?;
                continue;
            }
            let items = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            self.work += items.len();
            for index in self.positions(kind, name, items)? {
                self.read(below, items.get(index), &path.index(index), depth + 1)?;
            }
        }
        Ok(())
    }

    /// The positions of the list elements that are meant: by position, by value, or by the values of some keys.
    fn positions(&self, kind: &str, name: &str, items: &[Value]) -> Result<Vec<usize>, ManagedFieldsError> {
        let unknown = || self.unknown(&format!("{kind}:{name}"));
        let is_meant: Box<dyn Fn(&Value) -> bool> = match kind {
            "i" => return Ok(vec![name.parse().map_err(|_| unknown())?]),
            "v" => {
                let wanted: Value = serde_json::from_str(name).map_err(|_| unknown())?;
                Box::new(move |item| *item == wanted)
            }
            "k" => {
                let wanted: Map<String, Value> = serde_json::from_str(name).map_err(|_| unknown())?;
                Box::new(move |item| wanted.iter().all(|(key, value)| item.get(key) == Some(value)))
            }
            _ => return Err(unknown()),
        };
        Ok((0..items.len()).filter(|index| is_meant(&items[*index])).collect())
    }

    fn unknown(&self, field: &str) -> ManagedFieldsError {
        ManagedFieldsError::Field { manager: self.manager.clone(), field: field.to_owned() }
    }
}
