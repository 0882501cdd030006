//! Changes of effective values, path by path.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ValueChange;
use crate::equality::same;
use crate::lock::{Cursor, LockSet};
use crate::path::ValuePath;

/// The values that differ, each as deep as both states are mappings or lists of the same length.
pub(super) fn changes(locks: &LockSet, old: &Value, new: &Value) -> Vec<ValueChange> {
    let mut changes = Vec::new();
    walk(&locks.root(), &ValuePath::root(), Some(old), Some(new), &mut changes);
    changes
}

fn walk(
    cursor: &Cursor<'_>,
    path: &ValuePath,
    old: Option<&Value>,
    new: Option<&Value>,
    changes: &mut Vec<ValueChange>,
) {
    if same(old, new) {
        return;
    }
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                walk(&cursor.key(key), &path.key(key), old.get(key), new.get(key), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                walk(&cursor.index(index), &path.index(index), Some(old), Some(new), changes);
            }
        }
        _ => changes.push(ValueChange {
            path: path.to_string(),
            old: old.map(|value| written(&cursor.masked(value))),
            new: new.map(|value| written(&cursor.masked(value))),
            locked: cursor.leads_to_lock(),
        }),
    }
}

/// Numbers as people write them: Helm reads each as a float, and `3.0` is not what stands in the file.
fn written(value: &Value) -> Value {
    /// Below it every integer is a float of its own: 2^53.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => Value::from(float as i64),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(written).collect(),
        Value::Object(members) => members.iter().map(|(key, member)| (key.clone(), written(member))).collect(),
        _ => value.clone(),
    }
}
