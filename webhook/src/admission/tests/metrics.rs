//! What is counted: every refusal with its rule, and where the time goes.

use std::collections::BTreeMap;

use module::annotations;
use serde_json::{Value, json};

use super::support::{ARGOCD, Server, Write, module};

/// Samples of a scrape by name and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap()).map(|(name, value)| (name, value.parse().unwrap())).collect()
}

/// How often each rule refused something.
fn refusals(text: &str) -> BTreeMap<String, f64> {
    let mut refusals = BTreeMap::new();
    for (name, count) in samples(text) {
        let Some(labels) = name.strip_prefix("module_admissions_total{") else { continue };
        let (_, reason) = labels.split_once("reason=\"").unwrap();
        *refusals.entry(reason.trim_end_matches("\"}").to_owned()).or_default() += count;
    }
    refusals.remove("None");
    refusals
}

fn update(stored: &Value, pointer: &str, value: Value) -> Value {
    let write = Write::update("alice", stored, |object| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = if parent.is_empty() { object } else { object.pointer_mut(parent).unwrap() };
        parent[key.replace("~1", "/")] = value;
    });
    write.review()
}

#[tokio::test]
async fn each_refusal_is_counted_with_its_rule() {
    let server = Server::new(
        json!({
            "gitOpsWriters": [{"serviceAccount": {"namespace": "argocd", "name": "argocd-application-controller"}}],
            "serviceAccountName": "module-deployer",
            "escalation": "ServiceAccount",
        }),
        &[("system:serviceaccount:team-a:module-deployer", "create", "secrets")],
    );
    let stored = server.create(ARGOCD, module("main", json!({"image": "app:1.0"}))).await;
    let annotate = |name: &str, value: &str| {
        update(&stored, &format!("/metadata/annotations/{}", name.replace('/', "~1")), json!(value))
    };
    let create = |version, values, change: &dyn Fn(&mut Value)| {
        let mut object = module(version, values);
        change(&mut object);
        Write::create("alice", object).review()
    };
    let as_it_is = |_: &mut Value| {};
    let with = |change: &dyn Fn(&mut Value)| create("main", json!({}), change);
    let status = {
        let mut write =
            Write::update("alice", &stored, |object| object["status"] = json!({"templateResolvedVersion": "x"}));
        write.subresource = Some("status");
        write.review()
    };
    let mut unknown = with(&as_it_is);
    unknown["request"]["operation"] = json!("CONNECT");
    for (rule, hook, review) in [
        ("Lock", "/validate", update(&stored, "/spec/values/image", json!("other:1"))),
        ("TemplateReference", "/validate", update(&stored, "/spec/template/version", json!("free"))),
        ("TargetNamespace", "/validate", update(&stored, "/spec/targetNamespace", json!("team-b"))),
        ("GitWrite", "/validate", annotate(annotations::WRITE_REPO, "https://git.example.com/other")),
        ("History", "/validate", update(&stored, "/history", json!([{"generation": 1}]))),
        ("Status", "/validate", status),
        ("Deletion", "/validate", Write::delete("alice", &stored).review()),
        ("BreakGlass", "/validate", annotate(annotations::BREAK_GLASS, "I want to")),
        ("Stamp", "/validate", annotate(annotations::WRITTEN_BY, "bob")),
        ("Source", "/mutate", with(&|object| object["spec"]["template"]["repo"] = json!("http://example.com"))),
        ("Template", "/mutate", create("none", json!({}), &as_it_is)),
        ("Unreachable", "/mutate", with(&|object| object["spec"]["template"]["repo"] = json!("https://unreachable"))),
        (
            "Deadline",
            "/mutate?timeout=100ms",
            with(&|object| object["spec"]["template"]["repo"] = json!("https://slow")),
        ),
        ("Schema", "", create("main", json!({"replicas": 11}), &as_it_is)),
        ("Render", "", create("failing", json!({}), &as_it_is)),
        ("Confinement", "", with(&|object| object["spec"]["targetNamespace"] = json!("No Name"))),
        ("Escalation", "", create("main", json!({"extra": true}), &as_it_is)),
        ("Invalid", "/validate", with(&|object| object["spec"]["values"] = json!([]))),
        ("Malformed", "/validate", unknown),
    ] {
        let before = refusals(&server.scrape().await);
        let response = if hook.is_empty() {
            // What is refused last has to be stamped.
            let mutated = server.review("/mutate", &review).await;
            let mut review = review;
            review["request"]["object"] = super::support::patched(&review["request"]["object"], &mutated);
            server.review("/validate", &review).await
        } else {
            server.review(hook, &review).await
        };
        assert_eq!(response["allowed"], false, "{rule}: {response}");
        let mut expected = before;
        *expected.entry(rule.to_owned()).or_default() += 1.0;
        assert_eq!(refusals(&server.scrape().await), expected, "{rule}: {response}");
    }
    let mut dry_run = update(&stored, "/spec/values/image", json!("other:1"));
    dry_run["request"]["dryRun"] = json!(true);
    server.review("/validate", &dry_run).await;

    let text = server.scrape().await;
    let samples = samples(&text);
    let sample = |name: &str| *samples.get(name).unwrap_or_else(|| panic!("{name} in\n{text}"));
    let lock = r#"module_admissions_total{hook="Validate",operation="Update",decision="Invalid",reason="Lock"}"#;
    assert!((sample(lock) - 2.0).abs() < f64::EPSILON);
    assert!((sample("module_violated_locks_total") - 6.0).abs() < f64::EPSILON, "one each, and none of a dry run");
    for stage in ["Read", "Decode", "Template", "Verdict", "Render", "AccessReviews"] {
        let count = sample(&format!("module_admission_stage_duration_seconds_count{{stage=\"{stage}\"}}"));
        assert!(count > 0.0, "{stage}");
    }
    let lookups =
        |result: &str| sample(&format!("module_cache_lookups_total{{cache=\"Templates\",result=\"{result}\"}}"));
    let fetched: f64 = samples
        .iter()
        .filter(|(name, _)| name.starts_with("module_template_duration_seconds_count{step=\"Fetch\""))
        .map(|(_, count)| count)
        .sum();
    assert!(fetched > 0.0 && (lookups("Miss") - fetched).abs() < f64::EPSILON, "{text}");
    assert!(lookups("Hit") > lookups("Miss"));
    assert!(sample("module_template_age_seconds_count") > 0.0);
    for gauge in ["module_admissions_waiting", "module_admissions_in_flight", "module_render_jobs_waiting"] {
        assert!(sample(gauge).abs() < f64::EPSILON, "{gauge}");
    }
}

#[tokio::test]
async fn writes_past_the_locks_are_counted_when_they_are_meant() {
    let server = Server::new(json!({"gitOpsWriters": [{"user": "robot"}], "breakGlass": [{"user": "alice"}]}), &[]);
    let stored = server.create("robot", module("main", json!({"image": "app:1.0"}))).await;
    let mut write = Write::update("alice", &stored, |object| {
        object["spec"]["values"]["image"] = json!("app:2.0");
        object["metadata"]["annotations"][annotations::BREAK_GLASS] = json!("the registry burns");
    });
    let count = async || samples(&server.scrape().await)["module_break_glass_total"];
    write.dry_run = true;
    server.write(&write).await.unwrap();
    assert!(count().await.abs() < f64::EPSILON);
    write.dry_run = false;
    server.write(&write).await.unwrap();
    assert!((count().await - 1.0).abs() < f64::EPSILON);
}
