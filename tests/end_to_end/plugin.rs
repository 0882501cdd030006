//! The plugin on a cluster: it asks the server, and says the same as the server.

use serde_json::{Value, json};
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
fn check_compares_files_with_the_cluster_and_stores_nothing() {
    let environment = shared();
    let name = "plugin-check";
    let module = environment.app(TEAM, name);
    environment.create("gitops", &module);
    let before = environment.reconciled(TEAM, name);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("module.json");
    let check = |context: &str, path: &str, value: Value| {
        let mut changed = module.clone();
        *changed.pointer_mut(path).unwrap() = value;
        std::fs::write(&file, serde_json::to_string_pretty(&changed).unwrap()).unwrap();
        environment.plugin(context, &["check", file.to_str().unwrap(), "--live"])
    };

    let same = check("developer", "/metadata/name", json!(name));
    assert_eq!(same.code, 0, "{same}");
    assert!(same.stdout.starts_with("Checked 1 Module in 1 file, compared with the cluster: 1 unchanged\n"), "{same}");
    let free = check("developer", "/spec/values/replicas", json!(5));
    assert_eq!(free.code, 0, "{free}");
    assert!(free.stdout.contains("1 changed (team-a/plugin-check)\n0 errors, 0 warnings, 0 notes\n"), "{free}");
    let new = check("developer", "/metadata/name", json!("plugin-check-new"));
    assert_eq!(new.code, 0, "{new}");
    assert!(new.stdout.contains(": 1 created (team-a/plugin-check-new)\n"), "{new}");

    let version = "/spec/values/general/version";
    let locked = check("developer", version, json!("2.0"));
    assert_eq!(locked.code, 3, "{locked}");
    let line = std::fs::read_to_string(&file).unwrap().lines().position(|line| line.contains("\"version\": \"2.0\""));
    let place = format!("{}:{}:", file.display(), line.unwrap() + 1);
    assert!(locked.stdout.starts_with(&place), "{locked}");
    assert!(locked.stdout.contains("error: spec.values.general.version: locked by the template"), "{locked}");
    let locked = check("gitops", version, json!("2.0"));
    assert_eq!(locked.code, 0, "{locked}");
    assert!(locked.stdout.contains("note: spec.values.general.version: is locked"), "{locked}");
    let wrong = check("gitops", "/spec/values/replicas", json!("many"));
    assert_eq!(wrong.code, 1, "{wrong}");
    assert!(wrong.stdout.contains("error: spec.values.replicas: got string, want integer"), "{wrong}");

    assert_eq!(intent(&environment.module(TEAM, name).unwrap()), intent(&before));
    assert_eq!(environment.module(TEAM, "plugin-check-new"), None);
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
