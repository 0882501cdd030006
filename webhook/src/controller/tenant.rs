//! Acting as a service account of a Module's namespace.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue, Request, header::InvalidHeaderValue};
use kube::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, Preconditions, PropagationPolicy},
    client::Body,
    core::params::ListParams,
};
use module::{Requester, annotations, expansion::Scope};
use serde_json::{Value, json};

use super::FIELD_MANAGER;
use crate::kinds::Kind;

/// Helm: what becomes of a resource that its chart no longer has.
const RESOURCE_POLICY: &str = "helm.sh/resource-policy";

const IMPERSONATE_USER: HeaderName = HeaderName::from_static("impersonate-user");

/// A client that acts as a service account, for one Module.
pub(super) struct Tenant {
    client: Client,
    module: String,
    owner: String,
}

/// What became of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deletion {
    /// It does not exist.
    Gone,
    /// It is being deleted.
    Deleting,
    /// It belongs to somebody else by now, or its chart asks to keep it.
    Left,
}

/// Why a resource could not be applied or deleted.
#[derive(Debug, thiserror::Error)]
pub(super) enum TenantError {
    /// Somebody else's resource is in the way.
    #[error("it exists already and belongs to {owner}; delete it, or rename one of the two")]
    Taken {
        /// Who says so.
        owner: String,
    },
    /// The API server refused or failed.
    #[error(transparent)]
    Kubernetes(#[from] kube::Error),
}

impl TenantError {
    pub(super) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Kubernetes(kube::Error::Api(status)) if status.is_forbidden())
    }
}

impl Tenant {
    /// Acts as a service account of the Module's namespace. Groups are left to the API server, which knows a service
    /// account's.
    pub(super) fn new(
        client: &Client,
        namespace: &str,
        module: &str,
        service_account: &str,
    ) -> Result<Self, InvalidHeaderValue> {
        let user = HeaderValue::from_str(&Requester::service_account_username(namespace, service_account))?;
        let inner = client.clone();
        let service = tower::service_fn(move |mut request: Request<Body>| {
            request.headers_mut().insert(IMPERSONATE_USER, user.clone());
            let inner = inner.clone();
            async move { inner.send(request).await }
        });
        Ok(Self {
            client: Client::new(service, namespace),
            module: module.to_owned(),
            owner: format!("{namespace}/{module}"),
        })
    }

    /// Applies a resource that is ours or new. Takes over the fields of other managers: the Module decides.
    pub(super) async fn apply(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
        object: &Value,
    ) -> Result<(), TenantError> {
        let api = self.api(kind, namespace);
        if let Some(found) = api.get_metadata_opt(name).await? {
            let empty = BTreeMap::new();
            let labels = found.metadata.labels.as_ref().unwrap_or(&empty);
            let notes = found.metadata.annotations.as_ref().unwrap_or(&empty);
            if let Some(owner) = other_owner(&self.module, &self.owner, labels, notes) {
                return Err(TenantError::Taken { owner });
            }
        }
        let mut object = object.clone();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            let notes = metadata.entry("annotations").or_insert_with(|| json!({}));
            if notes.is_null() {
                *notes = json!({});
            }
            // Annotations that are no mapping are left to the API server, which refuses them.
            if let Some(notes) = notes.as_object_mut() {
                notes.insert(annotations::OWNER.to_owned(), json!(self.owner));
            }
        }
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        api.patch(name, &parameters, &Patch::Apply(&object)).await?;
        Ok(())
    }

    /// Deletes a resource, if it is still ours.
    pub(super) async fn delete(
        &self,
        kind: &Kind,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Deletion, TenantError> {
        let api = self.api(kind, namespace);
        let Some(found) = api.get_metadata_opt(name).await? else { return Ok(Deletion::Gone) };
        let empty = BTreeMap::new();
        let labels = found.metadata.labels.as_ref().unwrap_or(&empty);
        let notes = found.metadata.annotations.as_ref().unwrap_or(&empty);
        if other_owner(&self.module, &self.owner, labels, notes).is_some()
            || notes.get(RESOURCE_POLICY).is_some_and(|policy| policy == "keep")
        {
            return Ok(Deletion::Left);
        }
        if found.metadata.deletion_timestamp.is_some() {
            return Ok(Deletion::Deleting);
        }
        // Exactly the object that was looked at: not one that took its name in between.
        let parameters = DeleteParams {
            preconditions: Some(Preconditions { uid: found.metadata.uid, resource_version: None }),
            propagation_policy: Some(PropagationPolicy::Background),
            ..DeleteParams::default()
        };
        match api.delete(name, &parameters).await {
            Ok(_) => Ok(Deletion::Deleting),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(Deletion::Gone),
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(Deletion::Deleting),
            Err(error) => Err(error.into()),
        }
    }

    /// Names of the resources of a kind that carry this Module's label: how Cyclops finds what it created.
    pub(super) async fn labelled(&self, kind: &Kind, namespace: Option<&str>) -> Result<Vec<String>, TenantError> {
        let selector = format!("{}={}", annotations::MODULE_LABEL, self.module);
        let found = self.api(kind, namespace).list_metadata(&ListParams::default().labels(&selector)).await?;
        Ok(found.items.into_iter().filter_map(|object| object.metadata.name).collect())
    }

    fn api(&self, kind: &Kind, namespace: Option<&str>) -> Api<DynamicObject> {
        let resource: &ApiResource = &kind.resource;
        match (kind.scope, namespace) {
            (Scope::Namespaced, Some(namespace)) => Api::namespaced_with(self.client.clone(), namespace, resource),
            (Scope::Namespaced, None) => Api::default_namespaced_with(self.client.clone(), resource),
            (Scope::Cluster, _) => Api::all_with(self.client.clone(), resource),
        }
    }
}

/// Who else than the Module `owner` (`namespace/name`) called `module` a resource belongs to. Cyclops' own resources
/// carry its label and no owner: they are taken over.
fn other_owner(
    module: &str,
    owner: &str,
    labels: &BTreeMap<String, String>,
    notes: &BTreeMap<String, String>,
) -> Option<String> {
    match (labels.get(annotations::MODULE_LABEL), notes.get(annotations::OWNER)) {
        (_, Some(other)) if other != owner => Some(format!("the Module {other}")),
        (Some(other), _) if other != module => Some(format!("a Module called {other}")),
        (None, None) => Some("no Module".to_owned()),
        // Where somebody removed the label, the annotation still says whose it is.
        (None | Some(_), Some(_)) | (Some(_), None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_ours_by_its_owner_or_by_the_label_that_cyclops_left() {
        let map = |key: &str, value: Option<&str>| -> BTreeMap<String, String> {
            value.map(|value| (key.to_owned(), value.to_owned())).into_iter().collect()
        };
        for (label, owner, other) in [
            (Some("web"), Some("team-a/web"), None),
            (Some("web"), None, None),
            (None, Some("team-a/web"), None),
            (None, None, Some("no Module")),
            (Some("api"), None, Some("a Module called api")),
            (Some("web"), Some("team-b/web"), Some("the Module team-b/web")),
            (Some("api"), Some("team-a/web"), Some("a Module called api")),
        ] {
            let (labels, notes) = (map(annotations::MODULE_LABEL, label), map(annotations::OWNER, owner));
            assert_eq!(other_owner("web", "team-a/web", &labels, &notes).as_deref(), other, "{label:?} {owner:?}");
        }
    }
}
