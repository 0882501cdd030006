//! A cluster on this machine: real etcd, API server and controllers without nodes, a git server,
//! and our webhook and controller, reached by the API server as in production.

mod client;
mod control_plane;
mod credentials;
mod installation;
mod layout;
mod processes;
pub mod templates;
mod webhook;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use serde_json::{Value, json};

pub use client::Client;
pub use installation::{NAME, NAMESPACE, TEAMS, http_get, http_status};
pub use layout::{Description, Layout, Ports};
pub use processes::Processes;
pub use webhook::{server_client, sum_of_metric};

use crate::{checkout, command};
use credentials::{Authority, Proof, write_kubeconfig};

/// A running cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    layout: Layout,
    processes: Processes,
    description: Description,
}

impl Cluster {
    /// Starts a cluster and returns when the webhook decides writes.
    ///
    /// # Errors
    ///
    /// What could not be started, with the last lines of its log. What was started is ended again.
    pub fn up(layout: Layout, repositories: &[PathBuf]) -> Result<Self> {
        let processes = Processes::of(&layout);
        if processes.names().iter().any(|name| processes.is_running(name)) {
            bail!("a cluster is running in {} already: end it with `tests/cluster down`", layout.folder().display());
        }
        let programs = checkout::control_plane()?;
        let built = checkout::programs()?;
        layout.prepare()?;
        let ports = Ports::choose()?;
        let description = Description {
            programs,
            plugin: built.plugin,
            webhook: built.webhook,
            ports,
            templates: templates::prepare(&layout, ports, repositories)?,
        };
        layout.write_description(&description)?;
        let cluster = Self { layout, processes, description };
        if let Err(error) = cluster.start(&built.cluster) {
            cluster.stop();
            return Err(error);
        }
        Ok(cluster)
    }

    /// Opens a cluster that is running.
    pub fn open(layout: Layout) -> Result<Self> {
        let description = layout.description()?;
        Ok(Self { processes: Processes::of(&layout), layout, description })
    }

    /// Ends every process of the cluster. Its logs stay until the next start.
    pub fn stop(&self) {
        self.processes.stop(NAME);
        // The API server drains for up to a minute when asked; the data is thrown away anyway.
        for name in self.processes.names() {
            self.processes.kill(&name);
        }
        drop(std::fs::remove_dir_all(self.layout.path("etcd")));
    }

    /// kubectl, acting as one of the contexts `admin`, `developer` and `gitops`.
    pub fn kubectl(&self, context: &str) -> Command {
        let mut kubectl = Command::new(self.description.programs.join("kubectl"));
        kubectl.arg("--kubeconfig").arg(self.layout.kubeconfig()).args(["--context", context]);
        // Nothing of the caller's own kubectl: no preferences, no cache of another cluster.
        kubectl.env_remove("KUBECONFIG").env("KUBECACHEDIR", self.layout.path("kubectl-cache"));
        kubectl.env("KUBERC", "off");
        kubectl
    }

    /// The plugin, as kubectl would start it.
    pub fn plugin(&self, context: &str) -> Command {
        let mut plugin = Command::new(&self.description.plugin);
        plugin.arg("--kubeconfig").arg(self.layout.kubeconfig()).args(["--context", context]);
        plugin.env_remove("KUBECONFIG");
        plugin
    }

    /// A Module that uses a chart of the examples' repository.
    pub fn module(&self, namespace: &str, name: &str, chart: &str, values: &Value) -> Value {
        json!({
            "apiVersion": "cyclops-ui.com/v1alpha1",
            "kind": "Module",
            "metadata": { "namespace": namespace, "name": name },
            "spec": {
                "targetNamespace": namespace,
                "template": {
                    "repo": self.description.templates[templates::EXAMPLES],
                    "path": chart,
                    "version": "main",
                    "sourceType": "git",
                },
                "values": values,
            },
        })
    }

    /// Where the cluster keeps its files.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The cluster's processes.
    pub fn processes(&self) -> &Processes {
        &self.processes
    }

    /// What the cluster is made of.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Template repositories by folder name.
    pub fn templates(&self) -> &BTreeMap<String, String> {
        &self.description.templates
    }

    fn start(&self, cluster_program: &Path) -> Result<()> {
        let port = self.description.ports.api_server;
        let authority = Authority::create(&self.layout)?;
        // As a user entry, because that is the form in which the API server is told.
        let caller = Proof::Certificate(authority.client("kube-apiserver", "webhook-callers")?);
        let service = format!("{NAME}.{NAMESPACE}.svc:{}", self.description.ports.webhook);
        write_kubeconfig(&self.layout, "credentials/webhooks.kubeconfig", port, &[(&service, &caller)])?;
        control_plane::start_etcd(&self.layout, &self.processes, &self.description)?;
        control_plane::start_api_server(&self.layout, &self.processes, &self.description)?;
        self.start_git_server(cluster_program)?;
        let admin = Proof::Certificate(authority.client("admin", "system:masters")?);
        let developer = Proof::Certificate(authority.client("alice", "developers")?);
        let controllers = authority.client("system:kube-controller-manager", "system:kube-controller-manager")?;
        write_kubeconfig(
            &self.layout,
            "credentials/controller-manager.kubeconfig",
            port,
            &[("controller-manager", &Proof::Certificate(controllers))],
        )?;
        write_kubeconfig(&self.layout, "kubeconfig", port, &[("admin", &admin)])?;
        self.await_api_server()?;
        control_plane::start_controllers(&self.layout, &self.processes, &self.description)?;
        self.install()?;
        self.write_service_account_kubeconfig()?;
        let gitops = Proof::Token(self.token("argocd", "argocd-application-controller")?);
        write_kubeconfig(
            &self.layout,
            "kubeconfig",
            port,
            &[("admin", &admin), ("developer", &developer), ("gitops", &gitops)],
        )?;
        self.start_webhook()?;
        self.layout.write("templates.json", &serde_json::to_string_pretty(self.templates())?)
    }

    /// Starts the git server, which is the `cluster` program itself.
    pub fn start_git_server(&self, cluster_program: &Path) -> Result<()> {
        let mut git = Command::new(cluster_program);
        git.arg("serve-git").arg(self.layout.path("git"));
        git.arg(format!("127.0.0.1:{}", self.description.ports.git));
        self.processes.start("git-server", &mut git)
    }

    /// Starts the API server again after it was ended, and waits for it.
    pub fn start_api_server(&self) -> Result<()> {
        control_plane::start_api_server(&self.layout, &self.processes, &self.description)?;
        self.await_api_server()
    }

    fn await_api_server(&self) -> Result<()> {
        self.await_running("kube-apiserver", "become ready", || {
            let mut get = self.kubectl("admin");
            get.args(["get", "--raw", "/readyz"]);
            command::run(&mut get).is_ok_and(|outcome| outcome.succeeded())
        })
    }
}
