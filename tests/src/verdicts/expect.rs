//! What becomes of a write, by the description of the rules: who writes, what the policies say, and what the oracle finds
//! locked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use module::policy::{Creation, Deletion, ImmutableValues, Ownership, TemplateChanges};
use renderer::Chart;
use renderer::values::{Values, effective, enabled_sub_charts, from_json};
use serde_json::Value;

use super::oracle::{self, Change, Document, Step};
use super::write::{Aside, Kind, Naming, PolicyText, Reason, Who};
use super::{Allowance, Case, Decision, Fields, OFF};

const VERSION: &str = "spec.template.version";
const RESOLVED_VERSION: &str = "status.templateResolvedVersion";
const BREAK_GLASS: &str = "metadata.annotations[module.cyclops-ui.com/break-glass]";

/// What a rule says to a change of something locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    Passes,
    Warns,
    Refuses,
}

/// The schemas of the template that the stored Module has, and of the one that it shall have.
struct Documents {
    old: Vec<Document>,
    new: Vec<Document>,
}

pub(super) fn expect(case: &Case) -> Result<Decision> {
    let Some(documents) = documents(case) else { return Ok(Decision::Malformed) };
    let reason = reason(case);
    match case.kind {
        Kind::Creation => Ok(reason.map_or_else(|refusal| refusal, |given| creation(case, given))),
        Kind::Deletion => Ok(deletion(case, &documents)),
        Kind::Status => Ok(status(case, &documents)),
        Kind::Update => match reason {
            Ok(given) => update(case, given, &documents),
            Err(refusal) => Ok(refusal),
        },
    }
}

/// The schemas; none if nobody can say what one of them locks.
fn documents(case: &Case) -> Option<Documents> {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    case.old_chart.documents(&[], &mut old)?;
    case.new_chart.as_ref().unwrap_or(&case.old_chart).documents(&[], &mut new)?;
    let is_malformed = oracle::are_malformed(&old) || case.new_chart.is_some() && oracle::are_malformed(&new);
    (!is_malformed).then_some(Documents { old, new })
}

pub(super) fn is_malformed(case: &Case) -> bool {
    documents(case).is_none()
}

/// The policies that count: where there is none, one that says nothing.
fn policies(case: &Case) -> Vec<PolicyText> {
    if case.policies.is_empty() { vec![PolicyText::SILENT] } else { case.policies.clone() }
}

fn is_writer(policy: &PolicyText, who: Who) -> bool {
    who == Who::Writer && matches!(policy.writer, Naming::User | Naming::Group | Naming::ServiceAccount)
}

/// All policies must let somebody write past the locks.
fn may_rescue(case: &Case) -> bool {
    let may = |policy: &PolicyText| is_writer(policy, case.who) || case.who == Who::Rescuer && policy.lists_rescuer;
    policies(case).iter().all(may)
}

/// Whether the write brings a reason that counts, or what is wrong with the one that it brings.
fn reason(case: &Case) -> Result<bool, Decision> {
    let brings = match case.reason {
        Reason::None | Reason::Removed => return Ok(false),
        Reason::Blank => return Err(Decision::Locked(fields(&[BREAK_GLASS]))),
        Reason::ForDeletion => false,
        Reason::Stored if case.kind != Kind::Creation => return Ok(false),
        Reason::New | Reason::Other | Reason::Stored => true,
    };
    if may_rescue(case) { Ok(brings) } else { Err(Decision::Forbidden) }
}

fn fields(names: &[&str]) -> Fields {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn creation(case: &Case, reason_given: bool) -> Decision {
    let may = |policy: &PolicyText| policy.creation == Creation::Anyone || is_writer(policy, case.who);
    if reason_given || policies(case).iter().all(may) { allowed(reason_given) } else { Decision::Forbidden }
}

fn allowed(by_reason: bool) -> Decision {
    Decision::Allowed(Allowance { by_reason, ..Allowance::default() })
}

fn deletion(case: &Case, documents: &Documents) -> Decision {
    if matches!(case.who, Who::GarbageCollector | Who::NamespaceController) {
        return allowed(false);
    }
    let policies = policies(case);
    let has_locks = oracle::lock_anything(&documents.old, &[])
        || policies.iter().any(|policy| policy.ownership == Ownership::Enforce);
    // Stricter than described: what one policy leaves to GitOps writers is guarded by the same stamp, so that a policy
    // which protects what Git keeps asks for one, too.
    let is_left_to_writers = policies.iter().any(|policy| policy.deletion == Deletion::GitOpsOnly);
    let is_protected = case.is_claimed && has_locks || is_left_to_writers;
    let may = |policy: &PolicyText| {
        let nothing_is_locked = policy.values == ImmutableValues::Off && policy.ownership != Ownership::Enforce;
        is_writer(policy, case.who)
            || match policy.deletion {
                Deletion::Anyone => true,
                Deletion::GitOpsOnly => false,
                Deletion::ProtectGitOps => !is_protected || nothing_is_locked,
            }
    };
    if policies.iter().all(may) {
        allowed(false)
    } else if case.reason == Reason::ForDeletion && may_rescue(case) {
        allowed(true)
    } else {
        Decision::Forbidden
    }
}

/// What the policies together say to a change of something that is locked by marks, since Git owns it, or both.
/// `is_free`: whether a policy lets everybody change it.
struct Judge<'a> {
    case: &'a Case,
    policies: Vec<PolicyText>,
    reason_given: bool,
}

