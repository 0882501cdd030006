//! Deleting what a deleted Module left in the cluster.

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use module::{
    annotations,
    api::{InventoryEntry, Module},
};
use serde_json::json;

use super::{
    apply::delete,
    tenant::{Tenant, TenantError},
};
use crate::kinds::Kinds;

/// What is still in the way.
#[derive(Debug, Default)]
pub(super) struct Remains {
    /// Resources that are still there.
    pub(super) resources: Vec<InventoryEntry>,
    /// One line for each that could not be deleted.
    pub(super) errors: Vec<String>,
}

/// Deletes all resources of a Module, last applied first. Returns what is still there.
pub(super) async fn delete_resources(
    client: &Client,
    tenant: &Tenant,
    kinds: &Kinds,
    module: &Module,
) -> Result<Remains, TenantError> {
    let entries = match &module.status {
        Some(status) if !status.inventory.is_empty() => status.inventory.clone(),
        _ => labelled(tenant, kinds, module).await?,
    };
    let (mut resources, mut errors) = delete(tenant, kinds, &entries).await;
    if !errors.is_empty() {
        // The service account may be gone with its namespace, and everything in it is about to be.
        let mut remaining = Vec::new();
        for entry in resources {
            let doomed = match entry.namespace.as_deref() {
                Some(namespace) => is_ending(client, namespace).await?,
                None => false,
            };
            if !doomed {
                remaining.push(entry);
            }
        }
        resources = remaining;
        if resources.is_empty() {
            errors.clear();
        }
    }
    Ok(Remains { resources, errors })
}

/// What Cyclops created has no inventory: its label and the types in the status lead to it.
async fn labelled(tenant: &Tenant, kinds: &Kinds, module: &Module) -> Result<Vec<InventoryEntry>, TenantError> {
    let mut found = Vec::new();
    let types = module.status.as_ref().map(|status| status.managed_gvrs.as_slice()).unwrap_or_default();
    for group_version_resource in types {
        let table = kinds.current();
        let Some(kind) = table.by_resource(group_version_resource) else { continue };
        let namespace =
            (kind.scope == module::expansion::Scope::Namespaced).then(|| module.target_namespace().to_owned());
        for name in tenant.labelled(kind, namespace.as_deref()).await? {
            found.push(InventoryEntry {
                group: kind.resource.group.clone(),
                version: kind.resource.version.clone(),
                kind: kind.resource.kind.clone(),
                namespace: namespace.clone(),
                name,
            });
        }
    }
    Ok(found)
}

async fn is_ending(client: &Client, namespace: &str) -> Result<bool, kube::Error> {
    let found = Api::<Namespace>::all(client.clone()).get_metadata_opt(namespace).await?;
    Ok(found.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some()))
}

/// Makes sure that a Module is not deleted before its resources are.
pub(super) async fn add_finalizer(client: &Client, module: &Module) -> Result<(), kube::Error> {
    let mut finalizers = module.metadata.finalizers.clone().unwrap_or_default();
    finalizers.push(annotations::FINALIZER.to_owned());
    set_finalizers(client, module, &finalizers).await
}

/// Lets a Module go.
pub(super) async fn remove_finalizer(client: &Client, module: &Module) -> Result<(), kube::Error> {
    let mut finalizers = module.metadata.finalizers.clone().unwrap_or_default();
    finalizers.retain(|finalizer| finalizer != annotations::FINALIZER);
    match set_finalizers(client, module, &finalizers).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        outcome => outcome,
    }
}

async fn set_finalizers(client: &Client, module: &Module, finalizers: &[String]) -> Result<(), kube::Error> {
    let (Some(namespace), Some(name)) = (&module.metadata.namespace, &module.metadata.name) else { return Ok(()) };
    // Lists are replaced as a whole: only if nobody else changed this one.
    let patch = json!({
        "metadata": {"finalizers": finalizers, "resourceVersion": module.metadata.resource_version},
    });
    let parameters = PatchParams { field_manager: Some(super::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let api: Api<Module> = Api::namespaced(client.clone(), namespace);
    api.patch_metadata(name, &parameters, &Patch::Merge(&patch)).await.map(drop)
}

/// Whether a Module waits for its resources to be deleted.
pub(super) fn has_finalizer(module: &Module) -> bool {
    module.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == annotations::FINALIZER)
}
