//! The two clients of the suite: plain HTTP, and the real kubectl.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tests::cluster::Client;
use tests::command;

use super::request::{Patch, Request};
use super::table::Identity;
use crate::environment::Environment;
use crate::refusals::script;

const MODULES: &str = "modules.cyclops-ui.com";

/// What became of a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) succeeded: bool,
    /// Everything that was said.
    pub(crate) text: String,
}

/// The Module that a request is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

/// The API server, with the proofs of all identities.
pub(crate) struct Api {
    http: BTreeMap<String, Client>,
    kubectl: PathBuf,
    kubeconfig: PathBuf,
    folder: PathBuf,
}

impl Api {
    /// Collects the proofs of the identities, besides the administrator's.
    pub(crate) fn new(environment: &Environment, identities: &BTreeMap<String, Identity>) -> Self {
        let layout = environment.cluster.layout();
        let mut config = environment.cluster.kubeconfig().unwrap();
        let user_of = |config: &Value, context: &str| {
            let users = config["users"].as_array().unwrap();
            users.iter().find(|user| user["name"] == context).unwrap()["user"].clone()
        };
        let administrator = user_of(&config, "admin");
        for (name, identity) in identities {
            let user = match identity {
                Identity::Context(context) => user_of(&config, context),
                Identity::ServiceAccount(account) => {
                    let (namespace, account) = account.split_once('/').unwrap();
                    json!({ "token": environment.cluster.token(namespace, account).unwrap() })
                }
                Identity::Impersonates { user, groups, by } => {
                    let mut impersonation = user_of(&config, by.as_deref().unwrap_or("admin"));
                    impersonation["as"] = json!(user);
                    impersonation["as-groups"] = json!(groups);
                    impersonation
                }
            };
            let context = json!({ "cluster": "module-cluster", "user": format!("suite-{name}") });
            let entry = |key: &str, value: Value| json!({ "name": format!("suite-{name}"), key: value });
            config["users"].as_array_mut().unwrap().push(entry("user", user));
            config["contexts"].as_array_mut().unwrap().push(entry("context", context));
        }
        layout.write("suite.kubeconfig", &serde_yaml::to_string(&config).unwrap()).unwrap();
        let client = |user: &Value| Client::new(&config, user).unwrap();
        let mut http = BTreeMap::from([("admin".to_owned(), client(&administrator))]);
        for name in identities.keys() {
            http.insert(name.clone(), client(&user_of(&config, &format!("suite-{name}"))));
        }
        Self {
            http,
            kubectl: environment.cluster.description().programs.join("kubectl"),
            kubeconfig: layout.path("suite.kubeconfig"),
            folder: layout.path("edits"),
        }
    }

