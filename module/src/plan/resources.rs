//! Changes of resources.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Change, ResourceChange};
use crate::expansion::{Expansion, Resource};
use crate::lock::HIDDEN;

/// Fields of a Secret that hold secrets.
const SECRET_FIELDS: [&str; 2] = ["data", "stringData"];
/// What stands for a secret value that is not the one it was. Without it a changed Secret would show no difference.
const HIDDEN_CHANGED: &str = "(hidden, changed)";

/// Additions and changes in the order of the new expansion, then deletions in the reverse order of the old one.
pub(super) fn changes(old: &Expansion, new: &Expansion) -> Vec<ResourceChange> {
    let before: BTreeMap<_, _> = old.resources.iter().map(|resource| (resource.key(), resource)).collect();
    let after: BTreeMap<_, _> = new.resources.iter().map(|resource| (resource.key(), resource)).collect();
    let mut changes = Vec::new();
    for resource in &new.resources {
        match before.get(&resource.key()) {
            None => changes.push(describe(Change::Add, None, Some(resource))),
            Some(old) if old.object != resource.object => {
                changes.push(describe(Change::Change, Some(old), Some(resource)));
            }
            Some(_) => {}
        }
    }
    let gone = old.resources.iter().rev().filter(|resource| !after.contains_key(&resource.key()));
    changes.extend(gone.map(|resource| describe(Change::Delete, Some(resource), None)));
    changes
}

fn describe(change: Change, old: Option<&Resource>, new: Option<&Resource>) -> ResourceChange {
    let shown = new.or(old);
    let text = |field: fn(&Resource) -> &str| shown.map(field).unwrap_or_default().to_owned();
    ResourceChange {
        change,
        api_version: text(|resource| &resource.api_version),
        kind: text(|resource| &resource.kind),
        namespace: shown.and_then(|resource| resource.namespace.clone()),
        name: text(|resource| &resource.name),
        before: old.map(|resource| masked(resource, None)),
        after: new.map(|resource| masked(resource, old)),
    }
}

/// The object without the data of a Secret. `other`: the state to compare with, so that a change shows.
pub(super) fn masked(resource: &Resource, other: Option<&Resource>) -> Value {
    let mut object = resource.object.clone();
    if resource.kind != "Secret" || !resource.group().is_empty() {
        return object;
    }
    for field in SECRET_FIELDS {
        let known = other.and_then(|other| other.object.get(field));
        match object.get_mut(field) {
            Some(Value::Object(entries)) => {
                for (key, value) in entries {
                    let changed = known.is_some_and(|known| known.get(key.as_str()) != Some(value));
                    *value = if changed { HIDDEN_CHANGED } else { HIDDEN }.into();
                }
            }
            Some(Value::Null) | None => {}
            Some(other) => *other = HIDDEN.into(),
        }
    }
    // kubectl keeps a copy of what it applied.
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    object
}
