//! The clusters of the tests, and how a test acts on them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::checkout;
use tests::cluster::templates::{commit_all, copy_charts};
use tests::cluster::{Cluster, Layout, NAME};
use tests::command::{self, Outcome};

/// How long a consequence may take on a busy machine before it counts as missing.
const PATIENCE: Duration = Duration::from_mins(1);

/// A cluster that ends with this process.
pub(crate) struct Environment {
    pub(crate) cluster: Cluster,
    /// Closes the pipe that keeps the cluster up, however this process ends.
    _supervisor: Child,
}

/// The cluster that tests share. Its processes are left alone.
pub(crate) fn shared() -> &'static Environment {
    static SHARED: OnceLock<Environment> = OnceLock::new();
    SHARED.get_or_init(|| Environment::start("shared"))
}

/// As in Cyclops' own installation; everybody else writes Modules.
const CYCLOPS_IDENTITIES: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: cyclops}
---
apiVersion: v1
kind: Namespace
metadata: {name: versions}
---
apiVersion: v1
kind: Namespace
metadata: {name: requesters}
---
apiVersion: v1
kind: Namespace
metadata: {name: git-only}
---
apiVersion: v1
kind: Namespace
metadata: {name: nobody}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: cyclops-ctrl, namespace: cyclops}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: cyclops-mcp, namespace: cyclops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cyclops-ctrl}
rules:
  - {apiGroups: ['*'], resources: ['*'], verbs: ['*']}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: cyclops-ctrl}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cyclops-ctrl}
subjects:
  - {kind: ServiceAccount, name: cyclops-ctrl, namespace: cyclops}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: writers}
rules:
  - {apiGroups: [cyclops-ui.com], resources: ['*'], verbs: ['*']}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: writers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: writers}
subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:authenticated'}
";

/// A cluster for tests that change what others rest on: one of them has it at a time, and leaves it as it was. There is
/// no controller, so that nobody but the test writes Modules; Cyclops' identity is known.
pub(crate) fn exclusive() -> MutexGuard<'static, Environment> {
    static EXCLUSIVE: OnceLock<Mutex<Environment>> = OnceLock::new();
    let environment = EXCLUSIVE.get_or_init(|| {
        let charts = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("exclusive-charts");
        if charts.exists() {
            std::fs::remove_dir_all(&charts).unwrap();
        }
        copy_charts(&checkout::root().join("tests/fixtures/bypass/charts"), &charts).unwrap();
        commit_all(&charts, "Publish a chart with marks").unwrap();
        let environment = Environment::start_with("exclusive", &[&charts]);
        environment.apply(CYCLOPS_IDENTITIES);
        environment.cluster.processes().stop(NAME);
        environment.start_webhook_beside_cyclops();
        Mutex::new(environment)
    });
    environment.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cyclops' own identity.
pub(crate) const CYCLOPS: &str = "system:serviceaccount:cyclops:cyclops-ctrl";

impl Environment {
    /// Starts a cluster with the examples' templates and the faulty ones of the fixtures.
    pub(crate) fn start(name: &str) -> Self {
        Self::start_with(name, &[])
    }

    /// The same with further git repositories of templates.
    pub(crate) fn start_with(name: &str, repositories: &[&Path]) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let layout = Layout::new(Some(folder.join("cluster"))).unwrap();
        if let Ok(leftover) = Cluster::open(layout.clone()) {
            // A run before this one that was killed together with its supervisor.
            leftover.stop();
        }
        let faulty = folder.join("faulty");
        if faulty.exists() {
            std::fs::remove_dir_all(&faulty).unwrap();
        }
        copy_charts(&checkout::root().join("tests/fixtures/templates"), &faulty).unwrap();
        commit_all(&faulty, "Publish faulty templates").unwrap();

        let mut up = Command::new(checkout::programs().unwrap().cluster);
        up.args(["up", "--attached", "--dir"]).arg(layout.folder());
        for repository in repositories.iter().copied().chain([faulty.as_path()]) {
            up.arg("--templates").arg(repository);
        }
        let mut supervisor = up.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(supervisor.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        assert!(ready.contains("is ready"), "the cluster could not be started: see above");
        Self { cluster: Cluster::open(layout).unwrap(), _supervisor: supervisor }
    }

