//! Coalescing and dependency processing. Rows marked with a case of nulls are Helm 4.3's behaviour.

use serde_json::{Value as Json, json};

use super::*;
use crate::ChartFile;

fn file(name: &str, text: &str) -> ChartFile {
    ChartFile { name: name.to_owned(), data: text.as_bytes().to_vec() }
}

/// A chart `demo` with a sub-chart `sub`, which is declared with these further keys, or not declared.
fn chart(values: &str, sub_values: &str, dependency: Option<&str>) -> Chart {
    let dependencies = match dependency {
        Some(keys) => format!(", dependencies: [{{name: sub, version: '*'{keys}}}]"),
        None => String::new(),
    };
    Chart::load(vec![
        file("Chart.yaml", &format!("{{apiVersion: v2, name: demo, version: 1.0.0{dependencies}}}")),
        file("values.yaml", values),
        file("charts/sub/Chart.yaml", "{apiVersion: v2, name: sub, version: 1.0.0}"),
        file("charts/sub/values.yaml", sub_values),
    ])
    .unwrap()
}

fn effective_json(chart: &Chart, user: &str) -> Json {
    match effective(chart, &from_yaml(user.as_bytes()).unwrap()) {
        Ok(values) => floats_to_integers(Json::Object(values)),
        Err(error) => Json::from(error.to_string()),
    }
}

