//! Whoever changes or deletes what the locks rest on finds it restored within five seconds.

use std::fmt::Write;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tests::checkout;
use tests::cluster::NAME;
use tests::command;

use crate::environment::{Environment, exclusive};

/// The promise.
const LIMIT: Duration = Duration::from_secs(5);

const VALIDATING: &str = "validatingwebhookconfiguration";
const MUTATING: &str = "mutatingwebhookconfiguration";
const POLICY: &str = "validatingadmissionpolicy";
const BINDING: &str = "validatingadmissionpolicybinding";

/// What is done to an object.
enum Tampering {
    Deleted,
    /// A JSON patch sets this.
    Set(&'static str, Value),
}

use Tampering::{Deleted, Set};

fn rows() -> Vec<(&'static str, &'static str, Tampering)> {
    let selector = || json!({ "matchLabels": { "guarded": "true" } });
    let never = || json!({ "name": "never", "expression": "false" });
    vec![
        (VALIDATING, NAME, Deleted),
        (VALIDATING, NAME, Set("/webhooks/0/failurePolicy", json!("Ignore"))),
        (VALIDATING, NAME, Set("/webhooks/0/rules/0/operations", json!(["CREATE"]))),
        (VALIDATING, NAME, Set("/webhooks/0/namespaceSelector", selector())),
        (VALIDATING, NAME, Set("/webhooks/0/objectSelector", selector())),
        (VALIDATING, NAME, Set("/webhooks/0/matchConditions/-", never())),
        (VALIDATING, NAME, Set("/webhooks/0/clientConfig/caBundle", foreign_authority())),
        (VALIDATING, NAME, Set("/webhooks/0/clientConfig/service/path", json!("/livez"))),
        (VALIDATING, NAME, Set("/webhooks", json!([]))),
        (MUTATING, NAME, Deleted),
        (MUTATING, NAME, Set("/webhooks/0/namespaceSelector", selector())),
        (POLICY, "module-writers", Deleted),
        (POLICY, "module-writers", Set("/spec/validations/0/expression", json!("true"))),
        (POLICY, "module-writers", Set("/spec/failurePolicy", json!("Ignore"))),
        (POLICY, "module-controllers", Deleted),
        (BINDING, "module-writers", Deleted),
        (BINDING, "module-writers", Set("/spec/validationActions", json!(["Audit"]))),
        (BINDING, "module-writers", Set("/spec/matchResources", json!({ "namespaceSelector": selector() }))),
        (BINDING, "module-controllers", Deleted),
    ]
}

fn foreign_authority() -> Value {
    let certified = rcgen::generate_simple_self_signed(["example.com".to_owned()]).unwrap();
    json!(BASE64_STANDARD.encode(certified.cert.pem()))
}

#[test]
fn what_is_changed_or_deleted_is_restored() {
    let environment = exclusive();
    let log = std::fs::read_to_string(environment.cluster.processes().log(NAME)).unwrap();
    assert!(!log.contains("as it was installed again"), "what the manifests install is not what is kept: {log}");
    let repaired = repairs(&environment);
    environment.create("gitops", &environment.app("team-a", "tampering"));

    let mut table = String::new();
    let mut slow = 0;
    for (kind, name, tampering) in rows() {
        let before = content(&environment, kind, name).unwrap();
        match &tampering {
            Deleted => drop(environment.admin(&["delete", kind, name])),
            Set(pointer, value) => {
                let operation = json!([{ "op": "add", "path": pointer, "value": value }]);
                environment.admin(&["patch", kind, name, "--type=json", "-p", &operation.to_string()]);
            }
        }
        let start = Instant::now();
        environment.eventually("it is restored", || {
            (content(&environment, kind, name).as_ref() == Some(&before)).then_some(())
        });
        let took = start.elapsed();
        slow += usize::from(took > LIMIT);
        let what = match tampering {
            Deleted => "deleted".to_owned(),
            Set(pointer, _) => pointer.to_owned(),
        };
        writeln!(table, "{kind:<34}{name:<20}{what:<40}{:>6.2} s", took.as_secs_f64()).unwrap();
    }
    println!("{table}");
    assert_eq!(slow, 0, "not in time:\n{table}");
    assert!(repairs(&environment) > repaired);

    // And it counts again.
    let change = json!({ "spec": { "values": { "general": { "version": "2.0" } } } }).to_string();
    let patch = ["patch", "modules.cyclops-ui.com", "tampering", "-n", "team-a", "--type=merge", "-p", &change];
    let outcome = environment.kubectl("developer", &patch);
    assert!(!outcome.succeeded() && outcome.stderr.contains("spec.values.general.version"), "{outcome}");
}

/// What is restored of an object.
fn content(environment: &Environment, kind: &str, name: &str) -> Option<Value> {
    let text = environment.admin(&["get", kind, name, "-o", "json", "--ignore-not-found"]);
    let object: Value = serde_json::from_str(&text).ok()?;
    Some(json!([object["webhooks"], object["spec"]]))
}

/// How often the webhook has restored something.
fn repairs(environment: &Environment) -> u64 {
    environment.cluster.webhook_metric("module_installation_repairs_total", "").unwrap()
}

#[test]
fn cert_manager_can_make_the_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let manifests = folder.path().join("manifests");
    tests::cluster::templates::copy_charts(&checkout::root().join("manifests"), &manifests).unwrap();
    let file = manifests.join("kustomization.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}components:\n  - cert-manager\n")).unwrap();
    let mut kubectl = std::process::Command::new(checkout::control_plane().unwrap().join("kubectl"));
    let built = command::run(kubectl.arg("kustomize").arg(&manifests)).unwrap().success().unwrap();
    for text in [
        "- --certificate-dir=/etc/module-webhook/certificates",
        "- --inject-ca-from=module-system/module-webhook",
        "mountPath: /etc/module-webhook/certificates",
        "secretName: module-webhook-cert-manager",
    ] {
        assert!(built.contains(text), "{text} in {built}");
    }
    assert_eq!(built.matches("cert-manager.io/inject-ca-from: module-system/module-webhook").count(), 2, "{built}");
}
