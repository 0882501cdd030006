//! Writes of `ModulePolicies`.

use serde_json::{Value, json};

use super::support::{Server, fields};

async fn write(spec: Value) -> Value {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280817",
            "kind": {"group": "policy.cyclops-ui.com", "version": "v1alpha1", "kind": "ModulePolicy"},
            "resource": {"group": "policy.cyclops-ui.com", "version": "v1alpha1", "resource": "modulepolicies"},
            "name": "platform",
            "operation": "CREATE",
            "userInfo": {"username": "admin"},
            "object": {
                "apiVersion": "policy.cyclops-ui.com/v1alpha1",
                "kind": "ModulePolicy",
                "metadata": {"name": "platform"},
                "spec": spec,
            },
        },
    });
    Server::standard().review("/validate", &review).await
}

#[tokio::test]
async fn mistakes_in_a_policy_are_refused_by_field() {
    let answer = write(json!({
        "match": {"namespaces": ["team-***"]},
        "gitOpsWriters": [{"user": "ci", "group": "ci"}],
    }))
    .await;
    assert_eq!(answer["allowed"], false);
    assert_eq!(fields(&answer["status"]), ["spec.match.namespaces[0]", "spec.gitOpsWriters[0]"]);
    assert_eq!(fields(&write(json!({"gitOpsWriters": 7})).await["status"]), ["spec"]);
}

#[tokio::test]
async fn writers_that_do_not_exist_are_warnings() {
    let account = |namespace: &str| json!({"serviceAccount": {"namespace": namespace, "name": "applier"}});
    let answer = write(json!({
        "gitOpsWriters": [account("argocd"), account("gone"), {"group": "system:authenticated"}],
        "breakGlass": [account("gone")],
    }))
    .await;
    assert_eq!(answer["allowed"], true);
    assert_eq!(
        answer["warnings"],
        json!([
            "spec.gitOpsWriters: the group system:authenticated is everybody who is logged in",
            "the service account gone/applier does not exist",
        ])
    );
    assert_eq!(write(json!({"gitOpsWriters": [account("argocd")]})).await["warnings"], Value::Null);
}
