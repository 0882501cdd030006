//! Whether a write may be made: one rule for the plugin, the webhook and the controller.
//!
//! A verdict is reached from what the caller passes in, without asking anybody. Whatever cannot be decided is refused.

mod break_glass;
mod expansion;
mod ground;
mod lifecycle;
mod object;
mod owner;
mod ownership;
mod status;
mod sub_charts;
mod template_store;
mod text;
mod update;

pub use ground::Ground;
pub use object::content_differs;
pub use template_store::decide_template_store;
pub use text::writers;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::{EffectivePolicy, SourceError};
use crate::requester::Requester;
use crate::template::Template;

/// What is done to the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is created.
    Create,
    /// It is changed, other than through its status subresource.
    Update,
    /// It is deleted.
    Delete,
    /// Its status subresource is written.
    Status,
}

/// A write of a Module, with all that is needed to decide it.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is done.
    pub operation: Operation,
    /// The stored Module as JSON; none for a creation.
    pub old: Option<&'a Value>,
    /// The Module as it would be stored; none for a deletion.
    pub new: Option<&'a Value>,
    /// Who asks.
    pub requester: &'a Requester,
    /// What the policies say for the Module's namespace.
    pub policy: &'a EffectivePolicy,
    /// The template that the stored Module was admitted with. See [`Question::required_templates`].
    pub old_template: Option<&'a Template>,
    /// The template that the new Module asks for; none if it is the old one.
    pub new_template: Option<&'a Template>,
    /// Whose status and finalizer writes are a controller's.
    pub controllers: &'a Controllers,
}

/// User names of the controllers that work on Modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controllers {
    /// Ours.
    pub own: Option<String>,
    /// Cyclops', where it runs beside us. Its interface writes with the same identity.
    pub cyclops: Option<String>,
}

/// Which templates have to be fetched before a question can be decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequiredTemplates {
    /// The one that the stored Module was admitted with.
    pub old: bool,
    /// The one that the new Module asks for, where it differs.
    pub new: bool,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The write may be made.
    Allowed(Allowance),
    /// It may not.
    Refused(Refusal),
}

/// What is worth saying about a write that may be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// For the person who writes.
    pub warnings: Vec<String>,
    /// Paths of locked things that the write changes.
    pub locked_changes: Vec<String>,
    /// The reason given for writing past the locks, if that is why the write is allowed.
    pub break_glass: Option<String>,
}

/// Why a write may not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// HTTP status code: 422 for what is written, 403 for who writes, 503 for what cannot be known now, 504 for what
    /// takes too long.
    pub code: u16,
    /// Kubernetes' reason for that code.
    pub reason: Reason,
    /// The rule that it follows from; of several, the one that was found first. Stays where the verdict was reached.
    #[serde(skip)]
    pub ground: Ground,
    /// The whole answer as one text.
    pub message: String,
    /// One entry a field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// After how many seconds it is worth trying again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
}

/// Kubernetes' `reason` of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reason {
    /// 422.
    Invalid,
    /// 403.
    Forbidden,
    /// 503.
    ServiceUnavailable,
    /// 504.
    Timeout,
}

/// One field that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Path of the field, such as `spec.values.image.tag`.
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl Question<'_> {
    /// Which templates are needed to decide this. Without them the write is refused.
    pub fn required_templates(&self) -> RequiredTemplates {
        match self.operation {
            Operation::Create | Operation::Delete => RequiredTemplates::default(),
            Operation::Update => update::required_templates(self),
            Operation::Status => status::required_templates(self),
        }
    }
}

/// Decides a write.
pub fn decide(question: &Question<'_>) -> Verdict {
    let decision = match (question.operation, question.old, question.new) {
        (Operation::Create, _, Some(new)) => lifecycle::create(question, new),
        (Operation::Update, Some(old), Some(new)) => update::update(question, old, new),
        (Operation::Status, Some(old), Some(new)) => status::status(question, old, new),
        (Operation::Delete, Some(old), _) => lifecycle::delete(question, old),
        _ => Err(Refusal::invalid("", text::INCOMPLETE)),
    };
    decision.map_or_else(Verdict::Refused, Verdict::Allowed)
}

impl Refusal {
    /// A refusal of what is written, because of one field. An empty field is about the whole object.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::because(vec![Cause { field: field.to_owned(), message: message.into() }])
    }

    /// A refusal of what is written, because of some fields.
    pub fn because(causes: Vec<Cause>) -> Self {
        Self {
            code: 422,
            reason: Reason::Invalid,
            ground: Ground::Invalid,
            message: text::summary(&causes),
            causes,
            retry_after_seconds: None,
        }
    }

    /// A refusal of what takes too much to decide, because of one field.
    pub fn too_much(field: &str, problem: &dyn std::error::Error) -> Self {
        Self { code: 504, reason: Reason::Timeout, ..Self::invalid(field, problem.to_string()).on(Ground::Budget) }
    }

    /// A refusal of a template source that the policies do not allow.
    pub fn for_source(error: &SourceError) -> Self {
        Self::invalid("spec.template.repo", text::source(error)).on(Ground::Source)
    }

    /// A refusal because of who writes.
    pub fn forbidden(ground: Ground, message: impl Into<String>) -> Self {
        Self {
            code: 403,
            reason: Reason::Forbidden,
            ground,
            message: message.into(),
            causes: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// A refusal because something is not known at the moment.
    pub fn unavailable(message: impl Into<String>, retry_after_seconds: u32) -> Self {
        Self {
            code: 503,
            reason: Reason::ServiceUnavailable,
            ground: Ground::Unavailable,
            message: message.into(),
            causes: Vec::new(),
            retry_after_seconds: Some(retry_after_seconds),
        }
    }

    /// The same refusal, because of this rule.
    #[must_use]
    pub fn on(self, ground: Ground) -> Self {
        Self { ground, ..self }
    }
}

#[cfg(test)]
mod tests;
