//! Why a Module does not expand, told with the fields that the writer has to change.

use module::{
    ValuePath,
    expansion::ExpansionError,
    path::Token,
    verdict::{Cause, Refusal},
};
use renderer::{
    RenderError,
    schema::{ChartViolations, Problem, SchemaError, Violation},
};

use crate::templates::chain;

/// The refusal of a Module that does not expand.
pub(crate) fn refusal(error: &ExpansionError) -> Refusal {
    match error {
        ExpansionError::Render(RenderError::Schema(error)) => Refusal::because(violations(error)),
        ExpansionError::MissingSpec => Refusal::invalid("spec", error.to_string()),
        ExpansionError::LongName { .. } => Refusal::invalid("metadata.name", error.to_string()),
        ExpansionError::Values(_) => Refusal::invalid("spec.values", chain(error)),
        // A template may fail because of a value or by itself; its own words say which.
        _ => Refusal::invalid("spec", chain(error)),
    }
}

fn violations(error: &SchemaError) -> Vec<Cause> {
    error.charts.iter().flat_map(chart_violations).collect()
}

fn chart_violations(chart: &ChartViolations) -> Vec<Cause> {
    let root = ValuePath::of_keys(chart.path.iter().map(String::as_str));
    let at_root = |message: String| vec![Cause { field: root.to_field(), message }];
    match &chart.problem {
        Problem::Violations(violations) => violations
            .iter()
            .map(|violation| Cause { field: below(&root, &violation.pointer).to_field(), message: message(violation) })
            .collect(),
        Problem::Schema(problem) => {
            vec![Cause {
                field: "spec.template".to_owned(),
                message: format!("values.schema.json of the chart {} cannot be used: {}", chart.chart, problem.trim()),
            }]
        }
        Problem::NotAMap(found) => {
            at_root(format!("the values of the chart {} are {found}, not a mapping", chart.chart))
        }
        _ => at_root(format!("the values do not fit the schema of the chart {}", chart.chart)),
    }
}

/// A violation and, where no branch fits, why none does.
fn message(violation: &Violation) -> String {
    let mut text = violation.message.clone();
    let causes: Vec<_> = violation.causes.iter().map(message).collect();
    if !causes.is_empty() {
        text.push_str(" (");
        text.push_str(&causes.join("; "));
        text.push(')');
    }
    text
}

/// The place that a JSON Pointer leads to. Only the values could tell keys from positions: what is a number is taken
/// for a position.
fn below(root: &ValuePath, pointer: &str) -> ValuePath {
    let mut tokens = root.tokens().to_vec();
    for part in pointer.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        tokens.push(key.parse().map_or(Token::Key(key), Token::Index));
    }
    ValuePath::from(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_is_a_cause_with_its_field() {
        let error = SchemaError {
            charts: vec![
                ChartViolations {
                    path: Vec::new(),
                    chart: "app".into(),
                    problem: Problem::Violations(vec![Violation {
                        pointer: "/ports/0/name".into(),
                        message: "got number, want string".into(),
                        causes: Vec::new(),
                    }]),
                },
                ChartViolations {
                    path: vec!["cache".into()],
                    chart: "cache".into(),
                    problem: Problem::Violations(vec![Violation {
                        pointer: "/a~1b".into(),
                        message: "'oneOf' failed, none matched".into(),
                        causes: vec![Violation { pointer: "/a~1b".into(), message: "one".into(), causes: Vec::new() }],
                    }]),
                },
            ],
        };
        let causes: Vec<_> = violations(&error).into_iter().map(|cause| (cause.field, cause.message)).collect();
        assert_eq!(
            causes,
            [
                ("spec.values.ports[0].name".to_owned(), "got number, want string".to_owned()),
                ("spec.values.cache[\"a/b\"]".to_owned(), "'oneOf' failed, none matched (one)".to_owned()),
            ]
        );
    }
}
