//! Writes of Modules.

use module::annotations;
use serde_json::{Value, json};

use super::support::{ARGOCD, Server, Write, annotation, fields, module};

fn set(pointer: &'static str, value: Value) -> impl FnOnce(&mut Value) {
    move |object| *object.pointer_mut(pointer).unwrap() = value
}

#[tokio::test]
async fn a_creation_is_stamped() {
    let server = Server::standard();
    let stored = server.create("alice", module("main", json!({"image": "app:1.0"}))).await;
    assert_eq!(annotation(&stored, annotations::TEMPLATE_DIGEST), Some("digest-of-main"));
    assert_eq!(annotation(&stored, annotations::WRITTEN_BY), Some("alice"));
    assert_eq!(annotation(&stored, annotations::PROTECTED), None);
    assert_eq!(annotation(&stored, annotations::LOCKED), Some("true"));
    let stored = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    assert_eq!(annotation(&stored, annotations::PROTECTED), Some("true"));
    let stored = server.create(ARGOCD, module("free", json!({}))).await;
    assert_eq!(annotation(&stored, annotations::PROTECTED), None, "without locks there is nothing to guard");
    assert_eq!(annotation(&stored, annotations::LOCKED), None);
}

#[tokio::test]
async fn a_locked_value_is_refused_with_its_path_and_a_free_one_passes() {
    let server = Server::standard();
    let stored = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    let status =
        server.write(&Write::update("alice", &stored, set("/spec/values/image", json!("evil:1")))).await.unwrap_err();
    assert_eq!((status["code"].as_u64(), status["reason"].as_str()), (Some(422), Some("Invalid")));
    assert_eq!(fields(&status), ["spec.values.image"]);
    assert_eq!(status["details"]["kind"], "Module");
    assert_eq!(status["details"]["name"], "web");

    let free = Write::update("alice", &stored, |object| object["spec"]["values"]["replicas"] = json!(3));
    let changed = server.write(&free).await.unwrap();
    assert_eq!(annotation(&changed, annotations::WRITTEN_BY), Some("alice"));
    assert_eq!(annotation(&changed, annotations::PROTECTED), Some("true"), "a free edit does not lift the guard");

    let by_gitops = Write::update(ARGOCD, &stored, set("/spec/values/image", json!("app:2.0")));
    assert_eq!(server.write(&by_gitops).await.unwrap()["spec"]["values"]["image"], "app:2.0");
}

#[tokio::test]
async fn dry_runs_get_the_same_verdict() {
    let server = Server::standard();
    let stored = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    let mut write = Write::update("alice", &stored, set("/spec/values/image", json!("evil:1")));
    let real = server.write(&write).await;
    write.dry_run = true;
    assert_eq!(server.write(&write).await, real);
}

#[tokio::test]
async fn a_template_without_the_lock_is_no_way_round() {
    let server = Server::standard();
    let stored = server.create("alice", module("main", json!({"image": "app:1.0"}))).await;
    let status =
        server.write(&Write::update("alice", &stored, set("/spec/template/version", json!("free")))).await.unwrap_err();
    assert_eq!(fields(&status), ["spec.template.version"]);
    let status =
        server.write(&Write::update("alice", &stored, set("/spec/template/version", json!("none")))).await.unwrap_err();
    assert_eq!(fields(&status), ["spec.template.version"], "whether the version exists is not told");
    let moved = Write::update(ARGOCD, &stored, set("/spec/template/version", json!("free")));
    let moved = server.write(&moved).await.unwrap();
    assert_eq!(annotation(&moved, annotations::TEMPLATE_DIGEST), Some("digest-of-free"));
}

#[tokio::test]
async fn stamps_are_not_for_clients() {
    let server = Server::standard();
    let stored = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    let forge = |object: &mut Value| {
        object["metadata"]["annotations"] = json!({
            annotations::TEMPLATE_DIGEST: "digest-of-free",
            annotations::WRITTEN_BY: ARGOCD,
        });
    };
    // With the mutating hook the forgery is undone.
    let undone = server.write(&Write::update("alice", &stored, forge)).await.unwrap();
    assert_eq!(undone["metadata"]["annotations"], stored["metadata"]["annotations"]);
    // Without it the write is refused, with and without a change of the spec.
    let write = Write::update("alice", &stored, forge);
    let response = server.review("/validate", &write.review()).await;
    assert_eq!(response["allowed"], false);
    let write = Write::update("alice", &stored, |object| {
        forge(object);
        object["spec"]["values"]["replicas"] = json!(2);
    });
    let response = server.review("/validate", &write.review()).await;
    assert_eq!(response["status"]["code"], 422);
    assert!(fields(&response["status"])[0].starts_with("metadata.annotations["), "{response}");
}

#[tokio::test]
async fn the_pinned_template_counts_while_the_reference_moves() {
    let server = Server::standard();
    let mut stored = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    // As if `main` had been the other commit when the Module was admitted.
    stored["metadata"]["annotations"][annotations::TEMPLATE_DIGEST] = json!("digest-of-free");
    let write = Write::update("alice", &stored, set("/spec/values/image", json!("app:2.0")));
    let changed = server.write(&write).await.unwrap();
    assert_eq!(annotation(&changed, annotations::TEMPLATE_DIGEST), Some("digest-of-free"));
}

