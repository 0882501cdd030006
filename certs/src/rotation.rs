//! The loop that keeps certificates fresh, served, and trusted.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use kube::{
    Client,
    runtime::watcher::{Config, watch_object, watcher},
};
use tokio::{sync::Notify, task::JoinSet, time::Instant};

use crate::{
    CertificateBundle, CertificateError, Lifetimes, ReloadableCertificate, publication::WebhookConfigurations,
    secret::CertificateSecret,
};

/// Wall clock is looked at this often; a missed watch event is made good as late as this.
const CHECK_INTERVAL: Duration = Duration::from_mins(1);

/// After a failed call to the API server.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// How long API servers may take to see a new `caBundle`: each of them watches the configurations, and there may be several.
/// Until then a certificate of a new authority is served to nobody.
const OBSERVATION: Duration = Duration::from_secs(10);

/// What certificates are made for and where they go.
#[derive(Clone, Debug)]
pub struct RotationOptions {
    /// Namespace of the Secret.
    pub namespace: String,
    /// Name of the Secret.
    pub secret: String,
    /// Name of the webhook configurations.
    pub configurations: String,
    /// DNS names and addresses that the server answers to.
    pub names: Vec<String>,
    /// How long certificates live.
    pub lifetimes: Lifetimes,
}

/// Certificates of a running server.
pub struct Rotation {
    secret: CertificateSecret,
    configurations: WebhookConfigurations,
    options: RotationOptions,
    served: Arc<ReloadableCertificate>,
    current: Mutex<CertificateBundle>,
    wake: Notify,
    repairs: AtomicU64,
}

/// The names that API servers and people call a Service by, and `localhost` for runs outside a cluster.
pub fn service_names(service: &str, namespace: &str) -> Vec<String> {
    vec![
        format!("{service}.{namespace}.svc"),
        format!("{service}.{namespace}.svc.cluster.local"),
        "localhost".to_owned(),
    ]
}

impl Rotation {
    /// Reads or makes the certificates. The server can start with [`Rotation::served`] at once.
    pub async fn start(client: Client, options: RotationOptions) -> Result<Self, CertificateError> {
        let secret =
            CertificateSecret::new(kube::Api::namespaced(client.clone(), &options.namespace), options.secret.clone());
        let configurations = WebhookConfigurations::new(client, options.configurations.clone());
        let current = secret.ensure(&options.names, options.lifetimes, None).await?;
        let served = Arc::new(ReloadableCertificate::new(&current.serving)?);
        Ok(Self {
            secret,
            configurations,
            options,
            served,
            current: Mutex::new(current),
            wake: Notify::new(),
            repairs: AtomicU64::new(0),
        })
    }

    /// What the server serves, now and later.
    pub fn served(&self) -> Arc<ReloadableCertificate> {
        Arc::clone(&self.served)
    }

    /// End of life of the served certificate.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.current().not_after().ok()
    }

    /// How often [`Rotation::run`] found a configuration without our authority although it had not changed: somebody had
    /// taken it away.
    pub fn repairs(&self) -> u64 {
        self.repairs.load(Ordering::Relaxed)
    }

    /// Makes the API server trust what is served, and waits until it does. On a first installation there is nothing to wait
    /// for: nobody is trusted before.
    pub async fn publish(&self) -> Result<(), CertificateError> {
        let authorities = self.current().authorities_pem;
        if self.configurations.publish(&authorities).await?.replaced {
            tokio::time::sleep(OBSERVATION).await;
        }
        Ok(())
    }

    /// Runs until cancelled by dropping the future: renews at two thirds of a certificate's life, takes over what
    /// other replicas wrote, and repairs a changed `caBundle`.
    pub async fn run(self: Arc<Self>) {
        let mut watches = JoinSet::new();
        watches.spawn(Arc::clone(&self).watch_secret());
        watches.spawn(Arc::clone(&self).watch_validating());
        watches.spawn(Arc::clone(&self).watch_mutating());
        let mut announced = None;
        loop {
            let pause = match self.step(&mut announced).await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "certificate rotation failed");
                    RETRY_INTERVAL
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One round; returns when the next one is due. A new authority must be trusted before it is served: it is published, and
    /// what it has signed is served when API servers have had the time to see that. `announced`: the authority that is
    /// waited for, and since when.
    async fn step(&self, announced: &mut Option<(String, Instant)>) -> Result<Duration, CertificateError> {
        let before = self.current();
        let bundle = self.secret.ensure(&self.options.names, self.options.lifetimes, Some(&before)).await?;
        let published = self.configurations.publish(&bundle.authorities_pem).await?;
        if published.changed {
            tracing::info!("published caBundle");
        }
        if bundle == before {
            self.repairs.fetch_add(published.changed.into(), Ordering::Relaxed);
            *announced = None;
            return Ok(CHECK_INTERVAL);
        }
        // What has ended is trusted by nobody: nothing is lost by replacing it at once.
        if bundle.authority_key_pem != before.authority_key_pem && before.not_after()? > SystemTime::now() {
            let known = announced.take().filter(|(key, _)| *key == bundle.authority_key_pem);
            let (_, since) = announced.insert(known.unwrap_or((bundle.authority_key_pem.clone(), Instant::now())));
            let remaining = OBSERVATION.saturating_sub(since.elapsed());
            if !remaining.is_zero() {
                return Ok(remaining);
            }
        }
        self.served.replace(&bundle.serving)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = bundle;
        *announced = None;
        tracing::info!("serving a new certificate");
        Ok(CHECK_INTERVAL)
    }

    fn current(&self) -> CertificateBundle {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn watch_secret(self: Arc<Self>) {
        let stream = watch_object(self.secret.api().clone(), self.secret.name());
        self.wake_on(stream).await;
    }

    async fn watch_validating(self: Arc<Self>) {
        let config = Config::default().fields(&format!("metadata.name={}", self.options.configurations));
        self.wake_on(watcher(self.configurations.validating.clone(), config)).await;
    }

    async fn watch_mutating(self: Arc<Self>) {
        let config = Config::default().fields(&format!("metadata.name={}", self.options.configurations));
        self.wake_on(watcher(self.configurations.mutating.clone(), config)).await;
    }

    async fn wake_on<T>(&self, stream: impl futures::Stream<Item = Result<T, kube::runtime::watcher::Error>>) {
        use futures::StreamExt;
        let mut stream = std::pin::pin!(stream);
        while let Some(event) = stream.next().await {
            match event {
                Ok(_) => self.wake.notify_one(),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "watch failed; it is retried");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
            }
        }
    }
}
