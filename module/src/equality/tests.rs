use serde_json::json;

use super::*;
use crate::lock::ChartSchema;

fn locks(schema: &Value) -> LockSet {
    let text = schema.to_string();
    LockSet::from_schemas(&[ChartSchema { path: Vec::new(), name: "demo".into(), schema: Some(text.as_bytes()) }])
        .unwrap()
}

/// Changes from `old` to `new` over `defaults`, merged as Helm does: mappings key by key, a null deletes.
fn changes(schema: &Value, defaults: &Value, old: &Value, new: &Value) -> Vec<LockedChange> {
    let (old_effective, new_effective) = (merge(defaults, old), merge(defaults, new));
    locked_changes(
        &locks(schema),
        ValuesState { effective: &old_effective, explicit: old },
        ValuesState { effective: &new_effective, explicit: new },
    )
    .unwrap()
}

fn merge(default: &Value, explicit: &Value) -> Value {
    match (default, explicit) {
        (Value::Object(defaults), Value::Object(members)) => {
            let keys: BTreeSet<&String> = defaults.keys().chain(members.keys()).collect();
            let merged = |key: &String| match (defaults.get(key), members.get(key)) {
                (Some(_), Some(Value::Null)) | (None, None) => None,
                (Some(default), Some(member)) => Some(merge(default, member)),
                (Some(only), None) | (None, Some(only)) => Some(only.clone()),
            };
            keys.into_iter().filter_map(|key| Some((key.clone(), merged(key)?))).collect()
        }
        _ => explicit.clone(),
    }
}

fn paths(changes: &[LockedChange]) -> Vec<String> {
    changes
        .iter()
        .map(|change| match change.kind {
            LockedChangeKind::NoLongerSet => format!("{} (no longer set)", change.path),
            _ => change.path.to_string(),
        })
        .collect()
}

#[test]
fn a_locked_value_keeps_its_effective_value() {
    let schema = json!({"properties": {"a": {"immutable": true}}});
    let defaults = json!({"a": "default"});
    // Old values, new values, changes.
    for (old, new, expected) in [
        (json!({"a": 1}), json!({"a": 1, "b": 2}), &[][..]),
        (json!({"a": 1}), json!({"a": 2}), &["a"]),
        (json!({}), json!({"a": "default"}), &[]),
        (json!({}), json!({"a": "other"}), &["a"]),
        (json!({"a": "default"}), json!({}), &["a (no longer set)"]),
        (json!({"a": "other"}), json!({}), &["a"]),
        (json!({}), json!({"a": null}), &["a"]),
        (json!({"a": null}), json!({}), &["a"]),
        (json!({"a": "1.14"}), json!({"a": 1.14}), &["a"]),
        (json!({"a": true}), json!({"a": "true"}), &["a"]),
        (json!({"a": 1}), json!({"a": 1.0}), &[]),
        (json!({"a": 0}), json!({"a": false}), &["a"]),
        (json!({"a": 9_007_199_254_740_993_u64}), json!({"a": 9_007_199_254_740_992_u64}), &["a"]),
        (json!({"a": []}), json!({"a": {}}), &[]),
        (json!({"a": ""}), json!({"a": []}), &["a"]),
        (json!({"a": [1, 2]}), json!({"a": [2, 1]}), &["a"]),
        (json!({"a": [1, 2]}), json!({"a": [1, 2, 3]}), &["a"]),
        (json!({"a": [1, {"x": []}]}), json!({"a": [1.0, {"x": []}]}), &[]),
        (json!({"a": {"x": 1, "y": 2}}), json!({"a": {"x": 1, "y": 3}}), &["a.y"]),
        (json!({"a": {"x": 1}}), json!({"a": [1]}), &["a"]),
    ] {
        assert_eq!(paths(&changes(&schema, &defaults, &old, &new)), expected, "{old} -> {new}");
    }
}

