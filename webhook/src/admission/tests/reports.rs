//! What is told besides the answer: annotations for the audit log, and refusals that are not enforced.

use axum::http::StatusCode;
use module::{annotations, verdict::Ground};
use serde_json::{Value, json};

use super::support::{ARGOCD, Server, Write, module};
use crate::events::{Action, Outcome};

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

#[tokio::test]
async fn refusals_are_told_once_and_by_path_and_dry_runs_are_not() {
    let server = Server::standard();
    let mut stored = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    stored["metadata"]["uid"] = json!("the-uid");
    let mut change = other_image(&stored);
    change.dry_run = true;
    server.write(&change).await.unwrap_err();
    let free = Write::update("alice", &stored, |object| object["spec"]["values"]["replicas"] = json!(2));
    server.write(&free).await.unwrap();
    assert_eq!(server.told(), []);

    change.dry_run = false;
    server.write(&change).await.unwrap_err();
    let told = server.told();
    let [occurrence] = told.as_slice() else { panic!("{told:?}") };
    let subject = &occurrence.subject;
    assert_eq!((subject.namespace.as_str(), subject.name.as_str()), ("team-a", "web"));
    assert_eq!(subject.uid.as_deref(), Some("the-uid"));
    assert_eq!((occurrence.action, occurrence.user.as_str()), (Action::Update, "alice"));
    assert_eq!(occurrence.outcome, Outcome::Refused(Ground::Lock));
    assert!(occurrence.fields.iter().eq(["spec.values.image"]), "{occurrence:?}");
    assert!(!format!("{occurrence:?}").contains("evil"), "{occurrence:?}");

    let mut unborn = module("none", json!({}));
    unborn["metadata"]["uid"] = json!("never-stored");
    server.write(&Write::create("alice", unborn)).await.unwrap_err();
    let told = server.told();
    assert_eq!((told.len(), &told[0].subject.uid), (1, &None), "{told:?}");
}

#[tokio::test]
async fn a_write_past_the_locks_is_told_with_its_paths() {
    let server = Server::new(json!({"gitOpsWriters": [{"user": "robot"}], "breakGlass": [{"user": "alice"}]}), &[]);
    let stored = server.create("robot", module("main", json!({"image": "app:1.0"}))).await;
    let mut write = Write::update("alice", &stored, |object| {
        object["spec"]["values"]["image"] = json!("app:2.0");
        object["metadata"]["annotations"][annotations::BREAK_GLASS] = json!("the registry burns");
    });
    write.dry_run = true;
    server.write(&write).await.unwrap();
    assert_eq!(server.told(), []);
    write.dry_run = false;
    server.write(&write).await.unwrap();
    let told = server.told();
    let [occurrence] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(occurrence.outcome, Outcome::GlassBroken { reason: "the registry burns".to_owned() });
    assert!(occurrence.fields.iter().eq(["spec.values.image"]), "{occurrence:?}");
}
