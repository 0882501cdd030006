use serde_json::{Value, json};

use super::*;

fn chart(path: &[&str], schema: &str) -> ChartSchemaText {
    ChartSchemaText { path: path.iter().map(ToString::to_string).collect(), text: schema.to_owned() }
}

struct ChartSchemaText {
    path: Vec<String>,
    text: String,
}

fn compile(charts: &[ChartSchemaText]) -> Result<LockSet, LockError> {
    let schemas: Vec<_> = charts
        .iter()
        .map(|chart| ChartSchema {
            path: chart.path.clone(),
            name: std::iter::once("demo").chain(chart.path.iter().map(String::as_str)).collect::<Vec<_>>().join("/"),
            schema: Some(chart.text.as_bytes()),
        })
        .collect();
    LockSet::from_schemas(&schemas)
}

fn locks(schema: &Value) -> LockSet {
    compile(&[chart(&[], &schema.to_string())]).unwrap()
}

fn listed(set: &LockSet) -> Vec<String> {
    set.locks().map(|lock| lock.path.to_string()).collect()
}

/// A path such as `a.0.b`: numbers are positions.
fn is_locked(set: &LockSet, path: &str) -> bool {
    path.split('.')
        .fold(set.root(), |cursor, token| match token.parse() {
            Ok(index) => cursor.index(index),
            Err(_) => cursor.key(token),
        })
        .is_locked()
}

#[test]
fn marks_are_found_through_every_construct() {
    let mark = json!({"immutable": true});
    // Schema, paths that are locked, paths that are not.
    let cases: Vec<(Value, &[&str], &[&str])> = vec![
        (json!({"properties": {"a": mark, "b": {}}}), &["a", "a.x", "a.0"], &["b", "c"]),
        (json!({"properties": {"a": {"properties": {"b": mark}}}}), &["a.b", "a.b.c"], &["a", "a.c"]),
        (json!({"properties": {"a": {"Immutable": true}}}), &["a"], &[]),
        (json!({"properties": {"a": {"immutable": false}}}), &[], &["a"]),
        (json!({"properties": {"immutable": {"type": "boolean"}}}), &[], &["immutable"]),
        (json!({"properties": {"a": {"default": mark, "examples": [mark], "const": mark}}}), &[], &["a"]),
        (mark.clone(), &["a", "b.c"], &[]),
        (json!({"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": mark}}), &["a"], &["b"]),
        (json!({"properties": {"a": {"$ref": "#/$defs/x", "immutable": true}}, "$defs": {"x": {}}}), &["a"], &[]),
        (
            json!({"properties": {"a": {"$ref": "#/definitions/x"}}, "definitions": {"x": {"$ref": "#/definitions/y"}, "y": mark}}),
            &["a"],
            &[],
        ),
        (json!({"properties": {"a": {"$ref": "#/$defs/x~1y%25z"}}, "$defs": {"x/y%z": mark}}), &["a"], &[]),
        (
            json!({"properties": {"a": {"$ref": "#here"}}, "$defs": {"x": {"$anchor": "here", "immutable": true}}}),
            &["a"],
            &[],
        ),
        (
            json!({"properties": {"a": {"$ref": "#here"}}, "definitions": {"x": {"$id": "#here", "immutable": true}}}),
            &["a"],
            &[],
        ),
        (
            json!({"properties": {"a": {"$ref": "x.json"}}, "$defs": {"x": {"$id": "https://e.test/x.json", "immutable": true}}}),
            &["a"],
            &[],
        ),
        (
            json!({"properties": {"a": {"$dynamicRef": "#d"}}, "$defs": {"x": {"$dynamicAnchor": "d", "immutable": true}}}),
            &["a"],
            &[],
        ),
        (json!({"$defs": {"x": mark}}), &[], &["a", "$defs.x"]),
        (json!({"properties": {"a": {"allOf": [{}, mark]}}}), &["a"], &[]),
        (json!({"properties": {"a": {"anyOf": [{"type": "null"}, mark]}}}), &["a"], &[]),
        (json!({"properties": {"a": {"oneOf": [mark, {"type": "null"}]}}}), &["a"], &[]),
        (
            json!({"if": {"properties": {"a": mark}}, "then": {"properties": {"b": mark}}, "else": {"properties": {"c": mark}}}),
            &["a", "b", "c"],
            &["d"],
        ),
        (json!({"dependentSchemas": {"x": {"properties": {"a": mark}}}}), &["a"], &["x"]),
        (json!({"dependencies": {"x": {"properties": {"a": mark}}, "y": ["z"]}}), &["a"], &["x", "y", "z"]),
        (json!({"not": {"properties": {"a": mark}}}), &[], &["a"]),
        (json!({"patternProperties": {"^x-": mark}}), &["x-a"], &["a", "a-x-"]),
        (json!({"patternProperties": {"(?=look)": mark}}), &["anything"], &[]),
        (
            json!({"properties": {"a": {}}, "patternProperties": {"^b": {}}, "additionalProperties": mark}),
            &["c"],
            &["a", "b1"],
        ),
        (json!({"properties": {"a": {}}, "unevaluatedProperties": mark}), &["b"], &[]),
        (json!({"properties": {"l": {"items": mark}}}), &["l.0", "l.7.x"], &["l"]),
        (json!({"properties": {"l": {"items": {"properties": {"n": mark}}}}}), &["l.0.n"], &["l", "l.0", "l.0.m"]),
        (json!({"properties": {"l": {"items": [{}, mark]}}}), &["l.1"], &["l.0", "l.2"]),
        (json!({"properties": {"l": {"items": [{}], "additionalItems": mark}}}), &["l.1", "l.5"], &["l.0"]),
        (json!({"properties": {"l": {"prefixItems": [mark]}}}), &["l.0"], &["l.1"]),
        (json!({"properties": {"l": {"contains": mark}}}), &["l.0", "l.3"], &["l"]),
    ];
    for (schema, locked, free) in cases {
        let set = locks(&schema);
        for path in locked {
            assert!(is_locked(&set, path), "{path} should be locked by {schema}");
        }
        for path in free {
            assert!(!is_locked(&set, path), "{path} should be free under {schema}");
        }
        assert_eq!(set.is_empty(), locked.is_empty(), "{schema}");
    }
}

