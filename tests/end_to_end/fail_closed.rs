//! Whatever fails, nothing that a template locks can change, and the rest goes on: a table of what passes when.

use std::fmt::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum_server::{Handle, tls_rustls::RustlsConfig};
use serde_json::{Value, json};
use tests::checkout;
use tests::cluster::{NAME, NAMESPACE, http_get};
use tests::command::{self, Outcome};

use crate::bad_input::webhook_client;
use crate::environment::Environment;

const TEAM: &str = "team-a";
const GIT: &str = "git-server";
const API_SERVER: &str = "kube-apiserver";

/// After the end of a failure, the next write may take this long on a busy machine. After a start of its own, the API
/// server refuses writes until it has found the kind that parameterises its policies, for which it looks every 30 s.
const RECOVERY: Duration = Duration::from_mins(1);

/// A write that is tried in every situation, each on a Module of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Attempt {
    /// A developer changes a locked value.
    Violation,
    /// A GitOps writer changes a locked value.
    Claim,
    /// A developer changes a free value.
    Free,
    /// A developer adds a label.
    Label,
    /// An administrator claims that another template was resolved.
    Status,
    /// A developer deletes a Module that Git owns.
    Removal,
    /// A developer deletes a Module without locks.
    Deletion,
    /// A developer creates a Module from a version that was never fetched.
    Creation,
}

const ATTEMPTS: [Attempt; 8] = [
    Attempt::Violation,
    Attempt::Claim,
    Attempt::Free,
    Attempt::Label,
    Attempt::Status,
    Attempt::Removal,
    Attempt::Deletion,
    Attempt::Creation,
];

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Passes,
    /// Refused, with this text.
    Says(&'static str),
}

use Fate::{Passes, Says};

/// In the order of [`ATTEMPTS`].
type Fates = [Fate; 8];

const LOCKED: Fate = Says("spec.values.general.version");
const FORGED: Fate = Says("status.templateResolvedVersion");
/// By the policies of the API server, with or without us.
const KEPT: Fate = Says("is kept in Git");
const DENIED: Fate = Says("denied the request");
const UNREACHED: Fate = Says("failed calling webhook");

/// Everything works.
const HEALTHY: Fates = [LOCKED, Passes, Passes, Passes, FORGED, KEPT, Passes, Passes];
/// Only the API server decides: what could matter is refused, the rest is not asked about.
const UNDECIDED: Fates = [UNREACHED, UNREACHED, UNREACHED, Passes, FORGED, KEPT, Passes, UNREACHED];
/// What is pinned is decided; another version is not to be had.
const WITHOUT_SOURCE: Fates = [LOCKED, Passes, Passes, Passes, FORGED, KEPT, Passes, DENIED];

#[test]
fn whatever_fails_no_lock_opens() {
    let cluster = checkout::programs().unwrap().cluster;
    let environment = Environment::start("fail-closed");
    let mut table = Table { environment: &environment, round: 0, failures: String::new(), recoveries: Vec::new() };
    for attempt in ATTEMPTS {
        environment.create("gitops", &environment.app(TEAM, &name(attempt)));
    }
    for attempt in ATTEMPTS {
        environment.reconciled(TEAM, &name(attempt));
    }
    let processes = environment.cluster.processes();

    table.row("healthy", HEALTHY, || {});
    table.row("webhook killed", UNDECIDED, || processes.kill(NAME));
    table.recovery("webhook started", || environment.cluster.start_webhook().unwrap());
    table.row("webhook hung", UNDECIDED, || processes.pause(NAME));
    table.recovery("webhook goes on", || processes.resume(NAME));

    let mut impostor = None;
    table.row("wrong certificate", UNDECIDED, || {
        processes.kill(NAME);
        let port = environment.cluster.description().ports.webhook;
        // The last threads of the killed process may hold it for another moment.
        let listener = environment.eventually("the port is free", || TcpListener::bind(("127.0.0.1", port)).ok());
        impostor = Some(Impostor::start(listener));
    });
    assert_eq!(impostor.map(Impostor::stop), Some(0), "a request went to whoever had the port");
    table.recovery("webhook started", || environment.cluster.start_webhook().unwrap());

    table.row("template source down", WITHOUT_SOURCE, || processes.kill(GIT));
    table.recovery("template source started", || environment.cluster.start_git_server(&cluster).unwrap());
    table.row("template source hung", WITHOUT_SOURCE, || processes.pause(GIT));
    table.recovery("template source goes on", || processes.resume(GIT));

    processes.kill(API_SERVER);
    table.recovery("API server started", || environment.cluster.start_api_server().unwrap());
    table.row("API server restarted", HEALTHY, || {});

    what_is_being_decided_is_answered(&environment);
    let authority = format!("--client-ca-file={}", environment.cluster.layout().path("credentials/ca.crt").display());
    let clients = [authority.as_str(), "--client-name=kube-apiserver"];
    table.recovery("webhook started", || environment.cluster.start_webhook_with(&clients).unwrap());
    table.row("the API server's certificate is asked for", HEALTHY, || {});
    strangers_are_turned_away(&environment);

    println!("recovered after: {:?}", table.recoveries);
    assert!(table.failures.is_empty(), "\n{}", table.failures);
}

