//! What the webhook would say to each object, and what cannot work whoever writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use module::api::Module;
use module::expansion::{ExpansionError, MAX_RESOURCE_BYTES};
use module::policy::{EffectivePolicy, ModulePolicy};
use module::verdict::{Cause, Controllers, Operation, Question, Refusal, Verdict, decide, decide_template_store};
use module::{Requester, Template, annotations};
use renderer::RenderError;
use serde_json::{Map, Value};
use template_source::{LocalTemplates, SourceError, TemplateLocation};

use super::fields::Definitions;
use super::files::{Document, Kind};
use super::offline::OfflineCheck;
use super::policies::{self, PolicySources};
use super::{Change, Checked, Finding, Level, Place, Report, Rule};
use crate::config::Config;
use crate::failure::Failure;
use crate::identity::git_ops_writer;
use crate::target::{expand, load, location};

/// What makes a reference to a template another one. Where Modules are written in Git is not part of it.
const REFERENCE: [&str; 4] = ["repo", "path", "version", "sourceType"];

/// `.Release.Revision` of a Module that is applied for the first time, and of one that has been applied.
const FIRST_REVISION: i64 = 1;
const LATER_REVISION: i64 = 2;

/// An object before and after a change.
#[derive(Clone, Copy)]
pub(super) struct Pair<'d> {
    pub(super) namespace: &'d str,
    pub(super) old: Option<&'d Document>,
    pub(super) new: Option<&'d Document>,
}

/// Judges one object after the other.
pub(super) struct Judge<'a> {
    check: &'a OfflineCheck<'a>,
    definitions: Definitions,
    policies: PolicySources<'a>,
    /// Files whose policies were judged.
    told_policies: BTreeSet<PathBuf>,
    /// Configurations by the folder that they are looked for from.
    configs: BTreeMap<PathBuf, Rc<Config>>,
    templates: BTreeMap<(Option<PathBuf>, String), Result<Rc<Template>, TemplateProblem>>,
    pub(super) report: Report,
}

/// Why there is no template.
#[derive(Clone, Debug)]
struct TemplateProblem {
    message: String,
    /// Nobody has said where the repository is on this machine.
    is_not_mapped: bool,
}

