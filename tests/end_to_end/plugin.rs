//! The plugin on a cluster: it asks the server, and says the same as the server.

use serde_json::json;
use tests::command;

use crate::environment::{intent, shared};
use crate::refusals::script;

const TEAM: &str = "team-a";

#[test]
fn set_changes_free_values_and_is_refused_on_locked_ones() {
    let environment = shared();
    let name = "plugin-set";
    environment.create("gitops", &environment.app(TEAM, name));

    let outcome = environment.plugin("developer", &["set", name, "-n", TEAM, "replicas=5"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    let stored = environment.reconciled(TEAM, name);
    assert_eq!(stored["spec"]["values"]["replicas"], 5);

    let outcome = environment.plugin("developer", &["set", name, "-n", TEAM, "general.version=2.0"]);
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stderr.contains("general.version"), "{outcome}");
    assert_eq!(intent(&environment.module(TEAM, name).unwrap()), intent(&stored));

    let outcome = environment.plugin("gitops", &["set", name, "-n", TEAM, "general.version=2.0"]);
    assert_eq!(outcome.code, 0, "{outcome}");
}

#[test]
fn preview_needs_no_right_but_the_modules_own_and_stores_nothing() {
    let environment = shared();
    let name = "plugin-preview";
    environment.create("gitops", &environment.app(TEAM, name));
    let before = environment.reconciled(TEAM, name);

    let free = ["preview", name, "-n", TEAM, "--set", "replicas=5"];
    let outcome = environment.plugin("developer", &free);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(outcome.stdout.contains("Deployment"), "{outcome}");
    let outcome = environment.plugin("developer", &[&free[..], &["--exit-code"]].concat());
    assert_eq!(outcome.code, 1, "{outcome}");

    let locked = ["preview", name, "-n", TEAM, "--set", "networking.port=81"];
    let outcome = environment.plugin("developer", &locked);
    assert_eq!(outcome.code, 3, "{outcome}");
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(said.contains("networking.port") && said.contains("argocd"), "{outcome}");
    assert_eq!(intent(&environment.module(TEAM, name).unwrap()), intent(&before));
}

#[test]
fn edit_round_trip() {
    let environment = shared();
    let name = "plugin-edit";
    environment.create("gitops", &environment.app(TEAM, name));
    environment.reconciled(TEAM, name);
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");

    let edit = |change: &str| {
        let editor = script(folder.path(), &format!("cp \"$1\" {}\nsed -i '{change}' \"$1\"", seen.display()));
        let mut plugin = environment.cluster.plugin("developer");
        plugin.args(["edit", name, "-n", TEAM]).env("KUBE_EDITOR", editor);
        (command::run(&mut plugin).unwrap(), std::fs::read_to_string(&seen).unwrap())
    };
    let (outcome, buffer) = edit("s/replicas: 2/replicas: 6/");
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(buffer.contains("How many copies run"), "no descriptions in {buffer}");
    let stored = environment.module(TEAM, name).unwrap();
    assert_eq!(stored["spec"]["values"]["replicas"], 6);

    let (outcome, buffer) = edit("s/version: \"1.10\"/version: \"2.0\"/");
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(buffer.contains("general.version"), "no reasons in {buffer}");
    let after = environment.module(TEAM, name).unwrap();
    assert_eq!(after["spec"]["values"]["general"]["version"], json!("1.10"));
}
