//! Validation of values against `values.schema.json`, with Helm's messages.
//!
//! The steps follow the library that Helm uses, santhosh-tekuri/jsonschema 6, because the tree of violations that Helm
//! prints is what that library's functions return: `document` (identifiers, anchors, references), `compile` (keywords),
//! `validate`, `format` and `message` (words). `plain` saves the usual schema from being compared with its draft's.

mod compile;
mod document;
mod format;
mod message;
mod plain;
mod validate;

pub use crate::functions::Pattern;

use std::fmt;
use std::sync::OnceLock;

use crate::Chart;
use crate::Profile;
use crate::chart::ChartInstance;
use crate::value::{Map, Value};
use crate::values::{self, Values, ValuesError};
use crate::warning::Warnings;

/// Values that do not fit the schema of a chart or of its sub-charts. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SchemaError {
    /// The charts whose schema is not fulfilled, outer ones first.
    pub charts: Vec<ChartViolations>,
}

/// What is wrong with the values of one chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartViolations {
    /// Keys that lead from the root of the values to those of this chart: names or aliases of sub-charts.
    pub path: Vec<String>,
    /// The chart's name or alias.
    pub chart: String,
    /// What is wrong.
    pub problem: Problem,
}

/// Why the values of a chart are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The values violate the schema.
    Violations(Vec<Violation>),
    /// The schema itself cannot be used: no JSON, no schema, a reference that leads nowhere or out of the chart.
    Schema(String),
    /// The values of a sub-chart are no map; the Go type that was found.
    NotAMap(String),
}

/// One violation of a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violation {
    /// Where in the chart's values, as a JSON pointer.
    pub pointer: String,
    /// What is wrong there, such as `got string, want integer`.
    pub message: String,
    /// What is wrong further in: the violations of a group, or why no branch of an `anyOf` or `oneOf` is fulfilled.
    pub causes: Vec<Self>,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "values don't meet the specifications of the schema(s) in the following chart(s):")?;
        for chart in &self.charts {
            writeln!(formatter, "{}:", chart.chart)?;
            match &chart.problem {
                Problem::Violations(violations) => {
                    violations.iter().try_for_each(|violation| violation.fmt(formatter))?;
                }
                Problem::Schema(text) => formatter.write_str(text)?,
                Problem::NotAMap(found) => {
                    writeln!(formatter, "invalid type for values: expected object (map), got {found}")?;
                }
            }
        }
        Ok(())
    }
}

impl Violation {
    /// Whether this only puts several violations together, each of which has to be mended.
    pub fn is_group(&self) -> bool {
        !self.causes.is_empty() && matches!(self.message.as_str(), message::GROUP | message::ALL_OF)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_violation(formatter, self, 0)
    }
}

fn write_violation(formatter: &mut fmt::Formatter<'_>, violation: &Violation, indent: usize) -> fmt::Result {
    let pointer = message::quote(&violation.pointer);
    writeln!(formatter, "{:indent$}- at {pointer}: {}", "", violation.message, indent = 2 * indent)?;
    violation.causes.iter().try_for_each(|cause| write_violation(formatter, cause, indent + 1))
}

/// Why values could not be validated, or were and are wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// The values do not fit the chart's structure.
    #[error(transparent)]
    Values(#[from] ValuesError),
    /// The values do not fit a schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// Validates a user's values, coalesced with the chart's defaults, against the schema of the chart and of every enabled
/// sub-chart. References are followed inside the schema only.
///
/// Needs [`crate::template::RENDER_STACK_BYTES`] of stack.
pub fn validate(chart: &Chart, values: &Values) -> Result<(), ValidationError> {
    let profile = Profile::default();
    let (tree, effective) = values::process(chart, values, profile, &Warnings::new(profile))?;
    Ok(validate_instance(tree.root(), &effective)?)
}

/// Validates effective values (Helm: `ValidateAgainstSchema`).
pub(crate) fn validate_instance(instance: ChartInstance<'_, '_>, values: &Map) -> Result<(), SchemaError> {
    let mut charts = Vec::new();
    validate_chart(instance, values, &mut Vec::new(), &mut charts, &mut 0);
    if charts.is_empty() { Ok(()) } else { Err(SchemaError { charts }) }
}

fn validate_chart(
    instance: ChartInstance<'_, '_>,
    values: &Map,
    path: &mut Vec<String>,
    charts: &mut Vec<ChartViolations>,
    schemas: &mut usize,
) {
    if let Some(schema) = instance.chart().schema().filter(|_| *schemas <= compile::MAX_SCHEMAS) {
        let instance_values = serde_json::Value::Object(values::to_values(values));
        if let Err(problem) = validate_values(instance.chart(), schema, &instance_values, schemas) {
            charts.push(ChartViolations { path: path.clone(), chart: instance.name().to_owned(), problem });
        }
    }
    for subchart in instance.dependencies() {
        path.push(subchart.name().to_owned());
        match values.get(subchart.name().as_bytes()) {
            None | Some(Value::Nil | Value::Invalid) => {}
            Some(Value::Map(values)) => validate_chart(subchart, &values, path, charts, schemas),
            Some(other) => charts.push(ChartViolations {
                path: path.clone(),
                chart: subchart.name().to_owned(),
                problem: Problem::NotAMap(other.type_name().to_owned()),
            }),
        }
        path.pop();
    }
}

/// Validates the values of one chart. Its schema is compiled once. `schemas` counts those of all charts.
fn validate_values(
    chart: &Chart,
    schema: &[u8],
    values: &serde_json::Value,
    schemas: &mut usize,
) -> Result<(), Problem> {
    let compiled = chart.compiled_schema().get_or_init(|| compile::compile(schema));
    let compiled = compiled.as_ref().map_err(|text| Problem::Schema(text.clone()))?;
    *schemas += compiled.nodes.len();
    if *schemas > compile::MAX_SCHEMAS {
        return Err(Problem::Schema(format!("more than {} schemas in all charts", compile::MAX_SCHEMAS)));
    }
    let violations = validate::validate(compiled, values).map_err(Problem::Schema)?;
    if violations.is_empty() { Ok(()) } else { Err(Problem::Violations(violations)) }
}

/// A compiled `values.schema.json`, or why it is none, in a box of its own.
#[derive(Debug, Default)]
pub(crate) struct CompiledSchema(OnceLock<Result<compile::Compiled, String>>);

impl CompiledSchema {
    fn get_or_init(
        &self,
        compile: impl FnOnce() -> Result<compile::Compiled, String>,
    ) -> &Result<compile::Compiled, String> {
        self.0.get_or_init(compile)
    }
}

#[cfg(test)]
mod tests;
