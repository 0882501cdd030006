//! Changing Modules: locked values, and what is locked along with them.

use serde_json::Value;

use super::object::{annotation, at, check, target_namespace, text};
use super::{Allowance, Cause, Question, Refusal, RequiredTemplates, break_glass, lifecycle, text as prose};
use crate::annotations;
use crate::equality::{LockedChange, ValuesState, locked_changes};
use crate::lock::LockSet;
use crate::policy::Rule;
use crate::template::Template;

/// The parts of a template reference.
const REFERENCE: [&str; 5] = ["repo", "path", "version", "sourceType", "enforceGitOpsWrite"];

/// Something that is locked because values are: field, and what it would change from and to.
struct LockedField {
    field: String,
    old: Option<Value>,
    new: Option<Value>,
    subject: prose::Subject,
}

pub(super) fn required_templates(question: &Question<'_>) -> RequiredTemplates {
    let (Some(old), Some(new)) = (question.old, question.new) else { return RequiredTemplates::default() };
    if !touches(old, new) || at(old, "/spec").is_none() || free(question, old, new) {
        return RequiredTemplates::default();
    }
    RequiredTemplates { old: true, new: names_another_template(&template_changes(old, new, false)) }
}

pub(super) fn update(question: &Question<'_>, old: &Value, new: &Value) -> Result<Allowance, Refusal> {
    lifecycle::check_owners(question, old, new)?;
    if !touches(old, new) {
        return Ok(Allowance::default());
    }
    let reason = break_glass::reason(question, Some(old), new)?;
    let spec_changes = at(old, "/spec") != at(new, "/spec");
    if spec_changes {
        check(new).map_err(|(field, message)| Refusal::invalid(field, message))?;
        if ["repo", "path"].iter().any(|part| reference(old, part) != reference(new, part)) {
            check_source(question, new)?;
        }
    }
    let mut allowance = Allowance { break_glass: reason.map(str::to_owned), ..Allowance::default() };
    if at(old, "/spec").is_none() {
        // Only now there is an application: as good as creating one.
        if spec_changes && reason.is_none() {
            lifecycle::check_creator(question, new)?;
        }
        return Ok(allowance);
    }
    let Some(old_template) = question.old_template else {
        if free(question, old, new) {
            return Ok(allowance);
        }
        return Err(Refusal::unavailable(prose::TEMPLATE_UNKNOWN, 5));
    };
    let mut reference_changes = template_changes(old, new, tolerates_lost_fields(question));
    match question.new_template {
        None if names_another_template(&reference_changes) && !free(question, old, new) => {
            return Err(Refusal::unavailable(prose::TEMPLATE_UNKNOWN, 5));
        }
        // The same words stand for something else by now: a change of the version, if this write takes it over.
        Some(new_template) if reference_changes.is_empty() && new_template.digest() != old_template.digest() => {
            reference_changes.push(LockedField {
                field: "spec.template.version".to_owned(),
                old: Some(old_template.digest().into()),
                new: Some(new_template.digest().into()),
                subject: prose::Subject::Template,
            });
        }
        _ => {}
    }

    let values = match values_changes(question, old_template, old, new) {
        Ok(changes) => changes,
        // Whoever may change everything may also correct what cannot be compared.
        Err(_) if free(question, old, new) => Vec::new(),
        Err(refusal) => return Err(refusal),
    };
    let mut judged = Vec::new();
    let rule = question.policy.locked(question.requester, reason.is_some());
    for change in &values {
        judged.push((rule, change.path.to_field(), prose::locked_value(question, old, change)));
    }
    if !old_template.locks().is_empty() {
        let only_version = reference_changes.iter().all(|change| change.field == "spec.template.version");
        let keeps_locks = question.new_template.is_some_and(|new| keeps_locks(old_template, new));
        let template_rule = question.policy.template_change(
            question.requester,
            reason.is_some(),
            only_version && keeps_locks && values.is_empty(),
        );
        let rules = std::iter::repeat(template_rule).zip(reference_changes);
        for (rule, change) in rules.chain(std::iter::repeat(rule).zip(other_changes(question, old, new))) {
            let message = prose::locked_field(question, old, change.subject, change.old.as_ref(), change.new.as_ref());
            judged.push((rule, change.field, message));
        }
    }
    let mut causes = Vec::new();
    for (rule, field, message) in judged {
        allowance.locked_changes.push(field.clone());
        match rule {
            Rule::Refuse => causes.push(Cause { field, message }),
            Rule::Warn => allowance.warnings.push(format!("{field}: {message}")),
            Rule::Allow => {}
        }
    }
    if causes.is_empty() { Ok(allowance) } else { Err(Refusal::because(causes)) }
}

/// Whether a source may be used, whoever asks.
pub(super) fn check_source(question: &Question<'_>, new: &Value) -> Result<(), Refusal> {
    let (repo, path) = (text(new, "/spec/template/repo"), text(new, "/spec/template/path"));
    question
        .policy
        .check_source(repo, path)
        .map_err(|error| Refusal::invalid("spec.template.repo", prose::source(&error)))
}