struct Table<'a> {
    environment: &'a Environment,
    round: usize,
    failures: String,
    recoveries: Vec<(&'static str, Duration)>,
}

impl Table<'_> {
    /// Tries every write in a situation, all at once: a hung process makes each wait for the API server's patience.
    fn row(&mut self, what: &str, fates: Fates, begin: impl FnOnce()) {
        self.round += 1;
        let (environment, round) = (self.environment, self.round);
        environment.create("developer", &environment.demo(TEAM, &format!("deleted-{round}")));
        let mut tag = Command::new("git");
        tag.current_dir(environment.cluster.layout().path("git/templates")).args(["tag", &format!("round-{round}")]);
        command::run(&mut tag).unwrap().success().unwrap();
        begin();
        let outcomes = std::thread::scope(|scope| {
            ATTEMPTS
                .map(|attempt| scope.spawn(move || try_to(environment, attempt, round)))
                .map(|attempt| attempt.join().unwrap())
        });
        for ((attempt, fate), outcome) in ATTEMPTS.iter().zip(fates).zip(outcomes) {
            let as_expected = match fate {
                Passes => outcome.succeeded(),
                Says(text) => !outcome.succeeded() && outcome.stderr.contains(text),
            };
            if !as_expected {
                writeln!(self.failures, "{what}: {attempt:?}: expected {fate:?}: {outcome}").unwrap();
            }
        }
    }

    /// Ends a situation, and waits until a free value can be written again.
    fn recovery(&mut self, what: &'static str, end: impl FnOnce()) {
        self.round += 1;
        end();
        let start = Instant::now();
        loop {
            let outcome = try_to(self.environment, Attempt::Free, self.round);
            if outcome.succeeded() {
                break;
            }
            assert!(start.elapsed() < RECOVERY, "{what}: writes are still refused: {outcome}");
        }
        self.recoveries.push((what, start.elapsed()));
        let stored = self.environment.module(TEAM, &name(Attempt::Violation)).unwrap();
        assert_eq!(stored["spec"]["values"]["general"]["version"], "1.10", "{what}: a lock was opened");
        assert_ne!(stored["status"]["templateResolvedVersion"], "forged", "{what}");
    }
}

fn name(attempt: Attempt) -> String {
    format!("{attempt:?}").to_lowercase()
}

