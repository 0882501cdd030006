//! Differences between two states of values, patches, and the merge of two people's changes.

use serde_json::{Map, Value, json};

use module::ValuePath;
use module::path::Token;

/// One value that differs. A list is one value: what a position means after an insertion is anybody's guess.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueChange {
    /// Where.
    pub(crate) path: ValuePath,
    /// The value before; none if it was absent.
    pub(crate) old: Option<Value>,
    /// The value after; none if it is gone.
    pub(crate) new: Option<Value>,
}

/// What differs between two values, for people: maps are compared key by key, lists of one length position by position.
pub(crate) fn shown_changes(old: &Value, new: &Value) -> Vec<ValueChange> {
    changes(old, new).into_iter().flat_map(inside_lists).collect()
}

fn inside_lists(change: ValueChange) -> Vec<ValueChange> {
    match (&change.old, &change.new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            let items = old.iter().zip(new).enumerate();
            items
                .flat_map(|(index, (old, new))| {
                    let mut found = Vec::new();
                    collect(&change.path.index(index), Some(old), Some(new), &mut found);
                    found.into_iter().flat_map(inside_lists)
                })
                .collect()
        }
        _ => vec![change],
    }
}

/// What differs between two values, maps compared key by key.
pub(crate) fn changes(old: &Value, new: &Value) -> Vec<ValueChange> {
    let mut found = Vec::new();
    collect(&ValuePath::default(), Some(old), Some(new), &mut found);
    found
}

fn collect(path: &ValuePath, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<ValueChange>) {
    if let (Some(Value::Object(old)), Some(Value::Object(new))) = (old, new) {
        let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            collect(&path.key(key), old.get(key), new.get(key), found);
        }
    } else if !same(old, new) {
        found.push(ValueChange { path: path.clone(), old: old.cloned(), new: new.cloned() });
    }
}

/// Equality with JSON's one number type: 1 and 1.0 are the same.
fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => left == right || left.as_f64() == right.as_f64(),
        (Some(Value::Array(left)), Some(Value::Array(right))) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(Some(left), Some(right)))
        }
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            left.len() == right.len() && left.iter().all(|(key, value)| same(Some(value), right.get(key)))
        }
        _ => left == right,
    }
}

/// The value at a path, to be changed.
pub(crate) fn get_mut<'a>(value: &'a mut Value, path: &ValuePath) -> Option<&'a mut Value> {
    path.tokens().iter().try_fold(value, |value, token| match token {
        Token::Key(key) => value.as_object_mut()?.get_mut(key),
        Token::Index(index) => value.as_array_mut()?.get_mut(*index),
    })
}

/// The JSON merge patch (RFC 7386) that leads from one value to the other, if there is one: such a patch cannot store
/// a null.
pub(crate) fn merge_patch(old: &Value, new: &Value) -> Option<Value> {
    let patch = build_patch(old, new);
    let mut patched = old.clone();
    apply_patch(&mut patched, &patch);
    same(Some(&patched), Some(new)).then_some(patch)
}