    /// Starts the webhook as it runs beside an installed Cyclops.
    pub(crate) fn start_webhook_beside_cyclops(&self) {
        self.cluster.start_webhook_with(&["--no-controller", &format!("--cyclops-user={CYCLOPS}")]).unwrap();
    }

    /// Runs kubectl as one of the contexts and returns what happened.
    pub(crate) fn kubectl(&self, context: &str, arguments: &[&str]) -> Outcome {
        command::run(self.cluster.kubectl(context).args(arguments)).unwrap()
    }

    /// Runs kubectl with an object as its standard input.
    pub(crate) fn kubectl_with(&self, context: &str, arguments: &[&str], object: &Value) -> Outcome {
        let mut kubectl = self.cluster.kubectl(context);
        command::run_with_input(kubectl.args(arguments), &object.to_string()).unwrap()
    }

    /// Runs kubectl as an administrator, where only success makes sense.
    pub(crate) fn admin(&self, arguments: &[&str]) -> String {
        self.kubectl("admin", arguments).success().unwrap()
    }

    /// Applies objects as an administrator.
    pub(crate) fn apply(&self, objects: &str) {
        let mut kubectl = self.cluster.kubectl("admin");
        kubectl.args(["apply", "--server-side", "-f", "-"]);
        command::run_with_input(&mut kubectl, objects).unwrap().success().unwrap();
    }

    /// Runs the plugin as one of the contexts and returns what happened.
    pub(crate) fn plugin(&self, context: &str, arguments: &[&str]) -> Outcome {
        command::run(self.cluster.plugin(context).args(arguments)).unwrap()
    }

    /// Creates a Module as one of the contexts.
    pub(crate) fn create(&self, context: &str, module: &Value) {
        let arguments = ["create", "--save-config", "-f", "-"];
        self.kubectl_with(context, &arguments, module).success().unwrap();
    }

    /// The stored Module, or nothing.
    pub(crate) fn module(&self, namespace: &str, name: &str) -> Option<Value> {
        self.object(namespace, "modules.cyclops-ui.com", name)
    }

    /// A stored object, or nothing.
    pub(crate) fn object(&self, namespace: &str, kind: &str, name: &str) -> Option<Value> {
        let arguments = ["get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found"];
        let text = self.admin(&arguments);
        (!text.trim().is_empty()).then(|| serde_json::from_str(&text).unwrap())
    }

    /// Waits until `condition` gives something.
    pub(crate) fn eventually<T>(&self, what: &str, condition: impl Fn() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(value) = condition() {
                return value;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{what}: did not happen; the log of the webhook and controller ends with\n{}",
                self.cluster.processes().last_lines(NAME)
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until the controller has nothing left to write on a Module, and returns it. Its finalizer and status would
    /// otherwise come between a read and a write of a test.
    pub(crate) fn reconciled(&self, namespace: &str, name: &str) -> Value {
        self.eventually("the controller reports success", || {
            let module = self.module(namespace, name)?;
            let status = &module["status"];
            (status["reconciliationStatus"]["status"] == "succeeded"
                && status["observedGeneration"] == module["metadata"]["generation"])
                .then_some(module)
        })
    }

    /// The address of the examples' or of the faulty templates.
    pub(crate) fn repository(&self, name: &str) -> &str {
        &self.cluster.templates()[name]
    }

    /// A Module of the examples' chart `app` whose locked values are all set.
    pub(crate) fn app(&self, namespace: &str, name: &str) -> Value {
        self.cluster.module(
            namespace,
            name,
            "app",
            &json!({
                "general": { "image": "registry.example.com/team/app", "version": "1.10" },
                "replicas": 2,
                "env": [{ "name": "LOG_LEVEL", "value": "info" }],
                "networking": { "expose": true, "port": 80, "host": "app.example.com" },
            }),
        )
    }

    /// A Module of the examples' chart `demo`, which locks nothing.
    pub(crate) fn demo(&self, namespace: &str, name: &str) -> Value {
        self.cluster.module(namespace, name, "demo", &json!({ "replicas": 1 }))
    }
}

/// What no refused write may change: everything but what controllers write.
pub(crate) fn intent(module: &Value) -> Value {
    let mut intent = module.clone();
    for field in ["resourceVersion", "managedFields"] {
        intent["metadata"].as_object_mut().unwrap().remove(field);
    }
    intent.as_object_mut().unwrap().remove("status");
    intent
}
