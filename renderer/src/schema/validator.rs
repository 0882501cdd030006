//! Compiling and applying one schema.

use jsonschema::{Draft, PatternOptions, Retrieve, Uri};
use serde_json::{Number, Value};

use super::{Problem, Violation, message};

/// References that leave the schema are not followed. An unresolved URN means "anything", as in Helm.
struct LocalOnly;

impl Retrieve for LocalOnly {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        if uri.scheme().as_str() == "urn" {
            return Ok(Value::Bool(true));
        }
        Err(format!("{uri}: references to other documents are not followed").into())
    }
}

/// The longest compiled pattern of a schema in bytes, far above what a pattern that people write needs.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Validates the values of one chart.
pub(super) fn validate(schema: &[u8], mut values: Value) -> Result<(), Problem> {
    let mut schema: Value =
        serde_json::from_slice(schema).map_err(|error| Problem::Schema(format!("invalid JSON: {error}")))?;
    let draft = draft(&mut schema)?;
    integers(&mut values);
    let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES);
    let validator = jsonschema::options()
        .with_draft(draft)
        .with_retriever(LocalOnly)
        .with_pattern_options(patterns)
        .should_validate_formats(matches!(draft, Draft::Draft4 | Draft::Draft6 | Draft::Draft7))
        .should_ignore_unknown_formats(true)
        .build(&schema)
        .map_err(|error| Problem::Schema(format!("at '{}': {error}", error.instance_path())))?;
    let violations = message::violations(&values, validator.iter_errors(&values));
    if violations.is_empty() { Ok(()) } else { Err(Problem::Violations(violations)) }
}

/// Reads the draft from `$schema`, with `http` or `https`, and makes the key name it the way the validator expects.
fn draft(schema: &mut Value) -> Result<Draft, Problem> {
    let Some(Value::String(declared)) = schema.get("$schema") else {
        return Ok(Draft::Draft202012);
    };
    let trimmed = declared.trim_end_matches('#');
    let path = trimmed.strip_prefix("https://").or_else(|| trimmed.strip_prefix("http://"));
    let (draft, name) = match path {
        Some("json-schema.org/schema" | "json-schema.org/draft/2020-12/schema") => {
            (Draft::Draft202012, "https://json-schema.org/draft/2020-12/schema")
        }
        Some("json-schema.org/draft/2019-09/schema") => {
            (Draft::Draft201909, "https://json-schema.org/draft/2019-09/schema")
        }
        Some("json-schema.org/draft-07/schema") => (Draft::Draft7, "http://json-schema.org/draft-07/schema#"),
        Some("json-schema.org/draft-06/schema") => (Draft::Draft6, "http://json-schema.org/draft-06/schema#"),
        Some("json-schema.org/draft-04/schema") => (Draft::Draft4, "http://json-schema.org/draft-04/schema#"),
        _ => return Err(Problem::Schema(format!("unsupported $schema {declared:?}"))),
    };
    schema["$schema"] = Value::from(name);
    Ok(draft)
}

/// Makes whole numbers integers, so that `5.0` is an integer in every draft.
fn integers(value: &mut Value) {
    /// 2^53: above it, not every integer is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT) {
                *number = Number::from(float as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(integers),
        Value::Object(members) => members.values_mut().for_each(integers),
        _ => {}
    }
}

/// Sorts violations by place, because validators visit keywords in no particular order.
pub(super) fn sorted(mut violations: Vec<Violation>) -> Vec<Violation> {
    violations.sort_by(|left, right| (&left.pointer, &left.message).cmp(&(&right.pointer, &right.message)));
    violations
}