fn build_patch(old: &Value, new: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return new.clone() };
    let mut patch = Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        match old.get(key) {
            Some(before) if same(Some(before), Some(value)) => {}
            Some(before) => {
                patch.insert(key.clone(), build_patch(before, value));
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(patch)
}

fn apply_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(target) = target {
        for (key, value) in patch {
            if value.is_null() {
                target.remove(key);
            } else {
                apply_patch(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

/// Brings `mine` and `theirs`, both made from `base`, together. The error lists what both changed differently.
pub(crate) fn three_way(base: &Value, mine: &Value, theirs: &Value) -> Result<Value, Vec<ValueChange>> {
    let mut conflicts = Vec::new();
    let merged = merge(&ValuePath::default(), Some(base), Some(mine), Some(theirs), &mut conflicts);
    if conflicts.is_empty() { Ok(merged.unwrap_or(Value::Null)) } else { Err(conflicts) }
}

fn merge(
    path: &ValuePath,
    base: Option<&Value>,
    mine: Option<&Value>,
    theirs: Option<&Value>,
    conflicts: &mut Vec<ValueChange>,
) -> Option<Value> {
    if same(mine, theirs) || same(base, theirs) {
        return mine.cloned();
    }
    if same(base, mine) {
        return theirs.cloned();
    }
    if let (Some(Value::Object(mine)), Some(Value::Object(theirs))) = (mine, theirs) {
        let empty = Map::new();
        let base = base.and_then(Value::as_object).unwrap_or(&empty);
        let mut keys: Vec<&String> = base.keys().chain(mine.keys()).chain(theirs.keys()).collect();
        keys.sort();
        keys.dedup();
        let merged = keys.into_iter().filter_map(|key| {
            let value = merge(&path.key(key), base.get(key), mine.get(key), theirs.get(key), conflicts)?;
            Some((key.clone(), value))
        });
        return Some(Value::Object(merged.collect()));
    }
    conflicts.push(ValueChange { path: path.clone(), old: theirs.cloned(), new: mine.cloned() });
    mine.cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_paths() {
        let old = json!({"a": {"b": 1, "c": [1]}, "gone": true, "same": 1});
        let new = json!({"a": {"b": 2, "c": [1, 2]}, "x.y": {"z": 1}, "same": 1.0});
        let found: Vec<String> = changes(&old, &new).iter().map(|change| change.path.to_string()).collect();
        assert_eq!(found, ["a.b", "a.c", "gone", r#"["x.y"]"#]);
    }

    #[test]
    fn shown_changes_look_into_lists_of_one_length() {
        let old = json!({"l": [{"a": 1, "b": [1]}, 2], "m": [1]});
        let new = json!({"l": [{"a": 1, "b": [2]}, 2], "m": [1, 2]});
        let found: Vec<String> = shown_changes(&old, &new).iter().map(|change| change.path.to_string()).collect();
        assert_eq!(found, ["l[0].b[0]", "m"]);
    }

    #[test]
    fn merge_patch_leads_from_old_to_new() {
        let old = json!({"a": {"b": 1, "c": 2}, "list": [1, 2]});
        let new = json!({"a": {"b": 1, "d": {"e": 1}}, "list": [1]});
        assert_eq!(merge_patch(&old, &new), Some(json!({"a": {"c": null, "d": {"e": 1}}, "list": [1]})));
    }

    #[test]
    fn merge_patch_cannot_store_null() {
        assert_eq!(merge_patch(&json!({"a": 1}), &json!({"a": null})), None);
        assert_eq!(merge_patch(&json!({}), &json!({"a": {"b": null}})), None);
        // A null that is already stored and not touched is no obstacle.
        assert_eq!(merge_patch(&json!({"a": null, "b": 1}), &json!({"a": null, "b": 2})), Some(json!({"b": 2})));
    }

    #[test]
    fn disjoint_changes_merge() {
        let base = json!({"a": 1, "b": {"c": 1, "d": 1}});
        let mine = json!({"a": 2, "b": {"c": 1, "d": 1}});
        let theirs = json!({"a": 1, "b": {"c": 1}, "e": 5});
        assert_eq!(three_way(&base, &mine, &theirs), Ok(json!({"a": 2, "b": {"c": 1}, "e": 5})));
    }

    #[test]
    fn the_same_change_is_no_conflict() {
        assert_eq!(three_way(&json!({"a": 1}), &json!({"a": 2}), &json!({"a": 2})), Ok(json!({"a": 2})));
    }

    #[test]
    fn overlapping_changes_are_listed() {
        let conflicts =
            three_way(&json!({"a": {"b": 1}, "l": [1]}), &json!({"a": {"b": 2}, "l": [2]}), &json!({"a": {"b": 3}}))
                .unwrap_err();
        let paths: Vec<String> = conflicts.iter().map(|change| change.path.to_string()).collect();
        assert_eq!(paths, ["a.b", "l"]);
        assert_eq!(conflicts[0].old, Some(json!(3)));
        assert_eq!(conflicts[0].new, Some(json!(2)));
    }
}
