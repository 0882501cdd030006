//! Questions in dry-run writes.

use module::{
    annotations,
    preview::{PreviewAnswer, PreviewQuestion, Want},
};
use serde_json::{Value, json};

use super::support::{ARGOCD, Server, Write, annotation, module};

const ALL: [Want; 4] = [Want::Verdict, Want::Plan, Want::Resources, Want::Schema];

fn ask(object: &mut Value, spec: Option<Value>, want: &[Want]) {
    let question = PreviewQuestion { spec, want: want.to_vec() }.encode().unwrap();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.entry("annotations").or_insert_with(|| json!({}))[annotations::QUESTION] = json!(question);
}

fn read(object: &Value) -> PreviewAnswer {
    assert_eq!(annotation(object, annotations::QUESTION), None);
    PreviewAnswer::decode(annotation(object, annotations::ANSWER).unwrap()).unwrap()
}

async fn preview(server: &Server, user: &str, stored: &Value, change: impl FnOnce(&mut Value)) -> PreviewAnswer {
    let mut wanted = stored.clone();
    change(&mut wanted);
    let write =
        Write { dry_run: true, ..Write::update(user, stored, |object| ask(object, Some(wanted["spec"].take()), &ALL)) };
    let answered = server.write(&write).await.unwrap();
    assert_eq!(answered["spec"], stored["spec"], "the write itself changes nothing");
    read(&answered)
}

#[tokio::test]
async fn a_change_that_would_be_refused_is_explained() {
    let server = Server::standard();
    let stored = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    let change = |object: &mut Value| object["spec"]["values"]["image"] = json!("app:2.0");
    let answer = preview(&server, "alice", &stored, change).await;
    assert_eq!(answer.refusal.unwrap().causes[0].field, "spec.values.image");
    assert_eq!(answer.values_now, Some(json!({"image": "app:1.0", "replicas": 1})));
    assert_eq!(answer.values_then, Some(json!({"image": "app:2.0", "replicas": 1})));
    assert_eq!(answer.defaults, Some(json!({"image": "app:1.0", "replicas": 1})));
    assert_eq!(answer.locks.len(), 1);
    assert_eq!(answer.locks[0].path, "image");
    assert_eq!(answer.schema.unwrap()["properties"]["image"]["immutable"], true);
    assert_eq!(answer.template_digest.as_deref(), Some("digest-of-main"));
    assert!(answer.writers.unwrap().contains("argocd/argocd-application-controller"));
    let plan = answer.plan.unwrap();
    assert_eq!(plan.summary(), "Plan: 0 to add, 1 to change, 0 to delete");
    assert!(plan.values[0].locked);

    assert_eq!(preview(&server, ARGOCD, &stored, change).await.refusal, None);
}

#[tokio::test]
async fn a_module_that_does_not_exist_yet_is_previewed_by_a_dry_run_creation() {
    let server = Server::standard();
    let mut object = module("main", json!({"extra": true}));
    ask(&mut object, None, &ALL);
    let write = Write { dry_run: true, ..Write::create("alice", object) };
    let answer = read(&server.write(&write).await.unwrap());
    assert_eq!(answer.refusal, None);
    assert_eq!(answer.values_now, None);
    assert_eq!(answer.plan.unwrap().summary(), "Plan: 2 to add, 0 to change, 0 to delete");
    let secret = answer.resources.iter().find(|resource| resource["kind"] == "Secret").unwrap();
    assert_eq!(secret["stringData"]["key"], "(hidden)");
}

#[tokio::test]
async fn what_cannot_be_rendered_or_applied_is_refused_in_the_answer() {
    let deployer = "system:serviceaccount:team-a:module-deployer";
    let policy = json!({"escalation": "ServiceAccount", "serviceAccountName": "module-deployer"});
    let server = Server::new(policy, &[(deployer, "create", "secrets")]);
    let stored = server.create("alice", module("free", json!({}))).await;
    let refusal = |answer: PreviewAnswer| answer.refusal.unwrap();
    let answer = preview(&server, "alice", &stored, |object| object["spec"]["template"]["version"] = json!("failing"));
    assert!(refusal(answer.await).message.contains("no luck"));
    let answer = preview(&server, "alice", &stored, |object| object["spec"]["template"]["version"] = json!("none"));
    assert_eq!(refusal(answer.await).causes[0].field, "spec.template.version");
    let answer = preview(&server, "alice", &stored, |object| object["spec"]["values"] = json!("text")).await;
    assert_eq!(refusal(answer).causes[0].field, "spec.values");
    let answer = preview(&server, "alice", &stored, |object| object["spec"]["values"]["extra"] = json!(true)).await;
    assert_eq!(answer.refusal.unwrap().code, 403);
    assert!(answer.plan.is_some());
}

#[tokio::test]
async fn a_real_write_leaves_neither_question_nor_answer() {
    let server = Server::standard();
    let stored = server.create("alice", module("main", json!({}))).await;
    let write = Write::update("alice", &stored, |object| {
        ask(object, None, &ALL);
        object["metadata"]["annotations"][annotations::ANSWER] = json!("forged");
    });
    assert_eq!(server.write(&write).await.unwrap(), stored);
    // An answer is no way past the validating hook.
    let mut forged = module("failing", json!({}));
    forged["metadata"]["annotations"] = json!({annotations::ANSWER: "forged"});
    let response = server.review("/validate", &Write::create("alice", forged).review()).await;
    assert_eq!(response["allowed"], false);
}

#[tokio::test]
async fn a_question_that_cannot_be_read_is_refused_by_name() {
    let server = Server::standard();
    let stored = server.create("alice", module("main", json!({}))).await;
    let write = Write {
        dry_run: true,
        ..Write::update("alice", &stored, |object| {
            object["metadata"]["annotations"][annotations::QUESTION] = json!("nonsense");
        })
    };
    let status = server.write(&write).await.unwrap_err();
    assert_eq!(status["code"], 422);
    assert!(status["message"].as_str().unwrap().contains(annotations::QUESTION));
}
