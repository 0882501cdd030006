//! What must go through: metadata, free values, the controller's own writes, and GitOps writers.

use serde_json::{Value, json};

use crate::environment::{Environment, shared};

const TEAM: &str = "team-a";

fn patch(environment: &Environment, context: &str, name: &str, change: &Value) {
    let change = change.to_string();
    let arguments = ["patch", "modules.cyclops-ui.com", name, "-n", TEAM, "--type=merge", "-p", &change];
    environment.kubectl(context, &arguments).success().unwrap();
}

#[test]
fn a_developer_changes_free_values() {
    let environment = shared();
    let name = "free-values";
    environment.create("gitops", &environment.app(TEAM, name));

    patch(environment, "developer", name, &json!({ "spec": { "values": { "replicas": 4 } } }));

    let mut applied = environment.app(TEAM, name);
    applied["spec"]["values"]["env"] = json!([{ "name": "LOG_LEVEL", "value": "debug" }]);
    environment
        .kubectl_with("developer", &["apply", "--server-side", "--force-conflicts", "-f", "-"], &applied)
        .success()
        .unwrap();

    let stored = environment.module(TEAM, name).unwrap();
    assert_eq!(stored["spec"]["values"]["env"][0]["value"], "debug");
    assert_eq!(stored["spec"]["values"]["general"]["version"], "1.10");
}

#[test]
fn a_locked_value_may_be_written_down_as_it_is() {
    let environment = shared();
    let name = "explicit-defaults";
    let mut module = environment.app(TEAM, name);
    module["spec"]["values"]["networking"].as_object_mut().unwrap().remove("port");
    environment.create("gitops", &module);

    // 80 is the template's own default: the same effective value, now explicit.
    let change = json!({ "spec": { "values": { "networking": { "port": 80 } } } });
    patch(environment, "developer", name, &change);
    let stored = environment.module(TEAM, name).unwrap();
    assert_eq!(stored["spec"]["values"]["networking"]["port"], 80);
}