    /// The stored Module, or nothing.
    pub(crate) async fn module(&self, place: Place<'_>) -> Option<Value> {
        let answer = self.http["admin"].request(Method::GET, &path(place, None)).send().await.unwrap();
        if answer.status() == 404 {
            return None;
        }
        assert!(answer.status().is_success(), "{place:?}: {}", answer.status());
        Some(serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    /// Sends a request as an identity.
    pub(crate) async fn send(
        &self,
        identity: &str,
        place: Place<'_>,
        request: &Request,
        manager: &str,
        dry_run: bool,
    ) -> Answer {
        let collection = format!("/apis/cyclops-ui.com/v1alpha1/namespaces/{}/modules", place.namespace);
        let (method, path, content, body) = match request {
            Request::Patch { kind, body, subresource } => {
                (Method::PATCH, path(place, subresource.as_deref()), kind.content(), body.clone())
            }
            Request::Replace { body, subresource } => {
                (Method::PUT, path(place, subresource.as_deref()), "application/json", body.to_string())
            }
            Request::Create { body } => (Method::POST, collection, "application/json", body.to_string()),
            Request::Delete => (Method::DELETE, path(place, None), "application/json", String::new()),
            Request::DeleteCollection => (Method::DELETE, collection, "application/json", String::new()),
            Request::CreatePolicy { body } => {
                let path = "/apis/policy.cyclops-ui.com/v1alpha1/modulepolicies".to_owned();
                (Method::POST, path, "application/json", body.to_string())
            }
            Request::Edit { .. } | Request::Recreate { .. } => {
                return Answer { succeeded: false, text: "only kubectl has this".to_owned() };
            }
        };
        let mut query = format!("?fieldManager={manager}");
        if dry_run {
            query.push_str("&dryRun=All");
        }
        match request {
            Request::Patch { kind: Patch::Apply, .. } => query.push_str("&force=true"),
            Request::DeleteCollection => {
                query.push_str("&labelSelector=suite%3D");
                query.push_str(place.name);
            }
            _ => {}
        }
        let sent =
            self.http[identity].request(method, &format!("{path}{query}")).header(CONTENT_TYPE, content).body(body);
        let answer = sent.send().await.unwrap();
        let succeeded = answer.status().is_success();
        let text = answer.text().await.unwrap();
        let status: Value = serde_json::from_str(&text).unwrap_or_default();
        Answer { succeeded, text: status["message"].as_str().map_or(text, str::to_owned) }
    }

    /// Runs kubectl as an identity.
    pub(crate) fn kubectl(
        &self,
        identity: &str,
        place: Place<'_>,
        request: &Request,
        manager: &str,
        dry_run: bool,
    ) -> Answer {
        let mut kubectl = Command::new(&self.kubectl);
        kubectl.arg("--kubeconfig").arg(&self.kubeconfig).args(["--context", &format!("suite-{identity}")]);
        kubectl.args(["--namespace", place.namespace]);
        kubectl.env_remove("KUBECONFIG").env("KUBERC", "off").env("KUBECACHEDIR", self.folder.join("cache"));
        let of = |subresource: &Option<String>| subresource.as_ref().map(|name| format!("--subresource={name}"));
        let mut input = String::new();
        match request {
            Request::Patch { kind: Patch::Apply, body, subresource } => {
                kubectl.args(["apply", "--server-side", "--force-conflicts", "-f", "-"]).args(of(subresource));
                input.clone_from(body);
            }
            Request::Patch { kind, body, subresource } => {
                kubectl.args(["patch", MODULES, place.name, "--type", kind.name(), "-p", body]).args(of(subresource));
            }
            Request::Replace { body, subresource } => {
                kubectl.args(["replace", "-f", "-"]).args(of(subresource));
                input = body.to_string();
            }
            Request::Edit { body, subresource } => {
                assert!(!dry_run, "kubectl edit has no dry run");
                return self.edit(kubectl, place, body, of(subresource));
            }
            Request::Create { body } | Request::CreatePolicy { body } => {
                kubectl.args(["create", "-f", "-"]);
                input = body.to_string();
            }
            Request::Delete => {
                kubectl.args(["delete", MODULES, place.name, "--wait=false"]);
            }
            Request::DeleteCollection => {
                kubectl.args(["delete", MODULES, "--wait=false", "-l", &format!("suite={}", place.name)]);
            }
            Request::Recreate { body } => {
                kubectl.args(["replace", "--force", "--wait=false", "-f", "-"]);
                input = body.to_string();
            }
        }
        if dry_run {
            kubectl.arg("--dry-run=server");
        }
        if !matches!(request, Request::Delete | Request::DeleteCollection) {
            kubectl.arg(format!("--field-manager={manager}"));
        }
        let outcome = command::run_with_input(&mut kubectl, &input).unwrap();
        Answer { succeeded: outcome.succeeded(), text: outcome.stderr }
    }

    /// The editor saves what is wanted. What it is shown is part of the answer: the reasons of a refusal.
    fn edit(&self, mut kubectl: Command, place: Place<'_>, body: &Value, subresource: Option<String>) -> Answer {
        let folder = self.folder.join(place.name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("wanted"), body.to_string()).unwrap();
        let shown = folder.join("shown");
        let editor = script(
            &folder,
            &format!("cat \"$1\" >>{}\ncp {} \"$1\"", shown.display(), folder.join("wanted").display()),
        );
        kubectl.args(["edit", MODULES, place.name]).args(subresource);
        kubectl.env("KUBE_EDITOR", editor).env("TMPDIR", &folder);
        let outcome = command::run(&mut kubectl).unwrap();
        let shown = std::fs::read_to_string(shown).unwrap_or_default();
        let reasons: Vec<&str> = shown.lines().filter(|line| line.starts_with('#')).collect();
        Answer { succeeded: outcome.succeeded(), text: format!("{}{}", outcome.stderr, reasons.join("\n")) }
    }
}

impl Patch {
    fn content(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Merge => "merge",
            Self::Strategic => "strategic",
            Self::Apply => "apply",
        }
    }
}

fn path(place: Place<'_>, subresource: Option<&str>) -> String {
    let subresource = subresource.map(|name| format!("/{name}")).unwrap_or_default();
    format!("/apis/cyclops-ui.com/v1alpha1/namespaces/{}/modules/{}{subresource}", place.namespace, place.name)
}
