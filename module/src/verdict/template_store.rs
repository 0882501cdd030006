//! `TemplateStore`: where it says that Modules made from a template are written to Git, only GitOps writers change it.

use serde_json::Value;

use super::object::{at, name};
use super::{Allowance, Ground, Refusal, Verdict, text};
use crate::policy::{EffectivePolicy, Rule};
use crate::requester::Requester;

/// Decides a creation (no `old`), change or deletion (no `new`) of a `TemplateStore`.
pub fn decide_template_store(
    old: Option<&Value>,
    new: Option<&Value>,
    requester: &Requester,
    policy: &EffectivePolicy,
) -> Verdict {
    let unchanged = old.map(|old| at(old, "/spec")) == new.map(|new| at(new, "/spec"));
    let Some(old) = old.filter(|old| at(old, "/spec/enforceGitOpsWrite").is_some()) else {
        return Verdict::Allowed(Allowance::default());
    };
    if unchanged {
        return Verdict::Allowed(Allowance::default());
    }
    let message = text::template_store(policy, name(old));
    match policy.locked(requester, false) {
        Rule::Allow => Verdict::Allowed(Allowance::default()),
        Rule::Warn => Verdict::Allowed(Allowance { warnings: vec![message], ..Allowance::default() }),
        Rule::Refuse => Verdict::Refused(Refusal::forbidden(Ground::GitWrite, message)),
    }
}