#[test]
fn without_a_default_nothing_and_empty_are_one() {
    let schema = json!({"properties": {"a": {"immutable": true}}});
    let defaults = json!({});
    for (old, new, expected) in [
        (json!({}), json!({"a": []}), &[][..]),
        (json!({}), json!({"a": {}}), &[]),
        (json!({"a": []}), json!({}), &[]),
        (json!({"a": {}}), json!({}), &[]),
        (json!({}), json!({"a": null}), &[]),
        (json!({"a": null}), json!({}), &["a (no longer set)"]),
        (json!({}), json!({"a": 0}), &["a"]),
        (json!({}), json!({"a": ""}), &["a"]),
    ] {
        assert_eq!(paths(&changes(&schema, &defaults, &old, &new)), expected, "{old} -> {new}");
    }
}

#[test]
fn what_no_schema_names_says_something_by_being_there() {
    let named = json!({"from": {"type": "object"}, "ports": {"type": "array"}});
    let schema = json!({"properties": {
        "hosts": {"immutable": true},
        "rules": {"immutable": true, "items": {"properties": named}},
        "policy": {"immutable": true, "properties": named},
        "users": {"additionalProperties": {"immutable": true}},
    }});
    for (old, new, expected) in [
        (json!({"hosts": {"a": {}}}), json!({"hosts": {"a": {}, "b": {}}}), &["hosts.b"][..]),
        (json!({"hosts": {"a": {}}}), json!({"hosts": {"a": {}, "b": null}}), &["hosts.b"]),
        (json!({"hosts": {"a": {}, "b": []}}), json!({"hosts": {"a": {}}}), &["hosts.b"]),
        (json!({"hosts": {"a": {}}}), json!({"hosts": {"a": null}}), &["hosts.a"]),
        (json!({"hosts": {"a": {}}}), json!({}), &["hosts.a"]),
        (json!({"hosts": {"a": {"b": {"c": []}}}}), json!({"hosts": {}}), &["hosts.a.b.c"]),
        (json!({"rules": [{"from": {"x": 1}}]}), json!({"rules": [{"from": {"x": 1}, "to": {}}]}), &["rules"]),
        (json!({"rules": [{"from": {"x": 1}}]}), json!({"rules": [{"from": {"x": 1, "y": {}}}]}), &["rules"]),
        (json!({"rules": [{"from": {"x": 1}}]}), json!({"rules": [{"from": {"x": 1}, "ports": []}]}), &[]),
        (json!({"rules": [null]}), json!({"rules": [{}]}), &["rules"]),
        (json!({"policy": {}}), json!({"policy": {"from": {}, "ports": []}}), &[]),
        (json!({}), json!({"policy": {"from": {}, "ports": []}}), &[]),
        (json!({}), json!({"policy": {"from": {}, "other": []}}), &["policy.other"]),
        (json!({"users": {"a": {}, "b": {}}}), json!({"users": {"a": {}}}), &["users.b"]),
        (json!({"users": {"a": {}}}), json!({"users": {"a": {}, "b": {}}}), &[]),
    ] {
        assert_eq!(paths(&changes(&schema, &json!({}), &old, &new)), expected, "{old} -> {new}");
    }
}

#[test]
fn a_null_that_keeps_an_empty_default_away_must_stay() {
    let schema = json!({"properties": {"a": {"immutable": true}}});
    let (set, gone) = (json!({"a": null}), json!({}));
    assert_eq!(paths(&changes(&schema, &json!({"a": {}}), &set, &gone)), ["a (no longer set)"]);
    assert!(changes(&schema, &json!({"a": {}}), &gone, &set).is_empty());
}

#[test]
fn parts_that_are_no_longer_set_are_named() {
    let schema = json!({"properties": {"image": {"immutable": true}}});
    let defaults = json!({"image": {"repository": "nginx", "tag": "1"}});
    let old = json!({"image": {"repository": "nginx", "tag": "2"}});
    let new = json!({"image": {"tag": "2"}});
    assert_eq!(paths(&changes(&schema, &defaults, &old, &new)), ["image.repository (no longer set)"]);
    let new = json!({});
    assert_eq!(paths(&changes(&schema, &defaults, &old, &new)), ["image.repository (no longer set)", "image.tag"]);
}

