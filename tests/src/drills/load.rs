//! Calls at a steady rate.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::cluster::{Client, Cluster, NAME, NAMESPACE, server_client};

/// How much later than a watch the callers over new connections learn of a `caBundle`.
const LAG: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(500);

/// Longer than an API server waits for our webhook.
const PATIENCE: Duration = Duration::from_secs(15);

/// What became of some calls.
#[derive(Debug, Default)]
pub struct Calls {
    /// How long those took that succeeded.
    pub times: Vec<Duration>,
    /// What those said that failed.
    pub failures: Vec<String>,
}

impl Calls {
    /// How many there were.
    pub fn count(&self) -> usize {
        self.times.len() + self.failures.len()
    }
}

/// Calls that go on until they are stopped.
pub(super) struct Load {
    stop: oneshot::Sender<()>,
    running: JoinHandle<Calls>,
}

impl Load {
    /// Begins a call `rate` times a second, whether or not those before have ended.
    pub(super) fn start<F>(rate: u32, call: impl Fn(u64) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let (stop, mut stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut calls = JoinSet::new();
            for number in 0.. {
                tokio::select! {
                    _ = ticks.tick() => {}
                    _ = &mut stopped => break,
                }
                let call = call(number);
                calls.spawn(async move {
                    let start = Instant::now();
                    let outcome = tokio::time::timeout(PATIENCE, call).await;
                    outcome.unwrap_or_else(|_| Err("no answer".to_owned())).map(|()| start.elapsed())
                });
            }
            let mut result = Calls::default();
            while let Some(outcome) = calls.join_next().await {
                match outcome.unwrap_or_else(|error| Err(error.to_string())) {
                    Ok(time) => result.times.push(time),
                    Err(failure) => result.failures.push(failure),
                }
            }
            result
        });
        Self { stop, running }
    }

    /// Begins no more calls, and waits for those that are under way.
    pub(super) async fn stop(self) -> Calls {
        // It has ended by itself only if it panicked, which is found out next.
        let _ = self.stop.send(());
        self.running.await.unwrap_or_default()
    }
}

/// Writes a Module through the API server.
pub(super) async fn write(client: Client, name: String, number: u64) -> Result<(), String> {
    let path = format!("/apis/cyclops-ui.com/v1alpha1/namespaces/team-a/modules/{name}");
    let change = json!({ "spec": { "values": { "replicas": number % 10 } } });
    let request = client.request(Method::PATCH, &path).header(CONTENT_TYPE, "application/merge-patch+json");
    let answer = request.body(change.to_string()).send().await.map_err(|error| format!("{error:?}"))?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(answer.text().await.unwrap_or_else(|error| error.to_string()))
}

/// Calls the webhook over a connection of its own.
pub(super) async fn connect(trust: Arc<Trust>, port: u16) -> Result<(), String> {
    let host = format!("{NAME}.{NAMESPACE}.svc");
    let client = server_client(&host, port, &trust.now()).map_err(|error| error.to_string())?;
    let client = client.build().map_err(|error| error.to_string())?;
    let request = client.post(format!("https://{host}:{port}/validate")).body("{}");
    // That nothing is asked is answered too.
    let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
    if answer.status() == 400 { Ok(()) } else { Err(answer.status().to_string()) }
}

/// The `caBundle` as somebody knows it who is late.
pub(super) struct Trust(Mutex<VecDeque<(Instant, Vec<u8>)>>);

impl Trust {
    pub(super) fn new(cluster: &Cluster) -> Result<Self> {
        Ok(Self(Mutex::new([(Instant::now(), cluster.webhook_authority()?)].into())))
    }

    fn now(&self) -> Vec<u8> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let late = known.iter().rev().find(|(since, _)| since.elapsed() >= LAG).or_else(|| known.front());
        late.map(|(_, bundle)| bundle.clone()).unwrap_or_default()
    }

    pub(super) async fn follow(self: Arc<Self>, client: Client) {
        loop {
            tokio::time::sleep(LOOK).await;
            let Ok(answer) = client.request(Method::GET, &configuration()).send().await else { continue };
            let Ok(bytes) = answer.bytes().await else { continue };
            let Some(bundle) = serde_json::from_slice(&bytes).ok().as_ref().and_then(bundle) else { continue };
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if known.back().is_none_or(|(_, last)| *last != bundle) {
                known.push_back((Instant::now(), bundle));
            }
        }
    }
}

fn configuration() -> String {
    format!("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{NAME}")
}

fn bundle(configuration: &Value) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(configuration.pointer("/webhooks/0/clientConfig/caBundle")?.as_str()?).ok()
}
