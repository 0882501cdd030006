//! Writing past the locks with a reason.

use serde_json::Value;

use super::object::annotation;
use super::{Question, Refusal, text};
use crate::annotations;

/// The reason that this very request brings, if it brings one. Errors if it has no text, or if the requester may not
/// do this: a reason that does not count must not look as if it did.
pub(super) fn reason<'a>(
    question: &Question<'_>,
    old: Option<&Value>,
    new: &'a Value,
) -> Result<Option<&'a str>, Refusal> {
    let Some(reason) = annotation(new, annotations::BREAK_GLASS) else { return Ok(None) };
    if old.and_then(|old| annotation(old, annotations::BREAK_GLASS)) == Some(reason) {
        return Ok(None);
    }
    if reason.trim().is_empty() {
        let field = format!("metadata.annotations[{}]", annotations::BREAK_GLASS);
        return Err(Refusal::invalid(&field, text::REASON_MISSING));
    }
    if !question.policy.may_break_glass(question.requester) {
        return Err(Refusal::forbidden(text::may_not_break_glass(question)));
    }
    Ok(Some(reason))
}
