//! Creating and deleting Modules.

use std::collections::BTreeSet;

use serde_json::Value;

use super::object::{annotation, check, text};
use super::{Allowance, Ground, Question, Refusal, break_glass, text as prose, update};
use crate::annotations;

/// Identities that delete what has lost its owner or its namespace. Their user names are the cluster's own.
const CLEANERS: [&str; 2] = [
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
];

pub(super) fn create(question: &Question<'_>, new: &Value) -> Result<Allowance, Refusal> {
    break_glass::check_reason_for_deletion(question, None, new)?;
    let reason = break_glass::reason(question, None, new)?;
    if reason.is_none() {
        check_creator(question, new)?;
    }
    check(new).map_err(|(field, message)| Refusal::invalid(field, message))?;
    update::check_source(question, new)?;
    Ok(Allowance { break_glass: reason.map(str::to_owned), ..Allowance::default() })
}

/// Whether the requester may bring a Module into being.
pub(super) fn check_creator(question: &Question<'_>, new: &Value) -> Result<(), Refusal> {
    if question.policy.may_create(question.requester) {
        return Ok(());
    }
    Err(Refusal::forbidden(Ground::Creation, prose::may_not_create(question, new)))
}

/// Whoever makes a Module depend on another object lets the garbage collector delete it along with that object, or since
/// there is no object of that name: only those who may delete it themselves may do so. Freeing it of all owners cannot
/// lead there; freeing it of one leaves it to the others.
pub(super) fn check_owners(question: &Question<'_>, old: &Value, new: &Value) -> Result<(), Refusal> {
    if annotation(old, annotations::PROTECTED) != Some("true") || may_delete(question, true) {
        return Ok(());
    }
    let (before, after) = (owners(old), owners(new));
    if after == before || after.is_empty() {
        return Ok(());
    }
    Err(Refusal::invalid("metadata.ownerReferences", prose::owner_added(question, old)).on(Ground::Deletion))
}

/// The objects that a Module belongs to. What a reference says besides is about the order of deletions.
fn owners(object: &Value) -> BTreeSet<[&str; 4]> {
    let references = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let owner = |owner| ["/apiVersion", "/kind", "/name", "/uid"].map(|part| text(owner, part));
    references.into_iter().flatten().map(owner).collect()
}

fn may_delete(question: &Question<'_>, protected: bool) -> bool {
    CLEANERS.contains(&question.requester.username.as_str())
        || question.policy.may_delete(question.requester, protected)
}

pub(super) fn delete(question: &Question<'_>, old: &Value) -> Result<Allowance, Refusal> {
    let protected = annotation(old, annotations::PROTECTED) == Some("true");
    if may_delete(question, protected) {
        return Ok(Allowance::default());
    }
    match break_glass::reason_for_deletion(question, old) {
        Some(reason) => Ok(Allowance { break_glass: Some(reason.to_owned()), ..Allowance::default() }),
        None => Err(Refusal::forbidden(Ground::Deletion, prose::may_not_delete(question, old, protected))),
    }
}
