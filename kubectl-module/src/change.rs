//! The flags that say how values are to change.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use module::ValuePath;
use module::path::Token;
use renderer::values::set;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::merge;
use crate::schema::SchemaTree;
use crate::values_read::{read_values, with_integers};

/// Changes of values, in the syntax of Helm's flags.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Changes")]
pub(crate) struct ChangeArguments {
    /// Set values: PATH=VALUE, several separated by commas; can be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,

    /// Set values that are texts, whatever they look like
    #[arg(long, value_name = "PATH=TEXT")]
    pub(crate) set_string: Vec<String>,

    /// Set values given as JSON
    #[arg(long, value_name = "PATH=JSON")]
    pub(crate) set_json: Vec<String>,

    /// Set values to the content of files
    #[arg(long, value_name = "PATH=FILE")]
    pub(crate) set_file: Vec<String>,

    /// Set a value to a text without reading commas or brackets in it
    #[arg(long, value_name = "PATH=TEXT")]
    pub(crate) set_literal: Vec<String>,

    /// Remove a value, so that the template's default counts; can be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) unset: Vec<String>,

    /// Merge the values of a file into the Module's; can be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Vec<PathBuf>,
}

impl ChangeArguments {
    /// Whether no change is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { set, set_string, set_json, set_file, set_literal, unset, values } = self;
        [set, set_string, set_json, set_file, set_literal, unset].iter().all(|list| list.is_empty())
            && values.is_empty()
    }

    /// The values after the changes. What the schema calls a text stays one: `--set version=1.10` never becomes 1.1.
    pub(crate) fn apply(
        &self,
        values: &Map<String, Value>,
        schema: &SchemaTree,
    ) -> Result<Map<String, Value>, Failure> {
        let mut changed = values.clone();
        for file in &self.values {
            let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let read = read_values(&text).with_context(|| format!("{} holds no values", file.display()))?;
            overlay(&mut changed, read);
        }
        for expression in &self.set_json {
            set::set_json(expression, &mut changed).with_context(|| format!("--set-json {expression}"))?;
        }
        for expression in &self.set {
            set_by_schema(&mut changed, expression, schema)?;
        }
        for expression in &self.set_string {
            set::set_string(expression, &mut changed).with_context(|| format!("--set-string {expression}"))?;
        }
        for expression in &self.set_file {
            set::set_file(expression, &mut changed, &mut read_file)
                .with_context(|| format!("--set-file {expression}"))?;
        }
        for expression in &self.set_literal {
            set::set_literal(expression, &mut changed).with_context(|| format!("--set-literal {expression}"))?;
        }
        for path in &self.unset {
            let path = crate::path::parse(path).map_err(|error| Failure::usage(format!("--unset {error}")))?;
            remove(&mut changed, &path)?;
        }
        match with_integers(Value::Object(changed)) {
            Value::Object(changed) => Ok(changed),
            _ => Ok(Map::new()),
        }
    }
}

/// Reads a file for `--set-file`.
pub(crate) fn read_file(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))
}

/// Sets values; a value whose schema allows texts but not what the expression looks like is read as a text, and one
/// whose schema allows numbers but no texts as a number.
fn set_by_schema(values: &mut Map<String, Value>, expression: &str, schema: &SchemaTree) -> Result<(), Failure> {
    let before = Value::Object(values.clone());
    let mut texts = values.clone();
    set::set(expression, values).with_context(|| format!("--set {expression}"))?;
    set::set_string(expression, &mut texts).with_context(|| format!("--set {expression}"))?;
    let texts = Value::Object(texts);
    let mut guessed = Value::Object(std::mem::take(values));
    for path in changed_leaves(&before, &guessed) {
        let types = schema.describe(&path).types;
        let (Some(guess), Some(text)) = (path.get(&guessed), path.get(&texts)) else { continue };
        if types.is_empty() || fits(guess, &types) {
            continue;
        }
        let replacement = match text.as_str() {
            Some(_) if types.iter().any(|name| name == "string") => Some(text.clone()),
            Some(text) => text.parse().ok().and_then(serde_json::Number::from_f64).map(Value::Number),
            None => None,
        };
        if let Some(replacement) = replacement.filter(|value| fits(value, &types))
            && let Some(place) = merge::get_mut(&mut guessed, &path)
        {
            *place = replacement;
        }
    }
    if let Value::Object(map) = guessed {
        *values = map;
    }
    Ok(())
}

