//! What verdicts say to people, all in one place.
//!
//! kubectl shows either the message or the causes, so that each of them says all: what is locked, what it is now and
//! what it would become, who may change it, and where.

use serde_json::Value;

use super::object::name;
use super::{Cause, Ground, Question, owner};
use crate::annotations;
use crate::equality::{LockedChange, LockedChangeKind};
use crate::ownership::{OwnedChange, OwnedValue};
use crate::policy::{EffectivePolicy, SourceError};

/// The API server passes longer texts on, but nobody reads them.
const MAX_SUMMARY: usize = 2_048;
/// A value that is longer is cut.
const MAX_VALUE: usize = 80;
/// Causes in one answer. Further ones are counted.
const MAX_CAUSES: usize = 10;
/// Writers named in one sentence. Further ones are counted.
const MAX_WRITERS: usize = 3;

pub(super) const INCOMPLETE: &str = "the request lacks the object that it is about";
pub(super) const REASON_MISSING: &str = "writing past the locks needs a reason: say in a sentence why";
pub(super) const TEMPLATE_UNKNOWN: &str =
    "the Module's template is not available, so nobody can say what it locks; try again later";
pub(super) const CONTROLLER_MEMORY: &str =
    "only the controller writes this: it decides by it what to apply and what to delete";

/// Why other things than values are locked: the schema marks values.
pub(super) const MARKED: &str = "the template has locked values";
/// Why other things than values are locked: a GitOps tool owns values.
pub(super) const OWNED: &str = "Git owns values of the Module";

/// What is locked besides values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Template,
    TargetNamespace,
    GitWrite,
    History,
    ResolvedVersion,
}

impl Subject {
    pub(super) fn ground(self) -> Ground {
        match self {
            Self::Template => Ground::TemplateReference,
            Self::TargetNamespace => Ground::TargetNamespace,
            Self::GitWrite => Ground::GitWrite,
            Self::History => Ground::History,
            Self::ResolvedVersion => Ground::Status,
        }
    }
}

/// The whole answer as one text.
pub(super) fn summary(causes: &[Cause]) -> String {
    let mut text = String::new();
    for (position, cause) in causes.iter().enumerate() {
        let line = match cause.field.as_str() {
            "" => cause.message.clone(),
            field => format!("{field}: {}", cause.message),
        };
        if position > 0 {
            text.push('\n');
        }
        if position == MAX_CAUSES || text.len() + line.len() > MAX_SUMMARY && position > 0 {
            text.push_str("... and ");
            text.push_str(&(causes.len() - position).to_string());
            text.push_str(" more");
            break;
        }
        text.push_str(&line);
    }
    text
}

pub(super) fn locked_value(question: &Question<'_>, module: &Value, change: &LockedChange) -> String {
    let locker = match change.chart.split_once('/') {
        Some((_, sub_chart)) => format!("the template's sub-chart {sub_chart}"),
        None => "the template".to_owned(),
    };
    let what = match change.kind {
        LockedChangeKind::Value => {
            format!("locked by {locker}: it {}", becomes(change.old.as_ref(), change.new.as_ref()))
        }
        LockedChangeKind::NoLongerSet => format!(
            "locked by {locker}: it must stay set to {}, or it would follow the template's default",
            shown(change.old.as_ref())
        ),
        LockedChangeKind::SubChartOff => format!(
            "this switches off the sub-chart {}, which has locked values: it {}",
            change.chart,
            becomes(change.old.as_ref(), change.new.as_ref())
        ),
    };
    format!("{what}. {}", way_out(question, module))
}

pub(super) fn owned_value(question: &Question<'_>, module: &Value, change: &OwnedChange) -> String {
    let what = match change.kind {
        LockedChangeKind::Value => format!("it {}", becomes(change.old.as_ref(), change.new.as_ref())),
        LockedChangeKind::NoLongerSet | LockedChangeKind::SubChartOff => {
            format!("it must stay set to {}", shown(change.old.as_ref()))
        }
    };
    format!("set from Git by {}: {what}. {}", change.value.manager, way_out(question, module))
}

pub(super) fn disowned(question: &Question<'_>, module: &Value, value: &OwnedValue) -> String {
    format!(
        "{} is set from Git by {}, which must stay its owner. {}",
        value.path.to_field(),
        value.manager,
        way_out(question, module)
    )
}

pub(super) fn locked_field(
    question: &Question<'_>,
    module: &Value,
    why: &str,
    subject: Subject,
    old: Option<&Value>,
    new: Option<&Value>,
) -> String {
    let what = match subject {
        Subject::Template => "the reference to the template",
        Subject::TargetNamespace => "where they apply",
        Subject::GitWrite => "where Git keeps the Module",
        Subject::ResolvedVersion => "the version that is deployed",
        Subject::History => {
            return format!(
                "{why}, so the states that a roll back would restore are locked too. {}",
                way_out(question, module)
            );
        }
    };
    format!("{why}, so {what} is locked too: it {}. {}", becomes(old, new), way_out(question, module))
}