#[test]
fn locks_inside_lists_hold_by_position() {
    let schema = json!({"properties": {"l": {"items": {"properties": {"n": {"immutable": true}}}}}});
    let defaults = json!({});
    let one = json!({"n": 1, "free": "x"});
    let two = json!({"n": 2});
    for (old, new, expected) in [
        (json!({"l": [one]}), json!({"l": [{"n": 1, "free": "y"}]}), &[][..]),
        (json!({"l": [one]}), json!({"l": [one, two]}), &[]),
        (json!({"l": [one]}), json!({"l": [two, one]}), &["l[0].n"]),
        (json!({"l": [one, two]}), json!({"l": [two]}), &["l[0].n", "l[1].n"]),
        (json!({"l": [one, two]}), json!({"l": [one]}), &["l[1].n"]),
        (json!({"l": [one]}), json!({"l": "x"}), &["l[0].n"]),
        (json!({"l": [one]}), json!({}), &["l[0].n"]),
        (json!({"l": [{"free": 1}]}), json!({"l": []}), &[]),
        (json!({}), json!({"l": [one]}), &[]),
    ] {
        assert_eq!(paths(&changes(&schema, &defaults, &old, &new)), expected, "{old} -> {new}");
    }
}

#[test]
fn positions_that_a_schema_names_hold_even_if_there_was_nothing() {
    let schema =
        json!({"properties": {"l": {"prefixItems": [{}, {"immutable": true}], "contains": {"immutable": true}}}});
    let defaults = json!({});
    for (old, new, expected) in [
        (json!({"l": [1, 2]}), json!({"l": [1, 2, 3]}), &[][..]),
        (json!({"l": [1]}), json!({"l": [1, 2]}), &["l[1]"]),
        (json!({}), json!({"l": [1, 2]}), &["l[1]"]),
        (json!({}), json!({"l": [1]}), &[]),
        (json!({"l": [1]}), json!({"l": [1, null]}), &[]),
    ] {
        assert_eq!(paths(&changes(&schema, &defaults, &old, &new)), expected, "{old} -> {new}");
    }
}

#[test]
fn keys_that_nobody_named_may_be_added_but_not_changed() {
    let schema = json!({"properties": {"env": {"additionalProperties": {"immutable": true}},
        "x": {"patternProperties": {"^p": {"immutable": true}}}}});
    let defaults = json!({});
    for (old, new, expected) in [
        (json!({"env": {"a": 1}}), json!({"env": {"a": 1, "b": 2}}), &[][..]),
        (json!({"env": {"a": 1}}), json!({"env": {"a": 2}}), &["env.a"]),
        (json!({"env": {"a": 1}}), json!({"env": {}}), &["env.a"]),
        (json!({}), json!({"x": {"p1": 1}}), &[]),
        (json!({"x": {"p1": 1}}), json!({"x": {"q1": 1}}), &["x.p1"]),
    ] {
        assert_eq!(paths(&changes(&schema, &defaults, &old, &new)), expected, "{old} -> {new}");
    }
}

#[test]
fn replacing_or_removing_what_holds_a_locked_value_changes_it() {
    let schema = json!({"properties": {"a": {"properties": {"b": {"immutable": true}}}}});
    let defaults = json!({});
    let old = json!({"a": {"b": 1, "c": 2}});
    for new in [json!({}), json!({"a": null}), json!({"a": "x"}), json!({"a": []}), json!({"a": {"c": 2}})] {
        assert_eq!(paths(&changes(&schema, &defaults, &old, &new)), ["a.b"], "{new}");
    }
    assert!(changes(&schema, &defaults, &old, &json!({"a": {"b": 1}})).is_empty());
}

