//! What is told besides the answer: annotations for the audit log, and refusals that are not enforced.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::support::{ARGOCD, Server, Write, module};

fn other_image(stored: &Value) -> Write<'static> {
    Write::update("alice", stored, |object| object["spec"]["values"]["image"] = json!("evil:1"))
}

#[tokio::test]
async fn the_audit_log_is_told_the_decision_and_no_values() {
    let server = Server::standard();
    let stored = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    let refused = server.review("/validate", &other_image(&stored).review()).await;
    let expected = json!({"decision": "refused", "code": "422", "fields": "spec.values.image"});
    assert_eq!(refused["auditAnnotations"], expected);
    let free = Write::update(ARGOCD, &stored, |object| object["spec"]["values"]["image"] = json!("app:2"));
    let allowed = server.review("/validate", &free.review()).await;
    let told = &allowed["auditAnnotations"];
    assert_eq!((&told["decision"], &told["gitops"]), (&json!("allowed"), &json!("true")), "{allowed}");
    assert_eq!(
        (&told["template-digest"], &told["locked-changes"]),
        (&json!("digest-of-main"), &json!("spec.values.image"))
    );
    assert!(!allowed.to_string().contains("app:2"), "{allowed}");
}

#[tokio::test]
async fn where_nothing_is_enforced_refusals_are_warnings() {
    let server = Server::enforcing(false, json!({}), &[]);
    let stored = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    let change = other_image(&stored).review();
    let reported = server.review("/validate", &change).await;
    assert_eq!(reported["allowed"], true);
    let warning = reported["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("not enforced: spec.values.image"), "{warning}");
    assert_eq!(reported["auditAnnotations"]["decision"], "reported");
    let unreachable = {
        let mut object = module("main", json!({}));
        object["spec"]["template"]["repo"] = json!("https://unreachable.example.com");
        Write::create("alice", object).review()
    };
    for path in ["/mutate", "/validate"] {
        let reported = server.review(path, &unreachable).await;
        assert_eq!((&reported["allowed"], &reported["patch"]), (&json!(true), &Value::Null), "{reported}");
    }
    // What cannot be read cannot be reported.
    assert_eq!(server.post("/validate", "garbage").await.0, StatusCode::BAD_REQUEST);
    let enforcing = Server::new(json!({}), &[]);
    assert_eq!(enforcing.review("/validate", &change).await["allowed"], false);
}
