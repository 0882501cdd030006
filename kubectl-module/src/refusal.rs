//! Telling people that a change is refused: on the terminal, and in the buffer of an edit.

use module::verdict::{Cause, Refusal};

use crate::editor::buffer::Reason;
use crate::failure::{CODE_ERROR, CODE_REFUSED, Failure};
use crate::terminal::escape;

/// A refusal as a failure: every field with its reason. The reasons name the value now, the value wanted, and who may
/// change it.
pub(crate) fn failure(name: &str, refusal: &Refusal) -> Failure {
    // A server that cannot answer now is no refusal.
    let code = if matches!(refusal.code, 403 | 422) { CODE_REFUSED } else { CODE_ERROR };
    if refusal.causes.is_empty() {
        return Failure::message(code, format!("the change of module {name} is refused: {}", refusal.message));
    }
    Failure::message(code, format!("the change of module {name} is refused"))
        .details(details(&refusal.causes))
        .causes(refusal.causes.iter().cloned())
}

/// Fields and reasons as lines to print.
pub(crate) fn details(causes: &[Cause]) -> Vec<String> {
    let mut lines = Vec::new();
    for cause in causes {
        let indent = if cause.field.is_empty() { "  " } else { "    " };
        if !cause.field.is_empty() {
            lines.push(format!("  {}", escape(&cause.field)));
        }
        lines.extend(escape(&cause.message).lines().map(|line| format!("{indent}{line}")));
    }
    lines
}

/// The reasons of a refusal for the buffer of an edit.
pub(crate) fn reasons(causes: &[Cause], message: &str) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = causes
        .iter()
        .map(|Cause { field, message }| match field.strip_prefix("spec.values") {
            Some(_) => Reason { path: crate::path::parse(field).ok(), line: None, message: message.to_owned() },
            None if field.is_empty() => Reason { path: None, line: None, message: message.to_owned() },
            None => Reason { path: None, line: None, message: format!("{field}: {message}") },
        })
        .collect();
    if reasons.is_empty() {
        reasons.push(Reason { path: None, line: None, message: message.to_owned() });
    }
    reasons
}

#[cfg(test)]
mod tests {
    use module::ValuePath;

    use super::*;

    #[test]
    fn fields_become_places_in_the_buffer() {
        let cause = |field: &str, message: &str| Cause { field: field.to_owned(), message: message.to_owned() };
        let found =
            reasons(&[cause("spec.values.a", "is locked"), cause("spec.template", "too"), cause("", "why")], "all");
        assert_eq!(found[0].path, Some(ValuePath::root().key("a")));
        assert_eq!(found[1].message, "spec.template: too");
        assert_eq!(found[2].message, "why");
        assert_eq!(reasons(&[], "all")[0].message, "all");
    }
}
