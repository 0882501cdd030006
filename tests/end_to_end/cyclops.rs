//! Beside an installed Cyclops: what its programs write passes as long as it changes nothing that is locked, and else
//! leaves everything as it was, its status too, by which Cyclops' controller decides what to render.

mod peer;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use peer::{Form, Peer, Step};
use serde_json::{Value, json};
use tests::checkout;
use tests::cluster::templates::commit_all;
use tests::cluster::{Client, Cluster, NAME};
use tests::command;

use crate::environment::{Environment, exclusive};

/// The namespace that Cyclops watches, and another one whose policy leaves the template's version to everybody.
const WATCHED: &str = "cyclops";
const VERSIONS: &str = "versions";

/// How long policies may take to count on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The Module that a row is about: Argo CD has created it, and Cyclops' controller has reported on it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Subject {
    /// Image, version and networking are locked.
    Locked,
    /// The same without a target namespace.
    Bare,
    /// The same without ports, so that those of the template count.
    ByDefault,
    /// The same with annotations that say where Git keeps it.
    InGit,
    /// The same with the destination in Git that its `TemplateStore` enforces.
    Enforced,
    /// The same with a state in its history: fewer replicas.
    Edited,
    /// The same with a commit as the template's version.
    EditedAtCommit,
    /// The same with a commit, and a state in its history: the image's version before Argo CD changed it.
    Moved,
    /// The same where everybody may change the template's version.
    Versions,
    /// The same where everybody may change the template's version, with a state in its history.
    EditedVersions,
    /// Nothing is locked; with a state in its history.
    Free,
}