impl Judge<'_> {
    fn rule(&self, marked: bool, owned: bool, is_free: impl Fn(&PolicyText) -> bool) -> Rule {
        let of_policy = |policy: &PolicyText| {
            let is_rescue = self.reason_given && self.case.who == Who::Rescuer && policy.lists_rescuer;
            if is_writer(policy, self.case.who) || is_rescue || is_free(policy) {
                return Rule::Passes;
            }
            let values = match policy.values {
                ImmutableValues::Off => Rule::Passes,
                ImmutableValues::Warn => Rule::Warns,
                ImmutableValues::Enforce => Rule::Refuses,
            };
            let ownership = match policy.ownership {
                Ownership::Off => Rule::Passes,
                Ownership::Warn => Rule::Warns,
                Ownership::Enforce => Rule::Refuses,
            };
            [(marked, values), (owned, ownership)]
                .into_iter()
                .filter(|(counts, _)| *counts)
                .map(|(_, rule)| rule)
                .max()
                .unwrap_or(Rule::Passes)
        };
        self.policies.iter().map(of_policy).max().unwrap_or(Rule::Refuses)
    }

    /// Where Git's values are, as far as any policy asks.
    fn owned(&self) -> BTreeSet<Vec<Step>> {
        let is_asked = self.policies.iter().any(|policy| policy.ownership != Ownership::Off);
        let steps = |path: &Vec<String>| path.iter().map(|key| Step::Key(key.clone())).collect();
        if is_asked { self.case.owned.iter().map(steps).collect() } else { BTreeSet::new() }
    }
}

/// Fields that change, with what the strictest rule says to each.
#[derive(Default)]
struct Judged(BTreeMap<String, Rule>);

impl Judged {
    fn add(&mut self, field: impl Into<String>, rule: Rule) {
        let known = self.0.entry(field.into()).or_insert(rule);
        *known = rule.max(*known);
    }

    fn decision(self, by_reason: bool) -> Decision {
        let of = |wanted: Rule| -> Fields {
            self.0.iter().filter(|(_, rule)| **rule == wanted).map(|(field, _)| field.clone()).collect()
        };
        let refused = of(Rule::Refuses);
        if !refused.is_empty() {
            return Decision::Locked(refused);
        }
        let warned = of(Rule::Warns);
        Decision::Allowed(Allowance { warned, changed: self.0.into_keys().collect(), by_reason })
    }
}

fn update(case: &Case, reason_given: bool, documents: &Documents) -> Result<Decision> {
    let judge = Judge { case, policies: policies(case), reason_given };
    let touches = case.old_values != case.new_values
        || reason_given
        || case.asides.iter().any(|aside| !matches!(aside, Aside::Label | Aside::Finalizer));
    if !touches {
        return Ok(allowed(false));
    }
    let owned = judge.owned();
    let everything_passes = judge.rule(true, !owned.is_empty(), |_| false) == Rule::Passes;
    if case.is_source_down {
        return Ok(if everything_passes { allowed(reason_given) } else { Decision::Unavailable });
    }

    let mut judged = Judged::default();
    let values = judge.rule(true, false, |_| false);
    match changed_values(case, documents, &owned)? {
        Some((locked, owned)) => {
            for field in locked {
                judged.add(field, values);
            }
            for field in owned {
                judged.add(field, judge.rule(false, true, |_| false));
            }
        }
        // Whoever may change everything may also mend it.
        None if everything_passes => {}
        None => return Ok(Decision::Unreadable),
    }

    let is_marked = oracle::lock_anything(&documents.old, &[]);
    if is_marked || !owned.is_empty() {
        let references = reference_changes(case);
        let is_version_only = !references.is_empty()
            && references.iter().all(|field| field == VERSION)
            && judged.0.is_empty()
            && judge.policies.iter().any(|policy| policy.template == TemplateChanges::Version)
            && oracle::keep_locks(&documents.old, &documents.new);
        let is_free = |policy: &PolicyText| match policy.template {
            TemplateChanges::GitOpsOnly => false,
            TemplateChanges::Version => is_version_only,
            TemplateChanges::Any => true,
        };
        for field in references {
            judged.add(field, judge.rule(is_marked, !owned.is_empty(), is_free));
        }
        for field in other_changes(case) {
            judged.add(field, judge.rule(is_marked, !owned.is_empty(), |_| false));
        }
    }
    Ok(judged.decision(reason_given))
}

