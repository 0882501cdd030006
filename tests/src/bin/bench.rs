//! `tests/bench`: what an admission and a rendering cost, beside what they are measured against.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::Json;
use axum::routing::post;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::{Parser, Subcommand};
use rcgen::CertifiedKey;
use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use tests::cluster::{Cluster, Layout, NAME, NAMESPACE};
use tests::{checkout, command};

/// Measures admissions and renderings; figures are comparable only within one run
#[derive(Parser)]
#[command(name = "tests/bench")]
struct Arguments {
    /// Admissions of each kind
    #[arg(long, default_value_t = 1000)]
    admissions: usize,
    /// Renderings by each program
    #[arg(long, default_value_t = 30)]
    renderings: usize,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Allow everything: the same HTTP and TLS as the webhook's, and nothing else
    #[command(hide = true)]
    ServeNothing {
        /// Address to listen on
        address: SocketAddr,
        /// Certificate, a PEM file
        certificate: PathBuf,
        /// Private key, a PEM file
        key: PathBuf,
    },
}

/// Something that is posted to, again and again.
struct Target {
    name: &'static str,
    client: Client,
    address: String,
    body: Vec<u8>,
    times: Vec<Duration>,
}

/// A process that ends with this one.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    // The first installation in this process cannot fail.
    drop(rustls::crypto::ring::default_provider().install_default());
    if let Some(Action::ServeNothing { address, certificate, key }) = arguments.action {
        return serve_nothing(address, &certificate, &key).await;
    }
    let folder = tempfile::tempdir()?;
    let layout = Layout::new(Some(folder.path().join("cluster")))?;
    let cluster = Cluster::up(layout, &[])?;
    let measured = measure_admissions(&cluster, arguments.admissions).await;
    cluster.stop();
    measured?;
    println!();
    measure_renderings(&cluster, arguments.renderings)
}

/// Posts the same reviews in turn, so that a disturbance of the machine meets all of them.
async fn measure_admissions(cluster: &Cluster, count: usize) -> Result<()> {
    let review = review(cluster)?.to_string().into_bytes();
    let (_server, nothing) = start_nothing(cluster.layout().folder(), &review).await?;
    let mut targets = vec![nothing];
    for (name, kind) in
        [("validating webhook", "validatingwebhookconfiguration"), ("mutating webhook", "mutatingwebhookconfiguration")]
    {
        targets.push(webhook(cluster, name, kind, &review)?);
    }
    for target in &targets {
        let answer = target.post().await?;
        ensure!(
            answer["response"]["allowed"] == true,
            "{} does not allow the Module that is to be measured: {answer:#}",
            target.name
        );
    }
    // A tenth as many beforehand, not counted: caches, branch predictors, connections.
    for round in 0..count + count / 10 {
        for target in &mut targets {
            let start = Instant::now();
            target.post().await?;
            if round >= count / 10 {
                target.times.push(start.elapsed());
            }
        }
    }

    println!("Warm admission of examples/modules/app.yaml over TLS, {count} each, in turn");
    println!("{:<22}{:>12}{:>12}{:>12}{:>12}", "", "p50", "p99", "p50 ratio", "p99 ratio");
    let base = (percentile(&mut targets[0].times, 50), percentile(&mut targets[0].times, 99));
    for target in &mut targets {
        let (half, most) = (percentile(&mut target.times, 50), percentile(&mut target.times, 99));
        println!(
            "{:<22}{:>9.3} ms{:>9.3} ms{:>12.2}{:>12.2}",
            target.name,
            milliseconds(half),
            milliseconds(most),
            half.as_secs_f64() / base.0.as_secs_f64(),
            most.as_secs_f64() / base.1.as_secs_f64(),
        );
    }
    Ok(())
}

/// Renders the same chart in turn with both programs, from start to end of the process.
fn measure_renderings(cluster: &Cluster, count: usize) -> Result<()> {
    let chart = checkout::root().join("examples/templates/storefront");
    let helm = || {
        let mut helm = Command::new(cluster.description().programs.join("helm"));
        helm.args(["template", "release"]).arg(&chart).args(["--namespace", "somewhere"]);
        helm
    };
    let ours = || {
        let mut ours = Command::new(&cluster.description().plugin);
        ours.arg("render").arg("--chart").arg(&chart);
        ours.args(["--release", "release", "--namespace", "somewhere"]);
        ours
    };
    ensure!(
        command::run(&mut helm())?.success()? == command::run(&mut ours())?.success()?,
        "the two programs render storefront differently: see tests/parity examples/templates"
    );
    let (mut helm_times, mut our_times) = (Vec::new(), Vec::new());
    for _ in 0..count {
        helm_times.push(time(&mut helm())?);
        our_times.push(time(&mut ours())?);
    }
    let (helm, ours) = (percentile(&mut helm_times, 50), percentile(&mut our_times, 50));
    println!("Rendering examples/templates/storefront, process to process, {count} each, in turn");
    println!("{:<22}{:>12}", "", "median");
    println!("{:<22}{:>9.2} ms", "helm template", milliseconds(helm));
    println!("{:<22}{:>9.2} ms", "kubectl module render", milliseconds(ours));
    println!("helm takes {:.1} times as long", helm.as_secs_f64() / ours.as_secs_f64());
    Ok(())
}

