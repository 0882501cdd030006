//! The cluster of the suite: its templates, teams and policies, and what happens to them between the rows.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::checkout;
use tests::cluster::templates::{commit_all, copy_charts};
use tests::cluster::{NAME, TEAMS};
use tests::command;

use super::api::{Answer, Api, Place};
use super::request::{Patch, Request};
use super::table::{By, Client, Hooks, Table, Way, Write};
use super::{Case, MANAGER, refuser};
use crate::environment::Environment;

/// How long a policy or configuration may take to count on a busy machine, and how often to look.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// Everybody may write Modules and their status: what refuses a row is what the suite is about.
const RIGHTS: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: suite
rules:
  - apiGroups: [cyclops-ui.com]
    resources: ['*']
    verbs: ['*']
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: suite
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: suite
subjects:
  - apiGroup: rbac.authorization.k8s.io
    kind: Group
    name: system:authenticated
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: other
  namespace: argocd
";

pub(crate) struct World {
    pub(crate) table: Table,
    pub(crate) api: Api,
    pub(crate) environment: Environment,
    charts: PathBuf,
}

impl World {
    /// Starts the cluster that the table describes.
    pub(crate) fn start(text: &str) -> Self {
        let charts = publish_charts();
        let environment = Environment::start_with("bypass", &[&charts]);
        // Nobody else writes the Modules: whatever changes was changed by the case.
        environment.cluster.processes().stop(NAME);
        environment.cluster.start_webhook_with(&["--no-controller"]).unwrap();

        apply(&environment, RIGHTS);
        let mut names = environment.cluster.templates().clone();
        let uid = environment.admin(&["get", "clusterrole", "suite", "-o", "jsonpath={.metadata.uid}"]);
        names.insert("uid".to_owned(), uid);
        let table = Table::read(text, &names).unwrap();
        assert_eq!(table.mistakes(), [] as [String; 0]);
        for setup in table.setups.values() {
            let namespace = setup.namespace.as_deref().unwrap();
            if !TEAMS.contains(&namespace) {
                let space = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
                apply(&environment, &space.to_string());
            }
        }
        let api = Api::new(&environment, &table.identities);
        let world = Self { table, api, environment, charts };
        world.apply_policies(false);
        world
    }

    pub(crate) fn namespace(&self, setup: &str) -> &str {
        self.table.setups[setup].namespace.as_deref().unwrap()
    }

    /// Makes the Module of a case.
    pub(crate) async fn create(&self, case: &Case) {
        let row = &self.table.rows[case.row];
        let setup = &self.table.setups[&row.setup];
        let place = Place { namespace: self.namespace(&row.setup), name: &case.name };
        let mut module = json!({
            "apiVersion": "cyclops-ui.com/v1alpha1",
            "kind": "Module",
            "metadata": { "namespace": place.namespace, "name": place.name, "labels": { "suite": place.name } },
        });
        json_patch::merge(&mut module, &setup.module);
        let identity = setup.identity.as_deref().unwrap();
        let creation = match &setup.manager {
            None => Request::Create { body: module },
            Some(_) => Request::Patch { kind: Patch::Apply, body: module.to_string(), subresource: None },
        };
        let manager = setup.manager.as_deref().unwrap_or(MANAGER);
        let answer = self.patiently(identity, place, &creation, manager).await;
        assert!(answer.succeeded, "{}: setup {}: {}", case.name, row.setup, answer.text);
        for step in &setup.then {
            let live = self.api.module(place).await.unwrap();
            let request = step.write.request(Way::Merge, &live, "");
            let answer = self.api.send(&step.identity, place, &request, MANAGER, false).await;
            assert!(answer.succeeded, "{}: setup {}: {:?}: {}", case.name, row.setup, step.write, answer.text);
        }
    }

