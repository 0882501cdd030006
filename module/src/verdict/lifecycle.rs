//! Creating and deleting Modules.

use serde_json::Value;

use super::object::{annotation, check};
use super::{Allowance, Question, Refusal, break_glass, text, update};
use crate::annotations;

/// Identities that delete what has lost its owner or its namespace. Their user names are the cluster's own.
const CLEANERS: [&str; 2] = [
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
];

pub(super) fn create(question: &Question<'_>, new: &Value) -> Result<Allowance, Refusal> {
    let reason = break_glass::reason(question, None, new)?;
    if reason.is_none() && !question.policy.may_create(question.requester) {
        return Err(Refusal::forbidden(text::may_not_create(question, new)));
    }
    check(new).map_err(|(field, message)| Refusal::invalid(field, message))?;
    update::check_source(question, new)?;
    Ok(Allowance { break_glass: reason.map(str::to_owned), ..Allowance::default() })
}

pub(super) fn delete(question: &Question<'_>, old: &Value) -> Result<Allowance, Refusal> {
    let protected = annotation(old, annotations::PROTECTED) == Some("true");
    let allowed = CLEANERS.contains(&question.requester.username.as_str())
        || question.policy.may_delete(question.requester, protected);
    if allowed {
        Ok(Allowance::default())
    } else {
        Err(Refusal::forbidden(text::may_not_delete(question, old, protected)))
    }
}