fn try_to(environment: &Environment, attempt: Attempt, round: usize) -> Outcome {
    let name = name(attempt);
    let patch = |context: &str, change: &Value, arguments: &[&str]| {
        let change = change.to_string();
        let mut all = vec!["patch", "modules.cyclops-ui.com", &name, "-n", TEAM, "--type=merge", "-p", &change];
        all.extend(arguments);
        environment.kubectl(context, &all)
    };
    let delete = |name: &str| {
        environment.kubectl("developer", &["delete", "modules.cyclops-ui.com", name, "-n", TEAM, "--wait=false"])
    };
    let version = |version: String| json!({ "spec": { "values": { "general": { "version": version } } } });
    match attempt {
        Attempt::Violation => patch("developer", &version("violated".to_owned()), &[]),
        Attempt::Claim => patch("gitops", &version(format!("2.{round}")), &[]),
        Attempt::Free => patch("developer", &json!({ "spec": { "values": { "replicas": 2 + round } } }), &[]),
        Attempt::Label => {
            let round = round.to_string();
            patch("developer", &json!({ "metadata": { "labels": { "example.com/round": round } } }), &[])
        }
        Attempt::Status => {
            let status = json!({ "status": { "templateResolvedVersion": "forged" } });
            patch("admin", &status, &["--subresource=status"])
        }
        Attempt::Removal => delete(&name),
        Attempt::Deletion => delete(&format!("deleted-{round}")),
        Attempt::Creation => {
            let mut module = environment.app(TEAM, &format!("created-{round}"));
            module["spec"]["template"]["version"] = json!(format!("round-{round}"));
            environment.kubectl_with("developer", &["create", "-f", "-"], &module)
        }
    }
}

/// A webhook that is told to end finishes what it has begun.
fn what_is_being_decided_is_answered(environment: &Environment) {
    let processes = environment.cluster.processes();
    processes.pause(GIT);
    std::thread::scope(|scope| {
        let mut module = environment.app(TEAM, "begun");
        module["spec"]["template"]["version"] = json!("round-1");
        module["spec"]["template"]["path"] = json!("demo");
        let begun = scope.spawn(move || environment.kubectl_with("developer", &["create", "-f", "-"], &module));
        let port = environment.cluster.description().ports.webhook_status;
        environment.eventually("the webhook works on it", || {
            http_get(port, "/metrics")?.1.contains("module_admissions_in_flight 1").then_some(())
        });
        processes.stop(NAME);
        let outcome = begun.join().unwrap();
        assert!(!outcome.succeeded() && outcome.stderr.contains("denied the request"), "{outcome}");
    });
    processes.resume(GIT);
}

/// Without a certificate of the authority, and with one of another name, there is not even an answer.
fn strangers_are_turned_away(environment: &Environment) {
    let developer = environment.cluster.identity("developer").unwrap();
    for identity in [None, Some(developer)] {
        let (client, root) = webhook_client(environment, identity);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let answer = runtime.block_on(client.post(format!("{root}/validate")).body("{}").send());
        let error = answer.unwrap_err();
        assert!(error.is_request() || error.is_connect(), "{error:?}");
    }
}

/// A server on the webhook's port with a certificate of its own for the webhook's name.
struct Impostor {
    asked: Arc<AtomicUsize>,
    handle: Handle<SocketAddr>,
    thread: std::thread::JoinHandle<()>,
}

impl Impostor {
    fn start(listener: TcpListener) -> Self {
        // Already installed is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let certified = rcgen::generate_simple_self_signed([format!("{NAME}.{NAMESPACE}.svc")]).unwrap();
        let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
        let asked = Arc::new(AtomicUsize::new(0));
        let handle = Handle::new();
        listener.set_nonblocking(true).unwrap();
        let thread = std::thread::spawn({
            let (asked, handle) = (Arc::clone(&asked), handle.clone());
            move || {
                tokio::runtime::Runtime::new().unwrap().block_on(async {
                    let tls = RustlsConfig::from_pem(certificate.into(), key.into()).await.unwrap();
                    let router = Router::new().fallback(move || async move {
                        asked.fetch_add(1, Ordering::SeqCst);
                    });
                    let server = axum_server::from_tcp_rustls(listener, tls).unwrap().handle(handle);
                    server.serve(router.into_make_service()).await.unwrap();
                });
            }
        });
        Self { asked, handle, thread }
    }

    /// Ends it, and returns how many requests it got.
    fn stop(self) -> usize {
        self.handle.shutdown();
        self.thread.join().unwrap();
        self.asked.load(Ordering::SeqCst)
    }
}
