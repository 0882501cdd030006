//! Wiring: everything is started here, and ends here.

use std::{
    future::Future,
    io::IsTerminal,
    net::TcpListener,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use axum::{
    extract::State,
    http::{HeaderValue, header::CONNECTION},
};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use certs::{Lifetimes, MountedCertificate, ReloadableCertificate, Rotation, RotationOptions};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use module::{Requester, verdict::Controllers};
use rustls::server::danger::ClientCertVerifier;
use template_source::{CertificateAuthorities, SourceLimits, SourceOptions};
use tokio::{signal::unix, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    Arguments,
    access::ClusterAccess,
    admission::{self, Admission, ExpansionCache},
    arguments::LogFormat,
    controller::{self, Controller},
    credentials::CredentialRules,
    events::Events,
    health::{self, Condition, Readiness},
    installation::{self, Names},
    kinds::Kinds,
    metrics::{CacheName, Metrics},
    policies::{PolicyCache, PolicyStatus},
    templates::{Sources, Templates},
    workers::Workers,
};

/// The Secret that holds the webhook's certificates.
pub(crate) const CERTIFICATE_SECRET: &str = "module-webhook-certificates";

/// Requests that are still being answered at the end: the longest that the API server waits.
const DRAIN: Duration = Duration::from_secs(30);

/// Giving the controller's Lease back and leaving the status of policies is a courtesy to the other replicas.
const FAREWELL: Duration = Duration::from_secs(3);

/// After a failed call at the start: the API server or our rights may be on their way.
const START_RETRY: Duration = Duration::from_secs(1);

/// A connection that says nothing for this long after its handshake is dropped.
const FIRST_REQUEST: Duration = Duration::from_secs(30);

/// Runs until SIGTERM or SIGINT.
pub fn run(arguments: Arguments) -> Result<()> {
    start_log(arguments.log_format);
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider is installed already"))?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(arguments))
}

fn start_log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,kube_client=warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

async fn serve(arguments: Arguments) -> Result<()> {
    let Arguments {
        kubeconfig,
        namespace,
        service,
        service_port,
        service_account,
        configurations,
        no_repair,
        bind,
        status_bind,
        client_ca_file,
        client_name,
        certificate_dir,
        inject_ca_from,
        cache_dir,
        source_ca_file,
        credentials_namespace,
        no_controller,
        audit_only,
        cyclops_user,
        identity,
        shutdown_delay,
        render_threads,
        template_root,
        log_format: _,
    } = arguments;
    let clients = client_ca_file.as_deref().map(|path| clients(path, client_name)).transpose()?;
    let authorities = source_ca_file.as_deref().map(authorities).transpose()?.unwrap_or_default();
    let mut terminate = Termination::new()?;
    let readiness = Arc::new(Readiness::default());
    let policies = Arc::new(PolicyCache::default());
    let metrics = Arc::new(Metrics::default());
    let handle = Handle::new();

    // Health first: a start that waits for something says for what.
    let status = listen(status_bind)?;
    let mut tasks = JoinSet::new();
    tasks.spawn({
        let router = health::router(Arc::clone(&readiness), Arc::clone(&metrics), Arc::clone(&policies));
        let server = axum_server::from_tcp(status)?.handle(handle.clone());
        async move { server.serve(router.into_make_service()).await.context("the status port failed") }
    });

    let client = connect(kubeconfig.as_deref()).await?;
    let threads = render_threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let workers = Workers::start(threads, metrics.render_jobs_waiting()).context("cannot start the render threads")?;
    tasks.spawn({
        let (policies, client, readiness) = (Arc::clone(&policies), client.clone(), Arc::clone(&readiness));
        async move {
            policies.follow(client, &readiness).await;
            anyhow::bail!("the watch of ModulePolicies ended")
        }
    });

    let sources = Arc::new(Sources::new(
        SourceOptions { cache_directory: cache_dir, limits: SourceLimits::default(), authorities },
        template_root,
        credentials_namespace.clone(),
    ));
    tasks.spawn({
        let (client, namespace) = (client.clone(), credentials_namespace.clone());
        let (sources, readiness) = (Arc::clone(&sources), Arc::clone(&readiness));
        async move {
            CredentialRules::new(client, namespace).follow(&sources, &readiness).await;
            anyhow::bail!("the watch of TemplateAuthRules ended")
        }
    });

    let start = async {
        let kinds = until_done("read the cluster's kinds", || Kinds::discover(client.clone())).await;
        readiness.set(Condition::Kinds);
        let certificates = until_done("get certificates", || {
            Certificates::start(
                certificate_dir.as_deref(),
                client.clone(),
                RotationOptions {
                    namespace: namespace.clone(),
                    secret: CERTIFICATE_SECRET.to_owned(),
                    configurations: configurations.clone(),
                    names: certs::rotation::service_names(&service, &namespace),
                    lifetimes: Lifetimes::default(),
                },
            )
        })
        .await;
        (Arc::new(kinds), certificates)
    };
    let (kinds, certificates) = tokio::select! {
        started = start => started,
        () = terminate.signalled() => return Ok(()),
        Some(ended) = tasks.join_next() => return ended?,
    };

    let templates = Arc::new(Templates::new(sources, workers.clone(), Arc::clone(&metrics)));
    let (events, told) = Events::new(Arc::clone(&metrics));
    tasks.spawn({
        let (client, identity) = (client.clone(), identity.clone());
        async move {
            told.write(client, &identity).await;
            anyhow::bail!("nobody decides any more")
        }
    });
    let admission = Arc::new(Admission {
        policies: Arc::clone(&policies),
        templates: Arc::clone(&templates),
        kinds: Arc::clone(&kinds),
        access: Arc::new(ClusterAccess::new(client.clone(), metrics.cache(CacheName::AccessReviews))),
        workers: workers.clone(),
        expansions: Arc::new(ExpansionCache::new(metrics.cache(CacheName::Expansions))),
        controllers: Controllers {
            own: Some(Requester::service_account_username(&namespace, &service_account)),
            cyclops: cyclops_user.clone(),
        },
        metrics: Arc::clone(&metrics),
        events,
        credentials_namespace,
        audit_only,
    });
    metrics.enforcing(!audit_only);
    if audit_only {
        tracing::warn!("nothing is enforced: what would be refused is only reported");
    }
    let tls = RustlsConfig::from_config(Arc::new(certificates.served().server_config(clients)?));
    let listener = listen(bind)?;
    tasks.spawn({
        let server =
            axum_server::from_tcp_rustls(listener, tls)?.handle(handle.clone()).first_request_timeout(FIRST_REQUEST);
        let router = admission::router(admission)
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&readiness), close_when_shutting_down));
        async move { server.serve(router.into_make_service()).await.context("the webhook's port failed") }
    });
    readiness.set(Condition::Listening);
    tracing::info!(%bind, %status_bind, "serving");

    tasks.spawn({
        let (readiness, metrics) = (Arc::clone(&readiness), Arc::clone(&metrics));
        async move {
            until_done("publish the certificate authority", || certificates.publish()).await;
            readiness.set(Condition::Certificates);
            tokio::join!(certificates.run(), report(&certificates, metrics));
            anyhow::bail!("the certificate rotation ended")
        }
    });
    if !no_repair {
        let names = Names {
            namespace: namespace.clone(),
            service,
            service_port,
            service_account,
            configurations,
            cyclops_user,
            inject_ca_from,
        };
        for kept in installation::kept_objects(&names, audit_only).context("the manifests cannot be read")? {
            let (client, metrics) = (client.clone(), Arc::clone(&metrics));
            tasks.spawn(async move {
                kept.keep(client, &metrics).await;
                anyhow::bail!("the watch of the installation ended")
            });
        }
    }
    let stop = CancellationToken::new();
    tasks.spawn({
        let status = PolicyStatus::new(client.clone(), &identity, Arc::clone(&metrics));
        let (policies, stop) = (Arc::clone(&policies), stop.clone());
        async move {
            status.follow(&policies, stop.clone()).await;
            anyhow::ensure!(stop.is_cancelled(), "the watch of namespaces ended");
            Ok(())
        }
    });
    if !no_controller {
        let controller = Controller { client, namespace, identity, policies, templates, kinds, workers, metrics };
        tasks.spawn(controller::run(controller, stop.clone()));
    }

    let outcome = tokio::select! {
        () = terminate.signalled() => Ok(()),
        Some(ended) = tasks.join_next() => ended.map_err(anyhow::Error::from).and_then(|ended| ended),
    };
    readiness.shut_down();
    stop.cancel();
    // These two end by themselves: the controller gives its Lease back, and the status of policies loses this replica.
    let farewells = if no_controller { 1 } else { 2 };
    let _ = tokio::time::timeout(FAREWELL, async {
        for _ in 0..farewells {
            tasks.join_next().await;
        }
    })
    .await;
    if outcome.is_ok() {
        tracing::info!("shutting down");
        tokio::select! {
            () = tokio::time::sleep(shutdown_delay) => {}
            () = terminate.signalled() => {}
        }
        handle.graceful_shutdown(Some(DRAIN));
        while handle.connection_count() > 0 {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
                () = terminate.signalled() => break,
            }
        }
    }
    outcome
}

