//! Writing the status subresource. Some of its fields steer a controller: what it renders, what it deletes.

use serde_json::Value;

use super::object::{at, text};
use super::update::keeps_locks;
use super::{Allowance, Cause, Controllers, Question, Refusal, RequiredTemplates, text as prose};
use crate::policy::Rule;
use crate::requester::Requester;

/// The version that Cyclops renders, whatever the spec says.
const RESOLVED_VERSION: &str = "/status/templateResolvedVersion";
/// What our controller remembers of its work. Nobody else has a reason to write it.
const MEMORY: [&str; 5] = ["inventory", "managedGVRs", "templateDigest", "lastAppliedDigest", "revision"];

pub(super) fn required_templates(question: &Question<'_>) -> RequiredTemplates {
    let needed = matches!(resolved_version_change(question), Some(rule) if rule != Rule::Allow);
    RequiredTemplates { old: needed, new: needed && question.policy.version_changes_allowed() }
}

pub(super) fn status(question: &Question<'_>, old: &Value, new: &Value) -> Result<Allowance, Refusal> {
    if question.controllers.own.as_deref() == Some(question.requester.username.as_str()) {
        return Ok(Allowance::default());
    }
    let mut allowance = Allowance::default();
    if !question.controllers.includes(question.requester) {
        let changed = |field: &&str| {
            let pointer = format!("/status/{field}");
            at(old, &pointer) != at(new, &pointer)
        };
        let causes: Vec<Cause> = MEMORY
            .iter()
            .filter(|field| changed(field))
            .map(|field| Cause { field: format!("status.{field}"), message: prose::CONTROLLER_MEMORY.to_owned() })
            .collect();
        if !causes.is_empty() {
            return Err(Refusal { code: 403, reason: super::Reason::Forbidden, ..Refusal::because(causes) });
        }
    }
    let Some(rule) = resolved_version_change(question) else { return Ok(allowance) };
    let rule = match question.old_template {
        _ if rule == Rule::Allow => Rule::Allow,
        None if at(old, "/spec").is_none() => Rule::Allow,
        None => return Err(Refusal::unavailable(prose::TEMPLATE_UNKNOWN, 5)),
        Some(template) if template.locks().is_empty() => return Ok(allowance),
        Some(template) => {
            let keeps = question.new_template.is_some_and(|new| keeps_locks(template, new));
            question.policy.template_change(question.requester, false, keeps)
        }
    };
    let (before, after) = (at(old, RESOLVED_VERSION), at(new, RESOLVED_VERSION));
    let field = "status.templateResolvedVersion".to_owned();
    let message = prose::locked_field(question, old, prose::Subject::ResolvedVersion, before, after);
    allowance.locked_changes.push(field.clone());
    match rule {
        Rule::Refuse => return Err(Refusal::because(vec![Cause { field, message }])),
        Rule::Warn => allowance.warnings.push(format!("{field}: {message}")),
        Rule::Allow => {}
    }
    Ok(allowance)
}

/// What the policies say to a change of the resolved version; none if it does not change. A controller sets it once:
/// from nothing to what the reference resolved to.
fn resolved_version_change(question: &Question<'_>) -> Option<Rule> {
    let before = question.old.map_or("", |old| text(old, RESOLVED_VERSION));
    let after = question.new.map_or("", |new| text(new, RESOLVED_VERSION));
    let first = before.is_empty() && question.controllers.includes(question.requester);
    let own = question.controllers.own.as_deref() == Some(question.requester.username.as_str());
    if before == after || first || own {
        return None;
    }
    Some(question.policy.template_change(question.requester, false, false))
}

impl Controllers {
    /// Whether this is one of the controllers.
    pub(super) fn includes(&self, requester: &Requester) -> bool {
        [&self.own, &self.cyclops].into_iter().flatten().any(|username| *username == requester.username)
    }
}
