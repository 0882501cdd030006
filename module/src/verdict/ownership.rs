//! Values that GitOps tools own: locked like marked ones where a policy says so.

use std::collections::BTreeSet;

use serde_json::Value;

use super::object::at;
use super::{Cause, Ground, Question, Refusal, text as prose};
use crate::ownership::{OwnedValue, disowned, owned_values};
use crate::policy::Rule;

/// What of a stored Module's values is owned by the field managers whose values some policy locks.
pub(super) struct Owned(BTreeSet<OwnedValue>);

impl Owned {
    /// Reads the stored Module. What cannot be read is refused where ownership is enforced, unless the requester may
    /// change everything.
    pub(super) fn read(question: &Question<'_>, old: &Value, reason_given: bool) -> Result<Self, Refusal> {
        match owned_values(old, |manager| question.policy.locks_what_is_owned_by(manager)) {
            Ok(values) => Ok(Self(values)),
            Err(_) if !question.policy.enforces_ownership() || is_exempt(question, reason_given) => {
                Ok(Self(BTreeSet::new()))
            }
            Err(problem) => Err(Refusal::invalid("metadata.managedFields", problem.to_string()).on(Ground::Ownership)),
        }
    }

    pub(super) fn values(&self) -> &BTreeSet<OwnedValue> {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The strictest that the policies say to a change of anything that is owned, under a rule for each field manager.
    pub(super) fn strictest(&self, rule: impl Fn(&str) -> Rule) -> Rule {
        let managers: BTreeSet<&str> = self.0.iter().map(|value| value.manager.as_str()).collect();
        managers.into_iter().map(rule).max().unwrap_or(Rule::Allow)
    }
}

fn is_exempt(question: &Question<'_>, reason_given: bool) -> bool {
    question.policy.is_git_ops_writer(question.requester)
        || reason_given && question.policy.may_break_glass(question.requester)
}

/// A client may write `managedFields` itself. Whoever must not change what a GitOps tool owns must not take it away from
/// it either. Returns warnings.
pub(super) fn check_managers(
    question: &Question<'_>,
    old: &Value,
    new: &Value,
    reason_given: bool,
) -> Result<Vec<String>, Refusal> {
    let read = |object| owned_values(object, |manager| question.policy.locks_what_is_owned_by(manager));
    let before = read(old).unwrap_or_default();
    if before.is_empty() {
        return Ok(Vec::new());
    }
    // Without a list that can be read nobody owns anything.
    let after = read(new).unwrap_or_default();
    let values = |object| at(object, "/spec/values").unwrap_or(&Value::Null);
    let mut warnings = Vec::new();
    let mut causes = Vec::new();
    for value in disowned(&before, &after, values(old), values(new)) {
        let message = prose::disowned(question, old, value);
        match question.policy.owned(question.requester, reason_given, &value.manager) {
            Rule::Refuse => causes.push(Cause { field: "metadata.managedFields".to_owned(), message }),
            Rule::Warn => warnings.push(format!("metadata.managedFields: {message}")),
            Rule::Allow => {}
        }
    }
    if causes.is_empty() { Ok(warnings) } else { Err(Refusal::because(causes).on(Ground::Ownership)) }
}
