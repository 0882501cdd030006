//! What the locks rest on in the cluster is kept as it was installed: the webhook configurations, and the policies of the
//! API server with their bindings. No admission plugin can guard these: the API server asks nobody about them.

use std::time::Duration;

use futures::StreamExt;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, PostParams},
    runtime::watcher::{Config, watcher},
};
use module::Requester;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::metrics::Metrics;

/// What the manifests install, compiled in: it is known even if nothing of it is left.
const MANIFESTS: [&str; 2] =
    [include_str!("../../manifests/webhooks.yaml"), include_str!("../../manifests/policies.yaml")];

/// The names in the manifests.
const OWN_USER: &str = "system:serviceaccount:module-system:module-webhook";
const CYCLOPS_USER: &str = "system:serviceaccount:cyclops:cyclops-ctrl";
const CONFIGURATIONS: &str = "module-webhook";

/// By which cert-manager knows where to write its authority.
const INJECT_CA_FROM: &str = "cert-manager.io/inject-ca-from";

/// A missed watch event is made good as late as this.
const CHECK_INTERVAL: Duration = Duration::from_mins(1);

/// Between two writes of one object. Where something else keeps writing it, such as a replica of another version during an
/// upgrade, the pause grows, but never so far that a change would last longer than five seconds.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Under which names all of it is installed.
#[derive(Clone, Debug)]
pub struct Names {
    /// Namespace of the Service and of the service account.
    pub namespace: String,
    /// The Service by which the API server reaches the webhook.
    pub service: String,
    /// Its port.
    pub service_port: u16,
    /// The service account of the webhook.
    pub service_account: String,
    /// Name of both webhook configurations.
    pub configurations: String,
    /// User name of an installed Cyclops.
    pub cyclops_user: Option<String>,
    /// cert-manager's Certificate, if that makes the certificates.
    pub inject_ca_from: Option<String>,
}

/// One object that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptObject(Value);

/// The objects of the manifests. `audit_only`: the bindings warn and record, and refuse nothing.
pub fn kept_objects(names: &Names, audit_only: bool) -> Result<Vec<KeptObject>, serde_yaml::Error> {
    let mut objects = Vec::new();
    for document in MANIFESTS.iter().flat_map(|text| serde_yaml::Deserializer::from_str(text)) {
        let mut object = Value::deserialize(document)?;
        names.apply(&mut object);
        if audit_only && object["kind"] == "ValidatingAdmissionPolicyBinding" {
            object["spec"]["validationActions"] = json!(["Warn", "Audit"]);
        }
        objects.push(KeptObject(object));
    }
    Ok(objects)
}

impl Names {
    fn apply(&self, object: &mut Value) {
        let own = Requester::service_account_username(&self.namespace, &self.service_account);
        rename_users(object, &own, self.cyclops_user.as_deref().unwrap_or(CYCLOPS_USER));
        for webhook in object.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
            let service = &mut webhook["clientConfig"]["service"];
            service["namespace"] = json!(self.namespace);
            service["name"] = json!(self.service);
            service["port"] = json!(self.service_port);
        }
        if object["metadata"]["name"] == CONFIGURATIONS {
            object["metadata"]["name"] = json!(self.configurations);
            if let Some(certificate) = &self.inject_ca_from {
                object["metadata"]["annotations"] = json!({ INJECT_CA_FROM: certificate });
            }
        }
    }
}

/// Replaces the user names in expressions.
fn rename_users(value: &mut Value, own: &str, cyclops: &str) {
    match value {
        Value::String(text) if text.contains("system:serviceaccount:") => {
            *text = text.replace(OWN_USER, own).replace(CYCLOPS_USER, cyclops);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_users(item, own, cyclops)),
        Value::Object(members) => members.values_mut().for_each(|member| rename_users(member, own, cyclops)),
        _ => {}
    }
}

impl KeptObject {
    fn kind(&self) -> &str {
        self.0["kind"].as_str().unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// The member that holds what counts.
    fn member(&self) -> &'static str {
        if self.0.get("webhooks").is_some() { "webhooks" } else { "spec" }
    }

