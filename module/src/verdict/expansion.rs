//! What is said when a Module does not expand to resources.

use renderer::RenderError;
use renderer::schema::{Problem, Violation};
use serde_json::Value;

use super::{Cause, Ground, Refusal};
use crate::expansion::ExpansionError;
use crate::lock::{Cursor, LockSet, Redaction};
use crate::path::{Token, ValuePath};

/// Violations told in one answer. Further ones show when these are corrected.
const MAX_VIOLATIONS: usize = 50;

impl Refusal {
    /// Refuses a Module that does not expand. One cause for each value that does not fit the schema; everything else is
    /// about the field that it most likely comes from. `values` are the Module's: what must not be shown of them is not.
    pub fn for_expansion(error: &ExpansionError, locks: &LockSet, values: &Value) -> Self {
        let redaction = Redaction::new(locks, [values]);
        let mut causes = causes(error, locks);
        for cause in &mut causes {
            cause.message = redaction.apply(&cause.message);
        }
        let ground = ground(error);
        let refusal = Self::because(causes).on(ground);
        if ground == Ground::Budget { Self { code: 504, reason: super::Reason::Timeout, ..refusal } } else { refusal }
    }
}

fn ground(error: &ExpansionError) -> Ground {
    match error {
        ExpansionError::MissingSpec
        | ExpansionError::LongName { .. }
        | ExpansionError::Values(_)
        | ExpansionError::Render(RenderError::Values(_)) => Ground::Invalid,
        ExpansionError::TargetNamespace { .. } | ExpansionError::TooMany { .. } | ExpansionError::Confined { .. } => {
            Ground::Confinement
        }
        ExpansionError::Render(error) if error.budget().is_some() => Ground::Budget,
        ExpansionError::Render(RenderError::Schema(_)) => Ground::Schema,
        _ => Ground::Render,
    }
}

fn causes(error: &ExpansionError, locks: &LockSet) -> Vec<Cause> {
    let about = |field: &str| vec![Cause { field: field.to_owned(), message: error.to_string() }];
    match error {
        ExpansionError::LongName { .. } => about("metadata.name"),
        ExpansionError::TargetNamespace { .. } => about("spec.targetNamespace"),
        ExpansionError::Values(_) | ExpansionError::Render(RenderError::Values(_) | RenderError::Dependencies(_)) => {
            about("spec.values")
        }
        ExpansionError::Render(RenderError::Schema(error)) => {
            let mut causes = Vec::new();
            for chart in &error.charts {
                let place = ValuePath::of_keys(chart.path.iter().map(String::as_str));
                match &chart.problem {
                    Problem::Violations(violations) => {
                        for violation in violations {
                            add(violation, &place, locks, &mut causes);
                        }
                    }
                    Problem::NotAMap(found) => {
                        causes.push(Cause {
                            field: place.to_field(),
                            message: format!("must be a mapping, not {found}"),
                        });
                    }
                    Problem::Schema(problem) => causes.push(Cause {
                        field: "spec.template".to_owned(),
                        message: format!("values.schema.json of the chart {} cannot be used: {problem}", chart.chart),
                    }),
                    _ => causes.push(Cause { field: "spec.values".to_owned(), message: error.to_string() }),
                }
            }
            causes.truncate(MAX_VIOLATIONS);
            causes
        }
        ExpansionError::Render(RenderError::NotInstallable { .. } | RenderError::MissingDependencies { .. }) => {
            about("spec.template")
        }
        ExpansionError::Render(error) if error.budget().is_none() => vec![Cause {
            field: "spec".to_owned(),
            message: format!("the template cannot be rendered with these values: {error}"),
        }],
        _ => about("spec"),
    }
}

fn add(violation: &Violation, chart: &ValuePath, locks: &LockSet, causes: &mut Vec<Cause>) {
    if violation.is_group() {
        return violation.causes.iter().for_each(|cause| add(cause, chart, locks, causes));
    }
    let (path, _) = follow(&violation.pointer, chart, locks);
    let message = if is_about_secret(violation, chart, locks) {
        "does not fit the template's schema; the value is not shown".to_owned()
    } else {
        explain(violation)
    };
    causes.push(Cause { field: path.to_field(), message });
}

