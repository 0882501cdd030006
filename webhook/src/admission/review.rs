//! `AdmissionReview` v1: reading requests, writing answers.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use json_patch::Patch;
use k8s_openapi::api::authentication::v1::UserInfo;
use module::verdict::{Ground, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

use super::validate::is_module;
use crate::{
    events::{Action, Occurrence, Outcome, Subject},
    metrics::{self, Metrics},
    shortened,
};

/// The only version that is understood.
const API_VERSION: &str = "admission.k8s.io/v1";

/// The API server cuts warnings that are longer (`staging/src/k8s.io/apiserver/pkg/warning`).
const WARNING_CHARACTERS: usize = 256;

/// Messages travel through logs, events and terminals.
const MESSAGE_BYTES: usize = 2048;

/// An audit log has a line for each request.
const AUDIT_CHARACTERS: usize = 1024;

/// The key of a reason for writing past the locks among what an allowed write tells the audit log.
pub(crate) const BREAK_GLASS: &str = "break-glass";

/// The key of the locked paths that an allowed write changes.
pub(crate) const LOCKED_CHANGES: &str = "locked-changes";

/// More causes than this help nobody.
const CAUSES: usize = 64;

/// `request` of a review, as far as it is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    pub(crate) uid: String,
    pub(crate) kind: GroupVersionKind,
    pub(crate) resource: GroupVersionResource,
    #[serde(default)]
    pub(crate) sub_resource: Option<String>,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: String,
    pub(crate) operation: Operation,
    pub(crate) user_info: UserInfo,
    #[serde(default)]
    pub(crate) object: Option<Value>,
    #[serde(default)]
    pub(crate) old_object: Option<Value>,
    #[serde(default)]
    pub(crate) dry_run: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GroupVersionKind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct GroupVersionResource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) resource: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

/// What an answer repeats of its request.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub(crate) uid: String,
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) dry_run: bool,
    user: String,
    /// The Module and what is done to it, if it is one and has a name.
    module: Option<(Subject, Action)>,
}

/// A request that could not be read.
#[derive(Debug)]
pub(crate) struct Malformed {
    uid: String,
    problem: String,
}

/// What an allowed write is told.
#[derive(Debug, Default)]
pub(crate) struct Acceptance {
    pub(crate) warnings: Vec<String>,
    pub(crate) patch: Option<Patch>,
    /// For the API server's audit log; keys without prefix.
    pub(crate) audit: BTreeMap<&'static str, String>,
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    about: About,
    outcome: Result<Acceptance, Denial>,
}

#[derive(Debug)]
enum Denial {
    Refused(Refusal),
    /// Let through all the same, because nothing is enforced.
    Reported(Refusal),
    /// 400.
    Malformed(String),
}

/// Reads a review.
pub(crate) fn decode(body: &[u8]) -> Result<Request, Malformed> {
    let malformed = |uid: &str, problem: String| Malformed { uid: uid.to_owned(), problem };
    let mut review: Value =
        serde_json::from_slice(body).map_err(|error| malformed("", format!("the body is not JSON: {error}")))?;
    let uid = review.pointer("/request/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = |key: &str| review.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if api_version != API_VERSION || kind != "AdmissionReview" {
        let problem = format!("expected an AdmissionReview of {API_VERSION}, not `{kind}` of `{api_version}`");
        return Err(malformed(&uid, problem));
    }
    let request = review.get_mut("request").map(Value::take).unwrap_or_default();
    if !request.is_object() {
        return Err(malformed(&uid, "the AdmissionReview has no request".to_owned()));
    }
    let request: Request = serde_json::from_value(request)
        .map_err(|error| malformed(&uid, format!("the request is not valid: {error}")))?;
    if request.uid.is_empty() {
        return Err(malformed("", "the request has no uid".to_owned()));
    }
    Ok(request)
}

impl Request {
    pub(crate) fn about(&self) -> About {
        About {
            uid: self.uid.clone(),
            group: self.kind.group.clone(),
            kind: self.kind.kind.clone(),
            namespace: self.namespace.clone(),
            name: if self.name.is_empty() { object_name(self.object.as_ref()) } else { self.name.clone() },
            dry_run: self.is_dry_run(),
            user: self.user_info.username.clone().unwrap_or_default(),
            module: self.module(),
        }
    }

    fn module(&self) -> Option<(Subject, Action)> {
        let action = match self.operation {
            _ if !is_module(self) => return None,
            Operation::Create => Action::Create,
            Operation::Update => Action::Update,
            Operation::Delete => Action::Delete,
            Operation::Connect => return None,
        };
        let object = self.old_object.as_ref().or(self.object.as_ref())?;
        let field = |key: &str| object.pointer(key).and_then(Value::as_str).map(str::to_owned);
        let name = Some(self.name.clone()).filter(|name| !name.is_empty()).or_else(|| field("/metadata/name"))?;
        Some((Subject { namespace: self.namespace.clone(), name, uid: field("/metadata/uid") }, action))
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run == Some(true)
    }

