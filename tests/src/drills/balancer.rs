//! What kube-proxy does with a Service: new connections go to ready replicas in turn; established ones stay.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};

use crate::cluster::http_status;

/// Endpoints follow readiness after a moment, not at once.
const LOOK: Duration = Duration::from_millis(500);

/// Takes connections on one port.
#[derive(Clone)]
pub(super) struct Balancer(Arc<Mutex<Endpoints>>);

#[derive(Default)]
struct Endpoints {
    all: Vec<Endpoint>,
    connections: usize,
}

struct Endpoint {
    port: u16,
    status_port: u16,
    is_ready: bool,
}

impl Balancer {
    pub(super) async fn start(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| format!("the balancer cannot listen on port {port}"))?;
        let balancer = Self(Arc::default());
        tokio::spawn(balancer.clone().accept(listener));
        tokio::spawn(balancer.clone().look());
        Ok(balancer)
    }

    /// Adds a replica, which gets connections once it is found ready.
    pub(super) fn add(&self, port: u16, status_port: u16) {
        self.lock().all.push(Endpoint { port, status_port, is_ready: false });
    }

    pub(super) fn remove(&self, port: u16) {
        self.lock().all.retain(|endpoint| endpoint.port != port);
    }

    pub(super) fn is_ready(&self, port: u16) -> bool {
        self.lock().all.iter().any(|endpoint| endpoint.port == port && endpoint.is_ready)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Endpoints> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn choose(&self) -> Option<u16> {
        let mut endpoints = self.lock();
        endpoints.connections += 1;
        let ready: Vec<u16> =
            endpoints.all.iter().filter(|endpoint| endpoint.is_ready).map(|endpoint| endpoint.port).collect();
        ready.get(endpoints.connections % ready.len().max(1)).copied()
    }

    async fn accept(self, listener: TcpListener) {
        while let Ok((mut client, _)) = listener.accept().await {
            let Some(port) = self.choose() else { continue };
            tokio::spawn(async move {
                // A replica that refuses or resets the connection is a failed call for whoever waits for it.
                if let Ok(mut replica) = TcpStream::connect(("127.0.0.1", port)).await {
                    drop(replica.set_nodelay(true));
                    drop(client.set_nodelay(true));
                    drop(tokio::io::copy_bidirectional(&mut client, &mut replica).await);
                }
            });
        }
    }

    async fn look(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            let ports: Vec<u16> = self.lock().all.iter().map(|endpoint| endpoint.status_port).collect();
            for port in ports {
                let status = tokio::task::spawn_blocking(move || http_status(port, "/readyz")).await;
                let is_ready = matches!(status, Ok(Some(200)));
                for endpoint in self.lock().all.iter_mut().filter(|endpoint| endpoint.status_port == port) {
                    endpoint.is_ready = is_ready;
                }
            }
        }
    }
}
