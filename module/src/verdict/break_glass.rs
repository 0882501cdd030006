//! Writing past the locks with a reason.

use serde_json::Value;

use super::object::annotation;
use super::{Ground, Question, Refusal, text};
use crate::annotations;

/// The reason that this very request brings, if it brings one. Errors if it has no text, or if the requester may not
/// do this: a reason that does not count must not look as if it did.
pub(super) fn reason<'a>(
    question: &Question<'_>,
    old: Option<&Value>,
    new: &'a Value,
) -> Result<Option<&'a str>, Refusal> {
    new_reason(question, old, new, annotations::BREAK_GLASS)
}

/// A deletion brings no object that could hold a reason: it is written down before, by somebody who may break the glass.
pub(super) fn check_reason_for_deletion(
    question: &Question<'_>,
    old: Option<&Value>,
    new: &Value,
) -> Result<(), Refusal> {
    new_reason(question, old, new, annotations::BREAK_GLASS_DELETION).map(drop)
}

/// The reason for a deletion that was written down, if the requester may break the glass.
pub(super) fn reason_for_deletion<'a>(question: &Question<'_>, old: &'a Value) -> Option<&'a str> {
    let reason = annotation(old, annotations::BREAK_GLASS_DELETION).filter(|reason| !reason.trim().is_empty())?;
    question.policy.may_break_glass(question.requester).then_some(reason)
}

fn new_reason<'a>(
    question: &Question<'_>,
    old: Option<&Value>,
    new: &'a Value,
    name: &str,
) -> Result<Option<&'a str>, Refusal> {
    let Some(reason) = annotation(new, name) else { return Ok(None) };
    if old.and_then(|old| annotation(old, name)) == Some(reason) {
        return Ok(None);
    }
    if reason.trim().is_empty() {
        return Err(
            Refusal::invalid(&format!("metadata.annotations[{name}]"), text::REASON_MISSING).on(Ground::BreakGlass)
        );
    }
    if !question.policy.may_break_glass(question.requester) {
        return Err(Refusal::forbidden(Ground::BreakGlass, text::may_not_break_glass(question, name)));
    }
    Ok(Some(reason))
}