#[test]
fn metadata_is_free() {
    let environment = shared();
    let name = "metadata";
    environment.create("gitops", &environment.app(TEAM, name));

    for arguments in [
        ["label", "modules.cyclops-ui.com", name, "-n", TEAM, "example.com/cost-centre=7"],
        ["annotate", "modules.cyclops-ui.com", name, "-n", TEAM, "cyclops/reconciled-at=2026-01-01T00:00:00Z"],
    ] {
        environment.kubectl("developer", &arguments).success().unwrap();
    }
    let stored = environment.reconciled(TEAM, name);
    let mut finalizers = stored["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    finalizers.push(json!("example.com/guard"));
    patch(environment, "developer", name, &json!({ "metadata": { "finalizers": finalizers } }));

    let stored = environment.module(TEAM, name).unwrap();
    assert_eq!(stored["metadata"]["labels"]["example.com/cost-centre"], "7");
    assert_eq!(stored["metadata"]["annotations"]["cyclops/reconciled-at"], "2026-01-01T00:00:00Z");
    let finalizers = stored["metadata"]["finalizers"].as_array().unwrap().clone();
    assert!(finalizers.contains(&json!("example.com/guard")));

    let rest: Vec<&Value> = finalizers.iter().filter(|name| *name != "example.com/guard").collect();
    patch(environment, "developer", name, &json!({ "metadata": { "finalizers": rest } }));
}

/// Each of hundreds of managers would be looked for among hundreds of others, which the API server does not do.
#[test]
fn metadata_is_free_however_many_managers_somebody_writes_down() {
    let environment = shared();
    let name = "managers";
    environment.create("gitops", &environment.app(TEAM, name));
    environment.reconciled(TEAM, name);
    let managers: Vec<Value> = (0..600)
        .map(|number| {
            json!({
                "manager": format!("manager-{number}"), "operation": "Apply", "apiVersion": "cyclops-ui.com/v1alpha1",
                "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {"f:template": {"f:path": {}}}},
            })
        })
        .collect();
    patch(environment, "developer", name, &json!({ "metadata": { "managedFields": managers } }));
    let label = ["label", "modules.cyclops-ui.com", name, "-n", TEAM, "example.com/cost-centre=7"];
    environment.kubectl("gitops", &label).success().unwrap();
    // Which takes the controller's finalizer away.
    let delete = ["delete", "modules.cyclops-ui.com", name, "-n", TEAM, "--timeout=60s"];
    environment.kubectl("gitops", &delete).success().unwrap();
}

#[test]
fn the_controller_writes_status() {
    let environment = shared();
    let name = "controller-status";
    environment.create("developer", &environment.app(TEAM, name));
    let module = environment.reconciled(TEAM, name);
    let resolved = module["status"]["templateResolvedVersion"].as_str().unwrap();
    assert_eq!(resolved.len(), 40, "{resolved} is no commit");
}

#[test]
fn a_gitops_writer_changes_locked_values_and_the_template() {
    let environment = shared();
    let name = "gitops-writes";
    let mut module = environment.app(TEAM, name);
    environment.create("gitops", &module);

    module["spec"]["values"]["general"]["version"] = json!("1.11");
    module["spec"]["values"]["networking"]["host"] = json!("new.example.com");
    environment
        .kubectl_with("gitops", &["apply", "--server-side", "--force-conflicts", "-f", "-"], &module)
        .success()
        .unwrap();
    module["spec"]["template"]["path"] = json!("demo");
    module["spec"]["values"] = json!({ "replicas": 1 });
    environment.reconciled(TEAM, name);
    environment.kubectl_with("gitops", &["replace", "-f", "-"], &module).success().unwrap();
    let stored = environment.module(TEAM, name).unwrap();
    assert_eq!(stored["spec"]["template"]["path"], "demo");
}

#[test]
fn a_module_without_locks_is_free() {
    let environment = shared();
    let name = "unlocked";
    environment.create("developer", &environment.demo(TEAM, name));
    let change = json!({ "spec": { "values": { "image": { "tag": "1.28" }, "message": "Hi" } } });
    patch(environment, "developer", name, &change);
    let arguments = ["delete", "modules.cyclops-ui.com", name, "-n", TEAM, "--timeout=60s"];
    environment.kubectl("developer", &arguments).success().unwrap();
    assert!(environment.module(TEAM, name).is_none());
}

#[test]
fn a_gitops_writer_deletes_what_a_developer_may_not() {
    let environment = shared();
    let name = "gitops-deletes";
    environment.create("gitops", &environment.app(TEAM, name));
    let arguments = ["delete", "modules.cyclops-ui.com", name, "-n", TEAM, "--timeout=60s"];
    assert!(!environment.kubectl("developer", &arguments).succeeded());
    environment.kubectl("gitops", &arguments).success().unwrap();
    assert!(environment.module(TEAM, name).is_none());
}

#[test]
fn a_developer_has_no_right_but_on_modules() {
    let environment = shared();
    let may = |verb: &str, resource: &str, namespace: &str| {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let subresource = format!("--subresource={subresource}");
        let arguments = ["auth", "can-i", verb, resource, "-n", namespace, &subresource];
        environment.kubectl("developer", &arguments).succeeded()
    };
    assert!(may("create", "modules.cyclops-ui.com", "team-a"));
    assert!(may("patch", "modules.cyclops-ui.com", "team-b"));
    assert!(!may("create", "modules.cyclops-ui.com", "default"));
    assert!(!may("patch", "modules.cyclops-ui.com/status", "team-a"));
    for resource in ["deployments", "services", "configmaps", "secrets", "pods"] {
        assert!(!may("get", resource, "team-a"), "{resource}");
        assert!(!may("create", resource, "team-a"), "{resource}");
    }
}
