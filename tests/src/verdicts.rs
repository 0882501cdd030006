//! Random changes of Modules, decided by the rules and by an oracle that was written from their description.

mod generate;
mod oracle;
mod shrink;

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, Result, anyhow};
use module::policy::{ModulePolicy, ModulePolicySpec, Policies, TemplateChanges, TemplatePolicy};
use module::verdict::{Controllers, Operation, Question, Verdict, decide};
use module::{Requester, Template};
use renderer::values::{Values, effective, enabled_sub_charts, from_json};
use renderer::{Chart, ChartFile};
use serde_json::{Value, json};

pub use generate::case;
use oracle::{Change, Document, Step};
pub use shrink::shrink;

/// A change of a Module, and all that decides whether it is allowed.
#[derive(Clone, Debug)]
pub struct Case {
    /// The chart that the stored Module was admitted with.
    pub old_chart: ChartText,
    /// The chart that the new Module names; none: the same.
    pub new_chart: Option<ChartText>,
    /// Values of the stored Module.
    pub old_values: Value,
    /// Values of the new Module.
    pub new_values: Value,
    /// Which of some policies holds.
    pub policy: usize,
}

/// A chart without templates.
#[derive(Clone, Debug)]
pub struct ChartText {
    /// `values.schema.json`.
    pub schema: Option<SchemaText>,
    /// `values.yaml`.
    pub values: Value,
    /// The dependencies.
    pub sub_charts: Vec<SubChart>,
}

/// A schema, or what is none.
#[derive(Clone, Debug)]
pub enum SchemaText {
    /// JSON.
    Json(Value),
    /// A text that nobody can take for a schema.
    Broken(String),
}

/// A dependency.
#[derive(Clone, Debug)]
pub struct SubChart {
    /// Its chart's name.
    pub name: String,
    /// `alias`.
    pub alias: Option<String>,
    /// `condition`.
    pub condition: Option<String>,
    /// One of `tags`.
    pub tag: Option<String>,
    /// The chart.
    pub chart: ChartText,
}

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The change passes.
    Allowed,
    /// It touches what is locked: these fields.
    Locked(BTreeSet<String>),
    /// Nobody can say what a schema locks.
    Malformed,
    /// Helm does not make values of the templates of what is written.
    Unreadable,
}

impl SubChart {
    fn key(&self) -> &str {
        self.alias.as_ref().unwrap_or(&self.name)
    }
}

impl ChartText {
    fn files(&self, name: &str, folder: &str, files: &mut Vec<ChartFile>) {
        let dependencies: Vec<Value> = self
            .sub_charts
            .iter()
            .map(|sub_chart| {
                json!({
                    "name": sub_chart.name,
                    "version": "1.0.0",
                    "alias": sub_chart.alias.as_deref().unwrap_or_default(),
                    "condition": sub_chart.condition.as_deref().unwrap_or_default(),
                    "tags": sub_chart.tag.iter().collect::<Vec<_>>(),
                })
            })
            .collect();
        let metadata = json!({"apiVersion": "v2", "name": name, "version": "1.0.0", "dependencies": dependencies});
        let mut add = |name: &str, text: String| {
            files.push(ChartFile { name: format!("{folder}{name}"), data: text.into_bytes() });
        };
        add("Chart.yaml", metadata.to_string());
        add("values.yaml", self.values.to_string());
        match &self.schema {
            Some(SchemaText::Json(schema)) => add("values.schema.json", schema.to_string()),
            Some(SchemaText::Broken(text)) => add("values.schema.json", text.clone()),
            None => {}
        }
        for sub_chart in &self.sub_charts {
            sub_chart.chart.files(&sub_chart.name, &format!("{folder}charts/{}/", sub_chart.name), files);
        }
    }

    fn load(&self) -> Result<Chart> {
        let mut files = Vec::new();
        self.files("app", "", &mut files);
        Chart::load(files).context("the generated chart cannot be loaded")
    }