/// Where the served certificate comes from.
enum Certificates {
    /// We make and publish our own.
    Own(Arc<Rotation>),
    /// Somebody else makes them and publishes their authority.
    Mounted(MountedCertificate),
}

impl Certificates {
    async fn start(
        folder: Option<&Path>,
        client: Client,
        options: RotationOptions,
    ) -> Result<Self, certs::CertificateError> {
        match folder {
            Some(folder) => MountedCertificate::open(folder.to_owned()).map(Self::Mounted),
            None => Rotation::start(client, options).await.map(Arc::new).map(Self::Own),
        }
    }

    fn served(&self) -> Arc<ReloadableCertificate> {
        match self {
            Self::Own(rotation) => rotation.served(),
            Self::Mounted(mounted) => mounted.served(),
        }
    }

    fn not_after(&self) -> Option<SystemTime> {
        match self {
            Self::Own(rotation) => rotation.not_after(),
            Self::Mounted(mounted) => mounted.not_after(),
        }
    }

    fn repairs(&self) -> u64 {
        match self {
            Self::Own(rotation) => rotation.repairs(),
            Self::Mounted(_) => 0,
        }
    }

    async fn publish(&self) -> Result<(), certs::CertificateError> {
        match self {
            Self::Own(rotation) => rotation.publish().await,
            Self::Mounted(_) => Ok(()),
        }
    }