/// Values that change though they are locked, and those that change though Git owns them; none if Helm makes no values
/// of what is written.
fn changed_values(case: &Case, documents: &Documents, owned: &BTreeSet<Vec<Step>>) -> Result<Option<(Fields, Fields)>> {
    let both = [documents.old.as_slice(), &documents.new].concat();
    if !oracle::lock_anything(&both, &[]) && owned.is_empty() {
        return Ok(Some((Fields::new(), Fields::new())));
    }
    let new_text = case.new_chart.as_ref().unwrap_or(&case.old_chart);
    let (old_chart, new_chart) = (case.old_chart.load()?, new_text.load()?);
    let (Ok(old_values), Ok(new_values)) = (from_json(&case.old_values), from_json(&case.new_values)) else {
        return Ok(None);
    };
    let (Ok(old_effective), Ok(new_effective)) =
        (effective(&old_chart, &old_values), effective(&new_chart, &new_values))
    else {
        return Ok(None);
    };
    let change = Change {
        old_effective: &Value::Object(old_effective),
        old_explicit: &case.old_values,
        new_effective: &Value::Object(new_effective),
        new_explicit: &case.new_values,
    };
    let mut locked: Fields = oracle::locked_changes(&both, change).iter().map(|path| field(path)).collect();
    let on = |chart: &Chart, values: &Values| enabled_sub_charts(chart, values).map_err(|error| anyhow!(error));
    let (before, after) = (on(&old_chart, &old_values)?, on(&new_chart, &new_values)?);
    for path in new_text.paths() {
        let is_switched_off = before.contains(&path) && !after.contains(&path);
        if is_switched_off && oracle::lock_anything(&both, &path) {
            locked.insert(OFF.to_owned());
        }
    }
    let owned = oracle::owned_changes(owned, change).iter().map(|path| field(path)).collect();
    Ok(Some((locked, owned)))
}

/// What changes of the reference to the template.
fn reference_changes(case: &Case) -> Fields {
    let of_aside = |aside: &Aside| match aside {
        Aside::Version => Some(VERSION),
        Aside::Path => Some("spec.template.path"),
        Aside::Repository => Some("spec.template.repo"),
        Aside::SourceType => Some("spec.template.sourceType"),
        Aside::EnforceGitOpsWrite => Some("spec.template.enforceGitOpsWrite"),
        // Cyclops does not know it and loses it; others take it away.
        Aside::EnforceGitOpsWriteLost if case.who != Who::Cyclops => Some("spec.template.enforceGitOpsWrite"),
        _ => None,
    };
    let mut changes: Fields = case.asides.iter().filter_map(of_aside).map(str::to_owned).collect();
    // The same words, but they stand for something else by now: this write would take it over.
    if case.new_chart.is_some() && !case.asides.iter().any(|aside| aside.names_another_template()) {
        changes.insert(VERSION.to_owned());
    }
    changes
}

/// What else changes that is locked as soon as there are locks.
fn other_changes(case: &Case) -> Fields {
    let is_controller = matches!(case.who, Who::Controller | Who::Cyclops);
    let of_aside = |aside: &Aside| match aside {
        Aside::TargetNamespace => Some("spec.targetNamespace"),
        Aside::WriteRepository => Some("metadata.annotations[cyclops-ui.com/write-repo]"),
        Aside::WritePathLost => Some("metadata.annotations[cyclops-ui.com/write-path]"),
        Aside::History if !is_controller => Some("history"),
        _ => None,
    };
    case.asides.iter().filter_map(of_aside).map(str::to_owned).collect()
}

fn status(case: &Case, documents: &Documents) -> Decision {
    if case.who == Who::Controller {
        return allowed(false);
    }
    let has = |aside: Aside| case.asides.contains(&aside);
    if has(Aside::Memory) && case.who != Who::Cyclops {
        return Decision::Forbidden;
    }
    let is_first = has(Aside::FirstResolvedVersion) && case.who == Who::Cyclops;
    if !has(Aside::ResolvedVersion) && !has(Aside::FirstResolvedVersion) || is_first {
        return allowed(false);
    }
    // Nobody says what the version stands for, so that no policy can let it pass as one that keeps the locks.
    let is_free = |policy: &PolicyText| policy.template == TemplateChanges::Any;
    let judge = Judge { case, policies: policies(case), reason_given: false };
    let is_owned = !judge.owned().is_empty();
    if case.is_source_down && judge.rule(true, false, is_free) != Rule::Passes {
        return Decision::Unavailable;
    }
    // A template that is not to be had may lock something.
    let is_marked = case.is_source_down || oracle::lock_anything(&documents.old, &[]);
    let mut judged = Judged::default();
    if is_marked || is_owned {
        judged.add(RESOLVED_VERSION, judge.rule(is_marked, is_owned, is_free));
    }
    judged.decision(false)
}

fn field(path: &[Step]) -> String {
    path.iter().fold("spec.values".to_owned(), |field, step| match step {
        Step::Key(key) if key.contains('/') => format!("{field}[{}]", Value::from(key.as_str())),
        Step::Key(key) => format!("{field}.{key}"),
        Step::Index(index) => format!("{field}[{index}]"),
        Step::Unnamed(_) => field,
    })
}
