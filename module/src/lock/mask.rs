//! Hiding values that must not be shown.

use serde_json::Value;

use super::Cursor;

/// What stands for a value that must not be shown.
pub const HIDDEN: &str = "(hidden)";

impl Cursor<'_> {
    /// The value at this place with [`HIDDEN`] for every part that a schema calls `writeOnly` or a password.
    pub fn masked(&self, value: &Value) -> Value {
        if self.is_secret() {
            return match value {
                Value::Null => Value::Null,
                _ => Value::from(HIDDEN),
            };
        }
        match value {
            Value::Object(members) => {
                members.iter().map(|(key, member)| (key.clone(), self.key(key).masked(member))).collect()
            }
            Value::Array(items) => {
                items.iter().enumerate().map(|(index, item)| self.index(index).masked(item)).collect()
            }
            _ => value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lock::{ChartSchema, LockSet};

    #[test]
    fn passwords_are_hidden_wherever_they_are() {
        let schema = json!({"properties": {
            "users": {"items": {"properties": {"password": {"format": "password"}}}},
            "secrets": {"additionalProperties": {"writeOnly": true}},
        }});
        let text = schema.to_string();
        let schema = ChartSchema { path: Vec::new(), name: "demo".into(), schema: Some(text.as_bytes()) };
        let locks = LockSet::from_schemas(&[schema]).unwrap();
        let values =
            json!({"users": [{"name": "a", "password": "x"}], "secrets": {"k": {"deep": 1}, "none": null}, "n": 1});
        let expected =
            json!({"users": [{"name": "a", "password": HIDDEN}], "secrets": {"k": HIDDEN, "none": null}, "n": 1});
        assert_eq!(locks.root().masked(&values), expected);
    }
}
