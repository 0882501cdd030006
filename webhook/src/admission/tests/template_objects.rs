//! Writes of `TemplateAuthRules`.

use serde_json::{Value, json};

use super::support::{Server, fields};

async fn write(namespace: &str, repo: &str) -> Value {
    let selector = |key: &str| json!({"name": "git", "key": key});
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280818",
            "kind": {"group": "cyclops-ui.com", "version": "v1alpha1", "kind": "TemplateAuthRule"},
            "resource": {"group": "cyclops-ui.com", "version": "v1alpha1", "resource": "templateauthrules"},
            "name": "charts",
            "namespace": namespace,
            "operation": "CREATE",
            "userInfo": {"username": "admin"},
            "object": {
                "apiVersion": "cyclops-ui.com/v1alpha1",
                "kind": "TemplateAuthRule",
                "metadata": {"name": "charts", "namespace": namespace},
                "spec": {"repo": repo, "username": selector("username"), "password": selector("password")},
            },
        },
    });
    Server::standard().review("/validate", &review).await
}

#[tokio::test]
async fn a_rule_that_is_not_used_is_stored_with_a_warning() {
    assert_eq!(write("cyclops", "^https://github\\.com/acme/.*").await["warnings"], Value::Null);
    for (namespace, repo, said) in [
        ("cyclops", "https?://github.com/acme", "`?`"),
        ("cyclops", "github.com/acme", "https://"),
        ("team-a", "https://github.com/acme", "in the namespace cyclops only"),
    ] {
        let answer = write(namespace, repo).await;
        assert_eq!(answer["allowed"], true, "{repo}");
        let warnings = answer["warnings"].as_array().unwrap();
        assert!(warnings.len() == 1 && warnings[0].as_str().unwrap().contains(said), "{warnings:?}");
    }
    assert_eq!(fields(&write("cyclops", " ").await["status"]), ["spec.repo"]);
}
