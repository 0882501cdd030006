//! What people read when a write is refused, through each client: `tests/fixtures/messages.txt`. To write that file anew, run
//! the test with `UPDATE_MESSAGES=1`, and read what has changed as somebody who has never heard of locks.

use std::fmt::Write;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tests::checkout;
use tests::cluster::{self, NAME};
use tests::command::{self, Outcome};
use tokio::runtime::Runtime;

use crate::bypass::json_patch_of;
use crate::environment::{Environment, exclusive};
use crate::refusals::script;

const MODULES: &str = "modules.cyclops-ui.com";
const POLICY: &str = "
apiVersion: policy.cyclops-ui.com/v1alpha1
kind: ModulePolicy
metadata: {name: NAME}
spec:
  match: {namespaces: [NAME]}
  template: {sources: [{repo: REPO}]}
";
const WRITERS: &str = "  gitOpsWriters: [{serviceAccount: {namespace: argocd, name: argocd-application-controller}}]\n";

/// How a change is made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Client {
    Apply,
    ServerSideApply,
    MergePatch,
    JsonPatch,
    Replace,
    Edit,
}

const CLIENTS: [(Client, &str); 6] = [
    (Client::Apply, "kubectl apply"),
    (Client::ServerSideApply, "kubectl apply --server-side"),
    (Client::MergePatch, "kubectl patch --type=merge"),
    (Client::JsonPatch, "kubectl patch --type=json"),
    (Client::Replace, "kubectl replace"),
    (Client::Edit, "kubectl edit"),
];