    async fn run(&self) {
        match self {
            Self::Own(rotation) => Arc::clone(rotation).run().await,
            Self::Mounted(mounted) => mounted.run().await,
        }
    }
}

/// From SIGTERM on, each answer over HTTP/1.1 ends its connection: clients open new ones to other replicas, and none is
/// left on which a request could cross the end of this process.
async fn close_when_shutting_down(
    State(readiness): State<Arc<Readiness>>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    let persists = request.version() <= axum::http::Version::HTTP_11;
    let mut response = next.run(request).await;
    if persists && readiness.is_shutting_down() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn report(certificates: &Certificates, metrics: Arc<Metrics>) {
    const INTERVAL: Duration = Duration::from_secs(10);
    let mut counted = 0;
    loop {
        if let Some(not_after) = certificates.not_after() {
            metrics.certificate(not_after);
        }
        let repairs = certificates.repairs();
        metrics.installation_repaired(repairs - counted);
        counted = repairs;
        tokio::time::sleep(INTERVAL).await;
    }
}

fn listen(address: std::net::SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn authorities(path: &Path) -> Result<CertificateAuthorities> {
    let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    CertificateAuthorities::from_pem(&pem).with_context(|| format!("cannot use {}", path.display()))
}

fn clients(path: &Path, names: Vec<String>) -> Result<Arc<dyn ClientCertVerifier>> {
    let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    certs::client_verifier(&pem, names).with_context(|| format!("cannot use {}", path.display()))
}

async fn connect(kubeconfig: Option<&Path>) -> Result<Client> {
    let config = match kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).with_context(|| format!("cannot read {}", path.display()))?;
            Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                .await
                .with_context(|| format!("cannot use {}", path.display()))?
        }
        None => Config::infer().await.context("found no cluster: neither a Pod's service account nor a kubeconfig")?,
    };
    Client::try_from(config).context("cannot make a client for the cluster")
}

/// Repeats a call until it succeeds.
async fn until_done<T, E: std::error::Error + 'static, F: Future<Output = Result<T, E>>>(
    what: &str,
    mut call: impl FnMut() -> F,
) -> T {
    loop {
        match call().await {
            Ok(value) => return value,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot {what}; retrying");
                tokio::time::sleep(START_RETRY).await;
            }
        }
    }
}

struct Termination {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Termination {
    fn new() -> Result<Self> {
        Ok(Self {
            terminate: unix::signal(unix::SignalKind::terminate())?,
            interrupt: unix::signal(unix::SignalKind::interrupt())?,
        })
    }

    async fn signalled(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