    fn api(&self, client: Client) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", self.kind());
        Api::all_with(client, &ApiResource::from_gvk(&kind))
    }

    /// What has to be written in the place of a live object; none if that is as it should be. `caBundle` stays: it is kept
    /// by whoever makes the certificates.
    fn repaired(&self, live: &DynamicObject) -> Option<DynamicObject> {
        let member = self.member();
        let mut wanted = self.0[member].clone();
        for webhook in wanted.as_array_mut().into_iter().flatten() {
            let of_same_name = |live: &&Value| live["name"] == webhook["name"];
            let hooks = live.data[member].as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(bundle) =
                hooks.iter().find(of_same_name).and_then(|hook| hook.pointer("/clientConfig/caBundle"))
            {
                webhook["clientConfig"]["caBundle"] = bundle.clone();
            }
        }
        let mut repaired = live.clone();
        if !says_the_same(&wanted, &live.data[member]) {
            repaired.data[member] = wanted;
        }
        if let Some(certificate) = self.0["metadata"]["annotations"][INJECT_CA_FROM].as_str() {
            let annotations = repaired.metadata.annotations.get_or_insert_default();
            annotations.insert(INJECT_CA_FROM.to_owned(), certificate.to_owned());
        }
        (repaired != *live).then_some(repaired)
    }

    /// Keeps the object until the future is dropped.
    pub async fn keep(self, client: Client, metrics: &Metrics) {
        let api = self.api(client);
        let config = Config::default().fields(&format!("metadata.name={}", self.name()));
        let mut events = std::pin::pin!(watcher(api.clone(), config));
        let mut pause = FIRST_PAUSE;
        let mut written: Option<Instant> = None;
        loop {
            tokio::select! {
                event = events.next() => {
                    if let Some(Err(error)) = event {
                        tracing::warn!(error = &error as &dyn std::error::Error, "watch failed; it is retried");
                        tokio::time::sleep(LONGEST_PAUSE).await;
                    }
                }
                () = tokio::time::sleep(CHECK_INTERVAL) => {}
            }
            if let Some(since) = written {
                pause = if since.elapsed() > CHECK_INTERVAL { FIRST_PAUSE } else { pause };
                tokio::time::sleep(pause.saturating_sub(since.elapsed())).await;
            }
            match self.restore(&api).await {
                Ok(false) => {}
                Ok(true) => {
                    metrics.installation_repaired(1);
                    tracing::warn!(
                        kind = self.kind(),
                        name = self.name(),
                        "was changed or deleted, and is as it was installed again"
                    );
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    written = Some(Instant::now());
                }
                // Somebody has written it in between: the next event is on its way.
                Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {}
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(
                        error,
                        kind = self.kind(),
                        name = self.name(),
                        "cannot be kept as it was installed"
                    );
                }
            }
        }
    }

    /// Makes the object what it should be, and returns whether it was not.
    async fn restore(&self, api: &Api<DynamicObject>) -> Result<bool, kube::Error> {
        let Some(live) = api.get_opt(self.name()).await? else {
            let created = serde_json::from_value(self.0.clone()).map_err(kube::Error::SerdeError)?;
            api.create(&PostParams::default(), &created).await?;
            return Ok(true);
        };
        let Some(repaired) = self.repaired(&live) else { return Ok(false) };
        api.replace(self.name(), &PostParams::default(), &repaired).await?;
        Ok(true)
    }
}

