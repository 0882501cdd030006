//! Bodies that no API server sends.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::support::{Server, Write, module};

#[tokio::test]
async fn what_is_no_review_is_refused_with_a_reason() {
    let server = Server::standard();
    for (body, reason) in [
        ("", "not JSON"),
        ("garbage", "not JSON"),
        ("[]", "expected an AdmissionReview"),
        ("{}", "expected an AdmissionReview"),
        (r#"{"apiVersion":"v1","kind":"Pod"}"#, "`Pod` of `v1`"),
        (r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}"#, "no request"),
        (r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{}}"#, "missing field `uid`"),
    ] {
        for path in ["/validate", "/mutate"] {
            let (status, text) = server.post(path, body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
            assert!(text.contains(reason), "{body}: {text}");
        }
    }
}

#[tokio::test]
async fn a_review_of_another_version_or_shape_is_refused_with_its_uid() {
    let server = Server::standard();
    let review = |change: &dyn Fn(&mut Value)| {
        let mut review = Write::create("alice", module("main", json!({}))).review();
        change(&mut review);
        review
    };
    for (review, reason) in [
        (review(&|review| review["apiVersion"] = json!("admission.k8s.io/v1beta1")), "v1beta1"),
        (review(&|review| review["request"]["operation"] = json!("SMASH")), "SMASH"),
        (review(&|review| review["request"]["userInfo"] = json!(7)), "not valid"),
        (review(&|review| review["request"]["object"] = Value::Null), "lacks the object"),
        (review(&|review| review["request"]["operation"] = json!("CONNECT")), "not understood"),
        (review(&|review| review["request"]["subResource"] = json!("scale")), "modules/scale"),
        (
            review(&|review| review["request"]["kind"]["version"] = json!("v9")),
            "does not know Module.cyclops-ui.com/v9",
        ),
        (review(&|review| review["request"]["kind"]["kind"] = json!("Pod")), "does not know Pod"),
    ] {
        for path in ["/validate", "/mutate"] {
            let response = server.review(path, &review).await;
            assert_eq!(response["allowed"], false, "{path} {review}");
            assert!(response["status"]["code"].as_u64().unwrap() >= 400);
            assert!(response["status"]["message"].as_str().unwrap().contains(reason), "{reason}: {response}");
        }
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_too_large() {
    let server = Server::standard();
    let (status, _) = server.post("/validate", vec![b' '; super::super::BODY_LIMIT + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

fn from_repository(repo: &str) -> Value {
    let mut object = module("main", json!({}));
    object["spec"]["template"]["repo"] = json!(repo);
    object
}

#[tokio::test]
async fn the_refusal_of_what_takes_too_long_comes_before_the_api_server_gives_up() {
    let server = Server::standard();
    let write = Write::create("alice", from_repository("https://slow.example.com/templates"));
    for path in ["/mutate?timeout=500ms", "/validate?timeout=500ms"] {
        let response = server.review(path, &write.review()).await;
        assert_eq!(response["allowed"], false);
        assert_eq!((&response["status"]["code"], &response["status"]["reason"]), (&json!(504), &json!("Timeout")));
    }
}

#[tokio::test]
async fn a_flood_is_answered_to_the_last_request() {
    let server = Server::standard();
    let review = Write::create("alice", from_repository("https://slow.example.com/templates")).review().to_string();
    let posts = (0..2_000).map(|_| server.post("/validate?timeout=3s", review.clone()));
    let answers = futures::future::join_all(posts).await;
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for (status, text) in answers {
        let what = match status {
            StatusCode::TOO_MANY_REQUESTS => "sent away".to_owned(),
            StatusCode::OK => {
                let review: Value = serde_json::from_str(&text).unwrap();
                format!("{} {}", review["response"]["allowed"], review["response"]["status"]["code"])
            }
            other => panic!("{other}: {text}"),
        };
        *counts.entry(what).or_default() += 1;
    }
    // The queue in front holds its share; of the rest, none was stamped by a mutating hook, and some found no thread.
    assert_eq!(counts["sent away"], 2_000 - super::super::WAITING - super::super::IN_FLIGHT, "{counts:?}");
    assert!(counts.keys().all(|what| ["sent away", "false 422", "false 503"].contains(&what.as_str())), "{counts:?}");
    assert_eq!(counts.values().sum::<usize>(), 2_000);
    server.create("alice", module("main", json!({}))).await;
}

#[tokio::test]
async fn a_bug_is_a_refusal_and_the_next_request_is_served() {
    let server = Server::standard();
    let write = Write::create("alice", from_repository("https://panicking.example.com/templates"));
    assert_eq!(server.write(&write).await.unwrap_err()["code"], 503);
    server.create("alice", module("main", json!({}))).await;
}

#[tokio::test]
async fn deep_nesting_is_an_error_not_a_crash() {
    let server = Server::standard();
    let depth = 100_000;
    let (status, text) = server.post("/validate", "[".repeat(depth) + &"]".repeat(depth)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("recursion limit"), "{text}");
}

#[tokio::test]
async fn values_that_no_cluster_stores_are_refused_as_such() {
    let server = Server::standard();
    let write = |bytes: usize| Write::create("alice", module("main", json!({"note": "x".repeat(bytes)})));
    server.write(&write(1 << 20)).await.unwrap();
    let status = server.write(&write(2 << 20)).await.unwrap_err();
    assert_eq!((status["code"].as_u64(), super::support::fields(&status)), (Some(422), vec!["spec.values"]));
    assert!(status["message"].as_str().unwrap().contains("1572864"));
}

#[tokio::test]
async fn values_that_are_no_mapping_and_modules_without_spec_are_refused_by_name() {
    let server = Server::standard();
    for (object, field) in [
        (module("main", json!([1])), "spec.values"),
        (module("main", json!("text")), "spec.values"),
        (json!({"metadata": {"name": "web", "namespace": "team-a"}}), "spec"),
        (json!({"metadata": {"name": "web"}, "spec": {"values": {}}}), "spec.template"),
        (json!({"metadata": {"name": "web"}, "spec": {"template": 7, "values": {}}}), "spec.template"),
    ] {
        let status = server.write(&Write::create("alice", object.clone())).await.unwrap_err();
        assert_eq!(status["code"], 422, "{object}: {status}");
        assert!(status["message"].as_str().unwrap().contains(field), "{object}: {status}");
    }
}