/// Who may change what is locked, as a phrase; none if nobody may.
pub fn writers(policy: &EffectivePolicy) -> Option<String> {
    let writers = policy.git_ops_writers();
    if writers.is_empty() {
        return None;
    }
    let named: Vec<String> = writers.iter().take(MAX_WRITERS).map(ToString::to_string).collect();
    let further = writers.len() - named.len();
    Some(match (named.as_slice(), further) {
        ([only], 0) => only.clone(),
        ([others @ .., last], 0) => format!("{} and {last}", others.join(", ")),
        (named, further) => format!("{} and {further} more", named.join(", ")),
    })
}

pub(super) fn may_not_create(question: &Question<'_>, new: &Value) -> String {
    format!(
        "the Module {} must be created through Git. {}",
        name(new),
        only_writers(question.policy, "create Modules here")
    )
}

pub(super) fn may_not_delete(question: &Question<'_>, old: &Value, protected: bool) -> String {
    let why = if protected {
        "is kept in Git and has locked values, which deleting and creating it anew would get round"
    } else {
        "must be deleted through Git"
    };
    let place = match owner::place(old) {
        Some(place) => format!(" Remove it from {place}."),
        None => String::new(),
    };
    let emergency = emergency(question, annotations::BREAK_GLASS_DELETION);
    format!("the Module {} {why}. {}{place}{emergency}", name(old), only_writers(question.policy, "delete it"))
}

pub(super) fn owner_added(question: &Question<'_>, old: &Value) -> String {
    format!(
        "the Module is kept in Git and has locked values; with an owner it would be deleted when its owner is. {}",
        way_out(question, old)
    )
}

pub(super) fn may_not_break_glass(question: &Question<'_>, annotation: &str) -> String {
    let policies = question.policy.names();
    let listed = match policies.as_slice() {
        [] => "there is no ModulePolicy that would list anybody".to_owned(),
        names => {
            format!("every ModulePolicy that matches this namespace must list you in breakGlass: {}", names.join(", "))
        }
    };
    format!(
        "{} may not write past the locks: {listed}. Without the annotation {annotation} the write is decided like any other",
        question.requester.username
    )
}

pub(super) fn template_store(policy: &EffectivePolicy, name: &str) -> String {
    format!(
        "the TemplateStore {name} says that Modules made from it are written to Git (enforceGitOpsWrite). {}",
        only_writers(policy, "change or delete it")
    )
}

pub(super) fn stored_values_unreadable(problem: &renderer::values::ValuesError) -> String {
    format!("the values that are stored cannot be read, so nobody can say what would change: {problem}")
}

/// A template source that the policies do not allow.
pub(super) fn source(error: &SourceError) -> String {
    let advice = match error {
        SourceError::NotListed { .. } => {
            "; ask your platform team to list it in spec.template.sources of the ModulePolicy"
        }
        SourceError::Insecure { .. } => "; a ModulePolicy can list other sources in spec.template.sources",
        _ => "",
    };
    format!("{error}{advice}")
}

fn way_out(question: &Question<'_>, module: &Value) -> String {
    let who = only_writers(question.policy, "change it");
    let place = match owner::place(module) {
        Some(place) => format!(" Change it in Git: {place}."),
        None if writers(question.policy).is_some() => " Change it in Git, from where it is applied.".to_owned(),
        None => String::new(),
    };
    format!("{who}{place}{}", emergency(question, annotations::BREAK_GLASS))
}

/// What somebody may do who is listed for emergencies.
fn emergency(question: &Question<'_>, name: &str) -> String {
    if question.policy.may_break_glass(question.requester) {
        format!(" In an emergency you may do it all the same: give the reason in the annotation {name}.")
    } else {
        String::new()
    }
}

fn only_writers(policy: &EffectivePolicy, action: &str) -> String {
    match (writers(policy), policy.names().as_slice()) {
        (Some(writers), _) => format!("Only {writers} may {action}."),
        (None, []) => format!(
            "Nobody may {action}: there is no ModulePolicy for this namespace. Ask your platform team for one that names \
             GitOps writers."
        ),
        (None, names) => format!(
            "Nobody may {action}: no GitOps writer is named by every matching ModulePolicy ({}). Ask your platform team \
             to name one in spec.gitOpsWriters.",
            names.join(", ")
        ),
    }
}

fn becomes(old: Option<&Value>, new: Option<&Value>) -> String {
    match (old, new) {
        (None, new) => format!("is not set and must not become {}", shown(new)),
        (Some(_), None) => format!("is {} and must not be removed", shown(old)),
        (old, new) => format!("is {} and must not become {}", shown(old), shown(new)),
    }
}

/// A value on one line.
fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = match value {
        Value::String(text) if text == crate::lock::HIDDEN => text.clone(),
        // Helm reads every number as a float; nobody wrote `3.0`.
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => (float as i64).to_string(),
            _ => number.to_string(),
        },
        other => other.to_string(),
    };
    match text.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
