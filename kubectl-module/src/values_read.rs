//! Values from YAML, with integers kept as integers.

use renderer::yaml::{self, Node, NodeKind, YamlError};
use serde_json::{Map, Number, Value};

/// Why a text holds no values.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// It is no YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// It is YAML, but no map.
    #[error("values must be a map of names to values, not {found}")]
    NotMap {
        /// What it is.
        found: &'static str,
    },
    /// A key stands twice in one map; one of its values would be lost.
    #[error("{problem}")]
    Duplicate {
        /// The line of the text.
        line: Option<usize>,
        /// Which key.
        problem: String,
    },
    /// JSON has no such number.
    #[error("line {line}: {number} is no number that can be stored")]
    Number {
        /// The line of the text.
        line: usize,
        /// The number as YAML has it.
        number: f64,
    },
}

impl ReadError {
    /// The line of the text, from 1, if it is known.
    pub(crate) fn line(&self) -> Option<usize> {
        match self {
            Self::Yaml(error) => error.position().map(|position| position.line),
            Self::Number { line, .. } => Some(*line),
            Self::Duplicate { line, .. } => *line,
            Self::NotMap { .. } => None,
        }
    }
}

/// Reads the first document as values; nothing at all is an empty map.
pub(crate) fn read_values(text: &str) -> Result<Map<String, Value>, ReadError> {
    match to_json(yaml::parse(text.as_bytes())?)? {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        Value::Array(_) => Err(ReadError::NotMap { found: "a list" }),
        Value::String(_) => Err(ReadError::NotMap { found: "a text" }),
        Value::Bool(_) => Err(ReadError::NotMap { found: "true or false" }),
        Value::Number(_) => Err(ReadError::NotMap { found: "a number" }),
    }
}

/// Reads values that somebody edited: a key that stands twice is a mistake there, and not what Helm makes of it.
pub(crate) fn read_edited(text: &str) -> Result<Map<String, Value>, ReadError> {
    let values = read_values(text)?;
    match serde_yaml::from_str::<serde_yaml::Value>(text) {
        Err(error) if error.to_string().contains("duplicate entry") => Err(ReadError::Duplicate {
            line: error.location().map(|location| location.line()),
            problem: error.to_string(),
        }),
        _ => Ok(values),
    }
}

/// Converts a tree to JSON as the API stores it: integers stay integers, and so does a float that is one.
pub(crate) fn to_json(node: Node) -> Result<Value, ReadError> {
    Ok(match node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(value) => Value::Bool(value),
        NodeKind::Int(value) => value.into(),
        NodeKind::Uint(value) => value.into(),
        NodeKind::Float(value) => {
            number(value).ok_or(ReadError::Number { line: node.position.line, number: value }).map(Value::Number)?
        }
        NodeKind::String(text) => Value::String(text),
        NodeKind::Sequence(items) => Value::Array(items.into_iter().map(to_json).collect::<Result<_, _>>()?),
        NodeKind::Mapping(entries) => Value::Object(
            entries
                .into_iter()
                .map(|entry| Ok((entry.key, to_json(entry.value)?)))
                .collect::<Result<_, ReadError>>()?,
        ),
    })
}

/// Turns floats that are integers into integers, everywhere inside a value.
pub(crate) fn with_integers(value: Value) -> Value {
    match value {
        Value::Number(found) => {
            Value::Number(found.as_f64().filter(|_| found.is_f64()).and_then(number).unwrap_or(found))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(with_integers).collect()),
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, with_integers(value))).collect()),
        other => other,
    }
}

/// The largest integer below which a float holds every integer exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

fn number(value: f64) -> Option<Number> {
    if value.fract() == 0.0 && value.abs() <= MAX_EXACT { Some((value as i64).into()) } else { Number::from_f64(value) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_stay_integers() {
        let read = read_values("a: 3\nb: 1.0\nc: 1.5\nd: \"1.10\"\ne: 1e3\nf: 9007199254740993\n").unwrap();
        let expected = json!({"a": 3, "b": 1, "c": 1.5, "d": "1.10", "e": 1000, "f": 9_007_199_254_740_993_u64});
        assert_eq!(Value::Object(read), expected);
        assert_eq!(with_integers(json!([{"a": 2.0}])), json!([{"a": 2}]));
    }

    #[test]
    fn a_key_that_stands_twice_is_a_mistake() {
        let error = read_edited("a: 1\nb:\n  c: 1\n  c: 2\n").unwrap_err();
        assert!(error.to_string().contains('c'), "{error}");
        assert!(error.line().is_some());
        assert!(read_edited("a: 1\nb: {c: 1}\n").is_ok());
    }

    #[test]
    fn what_is_no_map_is_refused() {
        assert_eq!(
            read_values("- a\n").unwrap_err().to_string(),
            "values must be a map of names to values, not a list"
        );
        assert_eq!(read_values("# nothing\n").unwrap(), Map::new());
        assert_eq!(read_values("a: .inf\n").unwrap_err().line(), Some(1));
        assert!(read_values("a: b: c\n").unwrap_err().line().is_some());
    }
}
