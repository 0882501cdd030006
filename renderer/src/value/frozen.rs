//! Values that nobody can change, shared between threads and renders: the defaults of a chart.

use std::sync::Arc;

use super::{GoString, List, Map, Value};

/// A map that cannot change. [`Map`]s are made of it in one step, whatever its size: they take the entries over level by
/// level, when a render looks at them.
#[derive(Debug, Default)]
pub(crate) struct FrozenMap {
    /// Sorted by key.
    entries: Vec<(GoString, Frozen)>,
    holds_null: bool,
}

#[derive(Clone, Debug)]
enum Frozen {
    Null,
    Bool(bool),
    Int64(i64),
    Float64(f64),
    String(GoString),
    List(Arc<[Self]>),
    Map(Arc<FrozenMap>),
}

impl FrozenMap {
    /// Takes over a tree of values.
    pub(crate) fn new(members: &serde_json::Map<String, serde_json::Value>) -> Self {
        let mut entries: Vec<(GoString, Frozen)> =
            members.iter().map(|(key, member)| (key.as_str().into(), Frozen::new(member))).collect();
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        let holds_null = entries.iter().any(|(_, value)| match value {
            Frozen::Null => true,
            Frozen::Map(map) => map.holds_null,
            _ => false,
        });
        Self { entries, holds_null }
    }

    /// Whether an entry is null, here or in a map below that is reached through maps alone.
    pub(super) fn holds_null(&self) -> bool {
        self.holds_null
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries as those of a map that can change.
    pub(super) fn thaw(&self) -> impl Iterator<Item = (GoString, Value)> {
        self.entries.iter().map(|(key, value)| (key.clone(), value.thaw()))
    }
}

impl Frozen {
    fn new(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Int64(integer),
                None => Self::Float64(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Self::String(text.as_str().into()),
            serde_json::Value::Array(items) => Self::List(items.iter().map(Self::new).collect()),
            serde_json::Value::Object(members) => Self::Map(Arc::new(FrozenMap::new(members))),
        }
    }

    fn thaw(&self) -> Value {
        match self {
            Self::Null => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int64(value) => Value::Int64(*value),
            Self::Float64(value) => Value::Float64(*value),
            Self::String(text) => Value::String(text.clone()),
            Self::List(items) => Value::List(List::new(items.iter().map(Self::thaw).collect())),
            Self::Map(map) => Value::Map(Map::from(map)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frozen(json: &serde_json::Value) -> Arc<FrozenMap> {
        Arc::new(FrozenMap::new(json.as_object().unwrap()))
    }

    fn inner(map: &Map, key: &[u8]) -> Map {
        match map.get(key) {
            Some(Value::Map(map)) => map,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn maps_of_one_frozen_map_do_not_see_each_others_changes() {
        let frozen = frozen(&serde_json::json!({"b": {"c": 1.0}, "a": [{"d": "e"}]}));
        let (first, second) = (Map::from(&frozen), Map::from(&frozen));
        inner(&first, b"b").insert("c".into(), Value::Nil);
        assert!(matches!(inner(&first, b"b").get(b"c"), Some(Value::Nil)));
        assert!(matches!(inner(&second, b"b").get(b"c"), Some(Value::Float64(1.0))));
        let copy = second.copy_unless_changed().unwrap_or_default();
        second.insert("b".into(), Value::Nil);
        assert!(copy.is_empty() || matches!(copy.get(b"b"), Some(Value::Map(_))));
    }

    #[test]
    fn entries_come_in_order_and_keep_their_identity() {
        let map = Map::from(&frozen(&serde_json::json!({"b": {}, "a": {"n": null}, "aa": 1.0})));
        assert_eq!(map.keys(), ["a", "aa", "b"].map(GoString::from));
        assert_eq!(inner(&map, b"b").address(), inner(&map, b"b").address());
    }

    #[test]
    fn nulls_are_known() {
        let holds = |json: serde_json::Value| !Map::from(&frozen(&json)).is_free_of_nulls();
        assert!(holds(serde_json::json!({"a": {"b": null}})));
        assert!(!holds(serde_json::json!({"a": {"b": 1.0}, "c": [null]})));
    }
}
