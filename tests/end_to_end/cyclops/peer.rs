//! What Cyclops v0.21.1 sends to the API server: its interface's server, its controller and its other clients. They read
//! Modules into Go structs and write those back, so that fields that the structs lack are lost, and fields without
//! `omitempty` appear that nobody has set.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};
use tests::cluster::Client;

const FINALIZER: &str = "cyclops-ui.com/module-resources";
const RESOLVED: &str = "templateResolvedVersion";
/// The server keeps as many states.
const HISTORY: usize = 10;

/// A request that was sent, and its answer.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) what: &'static str,
    pub(crate) answer: Result<Value, String>,
}

/// What the form for editing a Module submits.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// Merged into what the form shows of the template: `repo`, `path`, `version`, `resolvedVersion`.
    pub(crate) template: Value,
    /// Merged into the values.
    pub(crate) values: Value,
}

/// One of Cyclops' programs, with its identity.
pub(crate) struct Peer<'a> {
    pub(crate) client: &'a Client,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl Peer<'_> {
    /// The stored Module, or nothing.
    pub(crate) async fn stored(&self) -> Option<Value> {
        let answer = self.client.request(Method::GET, &self.path("")).send().await.unwrap();
        if answer.status() == 404 {
            return None;
        }
        assert!(answer.status().is_success(), "{}: {}", self.name, answer.status());
        Some(serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    /// The stored Module in Cyclops' structs.
    async fn current(&self) -> Value {
        structs(&self.stored().await.unwrap())
    }

    /// `UpdateModule`: the status first, with the version that the browser names, then the Module.
    pub(crate) async fn edit(&self, form: &Form, schema: &Value) -> Vec<Step> {
        let current = self.current().await;
        let mut template = current["spec"]["template"].clone();
        template["resolvedVersion"] = current["status"][RESOLVED].clone();
        merge(&mut template, &form.template);
        let mut values = current["spec"]["values"].clone();
        submit(&schema["properties"], &mut values);
        merge(&mut values, &form.values);

        let mut annotations = current["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
        // The form's switch for Git is off: with it, the server writes to Git and not here.
        annotations.retain(|name, _| !name.starts_with("cyclops-ui.com/write-") || name.ends_with("child-resources"));
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        let mut status = current["status"].clone();
        set_or_omit(&mut status, RESOLVED, &template["resolvedVersion"]);
        let mut module = json!({
            "apiVersion": "cyclops-ui.com/v1alpha1",
            "kind": "Module",
            "metadata": {
                "name": self.name,
                "resourceVersion": current["metadata"]["resourceVersion"],
                "creationTimestamp": null,
                "annotations": annotations,
                "finalizers": [FINALIZER],
            },
            "spec": {
                "targetNamespace": current["spec"]["targetNamespace"],
                "template": {
                    "repo": template["repo"], "path": template["path"], "version": template["version"],
                },
                "values": values,
            },
            "status": status,
        });
        set_or_omit(&mut module["metadata"], "labels", &current["metadata"]["labels"]);
        set_or_omit(&mut module["spec"]["template"], "sourceType", &current["spec"]["template"]["sourceType"]);
        self.status_then_module(&current, module).await
    }

    /// `RollbackModule`, to the oldest state that is known.
    pub(crate) async fn roll_back(&self) -> Vec<Step> {
        let current = self.current().await;
        let target = current["history"].as_array().and_then(|history| history.last()).unwrap().clone();
        let mut module = current.clone();
        for field in ["values", "template", "targetNamespace"] {
            module["spec"][field] = target[field].clone();
        }
        self.status_then_module(&current, module).await
    }

    /// `ReconcileModule`, the button.
    pub(crate) async fn reconcile(&self) -> Vec<Step> {
        let mut module = self.current().await;
        module["metadata"]["annotations"]["cyclops/reconciled-at"] = json!("2026-01-01T00:00:00Z");
        vec![self.put("PUT", "", &module).await]
    }

    /// The controller's first write.
    pub(crate) async fn add_finalizer(&self) -> Vec<Step> {
        let mut module = self.current().await;
        module["metadata"]["finalizers"] = json!([FINALIZER]);
        vec![self.put("PUT", "", &module).await]
    }

    /// The controller's last write of a Module that is being deleted.
    pub(crate) async fn remove_finalizer(&self) -> Vec<Step> {
        let mut module = self.current().await;
        module["metadata"].as_object_mut().unwrap().remove("finalizers");
        vec![self.put("PUT", "", &module).await]
    }

    /// The controller's `setStatus`.
    pub(crate) async fn report(&self, resolved: &str) -> Vec<Step> {
        let mut module = self.current().await;
        module["status"] = json!({
            "reconciliationStatus": { "status": "succeeded", "errors": null },
            RESOLVED: resolved,
            "managedGVRs": [{ "group": "apps", "version": "v1", "resource": "deployments" }],
        });
        vec![self.put("PUT status", "/status", &module).await]
    }

    /// A creation, by whomever.
    pub(crate) async fn create(&self, module: &Value) -> Step {
        let path = self.path("");
        let collection = path.rsplit_once('/').unwrap().0;
        self.request("POST", Method::POST, collection, "application/json", module.to_string()).await
    }

    /// A merge patch, by whomever.
    pub(crate) async fn patch(&self, change: &Value) -> Step {
        self.send("PATCH", Method::PATCH, "", "application/merge-patch+json", change.to_string()).await
    }

    /// The interface's deletion.
    pub(crate) async fn delete(&self) -> Vec<Step> {
        vec![self.send("DELETE", Method::DELETE, "", "application/json", String::new()).await]
    }

    /// The update of the MCP server: metadata made anew, and the state before written down.
    pub(crate) async fn update_by_assistant(&self, values: &Value) -> Vec<Step> {
        let mut module = self.current().await;
        let mut metadata = Map::new();
        for field in ["name", "namespace", "resourceVersion", "labels", "annotations"] {
            metadata.insert(field.to_owned(), module["metadata"][field].clone());
        }
        record(&mut module);
        module["metadata"] = Value::Object(metadata);
        merge(&mut module["spec"]["values"], values);
        vec![self.put("PUT", "", &module).await]
    }

    /// The update of cyctl 0.2.0, whose structs are older than the kind of source.
    pub(crate) async fn update_by_command(&self, values: &Value) -> Vec<Step> {
        let mut module = self.current().await;
        for field in ["sourceType", "enforceGitOpsWrite"] {
            module["spec"]["template"].as_object_mut().unwrap().remove(field);
        }
        merge(&mut module["spec"]["values"], values);
        vec![self.put("PUT", "", &module).await]
    }

    async fn status_then_module(&self, current: &Value, mut module: Value) -> Vec<Step> {
        let mut recorded = current.clone();
        record(&mut recorded);
        module["history"] = recorded["history"].clone();
        let body = json!({ "status": module["status"] }).to_string();
        let first = self.send("PATCH status", Method::PATCH, "/status", "application/merge-patch+json", body).await;
        let mut steps = vec![first];
        // Only if that went through, and with the version that it gave: what others wrote meanwhile is lost.
        if let Ok(written) = &steps[0].answer {
            module["metadata"]["resourceVersion"] = written["metadata"]["resourceVersion"].clone();
            steps.push(self.put("PUT", "", &module).await);
        }
        steps
    }

    async fn put(&self, what: &'static str, subresource: &str, module: &Value) -> Step {
        self.send(what, Method::PUT, subresource, "application/json", module.to_string()).await
    }

    async fn send(&self, what: &'static str, method: Method, subresource: &str, content: &str, body: String) -> Step {
        self.request(what, method, &self.path(subresource), content, body).await
    }

    async fn request(&self, what: &'static str, method: Method, path: &str, content: &str, body: String) -> Step {
        let request = self.client.request(method, path).header(CONTENT_TYPE, content).body(body);
        let answer = request.send().await.unwrap();
        let succeeded = answer.status().is_success();
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        let message = answer["message"].as_str().unwrap_or_default().to_owned();
        Step { what, answer: if succeeded { Ok(answer) } else { Err(message) } }
    }

    fn path(&self, subresource: &str) -> String {
        format!("/apis/cyclops-ui.com/v1alpha1/namespaces/{}/modules/{}{subresource}", self.namespace, self.name)
    }
}

/// A Module as Cyclops' structs hold it.
fn structs(live: &Value) -> Value {
    let mut module = json!({
        "apiVersion": "cyclops-ui.com/v1alpha1",
        "kind": "Module",
        "metadata": live["metadata"],
        "spec": {
            // Without `omitempty`.
            "targetNamespace": live["spec"]["targetNamespace"].as_str().unwrap_or_default(),
            "template": reference(&live["spec"]["template"], &["sourceType", "enforceGitOpsWrite"]),
            "values": live["spec"]["values"],
        },
        "status": {},
    });
    for field in [RESOLVED, "managedGVRs", "iconURL"] {
        set_or_omit(&mut module["status"], field, &live["status"][field]);
    }
    if let Some(reconciliation) = live["status"]["reconciliationStatus"].as_object() {
        let mut reconciliation = reconciliation.clone();
        reconciliation.entry("errors").or_insert(Value::Null);
        module["status"]["reconciliationStatus"] = Value::Object(reconciliation);
    }
    set_or_omit(&mut module, "history", &live["history"]);
    module
}

fn reference(live: &Value, optional: &[&str]) -> Value {
    let mut reference = json!({ "repo": live["repo"], "path": live["path"], "version": live["version"] });
    for field in optional {
        set_or_omit(&mut reference, field, &live[field]);
    }
    reference
}

/// Puts the state of a Module in front of its history.
fn record(module: &mut Value) {
    let mut template = reference(&module["spec"]["template"], &["sourceType"]);
    template["version"] = json!(module["status"][RESOLVED].as_str().unwrap_or_default());
    let entry = json!({
        "generation": module["metadata"]["generation"],
        "targetNamespace": module["spec"]["targetNamespace"],
        "template": template,
        "values": module["spec"]["values"],
    });
    let earlier = module["history"].as_array().cloned().unwrap_or_default();
    let history: Vec<Value> = std::iter::once(entry).chain(earlier).take(HISTORY).collect();
    module["history"] = Value::Array(history);
}

/// Go's `omitempty`.
fn set_or_omit(object: &mut Value, field: &str, value: &Value) {
    let is_empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    if is_empty {
        object.as_object_mut().unwrap().remove(field);
    } else {
        object[field] = value.clone();
    }
}

fn merge(target: &mut Value, change: &Value) {
    if !change.is_null() {
        json_patch::merge(target, change);
    }
}

/// What the form makes of values that nobody has touched (`mapsToArray` and `findMaps` of `utils/form.tsx`): lists and maps
/// that are not set become empty ones, and the texts of maps are read as YAML.
fn submit(properties: &Value, values: &mut Value) {
    for (name, schema) in properties.as_object().into_iter().flatten() {
        match schema["type"].as_str() {
            Some("array") if values[name].is_null() => values[name] = json!([]),
            Some("array") if !["string", "object"].contains(&schema["items"]["type"].as_str().unwrap_or("string")) => {
                values[name] = json!([]);
            }
            Some("object") if schema["properties"].is_object() => {
                if values[name].is_null() {
                    values[name] = json!({});
                }
                submit(&schema["properties"], &mut values[name]);
            }
            // A map, for Cyclops.
            Some("object") => {
                if values[name].is_null() {
                    values[name] = json!({});
                }
                for value in values[name].as_object_mut().unwrap().values_mut() {
                    if let Some(text) = value.as_str() {
                        *value = serde_yaml::from_str(text).unwrap();
                    }
                }
            }
            _ => {}
        }
    }
}
