//! What is sent to an API server, which these tests stand in for.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use tower::service_fn;

use super::*;
use crate::failure::CODE_REFUSED;

/// A request as these tests look at it.
#[derive(Clone, Debug)]
struct Sent {
    method: String,
    uri: String,
    content_type: String,
    body: Value,
}

type Log = Arc<Mutex<Vec<Sent>>>;

fn stored(values: &Value) -> Value {
    json!({
        "apiVersion": "cyclops-ui.com/v1alpha1", "kind": "Module",
        "metadata": {"name": "app", "namespace": "team-a", "resourceVersion": "7"},
        "spec": {"template": {"repo": "r", "path": "p", "version": "v"}, "values": values}
    })
}

/// A Module on a server that gives the same answer to everything.
fn module(exists: bool, values: &Value, status: u16, answer: Value) -> (LiveModule, Log) {
    let log = Log::default();
    let requests = Arc::clone(&log);
    let server = service_fn(move |request: Request<Body>| {
        let (log, answer) = (Arc::clone(&requests), answer.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect_bytes().await.unwrap();
            let content_type = head.headers.get("content-type").map(|value| value.to_str().unwrap().to_owned());
            log.lock().unwrap().push(Sent {
                method: head.method.to_string(),
                uri: head.uri.to_string(),
                content_type: content_type.unwrap_or_default(),
                body: serde_json::from_slice(&body).unwrap_or_default(),
            });
            let response = Response::builder().status(status).body(Body::from(serde_json::to_vec(&answer).unwrap()));
            Ok::<_, std::convert::Infallible>(response.unwrap())
        }
    });
    let cluster = block_on(async { Ok(Cluster::with_client(Client::new(server, "team-a"), "team-a")) }).unwrap();
    let module = LiveModule { cluster, name: "app".to_owned(), object: stored(values), exists, wanted: None };
    (module, log)
}

fn only(log: &Log) -> Sent {
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 1, "{log:?}");
    log[0].clone()
}

fn failure(status: u16, causes: &Value) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "reason": "Invalid",
        "message": "all in one", "details": {"causes": causes}
    })
}

#[test]
fn a_write_holds_what_changed_and_the_version_it_is_based_on() {
    let (module, log) = module(true, &json!({"a": 1, "b": {"c": 1}}), 200, stored(&json!({})));
    let written = module.write(&json!({"a": 2, "b": {"c": 1}}), false).unwrap();
    assert!(matches!(written, Written::Done));
    let sent = only(&log);
    assert_eq!(sent.method, "PATCH");
    assert_eq!(sent.content_type, "application/merge-patch+json");
    let path = "/apis/cyclops-ui.com/v1alpha1/namespaces/team-a/modules/app?";
    assert!(sent.uri.starts_with(path) && sent.uri.contains("fieldManager=module-edit"), "{}", sent.uri);
    assert!(!sent.uri.contains("dryRun"), "{}", sent.uri);
    assert_eq!(sent.body, json!({"metadata": {"resourceVersion": "7"}, "spec": {"values": {"a": 2}}}));
}

#[test]
fn a_null_is_stored_by_a_json_patch() {
    let (module, log) = module(true, &json!({"a": 1}), 200, stored(&json!({})));
    module.write(&json!({"a": null}), true).unwrap();
    let sent = only(&log);
    assert_eq!(sent.content_type, "application/json-patch+json");
    assert!(sent.uri.contains("dryRun=All"), "{}", sent.uri);
    assert_eq!(
        sent.body,
        json!([
            {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
            {"op": "add", "path": "/spec/values", "value": {"a": null}},
        ])
    );
}

#[test]
fn somebody_elses_write_is_a_conflict() {
    let (module, _) = module(true, &json!({}), 409, failure(409, &json!([])));
    assert!(matches!(module.write(&json!({"a": 1}), false).unwrap(), Written::Conflict));
}

#[test]
fn a_refusal_keeps_its_causes() {
    let causes = json!([{"field": "spec.values.a", "message": "is locked"}]);
    let (module, _) = module(true, &json!({}), 422, failure(422, &causes));
    let Err(refused) = module.write(&json!({"a": 1}), false) else { panic!("it was written") };
    assert_eq!(refused.code(), CODE_REFUSED);
    assert_eq!(refused.fields()[0].field, "spec.values.a");
    assert_eq!(refused.to_string(), "the change of module team-a/app is refused");
}

#[test]
fn an_error_of_the_server_is_no_refusal() {
    let (module, _) = module(true, &json!({}), 503, failure(503, &json!([])));
    let Err(failed) = module.write(&json!({"a": 1}), false) else { panic!("it was written") };
    assert_eq!(failed.code(), CODE_ERROR);
    assert_eq!(failed.to_string(), "module team-a/app was not changed: all in one");
}

#[test]
fn questions_are_dry_runs_of_one_annotation() {
    let answer = PreviewAnswer { writers: Some("nobody".to_owned()), ..PreviewAnswer::default() };
    let mut answered = stored(&json!({}));
    answered["metadata"]["annotations"] = json!({annotations::ANSWER: answer.clone().encode().unwrap()});
    let (module, log) = module(true, &json!({}), 200, answered);
    let spec = json!({"values": {"a": 1}});
    assert_eq!(module.ask(Some(&spec), &[Want::Verdict, Want::Plan]).unwrap(), answer);
    let sent = only(&log);
    assert_eq!(sent.method, "PATCH");
    assert!(sent.uri.contains("dryRun=All"), "{}", sent.uri);
    assert_eq!(sent.body.as_object().unwrap().len(), 1);
    let question = sent.body["metadata"]["annotations"][annotations::QUESTION].as_str().unwrap();
    let question = PreviewQuestion::decode(question).unwrap();
    assert_eq!(question, PreviewQuestion { spec: Some(spec), want: vec![Want::Verdict, Want::Plan] });
}

#[test]
fn a_module_that_is_not_there_yet_is_asked_about_by_a_dry_creation() {
    let (module, log) = module(false, &json!({"a": 1}), 201, stored(&json!({})));
    let Err(unanswered) = module.ask(None, &[Want::Plan]) else { panic!("nobody answers here") };
    assert!(unanswered.to_string().ends_with("the cluster has no server that answers such questions"));
    let sent = only(&log);
    assert_eq!(sent.method, "POST");
    assert!(sent.uri.contains("dryRun=All"), "{}", sent.uri);
    assert_eq!(sent.body["spec"]["values"], json!({"a": 1}));
}
