use serde_json::json;

use super::*;
use crate::expansion::Resource;
use crate::lock::ChartSchema;

fn resource(kind: &str, name: &str, object: &Value) -> Resource {
    Resource {
        api_version: "v1".into(),
        kind: kind.into(),
        namespace: Some("team-a".into()),
        name: name.into(),
        object: object.clone(),
        source: "demo/templates/a.yaml".into(),
    }
}

fn plan(old: &Value, new: &Value, before: Vec<Resource>, after: Vec<Resource>) -> Plan {
    let schema = json!({"properties": {"image": {"immutable": true}, "key": {"writeOnly": true}}}).to_string();
    let schema = ChartSchema { path: Vec::new(), name: "demo".into(), schema: Some(schema.as_bytes()) };
    let locks = LockSet::from_schemas(&[schema]).unwrap();
    let (before, after) = (
        Expansion { resources: before, ..Expansion::default() },
        Expansion { resources: after, ..Expansion::default() },
    );
    Plan::between(
        &locks,
        Some(PlanState { values: old.as_object().unwrap(), expansion: &before }),
        PlanState { values: new.as_object().unwrap(), expansion: &after },
    )
}

#[test]
fn values_are_listed_by_path() {
    let old = json!({"image": {"tag": "1"}, "replicas": 1.0, "key": "a", "hosts": [{"n": "a"}], "same": {"x": []}, "gone": true});
    let new = json!({"image": {"tag": "2"}, "replicas": 3.0, "key": "b", "hosts": [{"n": "b"}], "same": {}, "list": [1.5, 2.0]});
    let plan = plan(&old, &new, Vec::new(), Vec::new());
    let changes: Vec<_> = plan
        .values
        .iter()
        .map(|change| (change.path.as_str(), change.old.clone(), change.new.clone(), change.locked))
        .collect();
    assert_eq!(
        changes,
        [
            ("gone", Some(json!(true)), None, false),
            ("hosts[0].n", Some(json!("a")), Some(json!("b")), false),
            ("image.tag", Some(json!("1")), Some(json!("2")), true),
            ("key", Some(json!("(hidden)")), Some(json!("(hidden)")), false),
            ("list", None, Some(json!([1.5, 2])), false),
            ("replicas", Some(json!(1)), Some(json!(3)), false),
        ]
    );
}

#[test]
fn resources_are_added_changed_and_deleted() {
    let plan = plan(
        &json!({}),
        &json!({}),
        vec![
            resource("ConfigMap", "same", &json!({"a": 1})),
            resource("ConfigMap", "changed", &json!({"a": 1})),
            resource("ConfigMap", "gone", &json!({"a": 1})),
        ],
        vec![
            resource("ConfigMap", "new", &json!({"a": 1})),
            resource("ConfigMap", "same", &json!({"a": 1})),
            resource("ConfigMap", "changed", &json!({"a": 2})),
        ],
    );
    let changes: Vec<_> = plan.resources.iter().map(|resource| (resource.change, resource.name.as_str())).collect();
    assert_eq!(changes, [(Change::Add, "new"), (Change::Change, "changed"), (Change::Delete, "gone")]);
    assert_eq!(plan.resources[1].before, Some(json!({"a": 1})));
    assert_eq!(plan.resources[1].after, Some(json!({"a": 2})));
    assert_eq!(plan.summary(), "Plan: 1 to add, 1 to change, 1 to delete");
}

#[test]
fn secrets_show_that_they_change_but_not_how() {
    let plan = plan(
        &json!({}),
        &json!({}),
        vec![resource("Secret", "s", &json!({"data": {"a": "b2xk", "b": "c2FtZQ=="}}))],
        vec![resource("Secret", "s", &json!({"data": {"a": "bmV3", "b": "c2FtZQ=="}, "stringData": {"c": "text"}}))],
    );
    assert_eq!(plan.resources[0].before, Some(json!({"data": {"a": "(hidden)", "b": "(hidden)"}})));
    assert_eq!(
        plan.resources[0].after,
        Some(json!({"data": {"a": "(hidden, changed)", "b": "(hidden)"}, "stringData": {"c": "(hidden)"}}))
    );
}

#[test]
fn values_that_must_not_be_shown_are_hidden_in_every_resource() {
    let args = |key: &str| json!({"args": ["--key", format!("--key={key}"), "visible"]});
    let plan = plan(
        &json!({"key": "old-key"}),
        &json!({"key": "new-key"}),
        vec![resource("Pod", "p", &args("old-key"))],
        vec![resource("Pod", "p", &args("new-key"))],
    );
    assert_eq!(plan.resources[0].before, Some(args("(hidden)")));
    assert_eq!(plan.resources[0].after, Some(args("(hidden)")));
}
