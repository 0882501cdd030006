//! A server with charts in memory, and reviews as the API server writes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header::CONTENT_TYPE},
};
use base64::Engine;
use futures::future::BoxFuture;
use kube::core::ApiResource;
use module::{
    Requester,
    api::TemplateReference,
    expansion::Scope,
    policy::{ModulePolicy, Policies, ServiceAccountReference},
    verdict::Controllers,
};
use renderer::ChartFile;
use serde_json::{Value, json};
use template_source::Access;
use tower::ServiceExt;

use crate::{
    access::{AccessReviewer, Permission},
    admission::{Admission, ExpansionCache, router},
    events::{EventQueue, Events, Occurrence},
    health,
    kinds::{Kind, KindTable, Kinds},
    metrics::{CacheName, Metrics},
    policies::PolicyCache,
    templates::{ChartContent, Part, TemplateError, TemplateProvider, Templates},
    workers::Workers,
};

pub(super) const REPO: &str = "https://git.example.com/templates";
pub(super) const ARGOCD: &str = "system:serviceaccount:argocd:argocd-application-controller";

/// Charts by `path@version`; the digest of a version is `digest-of-VERSION`.
struct Charts(BTreeMap<&'static str, Vec<ChartFile>>);

impl TemplateProvider for Charts {
    fn resolve(&self, reference: &TemplateReference, access: Access) -> Result<String, TemplateError> {
        if reference.repo.contains("private") && access == Access::Anonymous {
            let problem = format!("{} asks for credentials", reference.repo);
            return Err(TemplateError::Invalid { part: Part::Repository, problem });
        }
        if reference.repo.contains("unreachable") {
            return Err(TemplateError::Unavailable { problem: format!("{} cannot be reached", reference.repo) });
        }
        if reference.repo.contains("slow") {
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        assert!(!reference.repo.contains("panicking"), "a bug in a source");
        let key = format!("{}@{}", reference.path, reference.version);
        if !self.0.contains_key(key.as_str()) {
            return Err(TemplateError::Invalid {
                part: Part::Version,
                problem: format!("{} has no version {}", reference.repo, reference.version),
            });
        }
        Ok(format!("digest-of-{}", reference.version))
    }

    fn fetch(
        &self,
        reference: &TemplateReference,
        digest: &str,
        access: Access,
    ) -> Result<ChartContent, TemplateError> {
        assert!(!reference.repo.contains("private") || access == Access::WithCredentials, "fetched as nobody");
        let version = digest.strip_prefix("digest-of-").unwrap_or_default();
        let key = format!("{}@{version}", reference.path);
        let chart = self.0.get(key.as_str()).cloned().map(ChartContent::Files);
        chart.ok_or_else(|| TemplateError::Invalid {
            part: Part::Path,
            problem: format!("no folder {} at {digest}", reference.path),
        })
    }
}

/// Everybody may do everything, except what is listed.
struct Rights(BTreeSet<(String, &'static str, &'static str)>);

impl AccessReviewer for Rights {
    fn review<'a>(
        &'a self,
        identity: &'a Requester,
        permission: &'a Permission,
    ) -> BoxFuture<'a, Result<bool, kube::Error>> {
        let denied = self.0.iter().any(|(user, verb, resource)| {
            *user == identity.username && *verb == permission.verb && *resource == permission.resource
        });
        Box::pin(async move { Ok(!denied) })
    }

    fn exists<'a>(&'a self, account: &'a ServiceAccountReference) -> BoxFuture<'a, Result<bool, kube::Error>> {
        Box::pin(async move { Ok(account.namespace == "argocd") })
    }
}

fn file(name: &str, text: &str) -> ChartFile {
    ChartFile { name: name.to_owned(), data: text.as_bytes().to_vec() }
}

fn chart(schema: Option<&str>, templates: &[(&str, &str)]) -> Vec<ChartFile> {
    let mut files = vec![
        file("Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n"),
        file("values.yaml", "image: app:1.0\nreplicas: 1\n"),
    ];
    files.extend(schema.map(|schema| file("values.schema.json", schema)));
    files.extend(templates.iter().map(|(name, text)| file(&format!("templates/{name}"), text)));
    files
}

