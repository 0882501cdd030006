//! Applying an expansion, and pruning what it no longer has.

use module::{
    api::{GroupVersionResource, InventoryEntry},
    expansion::{Expansion, Resource},
};

use super::tenant::{Deletion, Tenant};
use crate::{kinds::Kinds, templates::chain};

/// What applying came to.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Everything of this Module that is in the cluster now, as far as is known, in the order in which it was applied.
    pub(super) inventory: Vec<InventoryEntry>,
    /// The resource types of what was applied.
    pub(super) types: Vec<GroupVersionResource>,
    /// One line for each resource that failed.
    pub(super) errors: Vec<String>,
}

/// Applies every resource; one that fails does not hold up the others. Only when all of them are applied, what earlier
/// applies left is pruned: a half-finished change must not take anything away.
pub(super) async fn apply(
    tenant: &Tenant,
    kinds: &Kinds,
    expansion: &Expansion,
    previous: &[InventoryEntry],
) -> Applied {
    let mut applied = Applied::default();
    for resource in &expansion.resources {
        let kind = match kinds.current().get(&resource.api_version, &resource.kind).cloned() {
            Some(kind) => Some(kind),
            // The chart may have brought its definition a moment ago.
            None if kinds.refresh().await => kinds.current().get(&resource.api_version, &resource.kind).cloned(),
            None => None,
        };
        let Some(kind) = kind else {
            applied.errors.push(line(resource, "the cluster does not know this kind"));
            continue;
        };
        let namespace = resource.namespace.as_deref();
        match tenant.apply(&kind, namespace, &resource.name, &resource.object).await {
            Ok(()) => {
                applied.inventory.push(entry(resource));
                let group_version_resource = GroupVersionResource {
                    group: kind.resource.group,
                    version: kind.resource.version,
                    resource: kind.resource.plural,
                };
                if !applied.types.contains(&group_version_resource) {
                    applied.types.push(group_version_resource);
                }
            }
            Err(error) => applied.errors.push(line(resource, &chain(&error))),
        }
    }
    let wanted: Vec<_> = expansion.resources.iter().map(entry).collect();
    let left: Vec<_> = previous.iter().filter(|old| !wanted.iter().any(|new| same(old, new))).cloned().collect();
    if applied.errors.is_empty() {
        let (remaining, errors) = delete(tenant, kinds, &left).await;
        applied.inventory.extend(remaining);
        applied.errors.extend(errors);
    } else {
        // What failed now may be there from before.
        let failed = previous.iter().filter(|old| wanted.iter().any(|new| same(old, new)));
        let failed: Vec<_> =
            failed.filter(|old| !applied.inventory.iter().any(|new| same(old, new))).cloned().collect();
        applied.inventory.extend(failed);
        applied.inventory.extend(left);
    }
    applied
}

/// Deletes resources in reverse order. Returns those that are still there, in their order, and one line for each
/// failure.
pub(super) async fn delete(
    tenant: &Tenant,
    kinds: &Kinds,
    entries: &[InventoryEntry],
) -> (Vec<InventoryEntry>, Vec<String>) {
    let mut remaining = Vec::new();
    let mut errors = Vec::new();
    for entry in entries.iter().rev() {
        let api_version = api_version(entry);
        let known = kinds.current().get(&api_version, &entry.kind).cloned();
        let kind = match known {
            Some(kind) => Some(kind),
            None if kinds.refresh().await => kinds.current().get(&api_version, &entry.kind).cloned(),
            None => None,
        };
        // Without the kind there are no objects of it.
        let Some(kind) = kind else { continue };
        match tenant.delete(&kind, entry.namespace.as_deref(), &entry.name).await {
            Ok(Deletion::Gone | Deletion::Left) => {}
            Ok(Deletion::Deleting) => remaining.push(entry.clone()),
            Err(error) => {
                remaining.push(entry.clone());
                let place = entry.namespace.as_deref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
                let verb = if error.is_forbidden() { "may not be deleted" } else { "failed to delete" };
                errors.push(format!("{api_version}/{} {place}{} {verb}: {}", entry.kind, entry.name, chain(&error)));
            }
        }
    }
    remaining.reverse();
    (remaining, errors)
}

/// Group, kind, namespace and name: the version that an object was applied in does not make it another one.
fn same(one: &InventoryEntry, other: &InventoryEntry) -> bool {
    (&one.group, &one.kind, &one.namespace, &one.name) == (&other.group, &other.kind, &other.namespace, &other.name)
}

fn api_version(entry: &InventoryEntry) -> String {
    if entry.group.is_empty() { entry.version.clone() } else { format!("{}/{}", entry.group, entry.version) }
}

fn entry(resource: &Resource) -> InventoryEntry {
    let (group, version) = resource.api_version.split_once('/').unwrap_or(("", &resource.api_version));
    InventoryEntry {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: resource.kind.clone(),
        namespace: resource.namespace.clone(),
        name: resource.name.clone(),
    }
}

/// In the form in which Cyclops reports failures.
fn line(resource: &Resource, error: &str) -> String {
    let place = resource.namespace.as_deref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
    format!("{}/{} {place}{} failed to apply: {error}", resource.api_version, resource.kind, resource.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_the_same_object() {
        let entry = |version: &str, name: &str| InventoryEntry {
            group: "autoscaling".into(),
            version: version.into(),
            kind: "HorizontalPodAutoscaler".into(),
            namespace: Some("team-a".into()),
            name: name.into(),
        };
        assert!(same(&entry("v1", "web"), &entry("v2", "web")));
        assert!(!same(&entry("v2", "api"), &entry("v2", "web")));
        assert_eq!(api_version(&entry("v2", "web")), "autoscaling/v2");
        assert_eq!(api_version(&InventoryEntry { version: "v1".into(), ..InventoryEntry::default() }), "v1");
    }
}