/// Paths of scalars that differ, also inside lists.
pub(crate) fn changed_leaves(before: &Value, after: &Value) -> Vec<ValuePath> {
    fn leaves(path: &ValuePath, before: Option<&Value>, after: &Value, found: &mut Vec<ValuePath>) {
        match after {
            Value::Object(map) => {
                for (key, value) in map {
                    leaves(&path.key(key), before.and_then(|before| before.get(key)), value, found);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    leaves(&path.index(index), before.and_then(|before| before.get(index)), value, found);
                }
            }
            scalar if before != Some(scalar) => found.push(path.clone()),
            _ => {}
        }
    }
    let mut found = Vec::new();
    leaves(&ValuePath::root(), Some(before), after, &mut found);
    found
}

fn fits(value: &Value, types: &[String]) -> bool {
    types.iter().any(|name| match name.as_str() {
        "string" => value.is_string(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    })
}

/// Lays a file's values over others: maps are merged, everything else replaces what was there.
fn overlay(values: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (values.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(over)) => overlay(below, over),
            (_, value) => {
                values.insert(key, value);
            }
        }
    }
}

fn remove(values: &mut Map<String, Value>, path: &ValuePath) -> Result<(), Failure> {
    let mut root = Value::Object(std::mem::take(values));
    let parent = path.tokens().split_last().map(|(last, parents)| (last, ValuePath::from(parents.to_vec())));
    let removed = parent.and_then(|(last, parent)| match (last, merge::get_mut(&mut root, &parent)?) {
        (Token::Key(key), Value::Object(map)) => map.remove(key),
        (Token::Index(index), Value::Array(items)) if *index < items.len() => Some(items.remove(*index)),
        _ => None,
    });
    if let Value::Object(map) = root {
        *values = map;
    }
    match removed {
        Some(_) => Ok(()),
        None => Err(Failure::usage(format!("--unset {path}: the Module does not set it"))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn schema() -> SchemaTree {
        let root = json!({"properties": {
            "version": {"type": "string"},
            "ratio": {"type": "number"},
            "replicas": {"type": "integer"},
            "env": {"type": "array", "items": {"properties": {"value": {"type": ["string", "null"]}}}}
        }});
        SchemaTree::new(root, BTreeMap::new())
    }

    fn applied(values: &Value, arguments: &ChangeArguments) -> Value {
        Value::Object(arguments.apply(values.as_object().unwrap(), &schema()).unwrap())
    }

    fn set(expressions: &[&str]) -> ChangeArguments {
        ChangeArguments { set: expressions.iter().map(|&text| text.to_owned()).collect(), ..ChangeArguments::default() }
    }

    #[test]
    fn the_schema_decides_between_text_and_number() {
        let arguments = set(&["version=8,ratio=1.5,replicas=3,other=8", "env[0].value=true"]);
        let expected = json!({
            "version": "8", "ratio": 1.5, "replicas": 3, "other": 8, "env": [{"value": "true"}],
        });
        assert_eq!(applied(&json!({}), &arguments), expected);
    }

    #[test]
    fn what_fits_no_type_is_left_for_the_validation() {
        assert_eq!(applied(&json!({}), &set(&["replicas=many"])), json!({"replicas": "many"}));
    }

    #[test]
    fn changes_are_laid_over_what_is_there() {
        let before = json!({"a": {"b": 1, "c": 2}, "list": [1, 2, 3]});
        let arguments = ChangeArguments {
            set: vec!["a.b=5".into(), "list[1]=7".into()],
            set_string: vec!["a.d=1".into()],
            set_json: vec![r#"a.e={"f":[1.0]}"#.into()],
            unset: vec!["a.c".into(), "list[0]".into()],
            ..ChangeArguments::default()
        };
        let expected = json!({"a": {"b": 5, "d": "1", "e": {"f": [1]}}, "list": [7, 3]});
        assert_eq!(applied(&before, &arguments), expected);
    }

    #[test]
    fn removing_what_is_not_set_is_an_error() {
        let arguments = ChangeArguments { unset: vec!["x.y".into()], ..ChangeArguments::default() };
        assert!(arguments.apply(&Map::new(), &schema()).is_err());
    }
}