const LOCKED: &str = r#"{
  "type": "object",
  "properties": {
    "image": {"type": "string", "immutable": true},
    "replicas": {"type": "integer", "maximum": 10},
    "extra": {"type": "boolean"}
  }
}"#;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  image: {{ .Values.image | quote }}\n  replicas: {{ .Values.replicas | quote }}\n";
const EXTRA: &str = "{{ if .Values.extra }}\napiVersion: v1\nkind: Secret\nmetadata:\n  name: extra\nstringData:\n  key: word\n{{ end }}\n";

fn charts() -> Charts {
    let templates = [("config.yaml", CONFIG), ("extra.yaml", EXTRA)];
    Charts(BTreeMap::from([
        ("app@main", chart(Some(LOCKED), &templates)),
        ("app@free", chart(None, &templates)),
        ("app@broken", chart(None, &[("broken.yaml", "{{ .Values.image")])),
        ("app@failing", chart(None, &[("failing.yaml", "{{ fail \"no luck\" }}")])),
        ("app@bad-schema", chart(Some("{"), &templates)),
        ("empty@main", vec![file("README.md", "no chart")]),
    ]))
}

/// A server under a policy.
pub(super) struct Server {
    admissions: Router,
    status: Router,
    told: Mutex<EventQueue>,
}

impl Server {
    /// `spec`: of the only policy. `denied`: what users may not do.
    pub(super) fn new(spec: Value, denied: &[(&str, &'static str, &'static str)]) -> Self {
        Self::enforcing(true, spec, denied)
    }

    /// A server that enforces, or only reports.
    pub(super) fn enforcing(enforces: bool, spec: Value, denied: &[(&str, &'static str, &'static str)]) -> Self {
        let metrics = Arc::new(Metrics::default());
        let workers = Workers::start(1, metrics.render_jobs_waiting()).unwrap();
        let kind = |group: &str, version: &str, name: &str, plural: &str| Kind {
            resource: ApiResource {
                group: group.into(),
                version: version.into(),
                api_version: if group.is_empty() { version.into() } else { format!("{group}/{version}") },
                kind: name.into(),
                plural: plural.into(),
            },
            scope: Scope::Namespaced,
        };
        let kinds = KindTable::new(
            [kind("", "v1", "ConfigMap", "configmaps"), kind("", "v1", "Secret", "secrets")],
            Some("v1.33.0".into()),
        );
        let policy = ModulePolicy::new("test", serde_json::from_value(spec).unwrap());
        let denied = denied.iter().map(|(user, verb, resource)| ((*user).to_owned(), *verb, *resource)).collect();
        let policies = Arc::new(PolicyCache::fixed(Policies::new([policy])));
        let (events, told) = Events::new(Arc::clone(&metrics));
        let status = health::router(Arc::default(), Arc::clone(&metrics), Arc::clone(&policies));
        let admissions = router(Arc::new(Admission {
            policies,
            templates: Arc::new(Templates::new(Arc::new(charts()), workers.clone(), Arc::clone(&metrics))),
            kinds: Arc::new(Kinds::fixed(kinds)),
            access: Arc::new(Rights(denied)),
            workers,
            expansions: Arc::new(ExpansionCache::new(metrics.cache(CacheName::Expansions))),
            controllers: Controllers {
                own: Some("system:serviceaccount:module-system:module-webhook".into()),
                cyclops: None,
            },
            metrics,
            events,
            credentials_namespace: "cyclops".to_owned(),
            audit_only: !enforces,
        }));
        Self { admissions, status, told: Mutex::new(told) }
    }

    /// The policy of most tests: Argo CD writes to Git's place.
    pub(super) fn standard() -> Self {
        Self::new(
            json!({
                "gitOpsWriters": [{"serviceAccount": {"namespace": "argocd", "name": "argocd-application-controller"}}],
                "serviceAccountName": "module-deployer",
                "escalation": "ServiceAccount",
            }),
            &[],
        )
    }

    pub(super) async fn post(&self, path: &str, body: impl Into<Body>) -> (StatusCode, String) {
        let request = Request::post(path).header(CONTENT_TYPE, "application/json").body(body.into()).unwrap();
        answer(&self.admissions, request).await
    }

    /// What was put into the queue of Events since the last time.
    pub(super) fn told(&self) -> Vec<Occurrence> {
        let mut queue = self.told.lock().unwrap();
        std::iter::from_fn(|| queue.try_next()).collect()
    }

    /// What Prometheus reads.
    pub(super) async fn scrape(&self) -> String {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let (status, text) = answer(&self.status, request).await;
        assert_eq!(status, StatusCode::OK);
        text
    }

