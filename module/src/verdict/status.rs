//! Writing the status subresource. Some of its fields steer a controller: what it renders, what it deletes.

use serde_json::Value;

use super::object::{at, text};
use super::ownership::Owned;
use super::update::changes_of_values;
use super::{Allowance, Cause, Controllers, Ground, Question, Refusal, RequiredTemplates, text as prose};
use crate::policy::Rule;
use crate::requester::Requester;

/// The version that Cyclops renders, whatever the spec says.
const RESOLVED_VERSION: &str = "/status/templateResolvedVersion";
/// What our controller remembers of its work. Nobody else has a reason to write it.
const MEMORY: [&str; 5] = ["inventory", "managedGVRs", "templateDigest", "lastAppliedDigest", "revision"];

pub(super) fn required_templates(question: &Question<'_>) -> RequiredTemplates {
    let needed = changes_resolved_version(question)
        && question.policy.template_change(question.requester, false, false) != Rule::Allow;
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
            let refusal = Refusal::because(causes).on(Ground::Status);
            return Err(Refusal { code: 403, reason: super::Reason::Forbidden, ..refusal });
        }
    }
    if !changes_resolved_version(question) {
        return Ok(allowance);
    }
    let (policy, requester) = (question.policy, question.requester);
    let owned = Owned::read(question, old, false)?;
    let (mut causes, mut keeps_locks) = (Vec::new(), false);
    // Only a commit: Cyclops would follow a branch further than what is decided here.
    if let (Some(old_template), Some(new_template)) = (question.old_template, question.new_template)
        && new_template.digest() == text(new, RESOLVED_VERSION)
        && new_template.locks().keeps_all_of(old_template.locks())
    {
        let changes = changes_of_values(question, old_template, &owned, old, new)?;
        keeps_locks = changes.is_empty();
        causes = changes.told(question, old).map(|(_, cause)| cause).collect();
    }
    let marked = match question.old_template {
        _ if policy.template_change(requester, false, false) == Rule::Allow => Rule::Allow,
        None if at(old, "/spec").is_none() => Rule::Allow,
        None => return Err(Refusal::unavailable(prose::TEMPLATE_UNKNOWN, 5).on(Ground::Unreachable)),
        Some(template) if template.locks().is_empty() => Rule::Allow,
        Some(_) => policy.template_change(requester, false, keeps_locks),
    };
    let strictest = owned.strictest(|manager| policy.owned_template_change(requester, false, keeps_locks, manager));
    let (rule, why) = if marked >= strictest { (marked, prose::MARKED) } else { (strictest, prose::OWNED) };
    if owned.is_empty() && question.old_template.is_some_and(|template| template.locks().is_empty()) {
        return Ok(allowance);
    }
    let (before, after) = (at(old, RESOLVED_VERSION), at(new, RESOLVED_VERSION));
    let field = "status.templateResolvedVersion".to_owned();
    let message = prose::locked_field(question, old, why, prose::Subject::ResolvedVersion, before, after);
    allowance.locked_changes.push(field.clone());
    match rule {
        Rule::Refuse => {
            causes.push(Cause { field, message });
            return Err(Refusal::because(causes).on(Ground::Status));
        }
        Rule::Warn => allowance.warnings.push(format!("{field}: {message}")),
        Rule::Allow => {}
    }
    Ok(allowance)
}

/// Whether the resolved version changes other than as a controller does: once, from nothing to what the reference
/// resolved to.
fn changes_resolved_version(question: &Question<'_>) -> bool {
    let before = question.old.map_or("", |old| text(old, RESOLVED_VERSION));
    let after = question.new.map_or("", |new| text(new, RESOLVED_VERSION));
    let first = before.is_empty() && question.controllers.includes(question.requester);
    let own = question.controllers.own.as_deref() == Some(question.requester.username.as_str());
    before != after && !first && !own
}

impl Controllers {
    /// Whether this is one of the controllers.
    pub(super) fn includes(&self, requester: &Requester) -> bool {
        [&self.own, &self.cyclops].into_iter().flatten().any(|username| *username == requester.username)
    }
}
