//! The texts of violations, as the validator that Helm uses words them (santhosh-tekuri/jsonschema 6).

use std::borrow::Borrow;
use std::collections::BTreeMap;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::Violation;
use super::validator::sorted;

/// The order in which several types are named.
const TYPE_ORDER: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];

/// Words violations. What the validator reports one by one and Helm in one line (missing properties of one object) is
/// put together. `values` is what was validated.
pub(super) fn violations<'a, E: Borrow<ValidationError<'a>>>(
    values: &Value,
    errors: impl IntoIterator<Item = E>,
) -> Vec<Violation> {
    let mut missing: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut found = Vec::new();
    for error in errors {
        let error = error.borrow();
        let pointer = error.instance_path().to_string();
        if let ValidationErrorKind::Required { property } = error.kind() {
            let place = (pointer, error.schema_path().to_string());
            missing.entry(place).or_default().push(property.as_str().unwrap_or_default().to_owned());
            continue;
        }
        let causes = match error.kind() {
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                // The branches' places are relative to the root already.
                context.iter().flat_map(|branch| violations(values, branch)).collect()
            }
            _ => Vec::new(),
        };
        found.push(Violation { pointer, message: text(values, error), causes });
    }
    for ((pointer, _), names) in missing {
        let label = if names.len() == 1 { "property" } else { "properties" };
        let message = format!("missing {label} {}", quoted(&names));
        found.push(Violation { pointer, message, causes: Vec::new() });
    }
    sorted(found)
}

fn text(values: &Value, error: &ValidationError<'_>) -> String {
    let instance = error.instance();
    let compared = |keyword: &str, want: &Value| {
        format!("{keyword}: got {}, want {}", number(instance.as_f64()), number(want.as_f64()))
    };
    let counted = |keyword: &str, got: usize, want: u64| {
        format!("{keyword}: got {}, want {}", grouped(&got.to_string()), grouped(&want.to_string()))
    };
    let length = instance.as_str().map_or(0, |text| text.chars().count());
    let items = instance.as_array().map_or(0, Vec::len);
    let members = instance.as_object().map_or(0, serde_json::Map::len);
    match error.kind() {
        ValidationErrorKind::AdditionalItems { limit } => {
            format!("last {} additionalItem(s) not allowed", items.saturating_sub(*limit))
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("additional properties {} not allowed", quoted(unexpected))
        }
        ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            format!("unevaluated properties {} not allowed", quoted(unexpected))
        }
        ValidationErrorKind::AnyOf { .. } => "'anyOf' failed".to_owned(),
        ValidationErrorKind::OneOfNotValid { .. } => "'oneOf' failed, none matched".to_owned(),
        ValidationErrorKind::OneOfMultipleValid { context } => {
            let matched: Vec<String> = context
                .iter()
                .enumerate()
                .filter(|(_, errors)| errors.is_empty())
                .take(2)
                .map(|(index, _)| index.to_string())
                .collect();
            format!("'oneOf' failed, subschemas {} matched", matched.join(", "))
        }
        ValidationErrorKind::Not { .. } => "'not' failed".to_owned(),
        ValidationErrorKind::FalseSchema => match values.pointer(error.instance_path().as_str()) {
            // The validator's short cut for an object that may have no properties at all.
            Some(Value::Object(members)) if forbids_properties(error.schema_path().as_str()) => {
                let names: Vec<String> = members.keys().cloned().collect();
                format!("additional properties {} not allowed", quoted(&names))
            }
            _ => "false schema".to_owned(),
        },
        ValidationErrorKind::Constant { expected_value } => match &**expected_value {
            Value::Array(_) | Value::Object(_) => "'const' failed".to_owned(),
            want => format!("value must be {}", display(want)),
        },
        ValidationErrorKind::Enum { options } => match options.as_array().map(Vec::as_slice) {
            Some(options) if options.iter().any(|option| option.is_array() || option.is_object()) => {
                "'enum' failed".to_owned()
            }
            Some([only]) => format!("value must be {}", display(only)),
            options => {
                let options: Vec<String> = options.unwrap_or_default().iter().map(display).collect();
                format!("value must be one of {}", options.join(", "))
            }
        },
        ValidationErrorKind::Maximum { limit } => compared("maximum", limit),
        ValidationErrorKind::Minimum { limit } => compared("minimum", limit),
        ValidationErrorKind::ExclusiveMaximum { limit } => compared("exclusiveMaximum", limit),
        ValidationErrorKind::ExclusiveMinimum { limit } => compared("exclusiveMinimum", limit),
        ValidationErrorKind::MultipleOf { multiple_of } => {
            format!("multipleOf: got {}, want {}", number(instance.as_f64()), number(Some(*multiple_of)))
        }
        ValidationErrorKind::MaxLength { limit } => counted("maxLength", length, *limit),
        ValidationErrorKind::MinLength { limit } => counted("minLength", length, *limit),
        ValidationErrorKind::MaxItems { limit } => counted("maxItems", items, *limit),
        ValidationErrorKind::MinItems { limit } => counted("minItems", items, *limit),
        ValidationErrorKind::MaxProperties { limit } => counted("maxProperties", members, *limit),
        ValidationErrorKind::MinProperties { limit } => counted("minProperties", members, *limit),
        ValidationErrorKind::Contains => "no items match contains schema".to_owned(),
        ValidationErrorKind::UniqueItems => {
            let items = instance.as_array().map(Vec::as_slice).unwrap_or_default();
            let pair = items.iter().enumerate().find_map(|(second, item)| {
                let first = items[..second].iter().position(|earlier| earlier == item)?;
                Some((first, second))
            });
            let (first, second) = pair.unwrap_or_default();
            format!("items at {first} and {second} are equal")
        }
        ValidationErrorKind::Pattern { pattern } => {
            format!("{} does not match pattern {}", display(instance), quote(pattern))
        }
        ValidationErrorKind::Format { format } => format!("{} is not valid {format}", display(instance)),
        ValidationErrorKind::PropertyNames { error } => {
            format!("invalid propertyName {}", quote(error.instance().as_str().unwrap_or_default()))
        }
        ValidationErrorKind::Type { kind } => {
            let want = match kind {
                TypeKind::Single(kind) => kind.to_string(),
                TypeKind::Multiple(kinds) => {
                    let mut kinds: Vec<String> = kinds.iter().map(|kind| kind.to_string()).collect();
                    kinds.sort_by_key(|kind| TYPE_ORDER.iter().position(|known| known == kind));
                    kinds.join(" or ")
                }
            };
            format!("got {}, want {want}", type_name(instance))
        }
        _ => error.to_string(),
    }
}

/// Whether a place in a schema is the keyword `additionalProperties` and not a property of that name.
fn forbids_properties(schema_path: &str) -> bool {
    schema_path.strip_suffix("/additionalProperties").is_some_and(|parent| !parent.ends_with("/properties"))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        other => crate::values::json_type_name(other),
    }
}

/// A text in single quotes with Go's escapes.
pub(super) fn quote(text: &str) -> String {
    let literal = crate::quote::quote(text.as_bytes());
    let inner = literal[1..literal.len() - 1].replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{inner}'")
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(", ")
}

fn display(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Array(_) | Value::Object(_) => "value".to_owned(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

/// A number with separators for thousands, as English text has them.
fn number(value: Option<f64>) -> String {
    let value = value.unwrap_or_default();
    let text = value.to_string();
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(&text),
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