    /// `response` of the answer.
    pub(super) async fn review(&self, path: &str, review: &Value) -> Value {
        let (status, body) = self.post(path, review.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let mut answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer["response"]["uid"], review["request"]["uid"]);
        answer["response"].take()
    }

    /// What the API server does with a write: mutates the object, then asks whether it may be stored. Returns the
    /// stored object, or the refusal's status.
    pub(super) async fn write(&self, write: &Write<'_>) -> Result<Value, Value> {
        let mutated = self.review("/mutate", &write.review()).await;
        if mutated["allowed"] != true {
            return Err(mutated["status"].clone());
        }
        let mut write = write.clone();
        if let Some(object) = &mut write.new {
            *object = patched(object, &mutated);
            let again = self.review("/mutate", &write.review()).await;
            assert_eq!(again["patch"], Value::Null, "a second mutation changes nothing");
        }
        let decided = self.review("/validate", &write.review()).await;
        if decided["allowed"] == true { Ok(write.new.unwrap_or_default()) } else { Err(decided["status"].clone()) }
    }

    /// Stores a Module as a user.
    pub(super) async fn create(&self, user: &str, new: Value) -> Value {
        self.write(&Write::create(user, new)).await.unwrap()
    }
}

async fn answer(router: &Router, request: Request<Body>) -> (StatusCode, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Applies the patch of an answer.
pub(super) fn patched(object: &Value, response: &Value) -> Value {
    let mut object = object.clone();
    if let Some(patch) = response["patch"].as_str() {
        assert_eq!(response["patchType"], "JSONPatch");
        let patch = base64::engine::general_purpose::STANDARD.decode(patch).unwrap();
        let patch: json_patch::Patch = serde_json::from_slice(&patch).unwrap();
        json_patch::patch(&mut object, &patch).unwrap();
    }
    object
}

/// A write as the API server reports it.
#[derive(Clone)]
pub(super) struct Write<'a> {
    pub(super) operation: &'a str,
    pub(super) user: &'a str,
    pub(super) old: Option<Value>,
    pub(super) new: Option<Value>,
    pub(super) dry_run: bool,
    pub(super) subresource: Option<&'a str>,
}

impl<'a> Write<'a> {
    pub(super) fn create(user: &'a str, new: Value) -> Self {
        Self { operation: "CREATE", user, old: None, new: Some(new), dry_run: false, subresource: None }
    }

    pub(super) fn update(user: &'a str, old: &Value, change: impl FnOnce(&mut Value)) -> Self {
        let mut new = old.clone();
        change(&mut new);
        Self { operation: "UPDATE", user, old: Some(old.clone()), new: Some(new), dry_run: false, subresource: None }
    }

    pub(super) fn delete(user: &'a str, old: &Value) -> Self {
        Self { operation: "DELETE", user, old: Some(old.clone()), new: None, dry_run: false, subresource: None }
    }

    pub(super) fn review(&self) -> Value {
        json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816",
                "kind": {"group": "cyclops-ui.com", "version": "v1alpha1", "kind": "Module"},
                "resource": {"group": "cyclops-ui.com", "version": "v1alpha1", "resource": "modules"},
                "subResource": self.subresource,
                "name": "web",
                "namespace": "team-a",
                "operation": self.operation,
                "userInfo": {"username": self.user, "groups": ["system:authenticated"]},
                "object": self.new,
                "oldObject": self.old,
                "dryRun": self.dry_run,
            },
        })
    }
}

/// A Module of the chart `app` at a version.
#[expect(clippy::needless_pass_by_value, reason = "called with `json!`")]
pub(super) fn module(version: &str, values: Value) -> Value {
    json!({
        "apiVersion": "cyclops-ui.com/v1alpha1",
        "kind": "Module",
        "metadata": {"name": "web", "namespace": "team-a"},
        "spec": {
            "targetNamespace": "team-a",
            "template": {"repo": REPO, "path": "app", "version": version, "sourceType": "git"},
            "values": values,
        },
    })
}

pub(super) fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object["metadata"]["annotations"][name].as_str()
}

/// Fields of a refusal's causes.
pub(super) fn fields(status: &Value) -> Vec<&str> {
    status["details"]["causes"]
        .as_array()
        .map(|causes| causes.iter().filter_map(|cause| cause["field"].as_str()).collect())
        .unwrap_or_default()
}