/// The review of a developer's free change of the example.
fn review(cluster: &Cluster) -> Result<Value> {
    let file = checkout::root().join("examples/modules/app.yaml");
    let mut module: Value = serde_yaml::from_str(
        &std::fs::read_to_string(&file).with_context(|| format!("{} could not be read", file.display()))?,
    )?;
    module["spec"]["template"]["repo"] = json!(cluster.templates()["templates"]);
    let mut create = cluster.kubectl("gitops");
    create.args(["create", "-o", "json", "-f", "-"]);
    let stored = command::run_with_input(&mut create, &module.to_string())?.success()?;
    let stored: Value = serde_json::from_str(&stored)?;
    // As the validating webhook gets it, with what the mutating one stamps on it.
    let mut change = cluster.kubectl("developer");
    change.args(["patch", "modules.cyclops-ui.com", "app", "-o", "json", "--dry-run=server", "--type=merge"]);
    change.args(["-p", r#"{"spec":{"values":{"replicas":5}}}"#]);
    let changed: Value = serde_json::from_str(&command::run(&mut change)?.success()?)?;
    let kind = json!({ "group": "cyclops-ui.com", "version": "v1alpha1", "kind": "Module" });
    let resource = json!({ "group": "cyclops-ui.com", "version": "v1alpha1", "resource": "modules" });
    Ok(json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "0b6d3a5e-97b5-4a9c-8a0a-5f0d3c1f2b7e",
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "name": stored["metadata"]["name"],
            "namespace": stored["metadata"]["namespace"],
            "operation": "UPDATE",
            "userInfo": { "username": "alice", "groups": ["developers", "system:authenticated"] },
            "object": changed,
            "oldObject": stored,
            "dryRun": true,
            "options": { "apiVersion": "meta.k8s.io/v1", "kind": "UpdateOptions" },
        },
    }))
}

/// The webhook as its configuration describes it.
fn webhook(cluster: &Cluster, name: &'static str, kind: &str, body: &[u8]) -> Result<Target> {
    let mut get = cluster.kubectl("admin");
    get.args(["get", kind, NAME, "-o", "json"]);
    let configuration: Value = serde_json::from_str(&command::run(&mut get)?.success()?)?;
    // The one that decides updates of Modules themselves.
    let webhook = configuration["webhooks"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|webhook| {
            webhook["rules"].as_array().into_iter().flatten().any(|rule| {
                let lists = |field: &str, word: &str| {
                    rule[field].as_array().is_some_and(|words| words.iter().any(|other| other == word))
                };
                lists("resources", "modules") && lists("operations", "UPDATE")
            })
        })
        .with_context(|| format!("the {kind} {NAME} has no webhook for updates of modules"))?;
    let text = |field: &Value| field.as_str().map(str::to_owned).context("an incomplete clientConfig");
    let authority = BASE64_STANDARD.decode(text(&webhook["clientConfig"]["caBundle"])?)?;
    let path = text(&webhook["clientConfig"]["service"]["path"])?;
    let port = cluster.description().ports.webhook;
    let host = format!("{NAME}.{NAMESPACE}.svc");
    Target::new(name, &host, port, &path, &authority, body)
}

/// Starts the server that allows everything, as another process like the webhook.
async fn start_nothing(folder: &Path, body: &[u8]) -> Result<(Server, Target)> {
    let host = "nothing.example.com";
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed([host.to_owned()])?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let (certificate, key) = (folder.join("nothing.crt"), folder.join("nothing.key"));
    std::fs::write(&certificate, cert.pem())?;
    std::fs::write(&key, signing_key.serialize_pem())?;
    let child = Command::new(std::env::current_exe()?)
        .args(["serve-nothing", &format!("127.0.0.1:{port}")])
        .args([&certificate, &key])
        .stdin(Stdio::null())
        .spawn()
        .context("the server that allows everything could not be started")?;
    let server = Server(child);
    let target = Target::new("no-op handler", host, port, "/", cert.pem().as_bytes(), body)?;
    for _ in 0..100 {
        if target.post().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok((server, target))
}

/// Parses the review, as every handler has to, and allows it.
async fn serve_nothing(address: SocketAddr, certificate: &Path, key: &Path) -> Result<()> {
    let answer = |Json(review): Json<Value>| async move {
        Json(json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": { "uid": review["request"]["uid"], "allowed": true },
        }))
    };
    let config = RustlsConfig::from_pem_file(certificate, key).await?;
    let router = axum::Router::new().fallback(post(answer));
    axum_server::bind_rustls(address, config).serve(router.into_make_service()).await?;
    Ok(())
}

impl Target {
    fn new(name: &'static str, host: &str, port: u16, path: &str, authority: &[u8], body: &[u8]) -> Result<Self> {
        let client = Client::builder()
            .tls_certs_only(Certificate::from_pem_bundle(authority)?)
            .resolve(host, SocketAddr::from(([127, 0, 0, 1], port)))
            // What the API server speaks to a Service.
            .http1_only()
            .no_proxy()
            .build()?;
        Ok(Self {
            name,
            client,
            address: format!("https://{host}:{port}{path}"),
            body: body.to_vec(),
            times: Vec::new(),
        })
    }

    async fn post(&self) -> Result<Value> {
        let request = self.client.post(&self.address).header("content-type", "application/json");
        let answer = request.body(self.body.clone()).send().await?.error_for_status()?;
        let answer = answer.bytes().await?;
        serde_json::from_slice(&answer).with_context(|| format!("{} answered something that is no JSON", self.name))
    }
}

fn time(command: &mut Command) -> Result<Duration> {
    let program = Path::new(command.get_program()).display().to_string();
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output();
    let elapsed = start.elapsed();
    ensure!(output.is_ok_and(|output| output.status.success()), "{program} failed while it was measured");
    Ok(elapsed)
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
