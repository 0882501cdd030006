//! The plain HTTP port: liveness, readiness, metrics, and what the policies say.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::get,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{metrics::Metrics, policies::PolicyCache};

/// What readiness waits for. Each is set once; shutting down takes readiness away for good.
#[derive(Debug, Default)]
pub struct Readiness {
    policies: AtomicBool,
    kinds: AtomicBool,
    credentials: AtomicBool,
    certificates: AtomicBool,
    listening: AtomicBool,
    shutting_down: AtomicBool,
}

/// A condition of readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All `ModulePolicies` are known.
    Policies,
    /// The cluster's kinds are known.
    Kinds,
    /// The credentials for templates were looked for, whether or not there are any.
    Credentials,
    /// The API server trusts the served certificate.
    Certificates,
    /// The webhook's port is open.
    Listening,
}

impl Readiness {
    fn flag(&self, condition: Condition) -> &AtomicBool {
        match condition {
            Condition::Policies => &self.policies,
            Condition::Kinds => &self.kinds,
            Condition::Credentials => &self.credentials,
            Condition::Certificates => &self.certificates,
            Condition::Listening => &self.listening,
        }
    }

    /// Notes that a condition holds.
    pub fn set(&self, condition: Condition) {
        self.flag(condition).store(true, Ordering::Release);
    }

    /// Notes that the process is about to end.
    pub fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::Release);
    }

    /// Whether the process is about to end.
    pub fn is_shutting_down(&self) -> bool {
        self.shutting_down.load(Ordering::Acquire)
    }

    /// What is missing; nothing if ready.
    pub fn missing(&self) -> Vec<&'static str> {
        let named = [
            (Condition::Policies, "policies are not read yet"),
            (Condition::Kinds, "the cluster's kinds are not known yet"),
            (Condition::Credentials, "credentials for templates are not read yet"),
            (Condition::Certificates, "the certificate authority is not published yet"),
            (Condition::Listening, "the webhook does not listen yet"),
        ];
        let mut missing: Vec<_> = named
            .into_iter()
            .filter(|(condition, _)| !self.flag(*condition).load(Ordering::Acquire))
            .map(|(_, text)| text)
            .collect();
        if self.is_shutting_down() {
            missing.push("shutting down");
        }
        missing
    }
}

#[derive(Clone)]
struct Status {
    readiness: Arc<Readiness>,
    metrics: Arc<Metrics>,
    policies: Arc<PolicyCache>,
}

/// `/livez`, `/readyz`, `/metrics` and `/debug/policy?namespace=NAME`.
pub fn router(readiness: Arc<Readiness>, metrics: Arc<Metrics>, policies: Arc<PolicyCache>) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(scrape))
        .route("/debug/policy", get(policy))
        .with_state(Status { readiness, metrics, policies })
}

async fn ready(State(status): State<Status>) -> (StatusCode, String) {
    let missing = status.readiness.missing();
    if missing.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n")
    }
}

async fn scrape(
    State(status): State<Status>,
) -> Result<([(axum::http::HeaderName, &'static str); 1], String), StatusCode> {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = status.metrics.encode().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(axum::http::header::CONTENT_TYPE, OPEN_METRICS)], text))
}

#[derive(Deserialize)]
struct PolicyParameters {
    namespace: String,
}

async fn policy(
    State(status): State<Status>,
    Query(asked): Query<PolicyParameters>,
) -> Result<Json<Value>, (StatusCode, &'static str)> {
    let shown = status.policies.shown(&asked.namespace);
    shown.map(Json).ok_or((StatusCode::SERVICE_UNAVAILABLE, "policies are not read yet\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_only_when_everything_holds_and_never_again_after_shutdown() {
        let readiness = Readiness::default();
        for condition in [
            Condition::Policies,
            Condition::Kinds,
            Condition::Credentials,
            Condition::Certificates,
            Condition::Listening,
        ] {
            assert!(!readiness.missing().is_empty());
            readiness.set(condition);
        }
        assert!(readiness.missing().is_empty());
        readiness.shut_down();
        readiness.set(Condition::Listening);
        assert_eq!(readiness.missing(), ["shutting down"]);
    }
}
