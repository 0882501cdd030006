//! What people see of a `ModulePolicy`: whom and what it covers, what is wrong with it, and who decides by it.

use std::time::Duration;

use serde_json::{Value, json};
use tests::cluster::Ports;

use crate::environment::{Environment, shared};

const POLICY: &str = "covered";
const SECOND: &str = "second";

fn policy(environment: &Environment) -> Value {
    let text = environment.admin(&["get", "modulepolicies", POLICY, "-o", "json", "--show-managed-fields"]);
    serde_json::from_str(&text).unwrap()
}

fn managers(policy: &Value) -> Vec<&str> {
    let fields = policy["metadata"]["managedFields"].as_array().unwrap();
    fields.iter().filter_map(|fields| fields["manager"].as_str()).collect()
}

/// Another replica, which decides nothing that anybody asks.
fn start_second(environment: &Environment) {
    let Ports { webhook, webhook_status, .. } = Ports::choose().unwrap();
    let arguments = ["--no-controller", &format!("--identity={SECOND}")];
    environment.cluster.start_replica(SECOND, webhook, webhook_status, &arguments).unwrap();
}

fn namespace(environment: &Environment, name: &str) {
    environment.admin(&["create", "namespace", name]);
}

#[test]
fn a_policy_tells_what_it_covers_and_who_decides_by_it() {
    let environment = shared();
    let spec = json!({
        "match": { "namespaces": ["covered-*"] },
        "gitOpsWriters": [{ "user": "one" }, { "user": "two" }],
    });
    let object = json!({
        "apiVersion": "policy.cyclops-ui.com/v1alpha1",
        "kind": "ModulePolicy",
        "metadata": { "name": POLICY },
        "spec": spec,
    });
    namespace(environment, "covered-a");
    environment.kubectl_with("admin", &["create", "-f", "-"], &object).success().unwrap();
    let status = |what: &str, holds: &dyn Fn(&Value) -> bool| {
        environment.eventually(what, || Some(policy(environment)).filter(|policy| holds(&policy["status"])))
    };
    let own = |status: &Value, generation: u64| {
        status["replicas"].as_array().is_some_and(|replicas| {
            replicas.len() == 1
                && replicas[0]["name"] == "module-webhook"
                && replicas[0]["observedGeneration"] == generation
        })
    };
    let first = status("the policy is observed", &|status| own(status, 1));
    let status_of = &first["status"];
    assert_eq!((&status_of["gitOpsWriters"], &status_of["namespaceCount"]), (&json!(2), &json!(1)));
    assert_eq!((&status_of["namespaces"], &status_of["problems"]), (&json!(["covered-a"]), &Value::Null));
    assert_eq!(first["metadata"]["generation"], 1, "a status is no change of the policy");

    let table = environment.admin(&["get", "modulepolicies", POLICY]);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "WRITERS", "LOCKS", "NAMESPACES", "READY", "AGE"], "{table}");
    assert_eq!(lines[1][..5], [POLICY, "2", "Enforce", "1", "True"], "{table}");

    start_second(environment);
    let both =
        status("both replicas are named", &|status| status["replicas"].as_array().is_some_and(|all| all.len() == 2));
    // Nothing happens, so nobody writes anything.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(policy(environment)["metadata"]["resourceVersion"], both["metadata"]["resourceVersion"]);
    environment.cluster.processes().stop(SECOND);
    let alone = policy(environment);
    assert!(own(&alone["status"], 1), "a replica that ends leaves the status: {alone:#}");

    // Another namespace, and a replica that is long gone.
    let gone = json!({
        "apiVersion": "policy.cyclops-ui.com/v1alpha1",
        "kind": "ModulePolicy",
        "metadata": { "name": POLICY },
        "status": { "replicas": [
            { "name": "gone", "observedGeneration": 1, "observedTime": "2020-01-01T00:00:00Z" },
        ] },
    });
    let arguments =
        ["apply", "--server-side", "--subresource=status", "--field-manager=module-webhook-gone", "-f", "-"];
    environment.kubectl_with("admin", &arguments, &gone).success().unwrap();
    namespace(environment, "covered-b");
    let second = status("the namespace is counted and the replica leaves", &|status| {
        status["namespaceCount"] == 2 && own(status, 1)
    });
    assert!(!managers(&second).contains(&"module-webhook-gone"), "{second:#}");

    // Another generation, with something to say about it.
    let doubtful = json!({ "spec": { "gitOpsWriters": [{ "group": "system:authenticated" }] } }).to_string();
    environment.admin(&["patch", "modulepolicies", POLICY, "--type=merge", "-p", &doubtful]);
    let third =
        status("the next generation is observed", &|status| own(status, 2) && status["observedGeneration"] == 2);
    let status = &third["status"];
    assert_eq!((&status["gitOpsWriters"], &status["conditions"][0]["status"]), (&json!(1), &json!("True")));
    assert!(status["problems"][0].as_str().unwrap().contains("system:authenticated"), "{status:#}");
    assert_eq!(
        status["conditions"][0]["lastTransitionTime"], first["status"]["conditions"][0]["lastTransitionTime"],
        "the policy was ready all the time"
    );
}
