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
        (
            json!({"properties": {"a": {"$recursiveRef": "#"}, "b": mark}, "$recursiveAnchor": true}),
            &["b", "a.b", "a.a.b"],
            &["a"],
        ),
        (json!({"properties": {"a": {"$ref": "values.schema.json#/$defs/x"}}, "$defs": {"x": mark}}), &["a"], &[]),
        (
            json!({"properties": {"a": {"$ref": "x.json#/$defs/y"}},
                "$defs": {"x": {"$id": "x.json", "$defs": {"y": mark}}, "y": {}}}),
            &["a"],
            &[],
        ),
        (
            // What `#` means below an `$id` differs between drafts: both count.
            json!({"properties": {"a": {"$id": "inner.json", "properties": {"b": {"$ref": "#/properties/c"}, "c": mark}},
                "c": {"properties": {"d": mark}}}}),
            &["a.b", "a.c", "c.d"],
            &["a", "c"],
        ),
        (json!({"shared": {"x": mark}, "properties": {"a": {"$ref": "#/shared/x"}}}), &["a"], &["shared"]),
        (json!({"x-form": {"immutable": true}, "properties": {"a": {"not": mark}}}), &[], &["a"]),
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
        (json!({"properties": {"a": {}}, "unevaluatedProperties": mark}), &["b"], &["a"]),
        (json!({"properties": {"a": {}}, "propertyNames": mark}), &["a", "b"], &[]),
        (
            json!({"patternProperties": {"^[0-9]+$": {}, "\\d": {}}, "additionalProperties": mark}),
            &["a", "\u{664}"],
            &["a1"],
        ),
        (json!({"properties": {"l": {"unevaluatedItems": mark}}}), &["l.0", "l.3"], &["l"]),
        (json!({"properties": {"l": {"items": [{"properties": {"n": mark}}]}}}), &["l.0.n"], &["l.0", "l.1.n"]),
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
        chart(&["web", "cache"], r#"{"properties": {"size": {"immutable": true}, "global": {"properties": {"zone": {"immutable": true}}}}}"#),
    ])
    .unwrap();
    assert_eq!(
        listed(&set),
        [
            "global.region",
            "global.zone",
            "web.cache.global.zone",
            "web.cache.size",
            "web.global.region",
            "web.global.zone",
            "web.image"
        ]
    );
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
        (r#"{"properties": {"a": {"extends": {"immutable": true}}}}"#, "below the unknown keyword `extends`"),
        (r#"{"Properties": {"a": {"immutable": true}}}"#, "says `immutable` at /Properties/a, below"),
        (r#"{"shared": [{"x": {"IMMUTABLE": true}}]}"#, "says `immutable` at /shared/0/x, below"),
        (
            r#"{"contentSchema": {"properties": {"a": {"immutable": true}}}}"#,
            "below the unknown keyword `contentSchema`",
        ),
        (r#"{"$id": 7}"#, "a name is expected at /$id"),
        (r#"{"properties": {"a": {"$anchor": null}}}"#, "a name is expected at /properties/a/$anchor"),
        (r#"{"dependentSchemas": {"a": ["b"]}}"#, "is expected at /dependentSchemas/a"),
        (r#"{"items": "all"}"#, "is expected at /items"),
        (r#"{"prefixItems": {}}"#, "a list of schemas is expected at /prefixItems"),
        (r#"{"$ref": 1}"#, "a reference is expected at /$ref"),
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
    assert_eq!(listed(&set).len(), MAX_LISTED);
    let path = ["a", "b"].repeat(30);
    assert!(set.at(&ValuePath::of_keys(path)).is_locked());
}

#[test]
fn what_many_things_are_called_is_refused_before_it_is_walked() {
    let too_large = |schema: &Value, expected: &str| {
        let error = compile(&[chart(&[], &schema.to_string())]).unwrap_err();
        assert!(matches!(error, LockError::TooLarge { what, .. } if what == expected), "{error}");
    };
    let many = |count: usize, value: &Value| vec![value.clone(); count];
    let anchors = many(2_000, &json!({"$anchor": "a"}));
    too_large(&json!({"$defs": {"x": anchors}, "anyOf": many(2_000, &json!({"$ref": "#a"}))}), "references");
    let addresses = many(2_000, &json!({"$id": "b/a.json"}));
    too_large(&json!({"$defs": {"x": addresses}, "anyOf": many(2_000, &json!({"$ref": "a.json"}))}), "references");
    let long = "x".repeat(100_000);
    too_large(&json!({"properties": {long.as_str(): {"anyOf": many(2_000, &json!({}))}}}), "bytes of names");
    too_large(&json!({"x": {long: many(2_000, &json!({"$anchor": "a"}))}}), "bytes of names");
    let patterns: serde_json::Map<_, _> = (0..501).map(|index| (format!("^{index}"), json!({}))).collect();
    too_large(&json!({"patternProperties": patterns}), "regular expressions");
}

#[test]
fn a_walk_that_takes_too_much_ends_locked_and_secret() {
    let patterns: serde_json::Map<_, _> = (0..500).map(|index| (format!("^{index}$"), json!({}))).collect();
    let branches = vec![json!({"patternProperties": patterns}); 150];
    let set = locks(&json!({"allOf": branches, "properties": {"a": {"immutable": true}}}));
    let root = set.root();
    let place = (0..1_000).map(|index| root.key(&format!("k{index}"))).find(Cursor::is_exhausted).unwrap();
    assert!(place.is_locked() && place.is_secret() && place.leads_to_lock() && root.is_exhausted());
    assert!(place.key("more").is_locked());
    assert!(!set.root().key("k1").is_locked());
}

#[test]
fn charts_that_name_their_sub_charts_twice_are_limited() {
    let file = |name: String, text: &str| renderer::ChartFile { name, data: text.as_bytes().to_vec() };
    let mut files = Vec::new();
    let mut folder = String::new();
    for _ in 0..11 {
        files.push(file(
            format!("{folder}Chart.yaml"),
            "{apiVersion: v2, name: a, version: 1.0.0, dependencies: [\
             {name: a, version: 1.0.0, alias: b}, {name: a, version: 1.0.0, alias: c}]}",
        ));
        folder.push_str("charts/a/");
    }
    files.push(file(format!("{folder}Chart.yaml"), "{apiVersion: v2, name: a, version: 1.0.0}"));
    let error = LockSet::from_chart(&Chart::load(files).unwrap()).unwrap_err();
    assert!(matches!(error, LockError::TooLarge { what: "charts", .. }), "{error}");
}

#[test]
fn a_newer_template_keeps_locks_or_not() {
    let mark = json!({"immutable": true});
    let node = |name: &Value| {
        json!({"$ref": "#/$defs/node", "$defs": {
            "node": {"properties": {"name": name, "children": {"items": {"$ref": "#/$defs/node"}}}},
        }})
    };
    // Older schema, newer schema, whether that keeps all locks.
    let cases = [
        (json!({"properties": {"a": mark}}), json!({"properties": {"a": mark, "b": mark}}), true),
        (json!({"properties": {"a": mark}}), json!({"properties": {"b": mark}}), false),
        (json!({"properties": {"a": {"properties": {"b": mark}}}}), json!({"properties": {"a": mark}}), true),
        (json!({"properties": {"a": mark}}), json!({"properties": {"a": {"properties": {"b": mark}}}}), false),
        (json!({"properties": {"a": mark}}), json!({"additionalProperties": mark}), true),
        (json!({"additionalProperties": mark}), json!({"properties": {"a": mark}}), false),
        // A key that the newer schema names is none of the others any more.
        (json!({"additionalProperties": mark}), json!({"properties": {"a": {}}, "additionalProperties": mark}), false),
        (json!({"additionalProperties": mark}), json!({"properties": {"a": mark}, "additionalProperties": mark}), true),
        (
            json!({"additionalProperties": mark}),
            json!({"patternProperties": {"^a": {}}, "additionalProperties": mark}),
            false,
        ),
        (json!({"patternProperties": {"^a": mark}}), json!({"patternProperties": {"^a": mark}}), true),
        (json!({"patternProperties": {"^a": mark}}), json!({"patternProperties": {"^b": mark}}), false),
        (json!({"patternProperties": {"^a": mark}}), json!({"additionalProperties": mark}), true),
        (
            json!({"patternProperties": {"^a": mark}}),
            json!({"patternProperties": {"^a": {}}, "additionalProperties": mark}),
            false,
        ),
        (
            // A key that matches both has no mark by any of them.
            json!({"additionalProperties": mark}),
            json!({"allOf": [
                {"patternProperties": {"^a": {}}, "additionalProperties": mark},
                {"patternProperties": {"b$": {}}, "additionalProperties": mark},
            ]}),
            false,
        ),
        (json!({"properties": {"l": {"items": mark}}}), json!({"properties": {"l": {"items": mark}}}), true),
        (
            json!({"properties": {"l": {"items": mark}}}),
            json!({"properties": {"l": {"items": [{}], "additionalItems": mark}}}),
            false,
        ),
        (
            json!({"properties": {"l": {"items": mark}}}),
            json!({"properties": {"l": {"items": [mark], "additionalItems": mark}}}),
            true,
        ),
        (
            json!({"properties": {"l": {"prefixItems": [{}, mark]}}}),
            json!({"properties": {"l": {"items": mark}}}),
            true,
        ),
        (json!({"properties": {"l": {"items": mark}}}), json!({"properties": {"l": {"prefixItems": [mark]}}}), false),
        (node(&mark), node(&mark), true),
        (
            // The marks of the first two levels are there, those further in are not.
            node(&mark),
            json!({"properties": {"name": mark, "children": {"items": {"properties": {"name": mark}}}}}),
            false,
        ),
        (json!({"properties": {"a": mark}}), json!(true), false),
        (json!({}), json!(true), true),
    ];
    for (older, newer, expected) in cases {
        assert_eq!(locks(&newer).keeps_all_of(&locks(&older)), expected, "{older} -> {newer}");
        assert!(locks(&older).keeps_all_of(&locks(&older)), "{older}");
    }
    let many: serde_json::Map<_, _> = (0..7).map(|index| (format!("^{index}"), mark.clone())).collect();
    let many = locks(&json!({"patternProperties": many}));
    assert!(!many.keeps_all_of(&many), "too many patterns to be compared");
}