    pub(crate) fn metrics_operation(&self) -> metrics::Operation {
        match self.operation {
            _ if self.sub_resource.as_deref() == Some("status") => metrics::Operation::Status,
            Operation::Create => metrics::Operation::Create,
            Operation::Update => metrics::Operation::Update,
            Operation::Delete => metrics::Operation::Delete,
            Operation::Connect => metrics::Operation::Unknown,
        }
    }
}

fn object_name(object: Option<&Value>) -> String {
    let field = |key: &str| object.and_then(|object| object.pointer(key)).and_then(Value::as_str);
    field("/metadata/name").or_else(|| field("/metadata/generateName")).unwrap_or_default().to_owned()
}

impl Malformed {
    pub(crate) fn answer(self) -> Answer {
        Answer { about: About { uid: self.uid, ..About::default() }, outcome: Err(Denial::Malformed(self.problem)) }
    }
}

impl Answer {
    pub(crate) fn new(about: About, outcome: Result<Acceptance, Refusal>) -> Self {
        Self { about, outcome: outcome.map_err(Denial::Refused) }
    }

    /// The answer where refusals are reported and not enforced. What could not be read stays refused: there is nothing
    /// that could be reported.
    pub(crate) fn reported(self) -> Self {
        let outcome = self.outcome.map_err(|denial| match denial {
            Denial::Refused(refusal) => Denial::Reported(refusal),
            other => other,
        });
        Self { outcome, ..self }
    }

    /// Logs what was not simply allowed, and no values: who may read the log may not read those.
    pub(crate) fn log(&self) {
        let About { namespace, kind, name, .. } = &self.about;
        let decision = self.metrics_decision();
        match &self.outcome {
            Ok(acceptance) => {
                if acceptance.audit.contains_key(BREAK_GLASS) {
                    tracing::warn!(namespace, kind, name, "a write past the locks was allowed by break-glass");
                }
            }
            Err(Denial::Malformed(_)) => tracing::warn!(?decision, "a request could not be read"),
            Err(Denial::Refused(refusal) | Denial::Reported(refusal)) => {
                tracing::info!(
                    namespace,
                    kind,
                    name,
                    ?decision,
                    code = refusal.code,
                    fields = joined(refusal),
                    "refused"
                );
            }
        }
    }

    pub(crate) fn metrics_decision(&self) -> metrics::Decision {
        match &self.outcome {
            Ok(_) => metrics::Decision::Allowed,
            Err(Denial::Malformed(_)) => metrics::Decision::Invalid,
            Err(Denial::Reported(_)) => metrics::Decision::Reported,
            Err(Denial::Refused(refusal)) => match refusal.code {
                403 => metrics::Decision::Forbidden,
                429 | 500.. => metrics::Decision::Unavailable,
                _ => metrics::Decision::Invalid,
            },
        }
    }

    /// The rule that a refusal follows from, enforced or not.
    pub(crate) fn ground(&self) -> Option<Ground> {
        match &self.outcome {
            Ok(_) => None,
            Err(Denial::Malformed(_)) => Some(Ground::Malformed),
            Err(Denial::Refused(refusal) | Denial::Reported(refusal)) => Some(refusal.ground),
        }
    }

    /// Counts what the answer says about locks, if it was meant.
    pub(crate) fn count(&self, metrics: &Metrics) {
        match &self.outcome {
            _ if self.about.dry_run => {}
            Ok(acceptance) if acceptance.audit.contains_key(BREAK_GLASS) => metrics.glass_broken(),
            Err(Denial::Refused(refusal) | Denial::Reported(refusal)) if refusal.ground.is_lock() => {
                metrics.locks_violated(refusal.causes.len());
            }
            _ => {}
        }
    }

    /// What people are told of this decision beside the Module, if it was meant.
    pub(crate) fn occurrence(&self) -> Option<Occurrence> {
        let About { dry_run: false, user, module: Some((subject, action)), .. } = &self.about else { return None };
        let mut subject = subject.clone();
        let (fields, outcome) = match &self.outcome {
            Ok(acceptance) => {
                let reason = acceptance.audit.get(BREAK_GLASS)?.clone();
                let changes = acceptance.audit.get(LOCKED_CHANGES).map(String::as_str).unwrap_or_default();
                (changes.split(',').collect(), Outcome::GlassBroken { reason })
            }
            Err(Denial::Refused(refusal)) => {
                if *action == Action::Create {
                    // It was given to an object that will never be.
                    subject.uid = None;
                }
                (fields(refusal), Outcome::Refused(refusal.ground))
            }
            Err(Denial::Reported(_) | Denial::Malformed(_)) => return None,
        };
        let fields = fields.into_iter().filter(|field| !field.is_empty()).map(str::to_owned).collect();
        Some(Occurrence { subject, action: *action, user: user.clone(), fields, outcome })
    }

