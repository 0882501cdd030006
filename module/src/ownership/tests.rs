use serde_json::json;

use super::*;
use crate::lock::ChartSchema;

fn is_argo(manager: &str) -> bool {
    manager == "argocd-controller"
}

fn module(fields: &Value, values: &Value) -> Value {
    json!({
        "metadata": {"managedFields": [
            {"manager": "argocd-controller", "operation": "Apply", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:metadata": {"f:labels": {}}, "f:spec": {"f:values": fields, "f:template": {}}}},
            {"manager": "kubectl-edit", "operation": "Update", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {"f:values": {"f:free": {}}}}},
            {"manager": "argocd-controller", "operation": "Update", "subresource": "status", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:status": {"f:x": {}}}},
        ]},
        "spec": {"values": values},
    })
}

fn paths(fields: &Value, values: &Value) -> Vec<String> {
    let owned = owned_values(&module(fields, values), is_argo).unwrap();
    owned.into_iter().map(|value| value.path.to_string()).collect()
}

#[test]
fn fields_are_read_as_the_api_server_writes_them() {
    let values = json!({
        "image": {"tag": "1", "name": "app"}, "hosts": ["a", "b"], "empty": {}, "a.b:c": 1,
        "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}], "set": ["x", 2, true], "free": 1,
    });
    // Fields, paths.
    for (fields, expected) in [
        (json!({}), &[""][..]),
        (json!({"f:image": {"f:tag": {}}}), &["image.tag"]),
        (json!({"f:image": {".": {}, "f:tag": {}, "f:name": {}}}), &["image", "image.name", "image.tag"]),
        (json!({"f:hosts": {}, "f:empty": {}}), &["empty", "hosts"]),
        (json!({"f:a.b:c": {}}), &[r#"["a.b:c"]"#]),
        (json!({"f:ports": {r#"k:{"name":"https"}"#: {".": {}, "f:port": {}}}}), &["ports[1]", "ports[1].port"]),
        (json!({"f:set": {"v:\"x\"": {}, "v:2": {}, "v:true": {}}}), &["set[0]", "set[1]", "set[2]"]),
        (json!({"f:set": {"i:1": {}, "v:\"gone\"": {}}}), &["set[1]"]),
    ] {
        assert_eq!(paths(&fields, &values), expected, "{fields}");
    }
}

#[test]
fn what_is_no_set_of_fields_is_an_error() {
    for fields in [
        json!(1),
        json!({"image": {}}),
        json!({"q:image": {}}),
        json!({"f:image": {"f:tag": null}}),
        json!({"f:l": {"i:x": {}}}),
        json!({"f:l": {"k:[]": {}}}),
        json!({"f:l": {"v:": {}}}),
    ] {
        let error = owned_values(&module(&fields, &json!({})), is_argo).unwrap_err();
        assert!(matches!(error, ManagedFieldsError::Field { .. }), "{fields}: {error}");
        assert!(owned_values(&module(&fields, &json!({})), |_| false).unwrap().is_empty());
    }
    let other = json!({"metadata": {"managedFields": [
        {"manager": "argocd-controller", "fieldsType": "FieldsV2", "fieldsV1": {}},
    ]}});
    assert!(matches!(owned_values(&other, is_argo), Err(ManagedFieldsError::Type { .. })));
    assert!(owned_values(&json!({"metadata": {}}), is_argo).unwrap().is_empty());
}

#[test]
fn sets_of_fields_are_limited() {
    let deep = (0..101).fold(json!({}), |fields, _| json!({"f:a": fields}));
    let error = owned_values(&module(&deep, &json!({})), is_argo).unwrap_err();
    assert!(matches!(error, ManagedFieldsError::TooLarge { .. }));
    // Each field may look at each element.
    let fields: serde_json::Map<_, _> = (0..2_000).map(|index| (format!("v:{index}"), json!({}))).collect();
    let list: Vec<Value> = (0..2_000).map(|index| json!(index)).collect();
    let error = owned_values(&module(&json!({"f:l": fields}), &json!({"l": list})), is_argo).unwrap_err();
    assert!(matches!(error, ManagedFieldsError::TooLarge { .. }));
}

fn changes(fields: &Value, old: &Value, new: &Value) -> Vec<String> {
    let schema = json!({"properties": {"password": {"format": "password"}}}).to_string();
    let schema = ChartSchema { path: Vec::new(), name: "demo".into(), schema: Some(schema.as_bytes()) };
    let locks = LockSet::from_schemas(&[schema]).unwrap();
    let state = |values| ValuesState { effective: values, explicit: values };
    let owned = owned_values(&module(fields, old), is_argo).unwrap();
    let changes = owned_changes(&owned, &locks, state(old), state(new));
    changes
        .into_iter()
        .map(|change| {
            assert_eq!(change.value.manager, "argocd-controller");
            let shown = |value: Option<Value>| value.map_or("nothing".into(), |value| value.to_string());
            format!("{}: {} -> {}", change.value.path, shown(change.old), shown(change.new))
        })
        .collect()
}

#[test]
fn owned_values_must_stay_as_they_are() {
    let fields = json!({"f:tag": {}, "f:hosts": {}, "f:env": {}, "f:image": {".": {}, "f:name": {}}, "f:none": {}});
    let old = json!({"tag": "1", "hosts": ["a"], "env": {}, "image": {"name": "app"}, "none": null, "free": 1});
    let with = |key: &str, value: Value| {
        let mut new = old.clone();
        new[key] = value;
        new
    };
    for (new, expected) in [
        (with("free", json!(2)), &[][..]),
        (with("tag", json!("2")), &[r#"tag: "1" -> "2""#]),
        (with("tag", json!(1)), &[r#"tag: "1" -> 1"#]),
        (with("hosts", json!(["a", "b"])), &[r#"hosts: ["a"] -> ["a","b"]"#]),
        // The mapping is owned, not what others add to it.
        (with("env", json!({"ADDED": "x"})), &[]),
        (with("image", json!({"name": "app", "added": 1})), &[]),
        (with("image", json!({"added": 1})), &[r#"image.name: "app" -> nothing"#]),
        (with("image", json!("app")), &[r#"image: {"name":"app"} -> "app""#, r#"image.name: "app" -> nothing"#]),
        (with("env", json!("text")), &[r#"env: {} -> "text""#]),
        (with("env", json!([])), &[]),
        (with("none", json!(1)), &["none: null -> 1"]),
        (json!({"tag": "1", "hosts": ["a"], "image": {"name": "app"}}), &["none: null -> nothing"]),
    ] {
        assert_eq!(changes(&fields, &old, &new), expected, "{new}");
    }
    let secret = changes(&json!({"f:password": {}}), &json!({"password": "old"}), &json!({"password": "new"}));
    assert_eq!(secret, [r#"password: "(hidden)" -> "(hidden)""#]);
}

#[test]
fn taking_a_value_from_its_owner_shows() {
    let values = json!({"tag": "1", "hosts": [], "gone": 1});
    let owned = |fields: Value| owned_values(&module(&fields, &values), is_argo).unwrap();
    let before = owned(json!({"f:tag": {}, "f:hosts": {}, "f:gone": {}}));
    let lost = |after: Value| {
        let new = json!({"tag": "1", "hosts": []});
        let after = owned(after);
        let lost = disowned(&before, &after, &values, &new).into_iter().map(|value| value.path.to_string());
        lost.collect::<Vec<_>>()
    };
    assert!(lost(json!({"f:tag": {}, "f:more": {}})).is_empty());
    assert_eq!(lost(json!({"f:more": {}})), ["tag"]);
}