/// What a developer tries.
enum Attempt {
    /// A merge patch of a Module, by all clients.
    Change(&'static str, Value),
    /// The same of its status.
    Status(&'static str, Value),
    Deletion(&'static str),
    Creation(Value),
}

use Attempt::{Change, Creation, Deletion, Status};

#[test]
fn refusals_say_what_who_and_where() {
    let environment = exclusive();
    let stage = Stage::new(&environment);
    let mut text = "What people read when a write is refused. Written by tests/end_to_end/messages.rs.\n".to_owned();
    for (title, attempt) in attempts(&environment) {
        stage.tell(title, &attempt, &mut text);
    }
    environment.cluster.processes().kill("git-server");
    let mut module = environment.app("team-a", "message-new");
    module["spec"]["template"]["version"] = json!("never-fetched");
    stage.tell("The template's repository does not answer", &Creation(module), &mut text);
    environment.cluster.start_git_server(&checkout::programs().unwrap().cluster).unwrap();
    environment.cluster.processes().kill(NAME);
    let change = json!({ "spec": { "values": { "replicas": 3 } } });
    stage.tell("The webhook does not run", &Change("message-app", change), &mut text);
    environment.start_webhook_beside_cyclops();

    let file = checkout::root().join("tests/fixtures/messages.txt");
    if std::env::var_os("UPDATE_MESSAGES").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    let (said, wanted): (Vec<_>, Vec<_>) = (text.lines().collect(), expected.lines().collect());
    let line =
        said.iter().zip(&wanted).position(|(said, wanted)| said != wanted).unwrap_or(said.len().min(wanted.len()));
    assert!(
        said == wanted,
        "{}:{} is\n{}\nand not\n{}",
        file.display(),
        line + 1,
        said.get(line).unwrap_or(&"the end"),
        wanted.get(line).unwrap_or(&"the end")
    );
}

fn attempts(environment: &Environment) -> Vec<(&'static str, Attempt)> {
    let spec = |spec: Value| Change("message-app", json!({ "spec": spec }));
    let annotations = |annotations: Value| json!({ "metadata": { "annotations": annotations } });
    let faulty = |chart: &str| {
        let mut module = environment.demo("team-a", "message-new");
        module["spec"]["template"]["repo"] = json!(environment.repository("faulty"));
        module["spec"]["template"]["path"] = json!(chart);
        module["spec"]["values"] = json!({});
        Creation(module)
    };
    let mut elsewhere = environment.demo("team-a", "message-new");
    elsewhere["spec"]["template"]["repo"] = json!("https://charts.example.com/unknown");
    let mut broken_glass = annotations(json!({ "module.cyclops-ui.com/break-glass": "the site is down" }));
    broken_glass["spec"] = json!({ "values": { "general": { "version": "2.0" } } });
    let history = json!([{ "generation": 1, "template": { "repo": "a", "path": "b", "version": "c" }, "values": {} }]);
    vec![
        ("A value that the template locks", spec(json!({ "values": { "general": { "version": "2.0" } } }))),
        (
            "Two such values, one of them removed",
            spec(json!({ "values": { "networking": { "port": 81, "host": null } } })),
        ),
        ("A locked password", Change("message-marks", json!({ "spec": { "values": { "password": "other" } } }))),
        (
            "A locked value where no policy names anybody",
            Change("message-nobody", json!({ "spec": { "values": { "general": { "version": "2.0" } } } })),
        ),
        ("The template's version", spec(json!({ "template": { "version": "another" } }))),
        ("The target namespace", spec(json!({ "targetNamespace": "team-b" }))),
        (
            "Where Git keeps the Module",
            Change("message-git", annotations(json!({ "cyclops-ui.com/write-path": "elsewhere" }))),
        ),
        (
            "A locked value of a Module that says where Git keeps it",
            Change("message-git", json!({ "spec": { "values": { "general": { "version": "2.0" } } } })),
        ),
        ("The history", Change("message-app", json!({ "history": history }))),
        (
            "The version that is deployed",
            Status("message-app", json!({ "status": { "templateResolvedVersion": "another" } })),
        ),
        ("What the controller remembers", Status("message-app", json!({ "status": { "revision": 9 } }))),
        ("A deletion", Deletion("message-app")),
        (
            "An owner",
            Change(
                "message-app",
                json!({ "metadata": { "ownerReferences": [{ "apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "b" }] } }),
            ),
        ),
        ("A reason of somebody who may not break the glass", Change("message-app", broken_glass)),
        ("Only Git creates Modules", Creation(environment.demo("git-only", "message-new"))),
        ("A value of the wrong type", spec(json!({ "values": { "replicas": "many" } }))),
        ("A template that refuses the values", faulty("fails-on-purpose")),
        ("A template with a mistake", faulty("missing-value")),
        ("The service account may not create it", faulty("lease")),
        ("The person may not create it", Creation(environment.demo("requesters", "message-new"))),
        ("An object in another namespace", faulty("other-namespace")),
        ("An object outside of all namespaces", faulty("cluster-role")),
        ("A repository that the policy does not list", Creation(elsewhere)),
    ]
}

struct Stage<'a> {
    environment: &'a Environment,
    developer: cluster::Client,
    runtime: Runtime,
    folder: tempfile::TempDir,
}

impl<'a> Stage<'a> {
    /// Makes the policies and Modules.
    fn new(environment: &'a Environment) -> Self {
        let policy = |name: &str, more: &str| {
            let repo = environment.repository("templates");
            format!("{}{more}", POLICY.replace("NAME", name).replace("REPO", repo))
        };
        let policies = [
            policy("git-only", &format!("{WRITERS}  creation: GitOpsOnly\n  escalation: 'Off'\n")),
            policy("requesters", &format!("{WRITERS}  escalation: Requester\n")),
            policy("nobody", "  escalation: 'Off'\n"),
        ];
        environment.apply(&policies.join("---\n"));
        let mut app = environment.app("team-a", "message-app");
        app["metadata"]["annotations"] =
            json!({ "argocd.argoproj.io/tracking-id": "shop:cyclops-ui.com/Module:team-a/message-app" });
        let mut in_git = environment.app("team-a", "message-git");
        in_git["metadata"]["annotations"] = json!({
            "cyclops-ui.com/write-repo": "https://git.example.com/apps",
            "cyclops-ui.com/write-path": "team-a",
            "cyclops-ui.com/write-revision": "main",
        });
        let mut marks = environment.demo("team-a", "message-marks");
        marks["spec"]["template"]["repo"] = json!(environment.repository("exclusive-charts"));
        marks["spec"]["template"]["path"] = json!("marks");
        marks["spec"]["values"] = json!({ "password": "swordfish" });
        let nobody = environment.app("nobody", "message-nobody");
        for (context, module) in [("gitops", app), ("gitops", in_git), ("gitops", marks), ("developer", nobody)] {
            environment.eventually("the policies are known", || {
                let create = ["create", "--save-config", "-f", "-"];
                environment.kubectl_with(context, &create, &module).succeeded().then_some(())
            });
        }
        Self {
            environment,
            developer: environment.cluster.client("developer").unwrap(),
            runtime: Runtime::new().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Tries something, and writes down what is said.
    fn tell(&self, title: &str, attempt: &Attempt, text: &mut String) {
        write!(text, "\n## {title}\n").unwrap();
        let mut said: Vec<(String, Vec<&str>)> = Vec::new();
        for (client, outcome) in self.outcomes(attempt) {
            assert!(!outcome.succeeded(), "{title}: {outcome}");
            let answer = self.cleaned(&outcome.stderr);
            match said.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, clients)) => clients.push(client),
                None => said.push((answer, vec![client])),
            }
        }
        said.push((self.cleaned(&self.status(attempt)), vec!["Status of the API server, for Argo CD and Flux"]));
        for (answer, clients) in said {
            writeln!(text, "\n{}:", clients.join(", ")).unwrap();
            for line in answer.lines() {
                writeln!(text, "{}", format!("    {line}").trim_end()).unwrap();
            }
        }
    }

    fn outcomes(&self, attempt: &Attempt) -> Vec<(&'static str, Outcome)> {
        let environment = self.environment;
        match attempt {
            Change(name, change) => {
                CLIENTS.iter().map(|(client, shown)| (*shown, self.change(*client, name, change))).collect()
            }
            Status(name, change) => {
                let change = change.to_string();
                let arguments =
                    ["patch", MODULES, name, "-n", "team-a", "--subresource=status", "--type=merge", "-p", &change];
                vec![("kubectl patch --subresource=status", environment.kubectl("developer", &arguments))]
            }
            Deletion(name) => {
                let arguments = ["delete", MODULES, name, "-n", "team-a", "--wait=false"];
                vec![("kubectl delete", environment.kubectl("developer", &arguments))]
            }
            Creation(module) => {
                let create = environment.kubectl_with("developer", &["create", "-f", "-"], module);
                vec![("kubectl create", create)]
            }
        }
    }

    fn change(&self, client: Client, name: &str, change: &Value) -> Outcome {
        let environment = self.environment;
        let live = environment.module(namespace(name), name).unwrap();
        let mut changed = live.clone();
        json_patch::merge(&mut changed, change);
        let mut manifest = changed.clone();
        // What somebody has in a file.
        manifest.as_object_mut().unwrap().remove("status");
        for field in ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"] {
            manifest["metadata"].as_object_mut().unwrap().remove(field);
        }
        let with = |arguments: &[&str], object: &Value| environment.kubectl_with("developer", arguments, object);
        let patch = |kind: &str, body: &Value| {
            let body = body.to_string();
            let arguments = ["patch", MODULES, name, "-n", namespace(name), "--type", kind, "-p", &body];
            environment.kubectl("developer", &arguments)
        };
        match client {
            Client::Apply => with(&["apply", "-f", "-"], &manifest),
            Client::ServerSideApply => with(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &manifest),
            Client::Replace => with(&["replace", "-f", "-"], &changed),
            Client::MergePatch => patch("merge", change),
            Client::JsonPatch => patch("json", &json_patch_of(&live, change)),
            Client::Edit => self.edit(name, &changed),
        }
    }

    /// What the editor is shown when it opens again is what people read.
    fn edit(&self, name: &str, changed: &Value) -> Outcome {
        let folder = self.folder.path();
        let (wanted, shown) = (folder.join("wanted"), folder.join("shown"));
        std::fs::write(&wanted, changed.to_string()).unwrap();
        let editor = script(folder, &format!("cp \"$1\" {}\ncp {} \"$1\"", shown.display(), wanted.display()));
        let mut kubectl = self.environment.cluster.kubectl("developer");
        kubectl.args(["edit", MODULES, name, "-n", namespace(name)]);
        kubectl.env("KUBE_EDITOR", editor).env("TMPDIR", folder);
        let mut outcome = command::run(&mut kubectl).unwrap();
        let shown = std::fs::read_to_string(shown).unwrap_or_default();
        // Below kubectl's own two lines about the editor.
        let reasons = shown.lines().take_while(|line| line.starts_with('#')).skip(3);
        for line in reasons {
            outcome.stderr.push_str(line);
            outcome.stderr.push('\n');
        }
        outcome
    }

    /// What a client gets that shows the API server's answer as it is.
    fn status(&self, attempt: &Attempt) -> String {
        let path = |namespace: &str| format!("/apis/cyclops-ui.com/v1alpha1/namespaces/{namespace}/modules");
        let of = |name: &str| format!("{}/{name}", path(namespace(name)));
        let (method, path, body) = match attempt {
            Change(name, change) => (Method::PATCH, of(name), change.to_string()),
            Status(name, change) => (Method::PATCH, format!("{}/status", of(name)), change.to_string()),
            Deletion(name) => (Method::DELETE, of(name), String::new()),
            Creation(module) => {
                (Method::POST, path(module["metadata"]["namespace"].as_str().unwrap()), module.to_string())
            }
        };
        let content = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let request = self.developer.request(method, &path).header(CONTENT_TYPE, content).body(body);
        let answer = self.runtime.block_on(async { request.send().await?.bytes().await }).unwrap();
        let status: Value = serde_json::from_slice(&answer).unwrap();
        let part = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
        let mut text = format!("{} {}\n{}\n", status["code"], part(&status, "reason"), part(&status, "message"));
        for cause in status["details"]["causes"].as_array().into_iter().flatten() {
            writeln!(text, "- {}: {}", part(cause, "field"), part(cause, "message")).unwrap();
        }
        if let Some(seconds) = status["details"]["retryAfterSeconds"].as_u64() {
            writeln!(text, "retry after {seconds} s").unwrap();
        }
        text
    }

    /// The same text on every machine.
    fn cleaned(&self, text: &str) -> String {
        let git = self.environment.repository("templates").trim_end_matches("/templates");
        let text = text.replace(git, "https://git.example.com");
        let port = self.environment.cluster.description().ports.webhook;
        let text = text.replace(&format!(":{port}"), ":443");
        let text = text.replace(&self.folder.path().display().to_string(), "/tmp");
        let mut lines = Vec::new();
        let mut in_dump = false;
        for line in text.lines() {
            // What client-side apply has sent comes first; nobody reads that.
            in_dump = in_dump && !line.starts_with("for: ");
            if !in_dump {
                lines.push(line.split(' ').map(masked).collect::<Vec<_>>().join(" "));
            }
            in_dump |= line.ends_with("error when applying patch:");
        }
        lines.join("\n")
    }
}

fn namespace(module: &str) -> &'static str {
    if module == "message-nobody" { "nobody" } else { "team-a" }
}

/// A word without what differs from run to run: commits, and names of temporary files.
fn masked(word: &str) -> String {
    if let Some((start, end)) = word.split_once("kubectl-edit-")
        && end.contains(".yaml")
    {
        return format!("{start}kubectl-edit-....yaml{}", end.split_once(".yaml").map_or("", |(_, rest)| rest));
    }
    let digits = word.trim_matches(|character: char| !character.is_ascii_hexdigit());
    if digits.len() == 40 { word.replace(digits, "COMMIT") } else { word.to_owned() }
}