/// Whether a violation or a reason for it tells of a secret.
fn is_about_secret(violation: &Violation, chart: &ValuePath, locks: &LockSet) -> bool {
    let (_, cursor) = follow(&violation.pointer, chart, locks);
    cursor.is_secret() || violation.causes.iter().any(|cause| is_about_secret(cause, chart, locks))
}

/// A violation with its reasons on one line.
fn explain(violation: &Violation) -> String {
    if violation.causes.is_empty() {
        return violation.message.clone();
    }
    let causes: Vec<String> = violation.causes.iter().map(explain).collect();
    format!("{} ({})", violation.message, causes.join("; "))
}

/// The path that a JSON Pointer below a chart's values means. A token of digits is a position unless a schema names it
/// as a key.
fn follow<'a>(pointer: &str, chart: &ValuePath, locks: &'a LockSet) -> (ValuePath, Cursor<'a>) {
    let mut cursor = locks.at(chart);
    let mut tokens: Vec<Token> = chart.tokens().to_vec();
    for token in pointer.split('/').skip(1) {
        let key = token.replace("~1", "/").replace("~0", "~");
        match key.parse::<usize>() {
            Ok(index) if cursor.named_key(&key).schemas().next().is_none() => {
                cursor = cursor.index(index);
                tokens.push(Token::Index(index));
            }
            _ => {
                cursor = cursor.key(&key);
                tokens.push(Token::Key(key));
            }
        }
    }
    (ValuePath::from(tokens), cursor)
}

#[cfg(test)]
mod tests {
    use renderer::functions::FixedHost;
    use renderer::{Chart, ChartFile};
    use serde_json::json;

    use super::*;
    use crate::expansion::{ExpansionOptions, WellKnownScopes, expand};

    const SCHEMA: &str = r#"{"properties": {
        "replicas": {"type": "integer"},
        "hosts": {"items": {"properties": {"name": {"type": "string"}}}},
        "password": {"format": "password", "pattern": "^[a-z]+$"}
    }}"#;

    fn refusal(template: &str, values: &Value) -> Refusal {
        let file = |name: &str, data: &str| ChartFile { name: name.into(), data: data.as_bytes().to_vec() };
        let chart = Chart::load(vec![
            file("Chart.yaml", "apiVersion: v2\nname: demo\nversion: 1.0.0\n"),
            file("values.schema.json", SCHEMA),
            file("templates/a.yaml", template),
        ])
        .unwrap();
        let module = serde_json::from_value(json!({
            "metadata": {"name": "shop"},
            "spec": {"template": {"repo": "", "path": "", "version": ""}, "values": values},
        }))
        .unwrap();
        let options = ExpansionOptions {
            policy: None,
            scopes: &WellKnownScopes,
            host: &FixedHost::default(),
            kube_version: None,
            api_versions: std::sync::Arc::default(),
            revision: 1,
            limits: renderer::Limits::default(),
        };
        let error = expand(&chart, &module, &options).unwrap_err();
        Refusal::for_expansion(&error, &LockSet::from_chart(&chart).unwrap(), values)
    }

    #[test]
    fn each_value_that_does_not_fit_is_a_cause() {
        let values = json!({"replicas": "three", "hosts": [{"name": "a"}, {"name": 1}], "password": "Hunter-22"});
        let refusal = refusal("", &values);
        assert_eq!((refusal.code, refusal.causes.len()), (422, 3), "{refusal:?}");
        let of = |field: &str| {
            let cause = refusal.causes.iter().find(|cause| cause.field == field);
            cause.unwrap_or_else(|| panic!("{field}: {refusal:?}")).message.clone()
        };
        assert_eq!(of("spec.values.replicas"), "got string, want integer");
        assert_eq!(of("spec.values.hosts[1].name"), "got number, want string");
        assert_eq!(of("spec.values.password"), "does not fit the template's schema; the value is not shown");
    }

    #[test]
    fn template_errors_name_file_and_line_and_no_secret() {
        let refusal = refusal(
            "a: 1\nb: {{ fail (printf \"password %s is bad\" .Values.password) }}\n",
            &json!({"password": "secretive"}),
        );
        assert_eq!(refusal.causes[0].field, "spec");
        assert!(refusal.message.contains("demo/templates/a.yaml:2"), "{}", refusal.message);
        assert!(refusal.message.contains("password (hidden) is bad"), "{}", refusal.message);
    }
}
