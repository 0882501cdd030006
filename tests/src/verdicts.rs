//! Random writes of Modules, decided by the rules and by an oracle that was written from their description.

mod chart;
mod expect;
mod generate;
mod oracle;
mod shrink;
mod write;

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Result, bail};
use module::Template;
use module::policy::Policies;
use module::verdict::{self, Question, Verdict};
use serde_json::Value;

pub use chart::{ChartText, SchemaText, SubChart};
pub use generate::case;
pub use shrink::shrink;
pub use write::{Aside, Kind, Naming, PolicyText, Reason, Who};

use chart::write_chart;
use write::{NAMESPACE, controllers, guard};

/// A write of a Module, and all that decides whether it is allowed.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is done.
    pub kind: Kind,
    /// By whom.
    pub who: Who,
    /// The policies that count.
    pub policies: Vec<PolicyText>,
    /// The reason that is given.
    pub reason: Reason,
    /// What changes besides values.
    pub asides: BTreeSet<Aside>,
    /// Whether a GitOps writer has written the stored Module.
    pub is_claimed: bool,
    /// Values of the stored Module that Git owns.
    pub owned: BTreeSet<Vec<String>>,
    /// Whether templates are not to be had.
    pub is_source_down: bool,
    /// The chart that the stored Module was admitted with; of a creation, the one that it names.
    pub old_chart: ChartText,
    /// The chart that the new Module names; none: the same.
    pub new_chart: Option<ChartText>,
    /// Values of the stored Module.
    pub old_values: Value,
    /// Values of the new Module.
    pub new_values: Value,
}

/// Names of fields.
pub type Fields = BTreeSet<String>;

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The write passes.
    Allowed(Allowance),
    /// It touches what is locked: these fields.
    Locked(Fields),
    /// Somebody else would have to do it.
    Forbidden,
    /// It cannot be decided without the template.
    Unavailable,
    /// Nobody can say what a schema locks.
    Malformed,
    /// Helm does not make values of the templates of what is written.
    Unreadable,
}

/// What is told of a write that passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Fields that are warned of.
    pub warned: Fields,
    /// Locked fields that change.
    pub changed: Fields,
    /// Whether it passes by the reason that is given.
    pub by_reason: bool,
}

/// How a write ends, told shortly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It passes and touches nothing locked.
    Free,
    /// It passes though it touches something locked.
    Entitled,
    /// It passes with a warning.
    Warned,
    /// It passes by the reason that is given.
    ByReason,
    /// See [`Decision::Locked`].
    Locked,
    /// See [`Decision::Forbidden`].
    Forbidden,
    /// See [`Decision::Unavailable`].
    Unavailable,
    /// See [`Decision::Unreadable`].
    Unreadable,
    /// See [`Decision::Malformed`].
    Malformed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Free,
        Self::Entitled,
        Self::Warned,
        Self::ByReason,
        Self::Locked,
        Self::Forbidden,
        Self::Unavailable,
        Self::Unreadable,
        Self::Malformed,
    ];
}

impl Decision {
    /// How the write ends.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Allowed(allowance) if !allowance.warned.is_empty() => Outcome::Warned,
            Self::Allowed(allowance) if allowance.by_reason => Outcome::ByReason,
            Self::Allowed(allowance) if !allowance.changed.is_empty() => Outcome::Entitled,
            Self::Allowed(_) => Outcome::Free,
            Self::Locked(_) => Outcome::Locked,
            Self::Forbidden => Outcome::Forbidden,
            Self::Unavailable => Outcome::Unavailable,
            Self::Unreadable => Outcome::Unreadable,
            Self::Malformed => Outcome::Malformed,
        }
    }
}

