//! Which values GitOps tools own, as the API server's `metadata.managedFields` tell, and which of them a write changes.
//!
//! Who a writer is never follows from a field manager: its name is the client's to choose. A client that takes the name
//! of a GitOps tool can only lock what it writes.

mod fields;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::equality::{LockedChangeKind, ValuesState, change_at};
use crate::lock::LockSet;
use crate::path::ValuePath;

pub use fields::ManagedFieldsError;

/// Under which name the API server keeps the fields of the oldest of more than ten managers that write other than by
/// server-side apply (`apimachinery`, `managedfields/internal/capmanagers.go`). Nobody can tell any more whose they were,
/// and a developer can bring the others along: they count as a GitOps tool's.
pub const FORGOTTEN_MANAGERS: &str = "ancient-changes";

/// A value that a field manager owns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnedValue {
    /// Where. What is below a mapping is owned only if it is listed itself.
    pub path: ValuePath,
    /// By whom.
    pub manager: String,
}

/// An owned value that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedChange {
    /// What.
    pub value: OwnedValue,
    /// How.
    pub kind: LockedChangeKind,
    /// The effective value now; what must not be shown is [`crate::lock::HIDDEN`].
    pub old: Option<Value>,
    /// The effective value then.
    pub new: Option<Value>,
}

/// The values of a Module that some field managers own: those below `spec.values`. Errors if `managedFields` says
/// something that is not understood.
pub fn owned_values(
    module: &Value,
    is_git_ops: impl Fn(&str) -> bool,
) -> Result<BTreeSet<OwnedValue>, ManagedFieldsError> {
    let values = module.pointer("/spec/values").unwrap_or(&Value::Null);
    let mut owned = BTreeSet::new();
    let entries = module.pointer("/metadata/managedFields").and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        let manager = entry.get("manager").and_then(Value::as_str).unwrap_or_default();
        if !is_git_ops(manager) {
            continue;
        }
        let paths = fields::paths(entry, values)?;
        owned.extend(paths.into_iter().map(|path| OwnedValue { path, manager: manager.to_owned() }));
    }
    Ok(owned)
}

/// The owned values that change. `locks` knows what must not be shown.
pub fn owned_changes(
    owned: &BTreeSet<OwnedValue>,
    locks: &LockSet,
    old: ValuesState<'_>,
    new: ValuesState<'_>,
) -> Vec<OwnedChange> {
    let root = locks.root();
    let change = |value: &OwnedValue| {
        let kind = change_at(&value.path, old, new)?;
        let cursor = root.path(&value.path);
        let masked = |effective| value.path.get(effective).map(|value| cursor.masked(value));
        Some(OwnedChange { value: value.clone(), kind, old: masked(old.effective), new: masked(new.effective) })
    };
    owned.iter().filter_map(change).collect()
}

/// The values that stay but that their manager would no longer own: without it they could be changed by the next write.
/// Those of [`FORGOTTEN_MANAGERS`] could not.
pub fn disowned<'a>(
    before: &'a BTreeSet<OwnedValue>,
    after: &'a BTreeSet<OwnedValue>,
    old_values: &Value,
    new_values: &Value,
) -> Vec<&'a OwnedValue> {
    let stays = |value: &&OwnedValue| {
        let is_nothing = value.path.get(old_values).is_none_or(crate::equality::is_nothing);
        let forgotten = OwnedValue { path: value.path.clone(), manager: FORGOTTEN_MANAGERS.to_owned() };
        !is_nothing && value.path.get(new_values).is_some() && !after.contains(&forgotten)
    };
    before.difference(after).filter(stays).collect()
}

#[cfg(test)]
mod tests;
