//! What a change of a Module would do: to its values, and to the resources in the cluster.

mod resources;
mod values;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::expansion::Expansion;
use crate::lock::{LockSet, Redaction};

/// The differences between two states of a Module.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Changes of effective values, by path.
    #[serde(default)]
    pub values: Vec<ValueChange>,
    /// Changes of resources: additions and changes in the order of the new expansion, then deletions.
    #[serde(default)]
    pub resources: Vec<ResourceChange>,
}

/// A value that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueChange {
    /// Path below `spec.values`, as people read it: `image.tag`.
    pub path: String,
    /// The value now; none if there is none. Text `(hidden)` where it must not be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// The value then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// Whether the value is locked.
    #[serde(default)]
    pub locked: bool,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is created.
    Add,
    /// It is updated.
    Change,
    /// It is deleted.
    Delete,
}

/// A resource that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceChange {
    /// What happens to it.
    pub change: Change,
    /// `apiVersion`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; none for a cluster-scoped resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// The object now; data of Secrets is hidden. None for an addition, or where an answer had to be shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The object then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// One state of a Module.
#[derive(Clone, Copy, Debug)]
pub struct PlanState<'a> {
    /// Effective values.
    pub values: &'a Map<String, Value>,
    /// The resources.
    pub expansion: &'a Expansion,
}

impl Plan {
    /// What leads from one state to another; none as the old state is a Module that does not exist. `locks` say which
    /// values are locked and which must not be shown.
    pub fn between(locks: &LockSet, old: Option<PlanState<'_>>, new: PlanState<'_>) -> Self {
        let nothing = (Map::new(), Expansion::default());
        let (old_values, old_expansion) = old.map_or((&nothing.0, &nothing.1), |old| (old.values, old.expansion));
        let (old_values, new_values) = (Value::Object(old_values.clone()), Value::Object(new.values.clone()));
        let mut resources = resources::changes(old_expansion, new.expansion);
        let redaction = Redaction::new(locks, [&old_values, &new_values]);
        if !redaction.is_empty() {
            let objects = resources.iter_mut().flat_map(|change| [&mut change.before, &mut change.after]);
            objects.flatten().for_each(|object| redaction.apply_to(object));
        }
        Self { values: values::changes(locks, &old_values, &new_values), resources }
    }

    /// `Plan: 1 to add, 2 to change, 0 to delete`.
    pub fn summary(&self) -> String {
        let count = |change| self.resources.iter().filter(|resource| resource.change == change).count();
        format!(
            "Plan: {} to add, {} to change, {} to delete",
            count(Change::Add),
            count(Change::Change),
            count(Change::Delete)
        )
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.resources.is_empty()
    }
}

#[cfg(test)]
mod tests;