impl Case {
    /// What the rules say.
    pub fn decide(&self) -> Result<Decision> {
        let old_template = Template::new(self.old_chart.load()?, "old");
        let new_template = self.new_chart.as_ref().map(|chart| anyhow::Ok(Template::new(chart.load()?, "new")));
        let (Ok(old_template), Ok(new_template)) = (old_template, new_template.transpose()?.transpose()) else {
            return Ok(Decision::Malformed);
        };
        let policies =
            self.policies.iter().enumerate().map(|(index, policy)| policy.object(&format!("policy-{index}")));
        let policy = Policies::new(policies).effective(NAMESPACE);
        let (mut old, new) = self.objects();
        if let Some(old) = &mut old
            && policy.guards_deletion(self.is_claimed, !old_template.locks().is_empty())
        {
            guard(old);
        }
        let (old_template, new_template) = match self.kind {
            _ if self.is_source_down => (None, None),
            Kind::Creation => (None, Some(&old_template)),
            _ => (Some(&old_template), new_template.as_ref()),
        };
        let verdict = verdict::decide(&Question {
            operation: self.kind.operation(),
            old: old.as_ref(),
            new: new.as_ref(),
            requester: &self.who.requester(),
            policy: &policy,
            old_template,
            new_template,
            controllers: &controllers(),
        });
        Ok(match verdict {
            Verdict::Allowed(allowance) => Decision::Allowed(Allowance {
                warned: allowance
                    .warnings
                    .iter()
                    .filter_map(|text| Some(text.split_once(": ")?.0.to_owned()))
                    .collect(),
                changed: allowance.locked_changes.into_iter().collect(),
                by_reason: allowance.break_glass.is_some(),
            }),
            Verdict::Refused(refusal) => {
                let fields: Fields = refusal.causes.into_iter().map(|cause| cause.field).collect();
                let is_about_values = fields == Fields::from(["spec.values".to_owned()]);
                match refusal.code {
                    403 => Decision::Forbidden,
                    503 => Decision::Unavailable,
                    422 if is_about_values && !refusal.message.contains("locked by") => Decision::Unreadable,
                    422 => Decision::Locked(fields),
                    code => bail!("refused with {code}: {}", refusal.message),
                }
            }
        })
    }

    /// What the oracle says.
    pub fn expect(&self) -> Result<Decision> {
        expect::expect(self)
    }
}

/// What the oracle calls a sub-chart that is switched off: it does not say by which value.
const OFF: &str = "a sub-chart";

/// Whether the decisions agree: they name the same fields, or fields of which one is part of the other.
pub fn agree(rules: &Decision, oracle: &Decision) -> bool {
    match (rules, oracle) {
        (Decision::Locked(named), Decision::Locked(expected)) => same_fields(named, expected),
        (Decision::Allowed(rules), Decision::Allowed(oracle)) => {
            same_fields(&rules.warned, &oracle.warned)
                && same_fields(&rules.changed, &oracle.changed)
                && rules.by_reason == oracle.by_reason
        }
        _ => rules == oracle,
    }
}

fn same_fields(named: &Fields, expected: &Fields) -> bool {
    let overlap = |one: &String, other: &String| one.starts_with(other.as_str()) || other.starts_with(one.as_str());
    let off = expected.contains(OFF);
    expected.iter().all(|field| field == OFF || named.iter().any(|name| overlap(name, field)))
        && (off || named.iter().all(|name| expected.iter().any(|field| overlap(name, field))))
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, who, policies, reason, asides, is_claimed, owned, is_source_down, .. } = self;
        writeln!(formatter, "{kind:?} by {who:?}, reason {reason:?}, besides values {asides:?}")?;
        writeln!(formatter, "claimed {is_claimed}, owned {owned:?}, source down {is_source_down}")?;
        for policy in policies {
            writeln!(formatter, "policy      {policy:?}")?;
        }
        writeln!(formatter, "old values  {}", self.old_values)?;
        writeln!(formatter, "new values  {}", self.new_values)?;
        writeln!(formatter, "old chart")?;
        write_chart(formatter, &self.old_chart, 1)?;
        if let Some(chart) = &self.new_chart {
            writeln!(formatter, "new chart")?;
            write_chart(formatter, chart, 1)?;
        }
        Ok(())
    }
}