#[test]
fn recursive_schemas_lock_at_any_depth() {
    let set = locks(&json!({
        "$ref": "#/$defs/node",
        "$defs": {"node": {"properties": {"name": {"immutable": true}, "children": {"items": {"$ref": "#/$defs/node"}}}}},
    }));
    assert!(is_locked(&set, "name"));
    assert!(is_locked(&set, "children.0.children.3.children.1.name"));
    assert!(!is_locked(&set, "children.0.children"));
    assert_eq!(listed(&set), ["children[*].name", "name"]);
    assert!(set.lists_all());
}

#[test]
fn a_recursive_schema_without_marks_is_fine() {
    let set = locks(&json!({"properties": {"a": {"$ref": "#"}}, "anyOf": [{"type": "object"}]}));
    assert!(set.is_empty());
}

#[test]
fn sub_charts_lock_below_their_alias_and_in_what_they_share() {
    let set = compile(&[
        chart(&[], r#"{"properties": {"web": {"properties": {"title": {}}}}}"#),
        chart(&["web"], r#"{"properties": {"image": {"immutable": true}, "global": {"properties": {"region": {"immutable": true}}}}}"#),
        chart(&["web", "cache"], r#"{"properties": {"size": {"immutable": true}}}"#),
    ])
    .unwrap();
    assert_eq!(listed(&set), ["global.region", "web.cache.size", "web.global.region", "web.image"]);
    assert!(is_locked(&set, "web.image.tag") && is_locked(&set, "global.region") && !is_locked(&set, "image"));
    assert!(!is_locked(&set, "web.title"));
    let mark = set.at(&ValuePath::of_keys(["web", "image"])).mark().unwrap();
    assert_eq!((mark.chart, mark.pointer), ("demo/web", "/properties/image"));
}

#[test]
fn locks_carry_what_messages_need() {
    let set = locks(&json!({"properties": {
        "token": {"$ref": "#/$defs/secret", "title": "API token"},
        "ports": {"items": {"properties": {"a.b": {"immutable": true, "description": "A port."}}}},
    }, "$defs": {"secret": {"immutable": true, "writeOnly": true}}}));
    let locks: Vec<&Lock> = set.locks().collect();
    assert_eq!(locks[0].path.to_string(), r#"ports[*]["a.b"]"#);
    assert_eq!(locks[0].description.as_deref(), Some("A port."));
    assert_eq!(locks[1].title.as_deref(), Some("API token"));
    assert!(locks[1].secret && !locks[0].secret);
    assert_eq!(locks[1].pointer, "/$defs/secret");
}

#[test]
fn secrets_cover_what_is_below_them() {
    let set = locks(&json!({"properties": {"db": {"writeOnly": true}, "password": {"format": "password"}, "a": {}}}));
    assert!(set.at(&ValuePath::of_keys(["db", "user"])).is_secret());
    assert!(set.at(&ValuePath::of_keys(["password"])).is_secret());
    assert!(!set.at(&ValuePath::of_keys(["a"])).is_secret());
    assert!(set.is_empty());
}

#[test]
fn schemas_that_cannot_be_trusted_are_errors() {
    for (text, expected) in [
        ("{", "not valid"),
        ("[]", "a schema (an object, true or false) is expected at /"),
        (r#"{"properties": {"a": {"immutable": "true"}}}"#, "`immutable` must be true or false at /properties/a"),
        (r#"{"properties": {"a": {"immutable": null}}}"#, "`immutable` must be true or false"),
        (r#"{"properties": {"a": {"immutable": false, "immutable": true}}}"#, r#"the key "immutable" occurs twice"#),
        (r#"{"properties": []}"#, "an object of schemas is expected at /properties"),
        (r#"{"allOf": {}}"#, "a list of schemas is expected at /allOf"),
        (r#"{"properties": {"a": 1}}"#, "is expected at /properties/a"),
        (r##"{"$ref": "#/$defs/gone"}"##, "refers to nothing at : `#/$defs/gone`"),
        (r#"{"properties": {"a": {"$ref": "https://e.test/s.json"}}}"#, "another document at /properties/a"),
        (r#"{"properties": {"a": {"$ref": "file:///dev/zero"}}}"#, "another document"),
        (r##"{"$ref": "#"}"##, "refers to itself without end at /"),
        (
            r##"{"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"anyOf": [{"$ref": "#/$defs/x"}]}}}"##,
            "refers to itself without end",
        ),
    ] {
        let error = compile(&[chart(&[], text)]).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(error.contains("chart demo"), "{error}");
    }
}

#[test]
fn large_schemas_are_refused_before_they_are_walked() {
    let branches = vec![json!(true); 100_000];
    let error = compile(&[chart(&[], &json!({"allOf": branches}).to_string())]).unwrap_err();
    assert!(matches!(error, LockError::TooLarge { what: "subschemas", .. }));
    let error = compile(&[chart(&[], &" ".repeat(9 << 20))]).unwrap_err();
    assert!(matches!(error, LockError::TooLarge { what: "bytes", .. }));
}

#[test]
fn schemas_that_branch_at_every_level_stay_cheap() {
    // Two ways to the next level at each of 60 levels: 2^60 paths, 180 states.
    let mut definitions = serde_json::Map::new();
    for level in 0..60 {
        let next = json!({"$ref": format!("#/$defs/{}", level + 1)});
        definitions.insert(level.to_string(), json!({"properties": {"a": next, "b": next}}));
    }
    definitions.insert("60".into(), json!({"immutable": true}));
    let set = locks(&json!({"$ref": "#/$defs/0", "$defs": definitions}));
    assert!(!set.lists_all());
    let path = ["a", "b"].repeat(30);
    assert!(set.at(&ValuePath::of_keys(path)).is_locked());
}

#[test]
fn a_newer_template_keeps_locks_or_not() {
    let older = locks(&json!({"properties": {
        "a": {"properties": {"b": {"immutable": true}}}, "l": {"items": {"immutable": true}},
    }, "patternProperties": {"^x": {"immutable": true}}}));
    let keeps = locks(
        &json!({"properties": {"a": {"immutable": true}, "l": {"items": {"immutable": true}}, "n": {"immutable": true}},
        "patternProperties": {"^x": {"immutable": true}}}),
    );
    assert!(older.first_lock_missing_in(&keeps).is_none());
    assert!(older.first_lock_missing_in(&older).is_none());
    let lacks = locks(&json!({"properties": {"a": {"immutable": true}}}));
    assert_eq!(older.first_lock_missing_in(&lacks).map(|lock| lock.path.to_string()).as_deref(), Some("l[*]"));
}
