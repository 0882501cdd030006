//! Installs the product with the files of `manifests/`, and the teams that the tests act for.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Cluster;
use super::credentials::{Proof, write_kubeconfig};
use crate::{checkout, command};

/// The namespace of the product.
pub const NAMESPACE: &str = "module-system";
/// The name of its service, service account and webhook configurations.
pub const NAME: &str = "module-webhook";
/// The namespaces of the teams.
pub const TEAMS: [&str; 2] = ["team-a", "team-b"];

const TEAM: &str = include_str!("../../manifests/team.yaml");
const GITOPS: &str = include_str!("../../manifests/gitops.yaml");

/// The longest that a step may take on a busy machine before the start counts as failed.
const PATIENCE: Duration = Duration::from_secs(90);

impl Cluster {
    /// Installs everything but the running process: kinds, rights, teams, policy, configurations.
    pub(super) fn install(&self) -> Result<()> {
        let mut objects = objects(&checkout::root().join("manifests"))?;
        // There are no nodes: the process that this Deployment describes runs beside the cluster.
        objects.retain(|object| object["kind"] != "Deployment");
        for object in &mut objects {
            self.redirect(object);
        }
        let (kinds, objects) = split(objects, |object| object["kind"] == "CustomResourceDefinition");
        let (configurations, objects) =
            split(objects, |object| object["kind"].as_str().is_some_and(|kind| kind.ends_with("WebhookConfiguration")));
        let (spaces, objects) = split(objects, |object| object["kind"] == "Namespace");

        self.apply(&kinds)?;
        self.apply(&spaces)?;
        let teams = TEAMS.iter().map(|team| TEAM.replace("TEAM", team));
        let people = std::iter::once(GITOPS.to_owned()).chain(teams).collect::<Vec<_>>().join("---\n");
        self.kubectl("admin").args(["apply", "--server-side", "-f", "-"]).feed(&people)?;
        let mut wait = self.kubectl("admin");
        wait.args(["wait", "--for=condition=established", "--timeout=60s", "crd", "--all"]);
        command::run(&mut wait)?.success()?;
        self.apply(&objects)?;
        self.apply(&[self.policy()])?;
        // Last: from here on a write of a Module waits for the webhook.
        self.apply(&configurations)
    }

    /// Starts the webhook with the rights of its own service account, and waits for it.
    pub fn start_webhook(&self) -> Result<()> {
        self.start_webhook_with(&[])
    }

    /// Starts the webhook with further arguments, and waits for it.
    pub fn start_webhook_with(&self, arguments: &[&str]) -> Result<()> {
        let ports = self.description.ports;
        self.start_replica(NAME, ports.webhook, ports.webhook_status, arguments)?;
        self.await_webhook()
    }

    /// Starts a replica of the webhook under a name of its own, and waits until it is ready.
    pub fn start_replica(&self, name: &str, port: u16, status_port: u16, arguments: &[&str]) -> Result<()> {
        let mut webhook = Command::new(&self.description.webhook);
        webhook.args([
            format!("--kubeconfig={}", self.layout.path("credentials/webhook.kubeconfig").display()),
            format!("--namespace={NAMESPACE}"),
            format!("--service={NAME}"),
            format!("--service-port={}", self.description.ports.webhook),
            format!("--bind=127.0.0.1:{port}"),
            format!("--status-bind=127.0.0.1:{status_port}"),
            format!("--cache-dir={}", self.layout.path("template-cache").join(name).display()),
            format!("--source-ca-file={}", self.layout.path("credentials/ca.crt").display()),
        ]);
        webhook.args(arguments);
        self.processes.start(name, &mut webhook)?;
        self.await_running(name, "answer /readyz with 200", || {
            http_status(status_port, "/readyz").is_some_and(|status| status == 200)
        })
    }

