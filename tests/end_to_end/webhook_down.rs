//! Without a webhook, nothing that a template locks can change, and the rest goes on.

use serde_json::json;
use tests::cluster::NAME;

use crate::environment::Environment;

const TEAM: &str = "team-a";

#[test]
fn locked_writes_fail_closed() {
    let environment = Environment::start("webhook-down");
    environment.create("gitops", &environment.app(TEAM, "locked"));
    environment.create("developer", &environment.demo(TEAM, "free"));
    environment.eventually("the controller has seen both", || {
        ["locked", "free"]
            .iter()
            .all(|name| {
                environment
                    .module(TEAM, name)
                    .is_some_and(|module| module["status"]["reconciliationStatus"]["status"] == "succeeded")
            })
            .then_some(())
    });

    environment.cluster.processes().kill(NAME);
    let before = environment.module(TEAM, "locked").unwrap();
    let version = json!({ "spec": { "values": { "general": { "version": "2.0" } } } }).to_string();
    let patch = |context, name: &str, change: &str| {
        environment
            .kubectl(context, &["patch", "modules.cyclops-ui.com", name, "-n", TEAM, "--type=merge", "-p", change])
    };

    for context in ["developer", "gitops", "admin"] {
        let outcome = patch(context, "locked", &version);
        assert!(!outcome.succeeded(), "{context}: {outcome}");
        assert!(outcome.stderr.contains("failed calling webhook"), "{context}: {outcome}");
    }
    let status = json!({ "status": { "templateResolvedVersion": "forged" } }).to_string();
    let outcome = environment.kubectl(
        "admin",
        &[
            "patch",
            "modules.cyclops-ui.com",
            "locked",
            "-n",
            TEAM,
            "--type=merge",
            "-p",
            &status,
            "--subresource=status",
        ],
    );
    assert!(!outcome.succeeded(), "{outcome}");
    let outcome =
        environment.kubectl("developer", &["delete", "modules.cyclops-ui.com", "locked", "-n", TEAM, "--wait=false"]);
    assert!(!outcome.succeeded(), "{outcome}");
    assert_eq!(environment.module(TEAM, "locked").unwrap(), before);

    for name in ["locked", "free"] {
        let label = json!({ "metadata": { "labels": { "example.com/seen": "true" } } }).to_string();
        patch("developer", name, &label).success().unwrap();
    }
    environment
        .kubectl("developer", &["delete", "modules.cyclops-ui.com", "free", "-n", TEAM, "--wait=false"])
        .success()
        .unwrap();

    environment.cluster.start_webhook().unwrap();
    environment.eventually("the deletion is finished", || environment.module(TEAM, "free").is_none().then_some(()));
    let outcome = patch("developer", "locked", &version);
    assert!(outcome.stderr.contains("spec.values.general.version"), "{outcome}");
    patch("gitops", "locked", &version).success().unwrap();
}