/// Who does what.
#[derive(Debug)]
enum Action {
    /// The interface's form is submitted.
    Edit(Form),
    /// In the interface, to the oldest state.
    RollBack,
    /// The interface's button.
    Reconcile,
    /// The interface's deletion.
    Delete,
    /// The controller adds its finalizer.
    AddFinalizer,
    /// The controller writes a status with a resolved version.
    Report(&'static str),
    /// Argo CD deletes the Module, and the controller takes its finalizer away.
    Finalize,
    /// Cyclops' MCP server changes values.
    Assistant(Value),
    /// A developer changes values with cyctl.
    Cyctl(Value),
}

#[derive(Debug)]
enum Ends {
    /// Everything goes through, and these are the values at pointers afterwards.
    Well(Vec<(&'static str, Value)>),
    /// The Module is gone.
    Gone,
    /// A request is refused with a text, and the Module is the same to the last field.
    Refused(&'static str, &'static str),
}

use Action::{AddFinalizer, Assistant, Cyctl, Delete, Edit, Finalize, Reconcile, Report, RollBack};
use Ends::{Gone, Refused, Well};
use Subject::{
    Bare, ByDefault, Edited, EditedAtCommit, EditedVersions, Enforced, Free, InGit, Locked, Moved, Versions,
};

type Row = (&'static str, Subject, Action, Ends);

const REPLICAS: &str = "/spec/values/replicas";
const RESOLVED: &str = "/status/templateResolvedVersion";

/// Versions stand for their commits in [`RESOLVED`] and in what the form shows as resolved.
fn rows() -> Vec<Row> {
    let values = |values: Value| Edit(Form { values, ..Form::default() });
    let version = |version| Edit(Form { template: json!({ "version": version }), ..Form::default() });
    let replicas = || json!({ "replicas": 3 });
    let locked = || json!({ "general": { "version": "2.0" } });
    let three = || (REPLICAS, json!(3));
    vec![
        (
            "a free value",
            Locked,
            values(replicas()),
            Well(vec![three(), (RESOLVED, json!("v1")), ("/history/0/generation", json!(1))]),
        ),
        (
            "nothing, but empty lists and maps appear",
            Locked,
            values(json!({})),
            Well(vec![
                ("/spec/values/tolerations", json!([])),
                ("/spec/values/networking/annotations", json!({})),
                ("/spec/values/metrics", json!({})),
            ]),
        ),
        (
            "a free value, and an empty target namespace appears",
            Bare,
            values(replicas()),
            Well(vec![three(), ("/spec/targetNamespace", json!(""))]),
        ),
        (
            "a free value, and the enforced destination is lost",
            Enforced,
            values(replicas()),
            Well(vec![three(), ("/spec/template/enforceGitOpsWrite", Value::Null)]),
        ),
        (
            "a free value without a resolved version",
            Locked,
            Edit(Form { template: json!({ "resolvedVersion": "" }), values: replicas() }),
            Well(vec![three(), (RESOLVED, json!("v1"))]),
        ),
        (
            "an empty list appears where the template has a default",
            ByDefault,
            values(json!({})),
            Refused("PUT", "spec.values.ports"),
        ),
        ("a locked value", Locked, values(locked()), Refused("PUT", "spec.values.general.version")),
        (
            "a locked value and a free one",
            Locked,
            values(json!({ "replicas": 3, "networking": { "port": 81 } })),
            Refused("PUT", "spec.values.networking.port"),
        ),
        (
            "a locked value is left out",
            Locked,
            values(json!({ "networking": { "host": null } })),
            Refused("PUT", "spec.values.networking.host"),
        ),
        (
            "a locked text is read as a number",
            Locked,
            values(json!({ "general": { "version": 1.10 } })),
            Refused("PUT", "spec.values.general.version"),
        ),
        (
            "another version of the template",
            Locked,
            version("v2"),
            Refused("PATCH status", "status.templateResolvedVersion"),
        ),
        ("another version that is the same commit", Locked, version("same"), Refused("PUT", "spec.template.version")),
        (
            "another template of the same commit",
            Locked,
            Edit(Form { template: json!({ "path": "demo" }), ..Form::default() }),
            Refused("PUT", "spec.template.path"),
        ),
        (
            "only another resolved version",
            Locked,
            Edit(Form { template: json!({ "resolvedVersion": "unmarked" }), ..Form::default() }),
            Refused("PATCH status", "status.templateResolvedVersion"),
        ),
        (
            "a free value, and Git is switched off",
            InGit,
            values(replicas()),
            Refused("PUT", "cyclops-ui.com/write-repo"),
        ),
        (
            "another version of a template without locks",
            Free,
            version("v2"),
            Well(vec![("/spec/template/version", json!("v2")), (RESOLVED, json!("v2"))]),
        ),
        (
            "where versions are free, one that keeps what is locked",
            Versions,
            version("v2"),
            Well(vec![("/spec/template/version", json!("v2")), (RESOLVED, json!("v2"))]),
        ),
        (
            "where versions are free, one that has lost the locks",
            Versions,
            version("unmarked"),
            Refused("PATCH status", "status.templateResolvedVersion"),
        ),
        (
            "where versions are free, one with another default of a locked value",
            Versions,
            version("defaults"),
            Refused("PATCH status", "spec.values.networking.type"),
        ),
        (
            "where versions are free, a locked value",
            Versions,
            values(locked()),
            Refused("PUT", "spec.values.general.version"),
        ),
        ("roll back: the version becomes a commit", Edited, RollBack, Refused("PUT", "spec.template.version")),
        (
            "roll back where it is a commit",
            EditedAtCommit,
            RollBack,
            Well(vec![(REPLICAS, json!(2)), ("/history/0/values/replicas", json!(3))]),
        ),
        ("roll back of a locked value", Moved, RollBack, Refused("PUT", "spec.values.general.version")),
        (
            "roll back where versions are free",
            EditedVersions,
            RollBack,
            Well(vec![(REPLICAS, json!(2)), (RESOLVED, json!("v1"))]),
        ),
        ("roll back without locks", Free, RollBack, Well(vec![(REPLICAS, json!(1))])),
        (
            "the button",
            Locked,
            Reconcile,
            Well(vec![("/metadata/annotations/cyclops~1reconciled-at", json!("2026-01-01T00:00:00Z"))]),
        ),
        ("the button", Enforced, Reconcile, Well(vec![("/spec/template/enforceGitOpsWrite/path", json!("team-a"))])),
        (
            "the button, and an empty target namespace appears",
            Bare,
            Reconcile,
            Well(vec![("/spec/targetNamespace", json!(""))]),
        ),
        ("deletion", Locked, Delete, Refused("DELETE", "kept in Git")),
        ("deletion without locks", Free, Delete, Well(vec![])),
        ("the controller's finalizer", Bare, AddFinalizer, Well(vec![])),
        (
            "the controller's report",
            Locked,
            Report("v1"),
            Well(vec![("/status/managedGVRs/0/resource", json!("deployments"))]),
        ),
        (
            "the controller's report of another version",
            Locked,
            Report("v2"),
            Refused("PUT status", "status.templateResolvedVersion"),
        ),
        ("the controller takes its finalizer away", Bare, Finalize, Gone),
        ("the MCP server: a free value", Free, Assistant(replicas()), Well(vec![three()])),
        // It writes history with an identity that is not Cyclops' controller's.
        ("the MCP server: where values are locked", Locked, Assistant(replicas()), Refused("PUT", "history")),
        (
            "cyctl: a free value, and the kind of source is lost",
            Locked,
            Cyctl(replicas()),
            Well(vec![three(), ("/spec/template/sourceType", Value::Null)]),
        ),
        ("cyctl: a locked value", Locked, Cyctl(locked()), Refused("PUT", "spec.values.general.version")),
    ]
}

/// With templates out of reach: what changes nothing passes all the same.
fn rows_without_templates() -> Vec<Row> {
    vec![
        ("the button", Bare, Reconcile, Well(vec![])),
        ("the controller's finalizer", Bare, AddFinalizer, Well(vec![])),
        ("the controller's report", Bare, Report("v1"), Well(vec![])),
        ("the controller takes its finalizer away", Bare, Finalize, Gone),
        (
            "a free value",
            Locked,
            Edit(Form { values: json!({ "replicas": 3 }), ..Form::default() }),
            Refused("PUT", "cannot be fetched"),
        ),
        ("a report of another version", Locked, Report("v2"), Refused("PUT status", "status.templateResolvedVersion")),
    ]
}

struct World<'a> {
    environment: &'a Environment,
    /// Versions of the templates.
    commits: BTreeMap<&'static str, String>,
    /// Of the template `app`.
    schema: Value,
    controller: Client,
    assistant: Client,
    developer: Client,
    git_ops: Client,
}

#[test]
fn what_cyclops_writes_passes_unless_it_changes_what_is_locked() {
    let environment = exclusive();
    let world = World::start(&environment);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let failures = runtime.block_on(world.judge_all());
    environment.cluster.start_git_server(&checkout::programs().unwrap().cluster).unwrap();
    assert!(failures.is_empty(), "{} rows:\n{}", failures.len(), failures.join("\n"));
}

impl<'a> World<'a> {
    fn start(environment: &'a Environment) -> Self {
        let cluster = &environment.cluster;
        let commits = publish_versions(cluster);
        let policy = |namespace: &str, changes: &str| {
            json!({
                "apiVersion": "policy.cyclops-ui.com/v1alpha1",
                "kind": "ModulePolicy",
                "metadata": { "name": namespace },
                "spec": {
                    "match": { "namespaces": [namespace] },
                    "gitOpsWriters": [{
                        "serviceAccount": { "namespace": "argocd", "name": "argocd-application-controller" },
                    }],
                    "escalation": "Off",
                    "template": { "changes": changes, "sources": [{ "repo": environment.repository("templates") }] },
                },
            })
            .to_string()
        };
        let objects = [policy(WATCHED, "GitOpsOnly"), policy(VERSIONS, "Version")].join("\n---\n");
        environment.apply(&objects);
        let schema = checkout::root().join("examples/templates/app/values.schema.json");
        let account = |name| cluster.service_account_client("cyclops", name).unwrap();
        Self {
            commits,
            schema: serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap(),
            controller: account("cyclops-ctrl"),
            assistant: account("cyclops-mcp"),
            developer: cluster.client("developer").unwrap(),
            git_ops: cluster.client("gitops").unwrap(),
            environment,
        }
    }

    /// Tries all rows, and tells what is wrong.
    async fn judge_all(&self) -> Vec<String> {
        let named = |phase: &str, rows: Vec<Row>| -> Vec<(String, Row)> {
            rows.into_iter().enumerate().map(|(position, row)| (format!("{phase}-{position}"), row)).collect()
        };
        let (rows, late) = (named("row", rows()), named("late", rows_without_templates()));
        for (name, row) in rows.iter().chain(&late) {
            self.create(row.1, name).await;
        }
        let mut failures = Vec::new();
        for (name, row) in &rows {
            failures.extend(self.judge(row, name).await);
        }
        self.lose_templates();
        for (name, row) in &late {
            failures.extend(self.judge(row, name).await);
        }
        failures
    }

    fn peer<'b>(client: &'b Client, subject: Subject, name: &'b str) -> Peer<'b> {
        let namespace = if matches!(subject, Versions | EditedVersions) { VERSIONS } else { WATCHED };
        Peer { client, namespace, name }
    }

    async fn create(&self, subject: Subject, name: &str) {
        let git_ops = Self::peer(&self.git_ops, subject, name);
        let mut module = match subject {
            Free => self.environment.demo(git_ops.namespace, name),
            _ => self.environment.app(git_ops.namespace, name),
        };
        module["spec"]["template"]["version"] = json!("v1");
        if subject != Free && subject != ByDefault {
            module["spec"]["values"]["ports"] = json!([{ "name": "http", "containerPort": 8080 }]);
        }
        let destination = json!({ "repo": "https://git.example.com/apps", "path": "team-a", "version": "main" });
        match subject {
            Bare => drop(module["spec"].as_object_mut().unwrap().remove("targetNamespace")),
            Enforced => module["spec"]["template"]["enforceGitOpsWrite"] = destination,
            EditedAtCommit | Moved => module["spec"]["template"]["version"] = json!(self.commits["v1"]),
            InGit => {
                module["metadata"]["annotations"] = json!({
                    "cyclops-ui.com/write-repo": "https://git.example.com/apps",
                    "cyclops-ui.com/write-path": "team-a",
                    "cyclops-ui.com/write-revision": "main",
                });
            }
            _ => {}
        }
        let started = Instant::now();
        while let Err(message) = git_ops.create(&module).await.answer {
            // Right after the start the webhook may not have seen the policies.
            assert!(started.elapsed() < PATIENCE, "{subject:?}: {message}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let controller = Self::peer(&self.controller, subject, name);
        let mut steps = controller.add_finalizer().await;
        steps.extend(controller.report(&self.commits["v1"]).await);
        if matches!(subject, Edited | EditedAtCommit | EditedVersions | Moved | Free) {
            let form = Form { values: json!({ "replicas": 3 }), ..Form::default() };
            steps.extend(controller.edit(&form, &self.schema).await);
        }
        if subject == Moved {
            steps.push(git_ops.patch(&json!({ "spec": { "values": { "general": { "version": "1.11" } } } })).await);
        }
        for step in steps {
            assert!(step.answer.is_ok(), "{subject:?}: {step:?}");
        }
    }

    /// Does what a row says, and tells what is wrong with what came of it.
    async fn judge(&self, (what, subject, action, ends): &Row, name: &str) -> Option<String> {
        let controller = Self::peer(&self.controller, *subject, name);
        let before = controller.stored().await.unwrap();
        let steps = match action {
            Edit(form) => {
                let mut template = form.template.clone();
                // The form is told what the version stands for.
                let resolved = template["resolvedVersion"].as_str().or_else(|| template["version"].as_str());
                if let Some(commit) = resolved.and_then(|version| self.commits.get(version)) {
                    template["resolvedVersion"] = json!(commit);
                }
                controller.edit(&Form { template, values: form.values.clone() }, &self.schema).await
            }
            RollBack => controller.roll_back().await,
            Reconcile => controller.reconcile().await,
            Delete => controller.delete().await,
            AddFinalizer => controller.add_finalizer().await,
            Report(version) => controller.report(&self.commits[*version]).await,
            Finalize => {
                let mut steps = Self::peer(&self.git_ops, *subject, name).delete().await;
                steps.extend(controller.remove_finalizer().await);
                steps
            }
            Assistant(values) => Self::peer(&self.assistant, *subject, name).update_by_assistant(values).await,
            Cyctl(values) => Self::peer(&self.developer, *subject, name).update_by_command(values).await,
        };
        let after = controller.stored().await;
        let problem = self.problem(ends, &steps, &before, after.as_ref())?;
        let said: Vec<String> = steps
            .iter()
            .map(|step| format!("{}: {}", step.what, step.answer.as_ref().err().map_or("ok", String::as_str)))
            .collect();
        Some(format!("{what} ({subject:?}): {problem}\n    {}", said.join("\n    ")))
    }

    fn problem(&self, ends: &Ends, steps: &[Step], before: &Value, after: Option<&Value>) -> Option<String> {
        let refused = steps.iter().find_map(|step| step.answer.as_ref().err().map(|message| (step.what, message)));
        match (ends, refused, after) {
            (Refused(step, text), Some((what, message)), Some(after)) => {
                if what != *step {
                    Some(format!("{what} was refused, not {step}"))
                } else if !message.contains(text) {
                    Some(format!("the message lacks `{text}`"))
                } else {
                    (after != before).then(|| format!("it has changed, from {before:#}\nto {after:#}"))
                }
            }
            (Refused(step, _), _, _) => Some(format!("{step} was not refused")),
            (Well(_) | Gone, Some((what, _)), _) => Some(format!("{what} was refused")),
            (Gone, None, None) => None,
            (Gone, None, Some(_)) => Some("it is still there".to_owned()),
            (Well(_), None, None) => Some("it is gone".to_owned()),
            (Well(expected), None, Some(after)) => expected.iter().find_map(|(pointer, value)| {
                let version = value.as_str().and_then(|version| self.commits.get(version));
                let value = version.filter(|_| *pointer == RESOLVED).map_or(value.clone(), |commit| json!(commit));
                let found = after.pointer(pointer).unwrap_or(&Value::Null);
                (*found != value).then(|| format!("{pointer} is {found}, not {value}"))
            }),
        }
    }

    /// Takes the source of templates away, and what the webhook remembers of it.
    fn lose_templates(&self) {
        let cluster = &self.environment.cluster;
        cluster.processes().kill("git-server");
        cluster.processes().stop(NAME);
        std::fs::remove_dir_all(cluster.layout().path("template-cache")).unwrap();
        self.environment.start_webhook_beside_cyclops();
    }
}

/// Makes versions of the examples' templates, and returns their commits: `v1`; `same`, which is the same commit; `v2`,
/// with another default of a free value; `defaults`, with one of a locked value; `unmarked`, without locks.
fn publish_versions(cluster: &Cluster) -> BTreeMap<&'static str, String> {
    let folder = cluster.layout().path("git/templates");
    let git = |arguments: &[&str]| {
        command::run(Command::new("git").current_dir(&folder).args(arguments)).unwrap().success().unwrap()
    };
    git(&["tag", "same", "v1"]);
    for (tag, file, from, to) in [
        ("v2", "app/values.yaml", "periodSeconds: 10", "periodSeconds: 20"),
        ("defaults", "app/values.yaml", "type: ClusterIP", "type: NodePort"),
        ("unmarked", "app/values.schema.json", "\"immutable\": true", "\"immutable\": false"),
    ] {
        let file = folder.join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{}", file.display());
        std::fs::write(&file, text.replace(from, to)).unwrap();
        // Also another version of the template without locks.
        std::fs::write(folder.join("demo/README.md"), tag).unwrap();
        commit_all(&folder, tag).unwrap();
        git(&["tag", tag]);
    }
    // Other tests of this cluster use `main` as it was.
    git(&["reset", "--quiet", "--hard", "v1"]);
    ["v1", "same", "v2", "defaults", "unmarked"]
        .map(|tag| (tag, git(&["rev-parse", &format!("{tag}^{{commit}}")]).trim().to_owned()))
        .into()
}
