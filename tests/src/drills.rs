//! Drills: certificates are renewed, authorities replaced and replicas restarted while Modules are written. No call may
//! fail.
//!
//! Two replicas stand behind a balancer that does what kube-proxy does. Modules are written through the API server, and
//! the webhook is called directly, over a new connection each time, as an API server would that learns of a new
//! `caBundle` late. Calls begin at their time, whether or not those before have ended.

mod balancer;
mod certificates;
mod load;
mod replicas;

use std::fmt;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::cluster::{Cluster, NAME, sum_of_metric};
use crate::command;
use crate::times::{milliseconds, percentile};
use balancer::Balancer;
use certificates::{Mounted, Stored};
pub use load::Calls;
use load::{Load, Trust};
use replicas::Replicas;

/// Modules that are written in turn.
const MODULES: usize = 20;

/// Load before the first event of a drill and after the last one.
const QUIET: Duration = Duration::from_secs(1);

/// How much is done in each drill.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Renewals of the served certificate.
    pub leaves: usize,
    /// Replacements of the certificate authority.
    pub authorities: usize,
    /// Replacements of a mounted Secret.
    pub swaps: usize,
    /// Rolling restarts of both replicas.
    pub restarts: usize,
    /// Writes a second. New connections are a fifth as many.
    pub rate: u32,
}

/// What was done in a drill, and what became of the calls meanwhile.
#[derive(Debug)]
pub struct Drill {
    /// What was done.
    pub name: &'static str,
    /// How often.
    pub events: usize,
    /// Writes of Modules through the API server.
    pub writes: Calls,
    /// Calls of the webhook over new connections.
    pub connections: Calls,
}

/// All drills.
#[derive(Debug)]
pub struct Report {
    /// In the order in which they were held.
    pub drills: Vec<Drill>,
    /// Calls of webhooks that the API server counts as failed meanwhile: those of writes that it refused for that, and of
    /// those that it let pass.
    pub counted: [u64; 2],
    /// Why it ended before all drills were held.
    pub broken_off: Option<String>,
}

impl Report {
    /// Whether no call has failed.
    pub fn is_clean(&self) -> bool {
        let failed = |drill: &Drill| drill.writes.failures.len() + drill.connections.failures.len();
        self.broken_off.is_none() && self.counted == [0, 0] && self.drills.iter().all(|drill| failed(drill) == 0)
    }
}

/// Holds all drills on a cluster of their own, which is left without its webhook.
///
/// # Errors
///
/// What could not be started. What fails later is told in the report.
pub fn run(cluster: &Cluster, size: Size) -> Result<Report> {
    // Already installed is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = Runtime::new()?;
    let port = cluster.description().ports.webhook;
    cluster.processes().stop(NAME);
    let balancer = runtime.block_on(Balancer::start(port))?;
    let mut replicas = Replicas::new(cluster, balancer);
    let mut stage = Stage { cluster, runtime, size, drills: Vec::new(), counted: [0, 0] };
    let outcome = stage.hold(&mut replicas);
    replicas.stop_all();
    let broken_off = outcome.err().map(|error| format!("{error:#}"));
    Ok(Report { drills: stage.drills, counted: stage.counted, broken_off })
}

struct Stage<'a> {
    cluster: &'a Cluster,
    runtime: Runtime,
    size: Size,
    drills: Vec<Drill>,
    counted: [u64; 2],
}

