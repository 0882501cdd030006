//! A developer cannot change what the template locks, whatever the client and the kind of write.

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use tests::command::{self, Outcome};

use crate::environment::{Environment, intent, shared};

const NAME: &str = "refusals";
const TEAM: &str = "team-a";
const VERSION: &str = "spec.values.general.version";

/// A write that must be refused.
struct Case {
    what: &'static str,
    /// What standard error must contain.
    says: &'static [&'static str],
    write: Box<dyn Fn(&Environment) -> Outcome>,
}

#[test]
fn every_locked_write_is_refused() {
    let environment = shared();
    environment.create("gitops", &environment.app(TEAM, NAME));
    let before = environment.reconciled(TEAM, NAME);

    let cases = cases();
    assert!(cases.len() >= 20);
    let mut failures = String::new();
    for case in cases {
        let outcome = (case.write)(environment);
        if outcome.succeeded() {
            writeln!(failures, "{}: went through: {outcome}", case.what).unwrap();
        }
        for text in case.says {
            if !outcome.stderr.contains(text) {
                writeln!(failures, "{}: does not say `{text}`: {outcome}", case.what).unwrap();
            }
        }
        let after = environment.module(TEAM, NAME).unwrap();
        if intent(&after) != intent(&before) || after["status"]["templateResolvedVersion"] == "forged" {
            writeln!(failures, "{}: changed the stored object: {after:#}", case.what).unwrap();
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |what, says, write: Box<dyn Fn(&Environment) -> Outcome>| {
        cases.push(Case { what, says, write });
    };

    let json_patch = |operations: Value| -> Box<dyn Fn(&Environment) -> Outcome> {
        Box::new(move |environment| patch(environment, "developer", "json", &operations, &[]))
    };
    let merge = |change: Value| -> Box<dyn Fn(&Environment) -> Outcome> {
        Box::new(move |environment| patch(environment, "developer", "merge", &change, &[]))
    };
    let new_version = || json!({ "spec": { "values": { "general": { "version": "2.0" } } } });

    case(
        "JSON patch of a locked value",
        &[VERSION],
        json_patch(json!([{ "op": "replace", "path": "/spec/values/general/version", "value": "2.0" }])),
    );
    case(
        "JSON patch that removes a locked value",
        &["spec.values.networking.host"],
        json_patch(json!([{ "op": "remove", "path": "/spec/values/networking/host" }])),
    );
    case(
        "JSON patch that adds a key below a locked object",
        &["spec.values.networking"],
        json_patch(json!([{ "op": "add", "path": "/spec/values/networking/tls", "value": false }])),
    );
    case(
        "JSON patch that replaces all values",
        &[VERSION],
        json_patch(json!([{ "op": "replace", "path": "/spec/values", "value": {
            "general": { "image": "registry.example.com/team/app", "version": "9" },
        } }])),
    );
    case(
        "JSON patch that moves a locked value away and back under another one",
        &["spec.values.general"],
        json_patch(json!([
            { "op": "copy", "from": "/spec/values/networking/host", "path": "/spec/values/general/image" },
        ])),
    );
    case("merge patch of a locked value", &[VERSION], merge(new_version()));
    case(
        "merge patch of a locked value together with a free one",
        &[VERSION],
        merge(json!({ "spec": { "values": { "replicas": 3, "general": { "version": "2.0" } } } })),
    );
    case(
        "merge patch that removes a locked object",
        &["spec.values.networking"],
        merge(json!({ "spec": { "values": { "networking": null } } })),
    );
    case(
        "merge patch to another type of the same text",
        &[VERSION],
        merge(json!({ "spec": { "values": { "general": { "version": 1.10 } } } })),
    );
    case(
        "merge patch of the template's version",
        &["spec.template.version"],
        merge(json!({ "spec": { "template": { "version": "v1" } } })),
    );
    case(
        "merge patch of the template's version to none",
        &["spec.template"],
        merge(json!({ "spec": { "template": { "version": "another" } } })),
    );
    case(
        "merge patch of the template's path",
        &["spec.template.path"],
        merge(json!({ "spec": { "template": { "path": "demo" } } })),
    );
    case(
        "merge patch of the template's repository",
        &["spec.template"],
        Box::new(|environment| {
            let repo = environment.repository("faulty");
            let change = json!({ "spec": { "template": { "repo": repo } } });
            patch(environment, "developer", "merge", &change, &[])
        }),
    );
    case(
        "merge patch of the target namespace",
        &["spec.targetNamespace"],
        merge(json!({ "spec": { "targetNamespace": "team-b" } })),
    );
    case(
        "merge patch of the history that a rollback trusts",
        &["history"],
        merge(json!({ "history": [{
            "generation": 1,
            "template": { "repo": "x", "path": "x", "version": "x" },
            "values": {},
        }] })),
    );
    case(
        "merge patch of where Cyclops pushes changes",
        &["cyclops-ui.com/write-repo"],
        merge(json!({ "metadata": { "annotations": {
            "cyclops-ui.com/write-repo": "https://git.example.com/elsewhere",
        } } })),
    );
    case(
        "merge patch with a break-glass reason by somebody who is not listed",
        &["breakGlass"],
        merge(json!({
            "metadata": { "annotations": { "module.cyclops-ui.com/break-glass": "because" } },
            "spec": { "values": { "general": { "version": "2.0" } } },
        })),
    );
    case(
        "dry run of a locked write",
        &[VERSION],
        Box::new(move |environment| patch(environment, "developer", "merge", &new_version(), &["--dry-run=server"])),
    );
    case(
        "a cluster administrator, who is no GitOps writer",
        &[VERSION],
        Box::new(move |environment| patch(environment, "admin", "merge", &new_version(), &[])),
    );

    for (what, arguments) in [
        ("server-side apply", &["--force-conflicts"] as &[&str]),
        ("server-side apply named like Argo CD", &["--force-conflicts", "--field-manager=argocd-controller"]),
        ("server-side apply named like Flux", &["--force-conflicts", "--field-manager=kustomize-controller"]),
        ("server-side apply named like our controller", &["--force-conflicts", "--field-manager=module-controller"]),
        ("server-side apply that is only a dry run", &["--force-conflicts", "--dry-run=server"]),
    ] {
        case(
            what,
            &[VERSION],
            Box::new(move |environment| {
                let arguments = [&["apply", "--server-side", "-f", "-"], arguments].concat();
                environment.kubectl_with("developer", &arguments, &changed(environment))
            }),
        );
    }
    case(
        "server-side apply without force meets the owner of the field",
        &[VERSION, "conflict"],
        Box::new(|environment| {
            let arguments = ["apply", "--server-side", "--field-manager=team", "-f", "-"];
            environment.kubectl_with("developer", &arguments, &changed(environment))
        }),
    );
    case(
        "server-side apply without force of a new key below a locked object",
        &["spec.values.networking"],
        Box::new(|environment| {
            let mut module = environment.app(TEAM, NAME);
            module["spec"]["values"]["networking"]["tls"] = json!(false);
            environment.kubectl_with("developer", &["apply", "--server-side", "-f", "-"], &module)
        }),
    );
    case(
        "client-side apply",
        &[VERSION],
        Box::new(|environment| environment.kubectl_with("developer", &["apply", "-f", "-"], &changed(environment))),
    );
    case(
        "replace",
        &[VERSION],
        Box::new(|environment| environment.kubectl_with("developer", &["replace", "-f", "-"], &changed(environment))),
    );
    case(
        "replace at the API's path",
        &[VERSION],
        Box::new(|environment| {
            let mut module = environment.module(TEAM, NAME).unwrap();
            module["spec"]["values"]["general"]["version"] = json!("2.0");
            let path = format!("/apis/cyclops-ui.com/v1alpha1/namespaces/{TEAM}/modules/{NAME}");
            environment.kubectl_with("developer", &["replace", "--raw", &path, "-f", "-"], &module)
        }),
    );
    case(
        "replace that deletes and creates anew",
        &[],
        Box::new(|environment| {
            let arguments = ["replace", "--force", "--wait=false", "-f", "-"];
            environment.kubectl_with("developer", &arguments, &changed(environment))
        }),
    );
    case(
        "deletion of a Module that Git owns",
        &[],
        Box::new(|environment| {
            let arguments = ["delete", "modules.cyclops-ui.com", NAME, "-n", TEAM, "--wait=false"];
            environment.kubectl("developer", &arguments)
        }),
    );
    case("edit", &["is invalid"], Box::new(|environment| edit(environment).0));

    let status = || json!({ "status": { "templateResolvedVersion": "forged" } });
    case(
        "status by a developer",
        &["modules/status"],
        Box::new(move |environment| patch(environment, "developer", "merge", &status(), &["--subresource=status"])),
    );
    case(
        "status by an administrator",
        &["status.templateResolvedVersion"],
        Box::new(move |environment| patch(environment, "admin", "merge", &status(), &["--subresource=status"])),
    );
    cases
}

#[test]
fn edit_opens_again_with_the_reasons() {
    let environment = shared();
    let name = "refused-edit";
    environment.create("gitops", &environment.app(TEAM, name));
    environment.reconciled(TEAM, name);
    let (outcome, seen) = edit_module(environment, name);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(seen.contains(&format!("# * {VERSION}: ")), "{seen}");
    assert!(seen.contains("argocd"), "the buffer does not tell who may change it: {seen}");
}

fn changed(environment: &Environment) -> Value {
    let mut module = environment.app(TEAM, NAME);
    module["spec"]["values"]["general"]["version"] = json!("2.0");
    module
}

fn patch(environment: &Environment, context: &str, kind: &str, change: &Value, arguments: &[&str]) -> Outcome {
    let change = change.to_string();
    let mut all = vec!["patch", "modules.cyclops-ui.com", NAME, "-n", TEAM, "--type", kind, "-p", &change];
    all.extend(arguments);
    environment.kubectl(context, &all)
}

fn edit(environment: &Environment) -> (Outcome, String) {
    edit_module(environment, NAME)
}

/// Runs `kubectl edit` with an editor that changes the version, and returns what the editor saw last.
fn edit_module(environment: &Environment, name: &str) -> (Outcome, String) {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let editor = script(
        folder.path(),
        &format!("cp \"$1\" {}\nsed -i 's/version: \"1.10\"/version: \"2.0\"/' \"$1\"", seen.display()),
    );
    let mut kubectl = environment.cluster.kubectl("developer");
    kubectl.args(["edit", "modules.cyclops-ui.com", name, "-n", TEAM]).env("KUBE_EDITOR", editor);
    // Where kubectl keeps the copy of a refused edit.
    kubectl.env("TMPDIR", folder.path());
    let outcome = command::run(&mut kubectl).unwrap();
    (outcome, std::fs::read_to_string(seen).unwrap())
}

/// Writes an executable shell script and returns its path.
pub(crate) fn script(folder: &Path, body: &str) -> String {
    let path = folder.join("editor");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}