#[test]
fn what_must_not_be_shown_is_not_in_the_answer() {
    let schema = json!({"properties": {"db": {"immutable": true, "properties": {"password": {"format": "password"}}}}});
    let changes =
        changes(&schema, &json!({}), &json!({"db": {"password": "old", "n": 1}}), &json!({"db": {"password": "new"}}));
    assert_eq!(paths(&changes), ["db.n", "db.password"]);
    assert_eq!(changes[1].old, Some(json!("(hidden)")));
    assert_eq!(changes[1].new, Some(json!("(hidden)")));
    assert_eq!((changes[0].chart.as_str(), changes[0].pointer.as_str()), ("demo", "/properties/db"));
}

mod property {
    use proptest::prelude::*;

    use super::*;

    const KEYS: [&str; 3] = ["a", "b", "c"];

    fn schema() -> impl Strategy<Value = Value> {
        let leaf = any::<bool>().prop_map(|marked| json!({"immutable": marked}));
        leaf.prop_recursive(3, 12, 3, |inner| {
            let names = prop::collection::btree_map(prop::sample::select(&KEYS[..2]), inner.clone(), 0..3);
            prop_oneof![
                (names, prop::option::of(inner.clone())).prop_map(|(names, other)| {
                    let mut schema = json!({"properties": names});
                    if let Some(other) = other {
                        schema["additionalProperties"] = other;
                    }
                    schema
                }),
                inner.clone().prop_map(|items| json!({"items": items})),
                prop::collection::vec(inner, 1..3).prop_map(|branches| json!({"anyOf": branches})),
            ]
        })
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(json!(null)), Just(json!(1)), Just(json!(1.0)), Just(json!("1")), Just(json!(false))];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                2 => prop::collection::btree_map(prop::sample::select(&KEYS[..]), inner.clone(), 0..3).prop_map(|map| json!(map)),
                1 => prop::collection::vec(inner, 0..3).prop_map(Value::Array),
            ]
        })
    }

    fn mapping() -> impl Strategy<Value = Value> {
        prop::collection::btree_map(prop::sample::select(&KEYS[..]), value(), 0..4).prop_map(|map| json!(map))
    }

    /// Every place of a value with its scalar; nothing where there is nothing. Positions are written `#0`.
    fn places(value: &Value, path: &mut Vec<String>, into: &mut Vec<(Vec<String>, Value)>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    path.push(key.clone());
                    places(member, path, into);
                    path.pop();
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(format!("#{index}"));
                    places(item, path, into);
                    path.pop();
                }
            }
            _ => {}
        }
        into.push((path.clone(), value.clone()));
    }

    fn at<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
        path.iter().try_fold(value, |value, token| match token.strip_prefix('#') {
            Some(index) => value.as_array()?.get(index.parse::<usize>().unwrap()),
            None => value.as_object()?.get(token),
        })
    }

    /// What a place holds, so that equal texts mean the same to a lock.
    fn content(value: Option<&Value>) -> String {
        match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::Number(number)) => format!("n{}", number.as_f64().unwrap()),
            Some(Value::Array(items)) if items.is_empty() => String::new(),
            Some(Value::Array(items)) => {
                format!("[{}]", items.iter().map(|item| content(Some(item)) + ",").collect::<String>())
            }
            Some(Value::Object(members)) => {
                let parts: Vec<String> = members
                    .iter()
                    .map(|(key, member)| (key, content(Some(member))))
                    .filter(|(_, content)| !content.is_empty())
                    .map(|(key, content)| format!("{key}:{content}"))
                    .collect();
                if parts.is_empty() { String::new() } else { format!("{{{}}}", parts.join(",")) }
            }
            Some(scalar) => scalar.to_string(),
        }
    }

    /// What kinds of nothing there are, and whether there is something.
    fn shape(value: Option<&Value>) -> &str {
        match value {
            None => "absent",
            Some(Value::Null) => "null",
            Some(Value::Array(items)) if items.is_empty() => "list",
            Some(Value::Object(_)) if content(value).is_empty() => "mapping",
            Some(_) => "something",
        }
    }

    /// Whether the schema names a place.
    fn named(schema: &Value, path: &[String]) -> bool {
        fn follow(schema: &Value, above: &[String], last: &str) -> bool {
            if schema["anyOf"].as_array().into_iter().flatten().any(|branch| follow(branch, above, last)) {
                return true;
            }
            let named = &schema["properties"];
            let Some((first, rest)) = above.split_first() else { return named.get(last).is_some() };
            let next = |schema: &Value| follow(schema, rest, last);
            if first.starts_with('#') {
                return schema.get("items").is_some_and(next);
            }
            match named.get(first) {
                Some(schema) => next(schema),
                None => schema.get("additionalProperties").is_some_and(next),
            }
        }
        path.split_last().is_none_or(|(last, above)| follow(schema, above, last))
    }

    /// Whether the change touches a lock: looks at every place that either state has, on its own.
    fn refused(schema: &Value, defaults: &Value, old: &Value, new: &Value) -> bool {
        let (old_effective, new_effective) = (merge(defaults, old), merge(defaults, new));
        let mut all = Vec::new();
        for value in [&old_effective, &new_effective, old, new] {
            places(value, &mut Vec::new(), &mut all);
        }
        all.iter().any(|(path, _)| {
            // The shortest locked part of the path decides.
            let Some(length) = (0..=path.len()).find(|length| locked(schema, &path[..*length], &|_| false)) else {
                return false;
            };
            let added =
                |length: usize| at(&old_effective, &path[..length]).is_none() && at(old, &path[..length]).is_none();
            let appended =
                (0..length).any(|start| path[start].starts_with('#') && at(&old_effective, &path[..=start]).is_none());
            if appended {
                return false;
            }
            if !locked(schema, &path[..length], &added) {
                return false;
            }
            let (before, after) = (at(&old_effective, path), at(&new_effective, path));
            if content(before) != content(after) || shape(before) != shape(after) && !named(schema, path) {
                return true;
            }
            let set = at(old, path);
            let matters = set.is_some_and(|set| set.is_null() || !content(Some(set)).is_empty());
            let is_mapping = before.is_some_and(Value::is_object) || after.is_some_and(Value::is_object);
            // A null that is set keeps a default away, be it an empty mapping.
            matters
                && at(new, path).is_none()
                && (!is_mapping || set.is_some_and(Value::is_null))
                && !path[length..].iter().any(|token| token.starts_with('#'))
        })
    }

    /// Whether a place is locked, found by reading the schema anew. Keys that are added, told by how many steps lead to
    /// them, count only where the schema names them.
    fn locked(schema: &Value, path: &[String], added: &dyn Fn(usize) -> bool) -> bool {
        fn follow(schema: &Value, path: &[String], depth: usize, added: &dyn Fn(usize) -> bool) -> bool {
            if schema["immutable"] == json!(true) {
                return true;
            }
            if schema["anyOf"].as_array().into_iter().flatten().any(|branch| follow(branch, path, depth, added)) {
                return true;
            }
            let Some((first, rest)) = path.split_first() else { return false };
            let next = |schema: &Value| follow(schema, rest, depth + 1, added);
            if first.starts_with('#') {
                return schema.get("items").is_some_and(next);
            }
            match schema["properties"].get(first) {
                Some(named) => next(named),
                None => !added(depth + 1) && schema.get("additionalProperties").is_some_and(next),
            }
        }
        follow(schema, path, 0, added)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn agrees_with_looking_at_every_place(schema in schema(), defaults in mapping(), old in mapping(), new in mapping()) {
            let found = changes(&schema, &defaults, &old, &new);
            prop_assert_eq!(!found.is_empty(), refused(&schema, &defaults, &old, &new), "{:?}", paths(&found));
        }

        #[test]
        fn no_change_is_no_change(schema in schema(), defaults in mapping(), values in mapping()) {
            prop_assert!(changes(&schema, &defaults, &values, &values).is_empty());
        }
    }
}
