//! Values: reading, merging, `--set`, and coalescing with a chart's defaults.

mod coalesce;
mod error;
mod options;
mod read;
pub mod set;

pub(crate) use coalesce::{Coalescer, NullHandling, deep_copy};
pub use error::ValuesError;
pub use options::{OptionError, ValueOptions};
pub(crate) use read::read;
pub use read::{from_yaml, from_yaml_as};

use std::collections::BTreeSet;

use crate::Chart;
use crate::Profile;
use crate::chart::{ChartInstance, ChartTree};
use crate::value::{Map, Value};
use crate::warning::Warnings;
use crate::yaml;

/// A values tree. Numbers are floats as in Helm, except integers that came from `--set`.
pub type Values = serde_json::Map<String, serde_json::Value>;

/// Takes over values from an API object, in which integers and floats are told apart: Helm reads all of them as floats.
/// Null is an empty map.
pub fn from_json(json: &serde_json::Value) -> Result<Values, ValuesError> {
    match json {
        serde_json::Value::Null => Ok(Values::new()),
        serde_json::Value::Object(members) => {
            check_size(members)?;
            let mut values = members.clone();
            values.values_mut().for_each(numbers_to_floats);
            Ok(values)
        }
        other => Err(ValuesError::NotAMap { found: json_type_name(other) }),
    }
}

/// The most values that a user or a chart with its sub-charts may have.
pub(crate) const MAX_VALUES: usize = yaml::MAX_NODES;

/// How many values there are, those in each other counted too.
pub(crate) fn count(values: &Values) -> usize {
    fn below(value: &serde_json::Value) -> usize {
        1 + match value {
            serde_json::Value::Array(items) => items.iter().map(below).sum(),
            serde_json::Value::Object(members) => count(members),
            _ => 0,
        }
    }
    values.values().map(below).sum()
}

pub(crate) fn check_size(values: &Values) -> Result<(), ValuesError> {
    if count(values) > MAX_VALUES { Err(ValuesError::TooMany { limit: MAX_VALUES }) } else { Ok(()) }
}

/// Merges as several `-f` files do: maps merge key by key, everything else in `over` replaces what is in `base`. A null
/// stays a null; it deletes the chart's default later.
#[must_use]
pub fn merge(mut base: Values, over: Values) -> Values {
    merge_into(&mut base, over);
    base
}

pub(crate) fn merge_into(base: &mut Values, over: Values) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(serde_json::Value::Object(below)), serde_json::Value::Object(above)) => merge_into(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// What the chart's templates see as `.Values`: dependencies enabled and disabled, values imported from sub-charts, the
/// given values coalesced with the defaults of the chart and its sub-charts.
pub fn effective(chart: &Chart, values: &Values) -> Result<Values, ValuesError> {
    effective_as(chart, values, Profile::default())
}

/// As [`effective`], in another release of Helm.
pub fn effective_as(chart: &Chart, values: &Values, profile: Profile) -> Result<Values, ValuesError> {
    let (_, values) = process(chart, values, profile, &Warnings::new(profile))?;
    Ok(to_values(&values))
}

/// The sub-charts that take part in a render with these values, each by the keys that lead to its own values.
pub fn enabled_sub_charts(chart: &Chart, values: &Values) -> Result<BTreeSet<Vec<String>>, ValuesError> {
    fn collect(chart: ChartInstance<'_, '_>, path: &[String], sub_charts: &mut BTreeSet<Vec<String>>) {
        for sub_chart in chart.dependencies() {
            let path = [path, &[sub_chart.name().to_owned()]].concat();
            collect(sub_chart, &path, sub_charts);
            sub_charts.insert(path);
        }
    }
    let profile = Profile::default();
    let (tree, _) = process(chart, values, profile, &Warnings::new(profile))?;
    let mut sub_charts = BTreeSet::new();
    collect(tree.root(), &[], &mut sub_charts);
    Ok(sub_charts)
}

/// The charts that are rendered with these user values, and their values.
pub(crate) fn process<'a>(
    chart: &'a Chart,
    values: &Values,
    profile: Profile,
    warnings: &Warnings,
) -> Result<(ChartTree<'a>, Map), ValuesError> {
    let mut tree = ChartTree::new(chart);
    let user = from_values(values);
    tree.process(&user, profile, warnings)?;
    let values = Coalescer::new(profile.coalescing, warnings).coalesce(tree.root(), &user, NullHandling::Remove)?;
    Ok((tree, values))
}

/// The shared, mutable form of values, as templates see them.
pub(crate) fn from_values(values: &Values) -> Map {
    values.iter().map(|(key, value)| (key.as_str().into(), Value::from_json(value))).collect()
}

/// The inverse of [`from_values`].
pub(crate) fn to_values(map: &Map) -> Values {
    map.entries().into_iter().map(|(key, value)| (key.to_str_lossy().into_owned(), to_json(&value))).collect()
}

/// Converts a value that came from [`from_values`]; other kinds of values become null.
pub(crate) fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(value) => serde_json::Value::Bool(*value),
        Value::Int(value) | Value::Int64(value) => serde_json::Value::from(*value),
        Value::Uint64(value) => serde_json::Value::from(*value),
        Value::Uint8(value) => serde_json::Value::from(*value),
        Value::Float64(value) => serde_json::Value::from(*value),
        Value::String(text) => serde_json::Value::String(text.to_str_lossy().into_owned()),
        Value::List(list) => list.iter().map(to_json).collect(),
        Value::Map(map) => serde_json::Value::Object(to_values(map)),
        _ => serde_json::Value::Null,
    }
}

/// Turns every number of a tree into a float, as Helm's readers do.
pub(crate) fn numbers_to_floats(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Number(number) if !number.is_f64() => {
            if let Some(float) = number.as_f64().and_then(serde_json::Number::from_f64) {
                *number = float;
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(numbers_to_floats),
        serde_json::Value::Object(members) => members.values_mut().for_each(numbers_to_floats),
        _ => {}
    }
}

/// The type as Go's JSON decoder names it in errors.
pub(crate) fn json_type_name(json: &serde_json::Value) -> &'static str {
    match json {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "bool",
        serde_json::Value::Number(_) => "number",
        serde_json::Value::String(_) => "string",
        serde_json::Value::Array(_) => "array",
        serde_json::Value::Object(_) => "object",
    }
}

/// The Go type of a value as `%T` prints it.
pub(crate) fn go_type_name(json: &serde_json::Value) -> &'static str {
    match json {
        serde_json::Value::Null => "nil",
        serde_json::Value::Bool(_) => "bool",
        serde_json::Value::Number(number) if number.is_f64() => "float64",
        serde_json::Value::Number(_) => "int64",
        serde_json::Value::String(_) => "string",
        serde_json::Value::Array(_) => "[]interface {}",
        serde_json::Value::Object(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests;