    /// The schemas with the keys of their charts' values; none if one of them is no schema.
    fn documents(&self, path: &[String], documents: &mut Vec<Document>) -> Option<()> {
        match &self.schema {
            Some(SchemaText::Json(schema)) => {
                documents.push(Document { chart: path.to_vec(), schema: schema.clone() });
            }
            Some(SchemaText::Broken(_)) => return None,
            None => {}
        }
        self.sub_charts.iter().try_for_each(|sub_chart| {
            sub_chart.chart.documents(&[path, &[sub_chart.key().to_owned()]].concat(), documents)
        })
    }

    /// The keys of the values of all sub-charts, inner ones included.
    fn paths(&self) -> Vec<Vec<String>> {
        let below = |sub_chart: &SubChart| {
            let key = sub_chart.key().to_owned();
            let inner = sub_chart.chart.paths().into_iter().map(|path| [vec![key.clone()], path].concat());
            std::iter::once(vec![key.clone()]).chain(inner).collect::<Vec<_>>()
        };
        self.sub_charts.iter().flat_map(below).collect()
    }
}

impl Case {
    fn changes(&self) -> TemplateChanges {
        match self.policy {
            2 => TemplateChanges::Version,
            3 => TemplateChanges::Any,
            _ => TemplateChanges::GitOpsOnly,
        }
    }

    /// What the rules say.
    pub fn decide(&self) -> Result<Decision> {
        let old_template = Template::new(self.old_chart.load()?, "old");
        let new_template =
            self.new_chart.as_ref().map(|chart| Ok::<_, anyhow::Error>(Template::new(chart.load()?, "new")));
        let (Ok(old_template), Ok(new_template)) = (old_template, new_template.transpose()?.transpose()) else {
            return Ok(Decision::Malformed);
        };
        let template = TemplatePolicy { changes: self.changes(), ..TemplatePolicy::default() };
        let policy = ModulePolicy::new("all", ModulePolicySpec { template, ..ModulePolicySpec::default() });
        let version = if new_template.is_some() { "2" } else { "1" };
        let verdict = decide(&Question {
            operation: Operation::Update,
            old: Some(&module("1", &self.old_values)),
            new: Some(&module(version, &self.new_values)),
            requester: &Requester::named("developer"),
            policy: &Policies::new([policy]).effective("team"),
            old_template: Some(&old_template),
            new_template: new_template.as_ref(),
            controllers: &Controllers::default(),
        });
        Ok(match verdict {
            Verdict::Allowed(_) => Decision::Allowed,
            Verdict::Refused(refusal) => {
                let fields: BTreeSet<String> = refusal.causes.into_iter().map(|cause| cause.field).collect();
                if fields == BTreeSet::from(["spec.values".to_owned()]) && !refusal.message.contains("locked by") {
                    Decision::Unreadable
                } else {
                    Decision::Locked(fields)
                }
            }
        })
    }