/// Whether a new template locks whatever the old one locks.
pub(super) fn keeps_locks(old: &Template, new: &Template) -> bool {
    old.locks().lists_all() && old.locks().first_lock_missing_in(new.locks()).is_none()
}

/// Whether a write changes anything that could be locked. Everything else always passes, whatever the state of the
/// stored object and of its template.
fn touches(old: &Value, new: &Value) -> bool {
    ["/spec", "/history"].iter().any(|pointer| at(old, pointer) != at(new, pointer))
        || annotations::GIT_WRITE.iter().any(|name| annotation(old, name) != annotation(new, name))
        || brings_reason(old, new)
}

fn brings_reason(old: &Value, new: &Value) -> bool {
    let reason = annotation(new, annotations::BREAK_GLASS);
    reason.is_some() && reason != annotation(old, annotations::BREAK_GLASS)
}

/// Whether this requester may change whatever is locked, so that the locks need not be known.
fn free(question: &Question<'_>, old: &Value, new: &Value) -> bool {
    let reason = brings_reason(old, new);
    question.policy.locked(question.requester, reason) == Rule::Allow
}

/// Cyclops' own server rebuilds what it writes and loses fields that it does not know.
fn tolerates_lost_fields(question: &Question<'_>) -> bool {
    question.controllers.cyclops.as_deref() == Some(question.requester.username.as_str())
}

fn reference<'a>(object: &'a Value, part: &str) -> Option<&'a Value> {
    // A part that is empty is no part: some clients write one for the other.
    at(object, &format!("/spec/template/{part}")).filter(|value| value.as_str() != Some(""))
}

/// What changes in the reference to the template. A lost `sourceType` is no change: older clients do not know the
/// field, and as long as nothing else changes the template stays what it resolved to.
fn template_changes(old: &Value, new: &Value, tolerate_lost_fields: bool) -> Vec<LockedField> {
    REFERENCE
        .iter()
        .filter_map(|part| {
            let (before, after) = (reference(old, part), reference(new, part));
            let lost =
                after.is_none() && (*part == "sourceType" || *part == "enforceGitOpsWrite" && tolerate_lost_fields);
            (before != after && !lost).then(|| LockedField {
                field: format!("spec.template.{part}"),
                old: before.cloned(),
                new: after.cloned(),
                subject: prose::Subject::Template,
            })
        })
        .collect()
}

/// Whether the new reference stands for another template: where its Modules are written in Git is no part of that.
fn names_another_template(changes: &[LockedField]) -> bool {
    changes.iter().any(|change| change.field != "spec.template.enforceGitOpsWrite")
}

/// What else changes that is locked once a template has locks.
fn other_changes(question: &Question<'_>, old: &Value, new: &Value) -> Vec<LockedField> {
    let mut changes = Vec::new();
    let (before, after) = (target_namespace(old), target_namespace(new));
    if before != after {
        changes.push(LockedField {
            field: "spec.targetNamespace".to_owned(),
            old: Some(before.into()),
            new: Some(after.into()),
            subject: prose::Subject::TargetNamespace,
        });
    }
    for name in annotations::GIT_WRITE {
        let (before, after) = (annotation(old, name), annotation(new, name));
        if before != after {
            changes.push(LockedField {
                field: format!("metadata.annotations[{name}]"),
                old: before.map(Into::into),
                new: after.map(Into::into),
                subject: prose::Subject::GitWrite,
            });
        }
    }
    if history(old) != history(new) && !question.controllers.includes(question.requester) {
        changes.push(LockedField {
            field: "history".to_owned(),
            old: None,
            new: None,
            subject: prose::Subject::History,
        });
    }
    changes
}

fn history(object: &Value) -> &[Value] {
    object.get("history").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Locked values that change, under the locks of the old and the new template.
fn values_changes(
    question: &Question<'_>,
    old_template: &Template,
    old: &Value,
    new: &Value,
) -> Result<Vec<LockedChange>, Refusal> {
    let new_template = question.new_template.unwrap_or(old_template);
    let union;
    let locks: &LockSet = match question.new_template {
        None => old_template.locks(),
        Some(new_template) => {
            union = old_template.locks().union(new_template.locks());
            &union
        }
    };
    if locks.is_empty() {
        return Ok(Vec::new());
    }
    let old_effective = effective(old_template, old)
        .map_err(|problem| Refusal::invalid("spec.values", prose::stored_values_unreadable(&problem)))?;
    let new_effective =
        effective(new_template, new).map_err(|problem| Refusal::invalid("spec.values", problem.to_string()))?;
    let explicit = |object| at(object, "/spec/values").unwrap_or(&Value::Null);
    let mut changes = locked_changes(
        locks,
        ValuesState { effective: &old_effective, explicit: explicit(old) },
        ValuesState { effective: &new_effective, explicit: explicit(new) },
    );
    changes.extend(super::sub_charts::switched_off(old_template, locks, &old_effective, &new_effective, &changes));
    Ok(changes)
}

fn effective(template: &Template, object: &Value) -> Result<Value, renderer::values::ValuesError> {
    let values = renderer::values::from_json(at(object, "/spec/values").unwrap_or(&Value::Null))?;
    renderer::values::effective(template.chart(), &values).map(Value::Object)
}
