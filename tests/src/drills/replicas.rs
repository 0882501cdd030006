//! Replicas of the webhook, replaced as a Deployment with `maxUnavailable: 0` does.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::balancer::Balancer;
use crate::cluster::{Cluster, Ports};

/// Longer than endpoints take to follow; in production it is longer, for there are more of them.
const SHUTDOWN_DELAY: &str = "--shutdown-delay=3s";

/// The longest that a replica may take to come or go.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Replicas<'a> {
    cluster: &'a Cluster,
    balancer: Balancer,
    started: usize,
    /// The oldest first.
    running: Vec<Replica>,
}

struct Replica {
    name: String,
    port: u16,
}

impl<'a> Replicas<'a> {
    pub(super) fn new(cluster: &'a Cluster, balancer: Balancer) -> Self {
        Self { cluster, balancer, started: 0, running: Vec::new() }
    }

    /// The ports of all replicas.
    pub(super) fn ports(&self) -> Vec<u16> {
        self.running.iter().map(|replica| replica.port).collect()
    }

    /// Starts a replica, and waits until it gets connections.
    pub(super) fn start(&mut self, arguments: &[&str]) -> Result<()> {
        self.started += 1;
        let name = format!("replica-{}", self.started);
        let Ports { webhook: port, webhook_status: status_port, .. } = Ports::choose()?;
        let arguments = [&["--no-controller", SHUTDOWN_DELAY], arguments].concat();
        self.balancer.add(port, status_port);
        self.running.push(Replica { name: name.clone(), port });
        self.cluster.start_replica(&name, port, status_port, &arguments)?;
        until(&format!("{name} gets connections"), || self.balancer.is_ready(port))
    }

    /// Starts a replica, and ends the oldest one after that.
    pub(super) fn replace_oldest(&mut self, arguments: &[&str]) -> Result<()> {
        self.start(arguments)?;
        let oldest = self.running.remove(0);
        self.end(&oldest)
    }

    /// Ends all replicas.
    pub(super) fn stop_all(&mut self) {
        for replica in std::mem::take(&mut self.running) {
            self.cluster.processes().kill(&replica.name);
            self.balancer.remove(replica.port);
        }
    }

    fn end(&self, replica: &Replica) -> Result<()> {
        let processes = self.cluster.processes();
        processes.terminate(&replica.name);
        let ended = until(&format!("{} ends", replica.name), || !processes.is_running(&replica.name));
        self.balancer.remove(replica.port);
        ended
    }
}

/// Waits until something holds.
pub(super) fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !holds() {
        ensure!(start.elapsed() < PATIENCE, "{what}: did not happen");
        sleep(Duration::from_millis(50));
    }
    Ok(())
}
