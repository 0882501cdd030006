//! What people see beside a Module of refusals and of writes past its locks.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tests::cluster::{NAME, http_get};
use tests::command::Outcome;

use crate::environment::Environment;

const TEAM: &str = "team-a";
const OTHER_TEAM: &str = "team-b";
const REASON: &str = "module.cyclops-ui.com/break-glass";
/// A value that must not be told.
const VALUE: &str = "9.9-violated";

impl Environment {
    fn patch_version(&self, name: &str, reason: Option<&str>, arguments: &[&str]) -> Outcome {
        let annotations: Map<String, Value> =
            reason.map(|reason| (REASON.to_owned(), json!(reason))).into_iter().collect();
        let change = json!({
            "metadata": { "annotations": annotations },
            "spec": { "values": { "general": { "version": VALUE } } },
        });
        let change = change.to_string();
        let mut all = vec!["patch", "modules.cyclops-ui.com", name, "-n", TEAM, "--type=merge", "-p", &change];
        all.extend(arguments);
        self.kubectl("developer", &all)
    }

    /// Events about Modules, with one reason.
    fn events(&self, namespace: &str, reason: &str) -> Vec<Value> {
        let list = self.admin(&["get", "events", "-n", namespace, "-o", "json"]);
        let list: Value = serde_json::from_str(&list).unwrap();
        let events = list["items"].as_array().unwrap().iter();
        events
            .filter(|event| event["involvedObject"]["kind"] == "Module" && event["reason"] == reason)
            .cloned()
            .collect()
    }

    /// How many occurrences ended so since the webhook was started.
    fn told(&self, result: &str) -> u64 {
        self.cluster.webhook_metric("module_events_total", &format!("result=\"{result}\"")).unwrap()
    }
}

#[test]
fn refusals_and_broken_glass_are_told_in_events() {
    let environment = Environment::start("events");
    let rescuers = json!({ "spec": { "breakGlass": [{ "user": "alice" }] } }).to_string();
    environment.admin(&["patch", "modulepolicies", "teams", "--type=merge", "-p", &rescuers]);
    environment.eventually("the policy counts", || {
        let port = environment.cluster.description().ports.webhook_status;
        http_get(port, &format!("/debug/policy?namespace={TEAM}"))?.1.contains("breakGlass").then_some(())
    });

    what_is_admitted_and_not_stored(&environment);
    refusals(&environment);
    broken_glass(&environment, "rescued");
    environment.eventually("what is not stored is given up", || (environment.told("Unconfirmed") == 1).then_some(()));
    assert_eq!(environment.events(OTHER_TEAM, "BreakGlass"), Vec::<Value>::new());

    environment.cluster.processes().stop(NAME);
    let replicas = ["get", "modulepolicies", "teams", "-o", "jsonpath={.status.replicas}"];
    assert_eq!(environment.admin(&replicas), "", "a replica that ends leaves the status of the policies");
    environment.cluster.start_webhook_with(&["--no-controller"]).unwrap();
    broken_glass(&environment, "rescued-without-controller");
    let name = "refused-without-controller";
    environment.create("gitops", &environment.app(TEAM, name));
    assert!(!environment.patch_version(name, None, &[]).succeeded());
    environment.eventually("the refusal is told", || {
        let events = environment.events(TEAM, "Refused");
        events.into_iter().find(|event| event["involvedObject"]["name"] == name)
    });
}

/// A quota is looked at after the webhook.
fn what_is_admitted_and_not_stored(environment: &Environment) {
    let quota = json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": { "name": "no-modules", "namespace": OTHER_TEAM },
        "spec": { "hard": { "count/modules.cyclops-ui.com": "0" } },
    });
    environment.kubectl_with("admin", &["create", "-f", "-"], &quota).success().unwrap();
    let mut module = environment.app(OTHER_TEAM, "beyond-quota");
    module["metadata"]["annotations"] = json!({ REASON: "the quota is too small" });
    // The API server learns of the quota by watching.
    environment.eventually("the quota counts", || {
        let dry = ["create", "--dry-run=server", "-f", "-"];
        environment.kubectl_with("developer", &dry, &module).stderr.contains("quota").then_some(())
    });
    environment.eventually("the quota refuses", || {
        let outcome = environment.kubectl_with("developer", &["create", "-f", "-"], &module);
        assert!(!outcome.succeeded(), "{outcome}");
        outcome.stderr.contains("quota").then_some(())
    });
}

fn refusals(environment: &Environment) {
    let name = "refused";
    environment.create("gitops", &environment.app(TEAM, name));
    environment.reconciled(TEAM, name);
    let before = environment.told("Written");
    assert!(!environment.patch_version(name, None, &["--dry-run=server"]).succeeded());
    for _ in 0..50 {
        assert!(!environment.patch_version(name, None, &[]).succeeded());
    }
    let dealt_with =
        || environment.told("Written") - before + environment.told("Limited") + environment.told("Dropped");
    environment.eventually("all refusals are dealt with", || (dealt_with() >= 50).then_some(()));
    assert_eq!(dealt_with(), 50, "one for each refusal, none for the dry run");

    let events = environment.events(TEAM, "Refused");
    assert_eq!(events.len(), 1, "{events:#?}");
    let event = &events[0];
    let count = event["series"]["count"].as_u64().unwrap();
    assert_eq!(count, environment.told("Written") - before);
    assert!((2..=20).contains(&count), "{count} writes of an Event for 50 refusals");
    let note = "Update by alice refused (Lock): spec.values.general.version";
    assert_eq!((&event["message"], &event["type"]), (&json!(note), &json!("Warning")));
    assert!(!event.to_string().contains(VALUE), "{event}");

    let listed = environment.kubectl("admin", &["get", "events", "-n", TEAM]).success().unwrap();
    assert!(listed.contains(note), "{listed}");
    let described = environment.admin(&["describe", "modules.cyclops-ui.com", name, "-n", TEAM]);
    let (_, events) = described.split_once("Events:").unwrap();
    assert!(events.contains("Refused") && events.contains(note), "{described}");
}

/// One write past the locks, which is told once it is stored.
fn broken_glass(environment: &Environment, name: &str) {
    environment.create("gitops", &environment.app(TEAM, name));
    let events = || {
        let events = environment.events(TEAM, "BreakGlass").into_iter();
        events.filter(|event| event["involvedObject"]["name"] == name).collect::<Vec<_>>()
    };
    environment.patch_version(name, Some("the night of the outage"), &["--dry-run=server"]).success().unwrap();
    environment.patch_version(name, Some("the night of the outage"), &[]).success().unwrap();
    environment.eventually("the write past the locks is told", || (!events().is_empty()).then_some(()));
    // A free write after it brings no reason of its own.
    let change = json!({ "spec": { "values": { "replicas": 5 } } }).to_string();
    let arguments = ["patch", "modules.cyclops-ui.com", name, "-n", TEAM, "--type=merge", "-p", &change];
    environment.kubectl("developer", &arguments).success().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let events = events();
    assert_eq!(events.len(), 1, "{events:#?}");
    let event = &events[0];
    assert!(event["series"].is_null(), "{event}");
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("alice") && message.contains("spec.values.general.version"), "{message}");
    assert!(!event.to_string().contains(VALUE), "{event}");
}
