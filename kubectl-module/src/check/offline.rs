//! Judging files on this machine, with the code that the webhook decides with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use module::Requester;

use super::base::Base;
use super::files::{Document, Files, Kind, Root};
use super::judge::{Judge, Pair};
use super::policies;
use super::{Finding, Level, Report, Rule};
use crate::failure::Failure;

/// What is asked.
pub(crate) struct OfflineCheck<'a> {
    /// The namespace of objects that name none.
    pub(crate) namespace: &'a str,
    /// Who is to make the writes; none: a GitOps writer.
    pub(crate) requester: Option<Requester>,
    /// Folders that stand in for repositories of templates, before those of the configuration.
    pub(crate) template_roots: BTreeMap<String, PathBuf>,
    /// The files of policies that count; none: those that are found.
    pub(crate) policies: &'a [PathBuf],
    /// What the files are compared with.
    pub(crate) base: Option<&'a Base>,
}

impl OfflineCheck<'_> {
    /// Judges everything in files and folders. Needs [`renderer::template::RENDER_STACK_BYTES`] of stack.
    pub(crate) fn run(&self, roots: &[Root]) -> Result<Report, Failure> {
        let before = self.base.map(|base| files_before(base, roots)).transpose()?;
        let (was_there, mut before) = before.unwrap_or_default();
        // A file that is named and gone was deleted.
        let is_gone = |root: &&Root| {
            !root.path.exists() && !root.is_standard_input() && was_there.iter().any(|old| old.shown == root.shown)
        };
        let left: Vec<Root> = roots.iter().filter(|root| !is_gone(root)).cloned().collect();
        let mut now = Files::read(&left)?;
        for problem in &mut before.problems {
            problem.level = Level::Warning;
            problem.message = format!("what was there before cannot be compared with: {}", problem.message);
            problem.place.position = None;
        }

        let mut report = Report { files: now.count, charts: std::mem::take(&mut now.charts), ..Report::default() };
        report.findings.append(&mut now.problems);
        report.findings.append(&mut before.problems);
        // A policy that comes with a change counts for the next one.
        let in_force = policies::in_force(if self.base.is_some() { &before.documents } else { &now.documents });
        let mut judge = Judge::new(self, in_force, report)?;
        for document in now.documents.iter().filter(|document| document.kind == Kind::ModulePolicy) {
            judge.policy_object(document);
        }
        for file in self.policies {
            judge.policy_file(file)?;
        }
        for kind in [Kind::Module, Kind::TemplateStore] {
            let (old, _) = self.by_name(&before.documents, kind);
            let (new, mut problems) = self.by_name(&now.documents, kind);
            judge.report.findings.append(&mut problems);
            let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for name in names {
                let pair = Pair { namespace: &name.0, old: old.get(name).copied(), new: new.get(name).copied() };
                match kind {
                    Kind::TemplateStore => judge.template_store(pair)?,
                    _ => judge.module(pair)?,
                }
            }
        }
        let mut report = judge.report;
        report.sort();
        Ok(report)
    }

    /// Objects by namespace and name, and what is described twice or has no name.
    fn by_name<'d>(
        &self,
        documents: &'d [Document],
        kind: Kind,
    ) -> (BTreeMap<(String, String), &'d Document>, Vec<Finding>) {
        let mut found: BTreeMap<(String, String), &Document> = BTreeMap::new();
        let mut problems = Vec::new();
        for document in documents.iter().filter(|document| document.kind == kind) {
            let mut complain = |rule, message: String| {
                problems.push(Finding {
                    place: document.place("metadata.name"),
                    level: Level::Error,
                    rule,
                    object: document.label(self.namespace),
                    field: "metadata.name".to_owned(),
                    message,
                });
            };
            if document.name().is_empty() {
                complain(Rule::Invalid, format!("the {} has no name", kind.name()));
                continue;
            }
            let key = (document.namespace(self.namespace).to_owned(), document.name().to_owned());
            if let Some(first) = found.get(&key) {
                let line = first.place("metadata.name").position.map(|place| place.line).unwrap_or_default();
                complain(Rule::Duplicate, format!("is described in {}:{line} too", first.shown));
                continue;
            }
            found.insert(key, document);
        }
        (found, problems)
    }
}

/// The files as they were, and the roots that were there.
fn files_before(base: &Base, roots: &[Root]) -> Result<(Vec<Root>, Files), Failure> {
    let mut before = Vec::new();
    for root in roots {
        let path = base.objects(&root.path)?;
        if path.exists() {
            before.push(Root { path, shown: root.shown.clone() });
        }
    }
    let files = Files::read(&before)?;
    Ok((before, files))
}