/// Whether two values mean the same to the API server, which adds what is empty: selectors that select everything.
fn says_the_same(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => {
            wanted.iter().all(|(key, value)| says_the_same(value, live.get(key).unwrap_or(&Value::Null)))
                && live.iter().all(|(key, value)| wanted.contains_key(key) || is_empty(value))
        }
        (Value::Array(wanted), Value::Array(live)) => {
            wanted.len() == live.len() && wanted.iter().zip(live).all(|(wanted, live)| says_the_same(wanted, live))
        }
        (wanted, live) => wanted == live || is_empty(wanted) && is_empty(live),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            namespace: "module-system".to_owned(),
            service: "module-webhook".to_owned(),
            service_port: 443,
            service_account: "module-webhook".to_owned(),
            configurations: "module-webhook".to_owned(),
            cyclops_user: None,
            inject_ca_from: None,
        }
    }

    fn objects(names: &Names) -> Vec<KeptObject> {
        kept_objects(names, false).unwrap()
    }

    /// An object as the API server stores it.
    fn live(kept: &KeptObject) -> DynamicObject {
        let mut object = kept.0.clone();
        object["metadata"] = json!({"name": kept.name(), "labels": {"a": "b"}});
        for webhook in object.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
            webhook["clientConfig"]["caBundle"] = json!("bundle");
            webhook["namespaceSelector"] = json!({});
            webhook["objectSelector"] = json!({});
        }
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn the_manifests_are_kept_as_they_are() {
        let objects = objects(&names());
        let kinds: Vec<&str> = objects.iter().map(KeptObject::kind).collect();
        assert_eq!(
            kinds,
            [
                "ValidatingWebhookConfiguration",
                "MutatingWebhookConfiguration",
                "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding",
                "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding",
            ]
        );
        for object in &objects {
            assert_eq!(object.repaired(&live(object)), None, "{}", object.kind());
        }
    }

    #[test]
    fn what_is_weakened_is_repaired_and_ca_bundle_stays() {
        let kept = &objects(&names())[0];
        let good = live(kept);
        for (pointer, value) in [
            ("/webhooks/0/failurePolicy", json!("Ignore")),
            ("/webhooks/0/namespaceSelector", json!({"matchLabels": {"guarded": "true"}})),
            ("/webhooks/0/objectSelector", json!({"matchLabels": {"guarded": "true"}})),
            ("/webhooks/0/rules/0/operations", json!(["DELETE"])),
            ("/webhooks/0/rules", json!([])),
            ("/webhooks/0/timeoutSeconds", json!(1)),
            ("/webhooks/0/matchConditions/0/expression", json!("false")),
            ("/webhooks/0/clientConfig/service/name", json!("other")),
            ("/webhooks/0/clientConfig/url", json!("https://example.com")),
            ("/webhooks", json!([])),
        ] {
            let mut tampered = json!(good);
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            tampered.pointer_mut(parent).unwrap()[key] = value;
            let tampered: DynamicObject = serde_json::from_value(tampered).unwrap();
            let repaired = kept.repaired(&tampered).unwrap_or_else(|| panic!("{pointer} is left as it is"));
            assert_eq!(repaired.metadata.labels, good.metadata.labels);
            assert_eq!(kept.repaired(&repaired), None, "{pointer}");
            let hooks = repaired.data["webhooks"].as_array().unwrap();
            let expected = if pointer == "/webhooks" { Value::Null } else { json!("bundle") };
            assert!(hooks.iter().all(|hook| hook["clientConfig"]["caBundle"] == expected), "{pointer}");
        }
    }

    #[test]
    fn names_other_than_the_manifests_are_used_throughout() {
        let other = Names {
            namespace: "guards".to_owned(),
            service: "locks".to_owned(),
            service_port: 8443,
            service_account: "keeper".to_owned(),
            configurations: "locks".to_owned(),
            cyclops_user: Some("system:serviceaccount:ui:server".to_owned()),
            inject_ca_from: Some("guards/locks".to_owned()),
        };
        let configuration = &objects(&other)[0];
        let repaired = configuration.repaired(&live(configuration)).unwrap();
        assert_eq!(repaired.metadata.annotations.unwrap()[INJECT_CA_FROM], "guards/locks");
        let text: String = objects(&other).iter().map(|object| object.0.to_string()).collect();
        assert!(!text.contains(OWN_USER) && !text.contains(CYCLOPS_USER), "{text}");
        assert!(text.contains("'system:serviceaccount:guards:keeper'"));
        assert!(text.contains("'system:serviceaccount:ui:server'"));
        assert!(text.contains(r#""name":"locks","namespace":"guards","path":"/validate","port":8443"#));
    }

    #[test]
    fn in_a_trial_the_second_line_only_warns() {
        let objects = kept_objects(&names(), true).unwrap();
        let actions = objects.iter().filter_map(|object| object.0["spec"].get("validationActions"));
        assert_eq!(actions.collect::<Vec<_>>(), [&json!(["Warn", "Audit"]), &json!(["Warn", "Audit"])]);
    }
}