impl Stage<'_> {
    fn hold(&mut self, replicas: &mut Replicas<'_>) -> Result<()> {
        let size = self.size;
        for _ in 0..2 {
            replicas.start(&[])?;
        }
        self.cluster.await_webhook()?;
        self.create_modules()?;
        // The first calls, which fetch the template, are not what is measured.
        self.drill("nothing", 0, |_| Ok(()))?;
        self.drills.clear();

        let stored = Stored::new(self.cluster);
        self.drill("certificate renewed", size.leaves, |_| {
            let due = stored.make_leaf_due()?;
            stored.await_served(&due, &replicas.ports())
        })?;
        self.drill("authority replaced", size.authorities, |_| {
            let due = stored.make_authority_due()?;
            stored.await_served(&due, &replicas.ports())
        })?;
        self.drill("rolling restart", size.restarts, |_| {
            for _ in 0..2 {
                replicas.replace_oldest(&[])?;
            }
            Ok(())
        })?;

        replicas.stop_all();
        let mut mounted = Mounted::new(self.cluster)?;
        for folder in 0..2 {
            let argument = format!("--certificate-dir={}", mounted.folder(folder).display());
            replicas.start(&[&argument])?;
        }
        self.cluster.await_webhook()?;
        self.drill("mounted Secret replaced", size.swaps, |_| {
            mounted.renew()?;
            for (folder, port) in replicas.ports().into_iter().enumerate() {
                // Each node has its own time.
                mounted.project(folder)?;
                mounted.await_served(port)?;
            }
            Ok(())
        })
    }

    /// Does something several times under load.
    fn drill(&mut self, name: &'static str, events: usize, mut event: impl FnMut(usize) -> Result<()>) -> Result<()> {
        let before = counted(self.cluster)?;
        let trust = Arc::new(Trust::new(self.cluster)?);
        let port = self.cluster.description().ports.webhook;
        let developer = self.cluster.client("developer")?;
        let entered = self.runtime.enter();
        let following = tokio::spawn(Arc::clone(&trust).follow(self.cluster.client("admin")?));
        let writes = Load::start(self.size.rate, move |number| load::write(developer.clone(), module(number), number));
        let connections = Load::start((self.size.rate / 5).max(1), move |_| load::connect(Arc::clone(&trust), port));
        drop(entered);
        sleep(QUIET);
        let outcome = (0..events).try_for_each(&mut event);
        sleep(QUIET);
        let (writes, connections) = self.runtime.block_on(async { (writes.stop().await, connections.stop().await) });
        following.abort();
        for ((sum, before), after) in self.counted.iter_mut().zip(before).zip(counted(self.cluster)?) {
            *sum += after - before;
        }
        self.drills.push(Drill { name, events, writes, connections });
        outcome.with_context(|| format!("drill `{name}`"))
    }

    fn create_modules(&self) -> Result<()> {
        let modules: Vec<_> = (0..MODULES as u64)
            .map(|number| self.cluster.module("team-a", &module(number), "demo", &json!({ "replicas": 1 })))
            .collect();
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": modules });
        let mut create = self.cluster.kubectl("developer");
        command::run_with_input(create.args(["create", "-f", "-"]), &list.to_string())?.success().map(drop)
    }
}

fn module(number: u64) -> String {
    format!("drill-{}", number % MODULES as u64)
}

/// What the API server says of failed calls of webhooks.
fn counted(cluster: &Cluster) -> Result<[u64; 2]> {
    let mut get = cluster.kubectl("admin");
    let text = command::run(get.args(["get", "--raw", "/metrics"]))?.success()?;
    ensure!(text.contains("apiserver_admission_webhook_admission_duration_seconds"), "the metrics lack webhooks");
    Ok([
        sum_of_metric(&text, "apiserver_admission_webhook_rejection_count", "error_type=\"calling_webhook_error\"")?,
        sum_of_metric(&text, "apiserver_admission_webhook_fail_open_count", "module-webhook")?,
    ])
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{:<26}{:>6}  {:<20}{:>7}{:>8}{:>9}{:>9}",
            "drill", "times", "calls", "all", "failed", "p50", "p99"
        )?;
        for drill in &self.drills {
            for (kind, calls) in [("through API server", &drill.writes), ("new connections", &drill.connections)] {
                let (name, times) = if kind.starts_with("through") {
                    (drill.name, drill.events.to_string())
                } else {
                    ("", String::new())
                };
                let mut durations = calls.times.clone();
                let mut of_calls = |percent| format!("{:.1} ms", milliseconds(percentile(&mut durations, percent)));
                writeln!(
                    formatter,
                    "{name:<26}{times:>6}  {kind:<20}{:>7}{:>8}{:>9}{:>9}",
                    calls.count(),
                    calls.failures.len(),
                    of_calls(50),
                    of_calls(99),
                )?;
            }
        }
        let [refused, let_pass] = self.counted;
        writeln!(
            formatter,
            "the API server counts {refused} writes refused because a webhook failed, and {let_pass} let pass all the same"
        )?;
        if let Some(reason) = &self.broken_off {
            writeln!(formatter, "broken off: {reason}")?;
        }
        for drill in &self.drills {
            for failure in drill.writes.failures.iter().chain(&drill.connections.failures).take(10) {
                writeln!(formatter, "{}: {failure}", drill.name)?;
            }
        }
        Ok(())
    }
}
