//! The policies that count for the Modules of a check.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use module::policy::{self, ModulePolicy, Policies};
use module::verdict::Cause;

use super::base::Base;
use super::fields::Definitions;
use super::files::{Document, Files, Kind, Root};
use super::{Finding, Level, Rule};
use crate::failure::{CODE_ERROR, Failure};

/// Policies by where they come from.
pub(super) struct PolicySources<'a> {
    /// Files that the command line names; then no others count.
    named: &'a [PathBuf],
    /// Policies among the files that are checked.
    checked: Vec<ModulePolicy>,
    /// With it, policies count as they were: a change must not allow itself what it does.
    base: Option<&'a Base>,
    known: BTreeMap<Option<PathBuf>, Policies>,
}

impl<'a> PolicySources<'a> {
    pub(super) fn new(named: &'a [PathBuf], checked: Vec<ModulePolicy>, base: Option<&'a Base>) -> Self {
        Self { named, checked, base, known: BTreeMap::new() }
    }

    /// The policies for Modules whose configuration names this file.
    pub(super) fn of(&mut self, configured: Option<&Path>) -> Result<Policies, Failure> {
        let key = configured.filter(|_| self.named.is_empty()).map(Path::to_owned);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let files = if self.named.is_empty() { key.as_slice() } else { self.named };
        let mut found = BTreeMap::new();
        for file in files {
            let documents = self.as_it_was(file)?;
            found.extend(in_force(&documents).into_iter().map(|policy| (policy.metadata.name.clone(), policy)));
        }
        for policy in self.checked.iter().filter(|_| self.named.is_empty()) {
            found.entry(policy.metadata.name.clone()).or_insert_with(|| policy.clone());
        }
        let policies = Policies::new(found.into_values());
        self.known.insert(key, policies.clone());
        Ok(policies)
    }

    /// The objects of a file, as it was if it was there.
    fn as_it_was(&self, file: &Path) -> Result<Vec<Document>, Failure> {
        let before = self.base.map(|base| base.as_it_was(file)).transpose()?.filter(|before| before.exists());
        read(before.as_deref().unwrap_or(file), file)
    }
}

/// The objects of a file of policies, which must be one.
pub(super) fn read(path: &Path, shown: &Path) -> Result<Vec<Document>, Failure> {
    let files = Files::read(&[Root { path: path.to_owned(), shown: shown.to_owned() }])?;
    if let Some(problem) = files.problems.first() {
        return Err(Failure::message(CODE_ERROR, format!("{}: {}", problem.place.file, problem.message)));
    }
    let policies: Vec<_> = files.documents.into_iter().filter(|document| document.kind == Kind::ModulePolicy).collect();
    if policies.is_empty() {
        return Err(Failure::message(CODE_ERROR, format!("{} holds no ModulePolicy", shown.display())));
    }
    Ok(policies)
}

/// The policies among some objects, as far as they can be read.
pub(super) fn in_force(documents: &[Document]) -> Vec<ModulePolicy> {
    let policies = documents.iter().filter(|document| document.kind == Kind::ModulePolicy);
    policies.filter_map(|document| serde_json::from_value(document.object.clone()).ok()).collect()
}

/// What is wrong with a policy, as the webhook and the API server would say when it is written.
pub(super) fn mistakes(document: &Document, definitions: &Definitions) -> Vec<Finding> {
    let finding = |level: Level, cause: Cause| Finding {
        place: document.place(&cause.field),
        level,
        rule: Rule::Policy,
        object: document.label(""),
        field: cause.field,
        message: cause.message,
    };
    let mut errors = definitions.check(Kind::ModulePolicy, &document.object);
    if document.name().is_empty() {
        errors.push(Cause { field: "metadata.name".to_owned(), message: "is missing".to_owned() });
    }
    if errors.is_empty() {
        match serde_json::from_value::<ModulePolicy>(document.object.clone()) {
            Ok(read) => {
                let mistakes = policy::validate(&read.spec).into_iter();
                errors.extend(mistakes.map(|mistake| Cause { field: mistake.field, message: mistake.message }));
                if errors.is_empty() {
                    let doubts = policy::doubts(&read.spec).into_iter().map(|doubt| match doubt.split_once(": ") {
                        Some((field, message)) => Cause { field: field.to_owned(), message: message.to_owned() },
                        None => Cause { field: String::new(), message: doubt },
                    });
                    return doubts.map(|doubt| finding(Level::Warning, doubt)).collect();
                }
            }
            Err(error) => {
                errors.push(Cause { field: "spec".to_owned(), message: format!("not a ModulePolicy: {error}") });
            }
        }
    }
    errors.into_iter().map(|error| finding(Level::Error, error)).collect()
}
