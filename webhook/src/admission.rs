//! The admission server: one `AdmissionReview` in, one decision out.
//!
//! Whatever goes wrong on the way is a refusal: there is no path from an error to `allowed`.

mod escalation;
mod expansion;
mod expansion_cache;
mod loading;
mod mutate;
mod policy_objects;
mod preview;
mod review;
mod stamps;
mod template_objects;
mod validate;
mod write;

#[cfg(test)]
mod tests;

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Query, State},
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::post,
};
use futures::FutureExt;
use module::verdict::{Controllers, Ground, Reason, Refusal};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::{
    access::AccessReviewer,
    arguments::duration,
    events::Events,
    kinds::Kinds,
    metrics::{self, AdmissionLabels, Hook, Metrics, Stage},
    policies::PolicyCache,
    templates::Templates,
    workers::{WorkerError, Workers},
};
pub use expansion_cache::ExpansionCache;
use review::{Answer, Request};

/// Two objects of etcd's limit (1.5 MiB) and what JSON adds to them.
const BODY_LIMIT: usize = 8 << 20;

/// Requests being read or decided. Bounds memory.
const IN_FLIGHT: usize = 128;

/// Requests that wait to be read. Those beyond are sent away at once; the API server's client tries again when told so,
/// as long as there is time.
const WAITING: usize = 1_024;

/// What the API server waits for a webhook that does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest that the API server lets a webhook ask for.
const MAXIMUM_TIMEOUT: Duration = Duration::from_secs(30);

/// Our own refusal has to be on the way before the API server gives up.
const ANSWER_MARGIN: Duration = Duration::from_millis(300);

/// What decides.
pub struct Admission {
    /// The policies.
    pub policies: Arc<PolicyCache>,
    /// The templates.
    pub templates: Arc<Templates>,
    /// The cluster's kinds.
    pub kinds: Arc<Kinds>,
    /// Who may do what.
    pub access: Arc<dyn AccessReviewer>,
    /// Threads to render on.
    pub workers: Workers,
    /// What Modules were seen to expand to.
    pub expansions: Arc<ExpansionCache>,
    /// Whose writes of status and finalizers are a controller's.
    pub controllers: Controllers,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Where people are told.
    pub events: Events,
    /// Where credentials for template repositories are looked for.
    pub credentials_namespace: String,
    /// Nothing is enforced: what would be refused is let through, with a warning.
    pub audit_only: bool,
}

#[derive(Clone)]
struct Server {
    admission: Arc<Admission>,
    queue: Arc<Semaphore>,
    in_flight: Arc<Semaphore>,
}

/// `POST /validate` and `POST /mutate`.
pub fn router(admission: Arc<Admission>) -> Router {
    let server = Server {
        admission,
        queue: Arc::new(Semaphore::new(WAITING + IN_FLIGHT)),
        in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
    };
    Router::new()
        .route("/validate", post(validate_handler))
        .route("/mutate", post(mutate_handler))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(server)
}

#[derive(Deserialize)]
struct Parameters {
    timeout: Option<String>,
}

async fn validate_handler(
    server: State<Server>,
    query: Query<Parameters>,
    request: axum::extract::Request,
) -> Response {
    handle(&server.0, Hook::Validate, query.0.timeout.as_deref(), request).await
}

async fn mutate_handler(server: State<Server>, query: Query<Parameters>, request: axum::extract::Request) -> Response {
    handle(&server.0, Hook::Mutate, query.0.timeout.as_deref(), request).await
}

async fn handle(server: &Server, hook: Hook, timeout: Option<&str>, request: axum::extract::Request) -> Response {
    let started = Instant::now();
    let deadline = tokio::time::Instant::now() + budget(timeout);
    let metrics = &server.admission.metrics;
    let Ok(_place) = server.queue.try_acquire() else { return too_many(server) };
    let reading = metrics.stage(Stage::Read);
    let waiting = metrics.admission_waits();
    let read = tokio::time::timeout_at(deadline, async {
        let permit = server.in_flight.acquire().await;
        drop(waiting);
        (permit, Bytes::from_request(request, &()).await)
    });
    let (_permit, body) = match read.await {
        Ok((Ok(permit), Ok(body))) => (permit, body),
        Ok((_, Err(rejection))) => {
            let labels = AdmissionLabels {
                hook,
                operation: metrics::Operation::Unknown,
                decision: metrics::Decision::Invalid,
                reason: metrics::Reason(Some(Ground::Malformed)),
            };
            metrics.admission(labels, started.elapsed());
            return rejection.into_response();
        }
        Ok((Err(_), _)) | Err(_) => return too_many(server),
    };
    drop(reading);
    let _in_flight = metrics.admission_started();
    let decoding = metrics.stage(Stage::Decode);
    let decoded = review::decode(&body);
    drop(decoding);
    let (operation, answer) = match decoded {
        Ok(request) => {
            let operation = request.metrics_operation();
            (operation, decide(&server.admission, hook, request, deadline).await)
        }
        Err(malformed) => (metrics::Operation::Unknown, malformed.answer()),
    };
    answer.log();
    answer.count(metrics);
    if let Some(occurrence) = answer.occurrence() {
        server.admission.events.tell(occurrence);
    }
    let (decision, reason) = (answer.metrics_decision(), metrics::Reason(answer.ground()));
    metrics.admission(AdmissionLabels { hook, operation, decision, reason }, started.elapsed());
    match answer.into_review() {
        Ok(review) => Json(review).into_response(),
        // Without a uid the API server accepts no answer; the status code says the rest.
        Err(message) => (StatusCode::BAD_REQUEST, message).into_response(),
    }
}

/// The answer to a request that was not read: there is no uid to answer to.
fn too_many(server: &Server) -> Response {
    server.admission.metrics.request_shed();
    (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")], "too many requests\n").into_response()
}

/// Decides a request before its deadline, come what may.
async fn decide(admission: &Admission, hook: Hook, request: Request, deadline: tokio::time::Instant) -> Answer {
    let about = request.about();
    let span = tracing::debug_span!("admission", hook = ?hook, uid = about.uid, name = about.name);
    let work = async {
        match hook {
            Hook::Validate => validate::validate(admission, request).await,
            Hook::Mutate => mutate::mutate(admission, request).await,
        }
    };
    let work = AssertUnwindSafe(tracing::Instrument::instrument(work, span)).catch_unwind();
    let outcome = match tokio::time::timeout_at(deadline, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(worker_refusal(WorkerError::Panicked)),
        Err(_) => Err(Refusal {
            code: 504,
            reason: Reason::Timeout,
            ground: Ground::Deadline,
            message: "this write could not be decided in the time that the API server allows, so it is refused; \
                      a template that is fetched for the first time may be there when you try again"
                .to_owned(),
            causes: Vec::new(),
            // Clients that are told when to try again do so up to ten times before they show this.
            retry_after_seconds: None,
        }),
    };
    let answer = Answer::new(about, outcome);
    if admission.audit_only { answer.reported() } else { answer }
}

fn budget(timeout: Option<&str>) -> Duration {
    let asked = timeout.and_then(|text| duration(text).ok()).unwrap_or(DEFAULT_TIMEOUT).min(MAXIMUM_TIMEOUT);
    // Of very short timeouts at least half is left for the work.
    asked.saturating_sub(ANSWER_MARGIN).max(asked / 2)
}

/// A refusal for a job that gave no result.
fn worker_refusal(error: WorkerError) -> Refusal {
    let ground = match error {
        WorkerError::Overloaded => Ground::Overload,
        WorkerError::Panicked => Ground::Internal,
    };
    Refusal::unavailable(error.to_string(), 1).on(ground)
}
