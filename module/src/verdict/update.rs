//! Changing Modules: locked values, and what is locked along with them.

use std::collections::BTreeMap;

use renderer::values::{Values, ValuesError};
use serde_json::Value;

use super::object::{annotation, at, check, content_differs, target_namespace, text};
use super::ownership::{self, Owned};
use super::sub_charts::{Application, switched_off};
use super::{Allowance, Cause, Ground, Question, Refusal, RequiredTemplates, break_glass, lifecycle, text as prose};
use crate::annotations;
use crate::equality::{LockedChange, ValuesState, locked_changes};
use crate::lock::LockSet;
use crate::ownership::{OwnedChange, owned_changes};
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
    break_glass::check_reason_for_deletion(question, Some(old), new)?;
    let reason = break_glass::reason(question, Some(old), new)?;
    let warnings = ownership::check_managers(question, old, new, reason.is_some())?;
    let allowance = Allowance { warnings, break_glass: reason.map(str::to_owned), ..Allowance::default() };
    if !touches(old, new) {
        return Ok(allowance);
    }
    let spec_changes = at(old, "/spec") != at(new, "/spec");
    if spec_changes {
        check(new).map_err(|(field, message)| Refusal::invalid(field, message))?;
        if ["repo", "path"].iter().any(|part| reference(old, part) != reference(new, part)) {
            check_source(question, new)?;
        }
    }
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
        return Err(Refusal::unavailable(prose::TEMPLATE_UNKNOWN, 5).on(Ground::Unreachable));
    };
    let mut reference_changes = template_changes(old, new, tolerates_lost_fields(question));
    match question.new_template {
        None if names_another_template(&reference_changes) && !free(question, old, new) => {
            return Err(Refusal::unavailable(prose::TEMPLATE_UNKNOWN, 5).on(Ground::Unreachable));
        }
        // The same words stand for something else by now: a change of the version, if this write takes it over.
        Some(new_template)
            if !names_another_template(&reference_changes) && new_template.digest() != old_template.digest() =>
        {
            reference_changes.push(LockedField {
                field: "spec.template.version".to_owned(),
                old: Some(old_template.digest().into()),
                new: Some(new_template.digest().into()),
                subject: prose::Subject::Template,
            });
        }
        _ => {}
    }

    let owned = Owned::read(question, old, reason.is_some())?;
    let changes = match changes_of_values(question, old_template, &owned, old, new) {
        Ok(changes) => changes,
        // Whoever may change everything may also correct what cannot be compared.
        Err(_) if free(question, old, new) => ValuesChanges::default(),
        Err(refusal) => return Err(refusal),
    };
    let requester = question.requester;
    let mut judgement = Judgement::default();
    let marked = question.policy.locked(requester, reason.is_some());
    for (manager, cause) in changes.told(question, old) {
        let (rule, ground) = match manager {
            None => (marked, Ground::Lock),
            Some(manager) => (question.policy.owned(requester, reason.is_some(), manager), Ground::Ownership),
        };
        judgement.add(rule, ground, cause);
    }
    let is_marked = !old_template.locks().is_empty();
    if is_marked || !owned.is_empty() {
        let only_version = reference_changes.iter().all(|change| change.field == "spec.template.version");
        let keeps_locks = question.new_template.is_some_and(|new| new.locks().keeps_all_of(old_template.locks()));
        let version_only = only_version && keeps_locks && changes.is_empty();
        let template = question.policy.template_change(requester, reason.is_some(), version_only);
        let owned_template = owned.strictest(|manager| {
            question.policy.owned_template_change(requester, reason.is_some(), version_only, manager)
        });
        let owned = owned.strictest(|manager| question.policy.owned(requester, reason.is_some(), manager));
        let strictest = |marked: Rule, owned: Rule| if is_marked { marked.max(owned) } else { owned };
        let why = if is_marked { prose::MARKED } else { prose::OWNED };
        let of_reference = std::iter::repeat(strictest(template, owned_template)).zip(reference_changes);
        let of_others = std::iter::repeat(strictest(marked, owned)).zip(other_changes(question, old, new));
        for (rule, change) in of_reference.chain(of_others) {
            let (before, after) = (change.old.as_ref(), change.new.as_ref());
            let message = prose::locked_field(question, old, why, change.subject, before, after);
            judgement.add(rule, change.subject.ground(), Cause { field: change.field, message });
        }
    }
    judgement.decide(allowance)
}

/// What the rules say to each field that changes.
#[derive(Default)]
struct Judgement {
    judged: Vec<(Rule, Ground, Cause)>,
    /// Where in `judged` a field is.
    known: BTreeMap<String, usize>,
}

impl Judgement {
    /// A field that is locked for several reasons is told of once, for the strictest.
    fn add(&mut self, rule: Rule, ground: Ground, cause: Cause) {
        let position = *self.known.entry(cause.field.clone()).or_insert(self.judged.len());
        match self.judged.get_mut(position) {
            Some(known) if known.0 < rule => *known = (rule, ground, cause),
            Some(_) => {}
            None => self.judged.push((rule, ground, cause)),
        }
    }