    /// What the oracle says.
    pub fn expect(&self) -> Result<Decision> {
        let new_text = self.new_chart.as_ref().unwrap_or(&self.old_chart);
        let (mut old_documents, mut new_documents) = (Vec::new(), Vec::new());
        let all_read = self.old_chart.documents(&[], &mut old_documents).is_some()
            && new_text.documents(&[], &mut new_documents).is_some();
        if !all_read || oracle::are_malformed(&old_documents) || oracle::are_malformed(&new_documents) {
            return Ok(Decision::Malformed);
        }
        // Such a write always passes, even if the stored values cannot be used.
        if self.new_chart.is_none() && self.old_values == self.new_values {
            return Ok(Decision::Allowed);
        }
        let documents = [old_documents.as_slice(), &new_documents].concat();
        let (old_chart, new_chart) = (self.old_chart.load()?, new_text.load()?);
        let (old_values, new_values) = (from_json(&self.old_values), from_json(&self.new_values));
        let (Ok(old_values), Ok(new_values)) = (old_values, new_values) else { return Ok(Decision::Unreadable) };
        let mut fields = BTreeSet::new();
        if oracle::lock_anything(&documents, &[]) {
            let (Ok(old_effective), Ok(new_effective)) =
                (effective(&old_chart, &old_values), effective(&new_chart, &new_values))
            else {
                return Ok(Decision::Unreadable);
            };
            let change = Change {
                old_effective: &Value::Object(old_effective),
                old_explicit: &self.old_values,
                new_effective: &Value::Object(new_effective),
                new_explicit: &self.new_values,
            };
            fields.extend(oracle::locked_changes(&documents, change).into_iter().map(|path| field(&path)));
            let on = |chart: &Chart, values: &Values| enabled_sub_charts(chart, values).map_err(|error| anyhow!(error));
            let (before, after) = (on(&old_chart, &old_values)?, on(&new_chart, &new_values)?);
            for path in new_text.paths() {
                let is_switched_off = before.contains(&path) && !after.contains(&path);
                if is_switched_off && oracle::lock_anything(&documents, &path) {
                    fields.insert(OFF.to_owned());
                }
            }
        }
        if self.new_chart.is_some() && oracle::lock_anything(&old_documents, &[]) {
            let is_free = match self.changes() {
                TemplateChanges::GitOpsOnly => false,
                TemplateChanges::Version => fields.is_empty() && oracle::keep_locks(&old_documents, &new_documents),
                TemplateChanges::Any => true,
            };
            if !is_free {
                fields.insert(VERSION.to_owned());
            }
        }
        Ok(if fields.is_empty() { Decision::Allowed } else { Decision::Locked(fields) })
    }
}

/// What the oracle calls a sub-chart that is switched off: it does not say by which value.
const OFF: &str = "a sub-chart";
/// What the template's version is called.
const VERSION: &str = "spec.template.version";

/// Whether the decisions agree: they name the same fields, or fields of which one is part of the other.
pub fn agree(rules: &Decision, oracle: &Decision) -> bool {
    let (Decision::Locked(named), Decision::Locked(expected)) = (rules, oracle) else { return rules == oracle };
    let overlap = |one: &String, other: &String| one.starts_with(other.as_str()) || other.starts_with(one.as_str());
    let off = expected.contains(OFF);
    expected.iter().all(|field| field == OFF || named.iter().any(|name| overlap(name, field)))
        && (off || named.iter().all(|name| expected.iter().any(|field| overlap(name, field))))
}

fn field(path: &[Step]) -> String {
    path.iter().fold("spec.values".to_owned(), |field, step| match step {
        Step::Key(key) if key.contains('/') => format!("{field}[{}]", json!(key)),
        Step::Key(key) => format!("{field}.{key}"),
        Step::Index(index) => format!("{field}[{index}]"),
        Step::Unnamed(_) => field,
    })
}

fn module(version: &str, values: &Value) -> Value {
    json!({
        "apiVersion": "cyclops-ui.com/v1alpha1",
        "kind": "Module",
        "metadata": {"name": "app", "namespace": "team"},
        "spec": {
            "template": {"repo": "https://example.com/charts", "path": "app", "version": version},
            "values": values,
        },
    })
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "old values  {}", self.old_values)?;
        writeln!(formatter, "new values  {}", self.new_values)?;
        writeln!(formatter, "policy      template.changes {:?}", self.changes())?;
        writeln!(formatter, "old chart")?;
        write_chart(formatter, &self.old_chart, 1)?;
        if let Some(chart) = &self.new_chart {
            writeln!(formatter, "new chart")?;
            write_chart(formatter, chart, 1)?;
        }
        Ok(())
    }
}

fn write_chart(formatter: &mut fmt::Formatter<'_>, chart: &ChartText, depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    match &chart.schema {
        Some(SchemaText::Json(schema)) => writeln!(formatter, "{indent}schema    {schema}")?,
        Some(SchemaText::Broken(text)) => writeln!(formatter, "{indent}schema    {text}")?,
        None => {}
    }
    writeln!(formatter, "{indent}defaults  {}", chart.values)?;
    for SubChart { name, alias, condition, tag, chart } in &chart.sub_charts {
        writeln!(formatter, "{indent}sub-chart {name} alias {alias:?} condition {condition:?} tag {tag:?}")?;
        write_chart(formatter, chart, depth + 1)?;
    }
    Ok(())
}