#[tokio::test]
async fn nothing_is_stored_that_cannot_be_rendered() {
    let server = Server::standard();
    for (version, values, said) in [
        ("broken", json!({}), "broken.yaml"),
        ("failing", json!({}), "no luck"),
        ("bad-schema", json!({}), "values.schema.json"),
        ("main", json!({"replicas": 11}), "replicas"),
        ("missing", json!({}), "no version missing"),
    ] {
        let status = server.write(&Write::create("alice", module(version, values))).await.unwrap_err();
        assert_eq!(status["code"], 422, "{version}: {status}");
        assert!(status["message"].as_str().unwrap().contains(said), "{version}: {status}");
    }
    let mut object = module("main", json!({}));
    object["spec"]["template"]["path"] = json!("empty");
    let status = server.write(&Write::create("alice", object)).await.unwrap_err();
    assert!(status["message"].as_str().unwrap().contains("Chart.yaml"), "{status}");
}

#[tokio::test]
async fn an_unreachable_template_is_worth_another_try() {
    let server = Server::standard();
    let mut object = module("main", json!({}));
    object["spec"]["template"]["repo"] = json!("https://unreachable.example.com/templates");
    let status = server.write(&Write::create("alice", object)).await.unwrap_err();
    assert_eq!((status["code"].as_u64(), status["reason"].as_str()), (Some(503), Some("ServiceUnavailable")));
    assert!(status["details"]["retryAfterSeconds"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_source_that_no_policy_allows_is_not_fetched() {
    let server = Server::new(json!({"template": {"sources": [{"repo": "https://other.example.com/**"}]}}), &[]);
    let status = server.write(&Write::create("alice", module("main", json!({})))).await.unwrap_err();
    assert_eq!((status["code"].as_u64(), fields(&status)), (Some(422), vec!["spec.template.repo"]));
}

#[tokio::test]
async fn credentials_are_for_sources_that_a_policy_lists() {
    let mut object = module("main", json!({}));
    object["spec"]["template"]["repo"] = json!("https://private.example.com/templates");
    let write = |sources: Value| {
        let server = Server::new(json!({"template": {"sources": sources}, "escalation": "Off"}), &[]);
        let object = object.clone();
        async move { server.write(&Write::create("alice", object)).await }
    };
    let status = write(Value::Null).await.unwrap_err();
    assert_eq!((status["code"].as_u64(), fields(&status)), (Some(422), vec!["spec.template.repo"]));
    assert!(write(json!([{"repo": "https://private.example.com/**"}])).await.is_ok());
}

#[tokio::test]
async fn whoever_applies_must_be_allowed_to() {
    let deployer = "system:serviceaccount:team-a:module-deployer";
    let policy = json!({"escalation": "ServiceAccount", "serviceAccountName": "module-deployer"});
    let server = Server::new(policy, &[(deployer, "create", "secrets")]);
    let stored = server.create("alice", module("main", json!({"image": "app:1.0"}))).await;
    let write = Write::update("alice", &stored, |object| object["spec"]["values"]["extra"] = json!(true));
    let status = server.write(&write).await.unwrap_err();
    assert_eq!((status["code"].as_u64(), status["reason"].as_str()), (Some(403), Some("Forbidden")));
    let message = status["message"].as_str().unwrap();
    for part in [deployer, "create secrets in team-a", "resources: [secrets], verbs: [create]"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[tokio::test]
async fn by_default_whoever_writes_must_be_allowed_to() {
    let server = Server::new(json!({}), &[("alice", "patch", "configmaps"), ("alice", "delete", "secrets")]);
    let creation = Write::create("alice", module("free", json!({})));
    let status = server.write(&creation).await.unwrap_err();
    assert!(status["message"].as_str().unwrap().contains("patch configmaps"), "an object of that name may be there");
    let stored = server.create("bob", module("free", json!({"extra": true}))).await;
    let change = Write::update("alice", &stored, |object| object["spec"]["values"]["replicas"] = json!(2));
    assert_eq!(server.write(&change).await.unwrap_err()["code"], 403);
    let removal = Write::update("alice", &stored, |object| object["spec"]["values"]["extra"] = json!(false));
    assert!(server.write(&removal).await.unwrap_err()["message"].as_str().unwrap().contains("delete secrets"));
    let nothing = Write::update("alice", &stored, |object| object["spec"]["values"]["unused"] = json!(1));
    server.write(&nothing).await.unwrap();
}

#[tokio::test]
async fn deletion_of_what_a_gitops_writer_claimed_is_guarded() {
    let server = Server::standard();
    let claimed = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    let status = server.write(&Write::delete("alice", &claimed)).await.unwrap_err();
    assert_eq!(status["code"], 403);
    server.write(&Write::delete(ARGOCD, &claimed)).await.unwrap();
    let own = server.create("alice", module("main", json!({"image": "app:1.0"}))).await;
    server.write(&Write::delete("alice", &own)).await.unwrap();
}

#[tokio::test]
async fn the_resolved_version_is_the_controllers() {
    let server = Server::standard();
    let mut stored = server.create("alice", module("main", json!({"image": "app:1.0"}))).await;
    stored["status"] = json!({"templateResolvedVersion": "digest-of-main"});
    let write = |user| Write {
        subresource: Some("status"),
        ..Write::update(user, &stored, |object| object["status"]["templateResolvedVersion"] = json!("digest-of-free"))
    };
    assert_eq!(server.write(&write("alice")).await.unwrap_err()["code"], 422);
    server.write(&write("system:serviceaccount:module-system:module-webhook")).await.unwrap();
}

#[tokio::test]
async fn writes_that_change_nothing_of_substance_pass_even_if_the_template_is_gone() {
    let server = Server::standard();
    let mut stored = module("gone", json!({"replicas": 99}));
    stored["spec"]["template"]["repo"] = json!("https://unreachable.example.com/templates");
    let write = Write::update("alice", &stored, |object| {
        object["metadata"]["finalizers"] = json!([annotations::FINALIZER]);
        object["metadata"]["labels"] = json!({"team": "a"});
    });
    server.write(&write).await.unwrap();
}