    fn decide(self, mut allowance: Allowance) -> Result<Allowance, Refusal> {
        let mut causes = Vec::new();
        let mut first = None;
        for (rule, ground, cause) in self.judged {
            allowance.locked_changes.push(cause.field.clone());
            match rule {
                Rule::Refuse => {
                    first = first.or(Some(ground));
                    causes.push(cause);
                }
                Rule::Warn => allowance.warnings.push(format!("{}: {}", cause.field, cause.message)),
                Rule::Allow => {}
            }
        }
        match first {
            None => Ok(allowance),
            Some(ground) => Err(Refusal::because(causes).on(ground)),
        }
    }
}

/// Whether a source may be used, whoever asks.
pub(super) fn check_source(question: &Question<'_>, new: &Value) -> Result<(), Refusal> {
    let (repo, path) = (text(new, "/spec/template/repo"), text(new, "/spec/template/path"));
    question.policy.check_source(repo, path).map_err(|error| Refusal::for_source(&error))
}

/// Whether a write changes anything that could be locked. Everything else always passes, whatever the state of the
/// stored object and of its template.
fn touches(old: &Value, new: &Value) -> bool {
    content_differs(old, new)
        || annotations::GIT_WRITE.iter().any(|name| annotation(old, name) != annotation(new, name))
        || brings_reason(old, new)
}

fn brings_reason(old: &Value, new: &Value) -> bool {
    let reason = annotation(new, annotations::BREAK_GLASS);
    reason.is_some() && reason != annotation(old, annotations::BREAK_GLASS)
}

/// Whether this requester may change whatever is locked, so that the locks need not be known.
fn free(question: &Question<'_>, old: &Value, new: &Value) -> bool {
    let (policy, requester, reason) = (question.policy, question.requester, brings_reason(old, new));
    let owned = Owned::read(question, old, reason);
    policy.locked(requester, reason) == Rule::Allow
        && owned.is_ok_and(|owned| owned.strictest(|manager| policy.owned(requester, reason, manager)) == Rule::Allow)
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

/// Values that change and must not be changed by everybody.
#[derive(Default)]
pub(super) struct ValuesChanges {
    /// What a schema marks.
    locked: Vec<LockedChange>,
    /// What a GitOps tool owns.
    owned: Vec<OwnedChange>,
}

impl ValuesChanges {
    pub(super) fn is_empty(&self) -> bool {
        self.locked.is_empty() && self.owned.is_empty()
    }

    /// What to say to whoever may not change them, with the manager that owns what is owned.
    pub(super) fn told<'a>(
        &'a self,
        question: &'a Question<'_>,
        module: &'a Value,
    ) -> impl Iterator<Item = (Option<&'a str>, Cause)> {
        let locked = self.locked.iter().map(move |change| {
            let message = prose::locked_value(question, module, change);
            (None, Cause { field: change.path.to_field(), message })
        });
        let owned = self.owned.iter().map(move |change| {
            let message = prose::owned_value(question, module, change);
            (Some(change.value.manager.as_str()), Cause { field: change.value.path.to_field(), message })
        });
        locked.chain(owned)
    }
}

/// Locked values that change, under the locks of the old and the new template.
pub(super) fn changes_of_values(
    question: &Question<'_>,
    old_template: &Template,
    owned: &Owned,
    old: &Value,
    new: &Value,
) -> Result<ValuesChanges, Refusal> {
    let new_template = question.new_template.unwrap_or(old_template);
    let union;
    let locks: &LockSet = match question.new_template {
        None => old_template.locks(),
        Some(new_template) => {
            union = old_template.locks().union(new_template.locks());
            &union
        }
    };
    if locks.is_empty() && owned.is_empty() {
        return Ok(ValuesChanges::default());
    }
    let unreadable = |problem: ValuesError| Refusal::invalid("spec.values", prose::stored_values_unreadable(&problem));
    let unusable = |problem: ValuesError| Refusal::invalid("spec.values", problem.to_string());
    let (old_values, old_effective) = read(old_template, old).map_err(unreadable)?;
    let (new_values, new_effective) = read(new_template, new).map_err(unusable)?;
    let explicit = |object| at(object, "/spec/values").unwrap_or(&Value::Null);
    let old_state = ValuesState { effective: &old_effective, explicit: explicit(old) };
    let new_state = ValuesState { effective: &new_effective, explicit: explicit(new) };
    let mut locked =
        locked_changes(locks, old_state, new_state).map_err(|problem| Refusal::too_much("spec.values", &problem))?;
    let before = Application { chart: old_template.chart(), values: &old_values, effective: &old_effective };
    let after = Application { chart: new_template.chart(), values: &new_values, effective: &new_effective };
    locked.extend(switched_off(locks, before, after, &locked).map_err(unusable)?);
    Ok(ValuesChanges { locked, owned: owned_changes(owned.values(), locks, old_state, new_state) })
}

/// What a Module sets, and what the templates see.
fn read(template: &Template, object: &Value) -> Result<(Values, Value), ValuesError> {
    let values = renderer::values::from_json(at(object, "/spec/values").unwrap_or(&Value::Null))?;
    let effective = renderer::values::effective(template.chart(), &values).map(Value::Object)?;
    Ok((values, effective))
}