/// The templates of a Module before and after a change.
struct Templates {
    /// The one that it was stored with.
    old: Option<Result<Rc<Template>, TemplateProblem>>,
    /// What its reference stands for now.
    new: Option<Result<Rc<Template>, TemplateProblem>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        check: &'a OfflineCheck<'a>,
        in_force: Vec<ModulePolicy>,
        report: Report,
    ) -> Result<Self, Failure> {
        Ok(Self {
            check,
            definitions: Definitions::read()?,
            policies: PolicySources::new(check.policies, in_force, check.base),
            told_policies: BTreeSet::new(),
            configs: BTreeMap::new(),
            templates: BTreeMap::new(),
            report,
        })
    }

    /// Judges a policy.
    pub(super) fn policy_object(&mut self, document: &Document) {
        self.report.findings.extend(policies::mistakes(document, &self.definitions));
        self.told_policies.insert(fs::canonicalize(&document.path).unwrap_or_default());
    }

    /// Judges the policies of a file that is not among those that are checked.
    pub(super) fn policy_file(&mut self, file: &Path) -> Result<(), Failure> {
        let real = fs::canonicalize(file).unwrap_or_default();
        if self.told_policies.contains(&real) {
            return Ok(());
        }
        for document in policies::read(file, &shown(file))? {
            self.policy_object(&document);
        }
        Ok(())
    }

    /// Judges what happens to a Module.
    pub(super) fn module(&mut self, pair: Pair<'_>) -> Result<(), Failure> {
        let Some(document) = pair.new.or(pair.old) else { return Ok(()) };
        let policy = self.policy(document, pair.namespace)?;
        let change = self.judge_module(pair, &policy)?;
        self.report.modules.push(Checked {
            name: format!("{}/{}", pair.namespace, document.name()),
            file: document.shown.clone(),
            change,
        });
        Ok(())
    }

    fn judge_module(&mut self, pair: Pair<'_>, policy: &EffectivePolicy) -> Result<Change, Failure> {
        let new = pair.new.map(|document| stored(document, pair.namespace));
        let mut old = pair.old.map(|document| stored(document, pair.namespace));
        let change = match (&old, &new) {
            (None, _) => Change::Created,
            (_, None) => Change::Deleted,
            (Some(old), Some(new)) if old == new => Change::Unchanged,
            _ => Change::Changed,
        };
        let templates = Templates {
            old: pair.old.map(|document| self.template_before(document)).transpose()?,
            new: pair.new.map(|document| self.template_now(document)).transpose()?,
        };
        if let (Some(document), Some(new)) = (pair.new, &new)
            && change != Change::Unchanged
        {
            let mistakes = mistakes(&self.definitions, document, new);
            if !mistakes.is_empty() {
                for mistake in mistakes {
                    self.tell(pair, Level::Error, Rule::Invalid, mistake);
                }
                return Ok(change);
            }
        }
        if let (Some(old), Some(Ok(template))) = (&mut old, &templates.old) {
            // What is in Git was brought by a GitOps writer, if there is one.
            let is_claimed = git_ops_writer(policy).is_some();
            if policy.guards_deletion(is_claimed, !template.locks().is_empty()) {
                protect(old);
            }
        }
        self.locks(pair, change, old.as_ref(), new.as_ref(), &templates, policy);
        if let Some(new) = &new {
            self.expansions(pair, change, old.as_ref(), new, &templates, policy);
        }
        Ok(change)
    }

    /// What locks and policies say to a write.
    fn locks(
        &mut self,
        pair: Pair<'_>,
        change: Change,
        old: Option<&Value>,
        new: Option<&Value>,
        templates: &Templates,
        policy: &EffectivePolicy,
    ) {
        let operation = match change {
            Change::Created => Operation::Create,
            Change::Changed => Operation::Update,
            Change::Deleted => Operation::Delete,
            Change::Unchanged => return,
        };
        if let Some(Err(problem)) = &templates.old {
            let message = format!("nobody can say what was locked before: {}", problem.message);
            let cause = Cause { field: "spec.template".to_owned(), message };
            self.tell(pair, Level::Warning, Rule::Template, cause);
        }
        let old_template = templates.old.as_ref().and_then(|template| template.as_deref().ok());
        let new_template = match &templates.new {
            Some(_) if old.zip(new).is_some_and(|(old, new)| keeps_template(old, new)) => None,
            Some(Ok(template)) => Some(&**template),
            // The old one in its place: no lock is lost, so that only the change of the reference is judged.
            Some(Err(_)) => old_template,
            None => None,
        };
        let ask = |requester: &Requester| {
            let controllers = Controllers::default();
            decide(&Question {
                operation,
                old,
                new,
                requester,
                policy,
                old_template,
                new_template,
                controllers: &controllers,
            })
        };
        let is_update = operation == Operation::Update;
        let is_other = self.check.requester.as_ref().is_some_and(|requester| !policy.is_git_ops_writer(requester));
        if is_update && is_other && policy.enforces_ownership() {
            let message = "a ModulePolicy locks what Git owns, which only a cluster knows: ask it with --live";
            let cause = Cause { field: "spec.values".to_owned(), message: message.to_owned() };
            self.tell(pair, Level::Warning, Rule::Lock, cause);
        }
        self.verdicts(pair, policy, &ask, is_update);
    }

    /// Asks for the identity that the check is about, and for those who see what others are told.
    fn verdicts(
        &mut self,
        pair: Pair<'_>,
        policy: &EffectivePolicy,
        ask: &dyn Fn(&Requester) -> Verdict,
        is_update: bool,
    ) {
        let writer = git_ops_writer(policy);
        let nobody = Requester::default();
        let asked = self.check.requester.as_ref().or(writer.as_ref()).unwrap_or(&nobody);
        match ask(asked) {
            Verdict::Refused(refusal) => {
                let is_refused_to_all = writer.is_some_and(|writer| matches!(ask(&writer), Verdict::Refused(_)));
                let is_lock = is_update && !is_refused_to_all;
                for cause in causes(&refusal) {
                    let rule = match refusal.code {
                        403 => Rule::Refused,
                        503 => Rule::Template,
                        504 => Rule::Render,
                        _ if is_lock => Rule::Lock,
                        _ if cause.field.starts_with("spec.template") => Rule::Template,
                        _ => Rule::Invalid,
                    };
                    self.tell(pair, Level::Error, rule, cause);
                }
            }
            Verdict::Allowed(allowance) => {
                for warning in allowance.warnings {
                    let (field, message) = warning.split_once(": ").unwrap_or(("", &warning));
                    let cause = Cause { field: field.to_owned(), message: message.to_owned() };
                    self.tell(pair, Level::Warning, Rule::Lock, cause);
                }
                // Nothing is locked in what is only now made.
                let Verdict::Refused(refusal) = ask(&nobody) else { return };
                if pair.old.is_none() || !matches!(refusal.code, 403 | 422) {
                    return;
                }
                let rule = if refusal.code == 403 { Rule::Refused } else { Rule::Lock };
                for cause in causes(&refusal) {
                    let message = format!("passes here and is refused to others: {}", cause.message);
                    self.tell(pair, Level::Note, rule, Cause { message, ..cause });
                }
            }
        }
    }

    /// Renders a Module with the templates that it is to be applied with: the one that it is stored with, which a change
    /// of values does not move, and the one that its reference stands for now.
    fn expansions(
        &mut self,
        pair: Pair<'_>,
        change: Change,
        old: Option<&Value>,
        new: &Value,
        templates: &Templates,
        policy: &EffectivePolicy,
    ) {
        let keeps = old.is_some_and(|old| keeps_template(old, new));
        let stored = templates.old.as_ref().filter(|_| keeps).and_then(|template| template.as_ref().ok());
        let now = match &templates.new {
            Some(Ok(template)) => Some(template),
            Some(Err(problem)) => {
                // It was no better before.
                if change != Change::Unchanged || stored.is_some() {
                    let cause = Cause { field: "spec.template".to_owned(), message: problem.message.clone() };
                    self.tell(pair, Level::Error, Rule::Template, cause);
                }
                None
            }
            None => None,
        };
        let moved = stored.zip(now).is_some_and(|(stored, now)| stored.digest() != now.digest());
        let mut rendered = Vec::new();
        if change != Change::Unchanged && (moved || now.is_none()) {
            rendered.extend(stored.map(|template| (template, "with the template as it was: ")));
        }
        if change != Change::Unchanged || moved {
            rendered
                .extend(now.map(|template| (template, if moved { "with the template as it is now: " } else { "" })));
        }
        let revision = if change == Change::Created { FIRST_REVISION } else { LATER_REVISION };
        for (template, which) in rendered {
            let module = match serde_json::from_value::<Module>(new.clone()) {
                Ok(module) => module,
                Err(error) => {
                    let cause = Cause { field: "spec".to_owned(), message: format!("not a Module: {error}") };
                    return self.tell(pair, Level::Error, Rule::Invalid, cause);
                }
            };
            match expand(template, &module, policy, revision) {
                Ok(expansion) => {
                    for warning in expansion.warnings {
                        let cause = Cause { field: "spec.template".to_owned(), message: format!("{which}{warning}") };
                        self.tell(pair, Level::Warning, Rule::Render, cause);
                    }
                }
                Err(error) => {
                    let rule = rule_of(&error);
                    let values = new.pointer("/spec/values").unwrap_or(&Value::Null);
                    for cause in causes(&Refusal::for_expansion(&error, template.locks(), values)) {
                        let message = format!("{which}{}", cause.message);
                        self.tell(pair, Level::Error, rule, Cause { message, ..cause });
                    }
                }
            }
        }
    }

    /// Judges what happens to a `TemplateStore`.
    pub(super) fn template_store(&mut self, pair: Pair<'_>) -> Result<(), Failure> {
        let Some(document) = pair.new.or(pair.old) else { return Ok(()) };
        let object = |document: Option<&Document>| document.map(|document| stored(document, pair.namespace));
        let (old, new) = (object(pair.old), object(pair.new));
        if old == new {
            return Ok(());
        }
        let policy = self.policy(document, pair.namespace)?;
        let mistakes = new.as_ref().map(|new| self.definitions.check(Kind::TemplateStore, new)).unwrap_or_default();
        let is_wrong = !mistakes.is_empty();
        for mistake in mistakes {
            self.tell(pair, Level::Error, Rule::Invalid, mistake);
        }
        let ask = |requester: &Requester| decide_template_store(old.as_ref(), new.as_ref(), requester, &policy);
        self.verdicts(pair, &policy, &ask, false);
        let Some(new) = pair.new.filter(|_| !is_wrong) else { return Ok(()) };
        let place = location(new.object.get("spec"));
        if let Err(error) = policy.check_source(&place.repo, &place.path) {
            let cause = Cause { field: "spec.repo".to_owned(), message: error.to_string() };
            self.tell(pair, Level::Error, Rule::Template, cause);
            return Ok(());
        }
        if let Err(problem) = self.template(new, &place, false)? {
            // Which templates are offered is not bound to what is on this machine.
            let level = if problem.is_not_mapped { Level::Warning } else { Level::Error };
            self.tell(pair, level, Rule::Template, Cause { field: "spec".to_owned(), message: problem.message });
        }
        Ok(())
    }

    fn template_now(&mut self, document: &Document) -> Result<Result<Rc<Template>, TemplateProblem>, Failure> {
        self.template(document, &location(document.object.pointer("/spec/template")), false)
    }

    fn template_before(&mut self, document: &Document) -> Result<Result<Rc<Template>, TemplateProblem>, Failure> {
        self.template(document, &location(document.object.pointer("/spec/template")), true)
    }

    /// The template at a place, from the folder that stands for its repository, as that is or was.
    fn template(
        &mut self,
        document: &Document,
        place: &TemplateLocation,
        before: bool,
    ) -> Result<Result<Rc<Template>, TemplateProblem>, Failure> {
        let config = self.config(&document.path)?;
        let root = self.check.template_roots.get(&place.repo).or_else(|| config.templates.get(&place.repo));
        let root = match (root, self.check.base) {
            (Some(root), Some(base)) if before => Some(base.as_it_was(root)?),
            (root, _) => root.cloned(),
        };
        let key = (root.clone(), place.path.clone());
        if root.is_some()
            && let Some(known) = self.templates.get(&key)
        {
            return Ok(known.clone());
        }
        let folders = root.into_iter().map(|root| (place.repo.clone(), root)).collect();
        let loaded = load(&LocalTemplates::new(folders), place).map(Rc::new).map_err(|error| TemplateProblem {
            message: format!("{error:#}"),
            is_not_mapped: matches!(error.downcast_ref(), Some(SourceError::NotMapped { .. })),
        });
        self.templates.insert(key, loaded.clone());
        Ok(loaded)
    }

    /// The policies for a namespace. With a base, the configuration that was there says where they are.
    fn policy(&mut self, document: &Document, namespace: &str) -> Result<EffectivePolicy, Failure> {
        let config = self.config(&document.path)?;
        if self.check.policies.is_empty()
            && let Some(file) = config.policy.as_deref().filter(|file| !self.is_before(file))
        {
            self.policy_file(file)?;
        }
        let config = match self.check.base {
            Some(base) if !self.is_before(&document.path) => {
                let path = base.objects(&document.path)?;
                self.config(&path)?
            }
            _ => config,
        };
        Ok(self.policies.of(config.policy.as_deref())?.effective(namespace))
    }

    /// Whether a path is in the folder that stands for the repository as it was.
    fn is_before(&self, path: &Path) -> bool {
        self.check.base.is_some_and(|base| path.starts_with(base.root()))
    }

    /// The configuration for a file.
    fn config(&mut self, file: &Path) -> Result<Rc<Config>, Failure> {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        if let Some(known) = self.configs.get(&folder) {
            return Ok(Rc::clone(known));
        }
        let found = match self.check.base.filter(|_| self.is_before(file)) {
            Some(base) => match Config::find_below(base.root(), file)? {
                Some(config) => config,
                None => Config::find(base.top())?,
            },
            None => Config::find(&Path::new(".").join(file))?,
        };
        let found = Rc::new(found);
        self.configs.insert(folder, Rc::clone(&found));
        Ok(found)
    }

    fn tell(&mut self, pair: Pair<'_>, level: Level, rule: Rule, cause: Cause) {
        let place = match (pair.new, pair.old) {
            (Some(document), _) => document.place(&cause.field),
            // The file may be gone, and if not, is another one now.
            (None, Some(document)) => Place { file: document.shown.clone(), position: None },
            (None, None) => return,
        };
        let object = pair.new.or(pair.old).map(|document| document.label(pair.namespace)).unwrap_or_default();
        let Cause { field, message } = cause;
        self.report.findings.push(Finding { place, level, rule, object, field, message });
    }
}