/// Makes expectations easier to write.
fn floats_to_integers(mut json: Json) -> Json {
    match &mut json {
        Json::Number(number) => {
            if let Some(float) = number.as_f64().filter(|float| float.fract() == 0.0) {
                return Json::from(float as i64);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| *item = floats_to_integers(item.take())),
        Json::Object(members) => members.values_mut().for_each(|member| *member = floats_to_integers(member.take())),
        _ => {}
    }
    json
}

#[test]
fn handles_nulls_as_helm_4_3() {
    for (case, values, sub_values, user, expected) in [
        ("user's null over a default", "k: 1", "", "k: null", json!({"sub": {"global": {}}})),
        ("nested", "m: {k: 1, l: 2}", "", "m: {k: null}", json!({"m": {"l": 2}, "sub": {"global": {}}})),
        ("no default", "", "", "k: null", json!({"k": null, "sub": {"global": {}}})),
        (
            "nested, no default",
            "m: {l: 2}",
            "",
            "m: {k: null}",
            json!({"m": {"k": null, "l": 2}, "sub": {"global": {}}}),
        ),
        ("null default", "{k: null, m: {k: null, l: 1}}", "", "", json!({"m": {"l": 1}, "sub": {"global": {}}})),
        ("parent's null, user silent", "sub: {k: null}", "k: 1", "", json!({"sub": {"global": {}, "k": 1}})),
        ("parent's null, user speaks", "sub: {k: null}", "k: 1", "sub: {}", json!({"sub": {"global": {}}})),
        ("null in sub-chart's defaults", "", "{k: null, m: {k: null}}", "", json!({"sub": {"global": {}, "m": {}}})),
        ("null in global", "global: {k: null, l: 1}", "", "", json!({"global": {"l": 1}, "sub": {"global": {"l": 1}}})),
        ("parent's null, no default, silent", "sub: {k: null}", "", "", json!({"sub": {"global": {}}})),
        (
            "parent's null, no default, speaks",
            "sub: {k: null}",
            "",
            "sub: {}",
            json!({"sub": {"global": {}, "k": null}}),
        ),
        ("sub-chart's values null", "", "k: 1", "sub: null", json!("type mismatch on sub: %!t(<nil>)")),
        ("sub-chart's values text", "", "k: 1", "sub: x", json!("type mismatch on sub: %!t(string=x)")),
    ] {
        assert_eq!(effective_json(&chart(values, sub_values, None), user), expected, "{case}");
    }
}

#[test]
fn merges_maps_and_replaces_the_rest() {
    let chart = chart("{a: {b: 1, c: [1, 2]}, t: {x: 1}, s: 1}", "", None);
    assert_eq!(
        effective_json(&chart, "{a: {c: [3]}, t: text, s: {z: 2}}"),
        json!({"a": {"b": 1, "c": [3]}, "t": "text", "s": {"z": 2}, "sub": {"global": {}}})
    );
}

#[test]
fn hands_globals_down_and_shares_nested_maps() {
    let chart = chart("global: {a: 1, m: {node: {x: 1}}}", "global: {a: 2, b: 3, m: {w: 2, node: {z: 3}}}", None);
    assert_eq!(
        effective_json(&chart, ""),
        json!({
            "global": {"a": 1, "m": {"node": {"x": 1, "z": 3}}},
            "sub": {"global": {"a": 1, "b": 3, "m": {"w": 2, "node": {"x": 1, "z": 3}}}},
        })
    );
}

#[test]
fn enables_by_tags_and_conditions() {
    for (dependency, user, enabled) in [
        ("", "", true),
        (", condition: sub.live", "", true),
        (", condition: sub.live", "sub: {live: false}", false),
        (", condition: 'sub.none,sub.live'", "sub: {live: false}", false),
        (", condition: 'sub.map,sub.live'", "sub: {map: {}, live: false}", false),
        (", condition: sub.live", "sub: {live: 'false'}", true),
        (", tags: [a, b]", "tags: {a: false}", false),
        (", tags: [a, b]", "tags: {a: false, b: true}", true),
        (", tags: [a], condition: sub.live", "{tags: {a: true}, sub: {live: false}}", false),
        (", tags: [a], condition: sub.live", "{tags: {a: false}, sub: {live: true}}", true),
    ] {
        let found = effective_json(&chart("", "k: 1", Some(dependency)), user);
        assert_eq!(found["sub"].get("k").is_some(), enabled, "{dependency} {user}");
    }
}

#[test]
fn imports_values() {
    let sub = "{exports: {data: {p: 1, q: 2}}, tree: {x: 1}}";
    let imported = |imports: &str| {
        let dependency = format!(", import-values: {imports}");
        let mut found = effective_json(&chart("{q: 9}", sub, Some(&dependency)), "");
        found.as_object_mut().unwrap().remove("sub");
        found
    };
    assert_eq!(imported("[data]"), json!({"p": 1, "q": 9}));
    assert_eq!(imported("[{child: tree, parent: a.b}]"), json!({"q": 9, "a": {"b": {"x": 1}}}));
    assert_eq!(imported("[{child: tree, parent: .}, missing]"), json!({"q": 9, "x": 1}));
}

#[test]
fn configures_aliases_apart() {
    let chart = Chart::load(vec![
        file(
            "Chart.yaml",
            "{apiVersion: v2, name: demo, version: 1.0.0, dependencies: [{name: sub, version: '*', alias: one}, \
             {name: sub, version: '*', alias: two}]}",
        ),
        file("values.yaml", "{one: {k: 1}, two: {k: 2}}"),
        file("charts/sub/Chart.yaml", "{apiVersion: v2, name: sub, version: 1.0.0}"),
        file("charts/sub/values.yaml", "{k: 0, l: 0}"),
    ])
    .unwrap();
    assert_eq!(
        effective_json(&chart, ""),
        json!({"one": {"k": 1, "l": 0, "global": {}}, "two": {"k": 2, "l": 0, "global": {}}})
    );
}

#[test]
fn reads_numbers_as_floats() {
    let values = from_json(&json!({"a": 5, "b": [1, {"c": 2}], "d": 9_007_199_254_740_993_i64})).unwrap();
    assert!(values["a"].is_f64() && values["b"][0].is_f64() && values["b"][1]["c"].is_f64());
    assert_eq!(values["d"], 9_007_199_254_740_992.0);
    assert_eq!(from_json(&Json::Null), Ok(Values::new()));
    assert_eq!(from_json(&json!([])), Err(ValuesError::NotAMap { found: "array" }));
}

#[test]
fn merges_files() {
    let merged = merge(
        from_yaml(b"{a: {b: 1, c: 2}, l: [1, 2], o: 1}").unwrap(),
        from_yaml(b"{a: {c: null, d: 3}, l: [3], o: {x: 1}}").unwrap(),
    );
    assert_eq!(
        floats_to_integers(Json::Object(merged)),
        json!({"a": {"b": 1, "c": null, "d": 3}, "l": [3], "o": {"x": 1}})
    );
    for empty in ["", "null", "# nothing\n", "---\n---\n"] {
        assert_eq!(from_yaml(empty.as_bytes()), Ok(Values::new()), "{empty:?}");
    }
}
