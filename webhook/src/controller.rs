//! The controller: what was admitted is what runs.
//!
//! Modules are read and their status is written with the controller's own rights. Everything that a chart decides is
//! done as a service account of the Module's namespace, through `Tenant`: there is no other way to the
//! cluster from here.

mod apply;
mod finalize;
mod reconcile;
mod status;
mod tenant;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use futures::StreamExt;
use kube::{
    Api, Client,
    core::DeserializeGuard,
    runtime::{controller, watcher},
};
use module::api::Module;
use tokio_util::sync::CancellationToken;

use crate::{
    kinds::Kinds, lease::Leadership, metrics::Metrics, policies::PolicyCache, templates::Templates, workers::Workers,
};

/// Field manager of applied resources.
pub const FIELD_MANAGER: &str = "module-controller";

/// Name of the Lease.
const LEASE: &str = "module-controller";

/// Modules reconciled at a time: they mostly wait for the API server.
const CONCURRENCY: u16 = 16;

/// The first pause after a failure; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest pause between attempts.
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// What the controller works with.
pub struct Controller {
    /// Acts with the controller's own rights: on Modules only.
    pub client: Client,
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of this replica.
    pub identity: String,
    /// The policies.
    pub policies: Arc<PolicyCache>,
    /// The templates.
    pub templates: Arc<Templates>,
    /// The cluster's kinds.
    pub kinds: Arc<Kinds>,
    /// Threads to render on.
    pub workers: Workers,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// The controller while it runs.
struct Context {
    controller: Controller,
    failures: Mutex<HashMap<(String, String), u32>>,
}

impl Context {
    /// How long to wait after another failure of this Module.
    fn failed(&self, namespace: &str, name: &str) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry((namespace.to_owned(), name.to_owned())).or_default();
        let pause = backoff(*count);
        *count = count.saturating_add(1);
        pause
    }

    fn succeeded(&self, namespace: &str, name: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&(namespace.to_owned(), name.to_owned()));
    }
}

fn backoff(failures: u32) -> Duration {
    FIRST_RETRY.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_RETRY)
}

/// Runs the controller whenever this replica holds the Lease, until it is told to stop.
pub async fn run(controller: Controller, stop: CancellationToken) -> Result<()> {
    let mut leadership = Leadership::new(controller.client.clone(), &controller.namespace, LEASE, &controller.identity);
    let context = Arc::new(Context { controller, failures: Mutex::default() });
    loop {
        tokio::select! {
            () = leadership.acquire() => tracing::info!("this replica runs the controller"),
            () = stop.cancelled() => return Ok(()),
        }
        // Dropping the stream drops every reconciliation with it.
        tokio::select! {
            () = reconcile_all(&context) => anyhow::bail!("the watch of Modules ended"),
            () = leadership.hold() => tracing::warn!("the Lease is lost; another replica runs the controller"),
            () = stop.cancelled() => {
                leadership.release().await;
                return Ok(());
            }
        }
    }
}

async fn reconcile_all(context: &Arc<Context>) {
    // An object that is not a valid Module is skipped; it must not stop the others.
    let modules: Api<DeserializeGuard<Module>> = Api::all(context.controller.client.clone());
    controller::Controller::new(modules, watcher::Config::default())
        .with_config(controller::Config::default().concurrency(CONCURRENCY))
        // A policy names who applies, and what may be applied.
        .reconcile_all_on(context.controller.policies.changes())
        .run(reconcile::reconcile, reconcile::failed, Arc::clone(context))
        .for_each(|outcome| async move {
            match outcome {
                // Already logged where it happened, with the Module's name.
                Ok(_) | Err(controller::Error::ReconcilerFailed(..) | controller::Error::ObjectNotFound(_)) => {}
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "the controller's watch failed"),
            }
        })
        .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        assert_eq!([0, 1, 2, 3].map(|failures| backoff(failures).as_secs()), [1, 2, 4, 8]);
        assert_eq!(backoff(20), LONGEST_RETRY);
        assert_eq!(backoff(u32::MAX), LONGEST_RETRY);
    }
}