    /// Waits until the API server reaches the webhook. Ready means that the process is; the API server also has to have
    /// seen the certificate authority in the configurations.
    pub fn await_webhook(&self) -> Result<()> {
        let probe = self.module("team-a", "readiness-probe", "demo", &json!({})).to_string();
        let start = Instant::now();
        loop {
            let mut create = self.kubectl("admin");
            create.args(["create", "--dry-run=server", "-f", "-"]);
            let outcome = command::run_with_input(&mut create, &probe)?;
            if !outcome.stderr.contains("failed calling webhook") {
                return Ok(());
            }
            ensure!(start.elapsed() < PATIENCE, "the API server does not reach the webhook: {outcome}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Writes the kubeconfig of a service account, with a token that the API server issued.
    pub(super) fn write_service_account_kubeconfig(&self) -> Result<()> {
        let proof = Proof::Token(self.token(NAMESPACE, NAME)?);
        write_kubeconfig(
            &self.layout,
            "credentials/webhook.kubeconfig",
            self.description.ports.api_server,
            &[(NAME, &proof)],
        )
    }

    /// Requests a token for a service account.
    pub fn token(&self, namespace: &str, account: &str) -> Result<String> {
        let mut create = self.kubectl("admin");
        create.args(["create", "token", account, "--namespace", namespace, "--duration=24h"]);
        Ok(command::run(&mut create)?.success()?.trim().to_owned())
    }

    /// Waits until `condition` holds, as long as the process lives.
    pub(super) fn await_running(&self, process: &str, what: &str, condition: impl Fn() -> bool) -> Result<()> {
        let start = Instant::now();
        while !condition() {
            let log = self.processes.log(process);
            if !self.processes.is_running(process) {
                let said = self.processes.last_lines(process);
                bail!("{process} ended before it could {what}; its log {}:\n{said}", log.display());
            }
            if start.elapsed() > PATIENCE {
                let said = self.processes.last_lines(process);
                bail!("{process} did not {what} in time; its log {}:\n{said}", log.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn apply(&self, objects: &[Value]) -> Result<()> {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        self.kubectl("admin").args(["apply", "--server-side", "--force-conflicts", "-f", "-"]).feed(&list.to_string())
    }

    /// Leads the API server to the process on this machine.
    ///
    /// The API server resolves a Service of type `ExternalName` to that name and the port asked
    /// for. Everything else stays as in production: the configurations name the service, the
    /// certificate is checked against the service's name, and HTTP/1.1 is spoken.
    fn redirect(&self, object: &mut Value) {
        let port = self.description.ports.webhook;
        if object["kind"] == "Service" && object["metadata"]["name"] == NAME {
            object["spec"] = json!({
                "type": "ExternalName",
                "externalName": "localhost",
                "ports": [{ "port": port }],
            });
        }
        for webhook in object.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
            webhook["clientConfig"]["service"]["port"] = json!(port);
        }
    }

    fn policy(&self) -> Value {
        let sources: Vec<Value> = self.description.templates.values().map(|repo| json!({ "repo": repo })).collect();
        json!({
            "apiVersion": "policy.cyclops-ui.com/v1alpha1",
            "kind": "ModulePolicy",
            "metadata": { "name": "teams" },
            "spec": {
                "match": { "namespaces": TEAMS },
                "gitOpsWriters": [{
                    "serviceAccount": { "namespace": "argocd", "name": "argocd-application-controller" },
                }],
                "serviceAccountName": "module-deployer",
                "escalation": "ServiceAccount",
                "template": { "sources": sources },
            },
        })
    }
}

/// Gives a command its standard input and demands success.
trait Feed {
    fn feed(&mut self, input: &str) -> Result<()>;
}

impl Feed for Command {
    fn feed(&mut self, input: &str) -> Result<()> {
        command::run_with_input(self, input)?.success().map(drop)
    }
}

fn split(objects: Vec<Value>, first: impl Fn(&Value) -> bool) -> (Vec<Value>, Vec<Value>) {
    objects.into_iter().partition(first)
}

/// Reads every object of a folder of manifests.
fn objects(folder: &Path) -> Result<Vec<Value>> {
    let mut files = Vec::new();
    // Overlays and packaging have folders of their own and are not part of an installation.
    for folder in [folder.to_owned(), folder.join("crds")] {
        let entries = fs::read_dir(&folder).with_context(|| format!("{} could not be read", folder.display()))?;
        for entry in entries {
            files.push(entry?.path());
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.retain(|path| !path.ends_with("kustomization.yaml"));
    files.sort();
    let mut objects = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("{} could not be read", file.display()))?;
        for document in serde_yaml::Deserializer::from_str(&text) {
            let object = Value::deserialize(document).with_context(|| format!("{} is not readable", file.display()))?;
            if !object.is_null() {
                ensure!(object["kind"].is_string(), "{} holds a document without kind", file.display());
                objects.push(object);
            }
        }
    }
    Ok(objects)
}

/// Asks a plain HTTP port for a path and returns the status code, or nothing if nobody answers.
pub fn http_status(port: u16, path: &str) -> Option<u16> {
    http_get(port, path).map(|(status, _)| status)
}

/// Asks a plain HTTP port for a path and returns status code and answer, or nothing if nobody answers.
pub fn http_get(port: u16, path: &str) -> Option<(u16, String)> {
    use std::io::{Read, Write};

    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