    /// Right after the start the webhook may not have seen a policy yet.
    async fn patiently(&self, identity: &str, place: Place<'_>, request: &Request, manager: &str) -> Answer {
        let started = Instant::now();
        loop {
            let answer = self.api.send(identity, place, request, manager, false).await;
            if answer.succeeded || started.elapsed() > PATIENCE {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What happens after the Modules were made: a branch moves, and policies are made.
    pub(crate) async fn move_on(&self) {
        git(&self.charts, &["branch", "--force", "moving", "unmarked"]);
        self.apply_policies(true);
        // The late policies count once the API server refuses by them.
        let probe = self.table.rows.iter().position(|row| row.setup == "late").unwrap();
        let probe = Case {
            row: probe,
            way: Way::Merge,
            client: Client::Http,
            dry_run: true,
            name: "late-probe".to_owned(),
            makes_module: true,
        };
        self.create(&probe).await;
        let place = Place { namespace: self.namespace("late"), name: &probe.name };
        let started = Instant::now();
        loop {
            let answer = self.api.send("developer", place, &Request::Delete, MANAGER, true).await;
            if refuser(&answer.text, Client::Http) == By::Policy {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "the late policies do not count");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Changes the state of our webhook.
    pub(crate) async fn enter(&self, hooks: Hooks) {
        match hooks {
            Hooks::On => {}
            Hooks::Stopped => self.environment.cluster.processes().kill(NAME),
            Hooks::Removed => {
                let both = "validatingwebhookconfiguration,mutatingwebhookconfiguration";
                self.environment.admin(&["delete", both, NAME]);
                // The API server looks at its own watch of the configurations.
                let name = "removed-probe";
                let place = Place { namespace: "team-a", name };
                let mut module = self.environment.demo("team-a", name);
                module["metadata"]["name"] = json!(name);
                let creation = Write::Create(json!({})).request(Way::Merge, &module, name);
                let answer = self.patiently("developer", place, &creation, MANAGER).await;
                assert!(answer.succeeded, "the configurations still count: {}", answer.text);
            }
        }
    }

    fn apply_policies(&self, late: bool) {
        let addresses = self.environment.cluster.templates().values();
        let sources: Vec<Value> = addresses.map(|repo| json!({ "repo": repo })).collect();
        for (name, policy) in self.table.policies.iter().filter(|(_, policy)| policy.late == late) {
            let mut spec = json!({ "escalation": "Off", "template": { "sources": sources } });
            json_patch::merge(&mut spec, &policy.spec);
            let policy = json!({
                "apiVersion": "policy.cyclops-ui.com/v1alpha1",
                "kind": "ModulePolicy",
                "metadata": { "name": name },
                "spec": spec,
            });
            apply(&self.environment, &policy.to_string());
        }
    }
}

/// A repository with the chart of many marks, as tag `v1` and branch `moving`; as tag `unmarked` without any mark; and as
/// tag `defaults` with another default of a locked value.
fn publish_charts() -> PathBuf {
    let charts = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bypass").join("charts");
    if charts.exists() {
        std::fs::remove_dir_all(&charts).unwrap();
    }
    copy_charts(&checkout::root().join("tests/fixtures/bypass/charts"), &charts).unwrap();
    commit_all(&charts, "Publish a chart with marks").unwrap();
    git(&charts, &["tag", "v1"]);
    git(&charts, &["tag", "same"]);
    git(&charts, &["branch", "moving"]);
    let values = charts.join("marks/values.yaml");
    let text = std::fs::read_to_string(&values).unwrap();
    std::fs::write(&values, text.replace("defaulted: one", "defaulted: two")).unwrap();
    commit_all(&charts, "Change a default").unwrap();
    git(&charts, &["tag", "defaults"]);
    for schema in ["marks/values.schema.json", "marks/charts/cache/values.schema.json"] {
        std::fs::write(charts.join(schema), "{}").unwrap();
    }
    commit_all(&charts, "Remove the marks").unwrap();
    git(&charts, &["tag", "unmarked"]);
    charts
}

fn git(folder: &std::path::Path, arguments: &[&str]) {
    command::run(Command::new("git").current_dir(folder).args(arguments)).unwrap().success().unwrap();
}

fn apply(environment: &Environment, objects: &str) {
    let mut kubectl = environment.cluster.kubectl("admin");
    command::run_with_input(kubectl.args(["apply", "--server-side", "-f", "-"]), objects).unwrap().success().unwrap();
}