/// An object as a cluster would store it before the webhook adds its stamps.
fn stored(document: &Document, namespace: &str) -> Value {
    let mut object = document.object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove("status");
        let metadata = members.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("namespace".to_owned(), namespace.into());
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.retain(|name, _| !annotations::STAMPS.contains(&name.as_str()));
            }
        }
    }
    object
}

/// Gives an object the stamp of the webhook that guards its deletion.
fn protect(object: &mut Value) {
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    let annotations =
        metadata.map(|metadata| metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new())));
    if let Some(members) = annotations.and_then(Value::as_object_mut) {
        members.insert(annotations::PROTECTED.to_owned(), "true".into());
    }
}

/// What the definition and the cluster's store do not take.
fn mistakes(definitions: &Definitions, document: &Document, object: &Value) -> Vec<Cause> {
    let mut mistakes = definitions.check(Kind::Module, &document.object);
    let bytes = object.to_string().len();
    if bytes > MAX_RESOURCE_BYTES {
        let message = format!("the Module has {bytes} bytes; a cluster stores {MAX_RESOURCE_BYTES}");
        mistakes.push(Cause { field: "spec.values".to_owned(), message });
    }
    mistakes
}

fn keeps_template(old: &Value, new: &Value) -> bool {
    let part = |object: &Value, part: &str| {
        object
            .pointer("/spec/template")
            .and_then(|template| template.get(part)?.as_str().map(str::to_owned))
            .unwrap_or_default()
    };
    REFERENCE.iter().all(|name| part(old, name) == part(new, name))
}

/// The causes of a refusal; one about the whole object if it names none.
fn causes(refusal: &Refusal) -> Vec<Cause> {
    if refusal.causes.is_empty() {
        return vec![Cause { field: String::new(), message: refusal.message.clone() }];
    }
    refusal.causes.clone()
}

fn rule_of(error: &ExpansionError) -> Rule {
    match error {
        ExpansionError::Render(RenderError::Schema(_)) => Rule::Schema,
        ExpansionError::Confined { .. } => Rule::Confinement,
        ExpansionError::LongName { .. } | ExpansionError::MissingSpec => Rule::Invalid,
        _ => Rule::Render,
    }
}

/// A path as people read it: relative to where they are, if it is below.
fn shown(file: &Path) -> PathBuf {
    let real = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let here = std::env::current_dir().and_then(fs::canonicalize);
    here.ok().and_then(|here| real.strip_prefix(here).ok().map(Path::to_owned)).unwrap_or(real)
}