    /// The review to send; a text if there is no uid to answer to.
    pub(crate) fn into_review(self) -> Result<Value, String> {
        let Self { about, outcome } = self;
        if about.uid.is_empty() {
            return Err(match outcome {
                Err(Denial::Malformed(problem)) => problem + "\n",
                _ => "the request has no uid\n".to_owned(),
            });
        }
        let response = match outcome {
            Ok(acceptance) => accepted(&about, acceptance),
            Err(Denial::Malformed(problem)) => denied(&about, &json!({"code": 400, "reason": "BadRequest"}), &problem),
            Err(Denial::Refused(refusal)) => refused(&about, &refusal),
            Err(Denial::Reported(refusal)) => reported(&about, &refusal),
        };
        Ok(json!({"apiVersion": API_VERSION, "kind": "AdmissionReview", "response": response}))
    }
}

fn accepted(about: &About, acceptance: Acceptance) -> Value {
    let mut response = json!({"uid": about.uid, "allowed": true});
    let warnings: Vec<_> =
        acceptance.warnings.iter().map(|warning| shortened::to_characters(warning, WARNING_CHARACTERS)).collect();
    if !warnings.is_empty() {
        response["warnings"] = json!(warnings);
    }
    response["auditAnnotations"] = audit("allowed", acceptance.audit);
    if let Some(patch) = acceptance.patch
        && !patch.0.is_empty()
    {
        let patch = json!(patch).to_string();
        response["patchType"] = json!("JSONPatch");
        response["patch"] = json!(base64::engine::general_purpose::STANDARD.encode(patch));
    }
    response
}

/// What the API server writes into its audit log beside the request.
fn audit(decision: &str, mut facts: BTreeMap<&'static str, String>) -> Value {
    facts.insert("decision", decision.to_owned());
    json!(
        facts
            .iter()
            .map(|(key, value)| (*key, shortened::to_characters(value, AUDIT_CHARACTERS)))
            .collect::<BTreeMap<_, _>>()
    )
}

/// Of a refusal: no messages, which tell values.
fn facts(refusal: &Refusal) -> BTreeMap<&'static str, String> {
    let mut facts = BTreeMap::from([("code", refusal.code.to_string())]);
    if !refusal.causes.is_empty() {
        facts.insert("fields", joined(refusal));
    }
    facts
}

fn fields(refusal: &Refusal) -> BTreeSet<&str> {
    refusal.causes.iter().map(|cause| cause.field.as_str()).collect()
}

fn joined(refusal: &Refusal) -> String {
    fields(refusal).into_iter().collect::<Vec<_>>().join(",")
}

fn reported(about: &About, refusal: &Refusal) -> Value {
    let warning = shortened::to_characters(&format!("not enforced: {}", refusal.message), WARNING_CHARACTERS);
    json!({
        "uid": about.uid,
        "allowed": true,
        "warnings": [warning],
        "auditAnnotations": audit("reported", facts(refusal)),
    })
}

fn refused(about: &About, refusal: &Refusal) -> Value {
    let mut status = json!({"code": refusal.code, "reason": refusal.reason});
    // kubectl prints kind, name and causes of a refusal, and puts them into the buffer of `kubectl edit`.
    let causes: Vec<_> = refusal
        .causes
        .iter()
        .take(CAUSES)
        .map(|cause| json!({"reason": "FieldValueInvalid", "field": cause.field, "message": shortened::to_bytes(&cause.message, MESSAGE_BYTES)}))
        .collect();
    let mut details = json!({"group": about.group, "kind": about.kind, "name": about.name});
    if !causes.is_empty() {
        details["causes"] = json!(causes);
    }
    if let Some(seconds) = refusal.retry_after_seconds {
        details["retryAfterSeconds"] = json!(seconds);
    }
    status["details"] = details;
    let mut response = denied(about, &status, &refusal.message);
    response["auditAnnotations"] = audit("refused", facts(refusal));
    response
}

fn denied(about: &About, status: &Value, message: &str) -> Value {
    let mut status = status.clone();
    status["status"] = json!("Failure");
    status["message"] = json!(shortened::to_bytes(message, MESSAGE_BYTES));
    json!({"uid": about.uid, "allowed": false, "status": status})
}
