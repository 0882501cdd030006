//! Coalescing: user values over the defaults of a chart and its sub-charts (Helm: `chart/common/util/coalesce.go`).
//!
//! The rules for nulls are those of Helm 4.2 and later. Maps are shared by reference exactly where Helm shares them,
//! because templates can change them: a map below a key of `global` is one object for a chart and all its sub-charts.

use super::ValuesError;
use crate::chart::ChartInstance;
use crate::number;
use crate::value::{GoString, Map, Value};

const GLOBAL: &str = "global";

/// What becomes of nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NullHandling {
    /// A null deletes the default below it: the final values (Helm: coalescing).
    Remove,
    /// Nulls stay: values that will be coalesced again (Helm: merging).
    Keep,
}

/// The chart's values: a deep copy of `values` over the defaults of the chart and its sub-charts.
pub(crate) fn coalesce(chart: &ChartInstance<'_>, values: &Map, nulls: NullHandling) -> Result<Map, ValuesError> {
    let copy = deep_copy_map(values);
    coalesce_chart(chart, &copy, nulls)?;
    Ok(copy)
}

fn coalesce_chart(chart: &ChartInstance<'_>, destination: &Map, nulls: NullHandling) -> Result<(), ValuesError> {
    coalesce_defaults(chart, destination, nulls);
    for subchart in chart.dependencies() {
        let name = subchart.name();
        let values = match destination.get(name.as_bytes()) {
            Some(Value::Map(values)) => values,
            Some(other) => {
                return Err(ValuesError::SubchartNotAMap { chart: name.to_owned(), found: wrong_verb(&other) });
            }
            None => {
                let values = Map::new();
                destination.insert(name.into(), Value::Map(values.clone()));
                values
            }
        };
        coalesce_globals(&values, destination);
        coalesce_chart(subchart, &values, nulls)?;
    }
    Ok(())
}

/// Fills in the chart's own defaults.
fn coalesce_defaults(chart: &ChartInstance<'_>, values: &Map, nulls: NullHandling) {
    for (key, default) in deep_copy_map(chart.values()).entries() {
        match values.get(&key) {
            Some(Value::Nil) if nulls == NullHandling::Remove => {
                values.remove(&key);
            }
            Some(Value::Map(own)) => {
                if let Value::Map(default) = default {
                    let is_subchart =
                        chart.dependencies().iter().any(|subchart| subchart.name().as_bytes() == key.as_bytes());
                    let nulls = if is_subchart { NullHandling::Keep } else { nulls };
                    if nulls == NullHandling::Remove {
                        remove_nulls(&default);
                    }
                    coalesce_tables(&own, &default, nulls);
                }
            }
            Some(_) => {}
            None => {
                if nulls == NullHandling::Remove {
                    match &default {
                        Value::Nil => continue,
                        Value::Map(default) => remove_nulls(default),
                        _ => {}
                    }
                }
                values.insert(key, default);
            }
        }
    }
}

/// Hands the parent's `global` down to a sub-chart. Each map directly below `global` is copied, maps further down are
/// shared.
fn coalesce_globals(subchart: &Map, parent: &Map) {
    let globals_of = |values: &Map| match values.get(GLOBAL.as_bytes()) {
        None => Some(Map::new()),
        Some(Value::Map(globals)) => Some(globals),
        Some(_) => None,
    };
    let (Some(own), Some(inherited)) = (globals_of(subchart), globals_of(parent)) else {
        return;
    };
    for (key, value) in inherited.entries() {
        match (value, own.get(&key)) {
            (Value::Map(table), None) => {
                own.insert(key, Value::Map(shallow_copy(&table)));
            }
            (Value::Map(table), Some(Value::Map(below))) => {
                let merged = shallow_copy(&table);
                coalesce_tables(&merged, &below, NullHandling::Keep);
                own.insert(key, Value::Map(merged));
            }
            (Value::Map(_), Some(_)) | (_, Some(Value::Map(_))) => {}
            (value, _) => {
                own.insert(key, value);
            }
        }
    }
    subchart.insert(GLOBAL.into(), Value::Map(own));
}

/// Merges `source` into `destination`, which wins.
pub(crate) fn coalesce_tables(destination: &Map, source: &Map, nulls: NullHandling) {
    let defaults = source.entries();
    let nulled = destination.entries().into_iter().filter(|(_, value)| matches!(value, Value::Nil));
    // A null of the destination that has no default is kept; Helm adds it to the source, which others may share.
    for (key, value) in nulled {
        source.insert(key, value);
    }
    for (key, default) in defaults {
        match (destination.get(&key), &default) {
            (Some(Value::Nil), Value::Nil) => {}
            (Some(Value::Nil), _) if nulls == NullHandling::Remove => {
                destination.remove(&key);
            }
            (None, _) => {
                destination.insert(key, default);
            }
            (Some(Value::Map(table)), Value::Map(default)) => coalesce_tables(&table, default, nulls),
            _ => {}
        }
    }
}

/// Removes every null entry, in nested maps too.
fn remove_nulls(map: &Map) {
    for (key, value) in map.entries() {
        match value {
            Value::Nil => {
                map.remove(&key);
            }
            Value::Map(nested) => remove_nulls(&nested),
            _ => {}
        }
    }
}

fn shallow_copy(map: &Map) -> Map {
    map.entries().into_iter().collect()
}

/// A copy that shares nothing changeable with the original.
pub(crate) fn deep_copy(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(deep_copy_map(map)),
        Value::List(list) if !list.is_nil() => Value::list(list.iter().map(deep_copy).collect()),
        other => other.clone(),
    }
}

fn deep_copy_map(map: &Map) -> Map {
    map.entries().into_iter().map(|(key, value): (GoString, Value)| (key, deep_copy(&value))).collect()
}

/// What `fmt` prints for a value under `%t`, the verb that Helm uses in its type mismatch.
fn wrong_verb(value: &Value) -> String {
    match value {
        Value::Nil | Value::Invalid => "%!t(<nil>)".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int64(value) => format!("%!t(int64={value})"),
        Value::Float64(value) => format!("%!t(float64={})", number::format_f64_general(*value)),
        Value::String(text) => format!("%!t(string={text})"),
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(wrong_verb).collect();
            format!("[{}]", items.join(" "))
        }
        other => format!("%!t({})", other.type_name()),
    }
}
