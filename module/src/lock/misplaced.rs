//! Marks that would lock nothing because they are below a keyword that is not known: nobody can tell what they were meant
//! for.

use std::collections::HashMap;

use serde_json::Value;

use super::LockError;
use super::compile::is_mark;
use super::document::{Document, push_token};
use super::graph::State;

/// Keywords that are followed, those whose content is data, and `not`, which says what a value is not. What stands in
/// definitions counts only where something refers to it.
const KNOWN: [&str; 26] = [
    "$defs",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "default",
    "definitions",
    "dependencies",
    "dependentSchemas",
    "else",
    "enum",
    "example",
    "examples",
    "if",
    "items",
    "not",
    "oneOf",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Looks through what is not followed of the subschemas that are. Annotations of anybody's, `x-...`, are left alone.
pub(super) fn refuse_misplaced_marks(
    documents: &[Document],
    states: &[State],
    known: &HashMap<(usize, String), usize>,
) -> Result<(), LockError> {
    for state in states {
        let Some(index) = state.document else { continue };
        let document = &documents[index];
        let Some(schema) = document.root.pointer(&state.pointer).and_then(Value::as_object) else { continue };
        let is_followed = |pointer: &str| known.contains_key(&(index, pointer.to_owned()));
        for (keyword, value) in schema {
            if KNOWN.contains(&keyword.as_str()) || keyword.starts_with("x-") {
                continue;
            }
            let mut pointer = state.pointer.clone();
            push_token(&mut pointer, keyword);
            if find_mark(value, &mut pointer, &is_followed) {
                return Err(LockError::MisplacedMark {
                    chart: document.chart.clone(),
                    pointer,
                    keyword: keyword.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Whether something here or below is marked and not followed; `pointer` is where, then.
fn find_mark(value: &Value, pointer: &mut String, is_followed: &dyn Fn(&str) -> bool) -> bool {
    if value.is_object() && is_followed(pointer) {
        return false;
    }
    let length = pointer.len();
    let mut below = |token: &str, value: &Value| {
        push_token(pointer, token);
        let found = find_mark(value, pointer, is_followed);
        if !found {
            pointer.truncate(length);
        }
        found
    };
    match value {
        Value::Array(items) => items.iter().enumerate().any(|(index, item)| below(&index.to_string(), item)),
        Value::Object(members) => {
            members.iter().any(|(key, value)| is_mark(key) && *value == Value::Bool(true))
                || members.iter().any(|(key, value)| below(key, value))
        }
        _ => false,
    }
}
