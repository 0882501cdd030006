//! Coalescing: user values over the defaults of a chart and its sub-charts (Helm: `chart/common/util/coalesce.go`).
//!
//! Maps are shared by reference exactly where Helm shares them, because templates can change them: a map below a key of
//! `global` is one object for a chart and all its sub-charts.

use std::fmt;

use super::ValuesError;
use crate::budget::{Budget, Limits};
use crate::chart::ChartInstance;
use crate::functions::printf;
use crate::number;
use crate::profile::Coalescing;
use crate::quote::quote;
use crate::value::{GoString, Map, Value};
use crate::warning::Warnings;

const GLOBAL: &str = "global";

/// The most that a warning shows of a value in bytes.
const MAX_SHOWN_BYTES: u64 = 16 << 10;

/// What becomes of nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NullHandling {
    /// A null deletes the default below it: the final values (Helm: coalescing).
    Remove,
    /// Nulls stay: values that will be coalesced again (Helm: merging).
    Keep,
}

/// Coalesces as one release of Helm does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coalescer<'w> {
    rules: Coalescing,
    warnings: &'w Warnings,
}

impl<'w> Coalescer<'w> {
    /// What is skipped is told to `warnings`.
    pub(crate) fn new(rules: Coalescing, warnings: &'w Warnings) -> Self {
        Self { rules, warnings }
    }

    /// The chart's values: a deep copy of `values` over the defaults of the chart and its sub-charts.
    pub(crate) fn coalesce(
        self,
        chart: ChartInstance<'_, '_>,
        values: &Map,
        nulls: NullHandling,
    ) -> Result<Map, ValuesError> {
        let copy = deep_copy_map(values);
        self.coalesce_chart(chart, &copy, None, nulls)?;
        Ok(copy)
    }

    /// Merges `source` into `destination`, which wins and keeps its nulls.
    pub(crate) fn merge_tables(self, destination: &Map, source: &Map) {
        self.coalesce_tables(destination, source, None, NullHandling::Keep);
    }

    fn coalesce_chart(
        self,
        chart: ChartInstance<'_, '_>,
        destination: &Map,
        parent: Option<&Place<'_>>,
        nulls: NullHandling,
    ) -> Result<(), ValuesError> {
        let place = Place { parent, key: chart.name().as_bytes() };
        chart.count_merged(1 + chart.chart().values_count())?;
        self.coalesce_defaults(chart, destination, &place, nulls);
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
            chart.count_merged(global_values(destination) + global_values(&values))?;
            self.coalesce_globals(&values, destination, &place);
            self.coalesce_chart(subchart, &values, Some(&place), nulls)?;
        }
        Ok(())
    }

    /// Fills in the chart's own defaults.
    fn coalesce_defaults(self, chart: ChartInstance<'_, '_>, values: &Map, place: &Place<'_>, nulls: NullHandling) {
        let removes_null_defaults = self.rules >= Coalescing::WithoutNullDefaults;
        for (key, default) in deep_copy_map(chart.values()).entries() {
            match (values.get(&key), default) {
                (Some(Value::Nil), _) if nulls == NullHandling::Remove => {
                    values.remove(&key);
                }
                (Some(Value::Map(own)), Value::Map(default)) => {
                    let is_subchart = chart.dependencies().any(|subchart| subchart.name().as_bytes() == key.as_bytes());
                    let nulls = if is_subchart { NullHandling::Keep } else { nulls };
                    if nulls == NullHandling::Remove && removes_null_defaults {
                        remove_nulls(&default);
                    }
                    self.coalesce_tables(&own, &default, Some(&place.below(&key)), nulls);
                }
                (Some(Value::Map(_)), Value::Nil) => {}
                (Some(Value::Map(_)), _) => {
                    self.warnings.log(|| format!("warning: skipped value for {place}.{key}: Not a table."));
                }
                (Some(_), _) => {}
                (None, default) => {
                    if nulls == NullHandling::Remove && removes_null_defaults {
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

    /// Hands the parent's `global` down to a sub-chart. Each map directly below `global` is copied, maps further down
    /// are shared.
    fn coalesce_globals(self, subchart: &Map, parent: &Map, place: &Place<'_>) {
        let globals_of = |values: &Map, side: &str| match values.get(GLOBAL.as_bytes()) {
            None => Some(Map::new()),
            Some(Value::Map(globals)) => Some(globals),
            Some(_) => {
                let message = || format!("warning: skipping globals because {side} {GLOBAL} is not a table.");
                self.warnings.log(message);
                None
            }
        };
        let Some(own) = globals_of(subchart, "destination") else { return };
        let Some(inherited) = globals_of(parent, "source") else { return };
        for (key, value) in inherited.entries() {
            match (value, own.get(&key)) {
                (Value::Map(table), None) => {
                    own.insert(key, Value::Map(shallow_copy(&table)));
                }
                (Value::Map(table), Some(Value::Map(below))) => {
                    let merged = shallow_copy(&table);
                    self.coalesce_tables(&merged, &below, Some(&place.below(&key)), NullHandling::Keep);
                    own.insert(key, Value::Map(merged));
                }
                (Value::Map(_), Some(_)) => self
                    .warnings
                    .log(|| format!("Conflict: cannot merge map onto non-map for {}. Skipping.", quote(&key))),
                (_, Some(Value::Map(_))) => self.warnings.log(|| format!("key {key} is table. Skipping")),
                (value, _) => {
                    own.insert(key, value);
                }
            }
        }
        subchart.insert(GLOBAL.into(), Value::Map(own));
    }

    /// Merges `source` into `destination`, which wins.
    fn coalesce_tables(self, destination: &Map, source: &Map, parent: Option<&Place<'_>>, nulls: NullHandling) {
        let removes = nulls == NullHandling::Remove;
        let mut defaults = source.entries();
        if self.rules >= Coalescing::DeletingNested {
            // Helm adds nulls of the destination to the source, which others may share.
            let nulled = destination.entries().into_iter().filter(|(_, value)| matches!(value, Value::Nil));
            let mut added = Vec::new();
            for (key, value) in nulled {
                if !source.contains_key(&key) {
                    added.push((key.clone(), Value::Nil));
                }
                source.insert(key, value);
            }
            if self.rules == Coalescing::DeletingNested {
                defaults.extend(added);
            }
        }
        for (key, default) in defaults {
            let place = Place { parent, key: &key };
            match (destination.get(&key), &default) {
                (Some(Value::Nil), Value::Nil) if self.rules >= Coalescing::Keeping => {}
                (Some(Value::Nil), _) if removes => {
                    destination.remove(&key);
                }
                (None, _) => {
                    destination.insert(key.clone(), default);
                }
                (Some(Value::Map(table)), Value::Map(default)) => {
                    self.coalesce_tables(&table, default, Some(&place), nulls);
                }
                // Above 3.19.5, the null has replaced the default by now.
                (Some(Value::Nil), Value::Map(_)) if self.rules >= Coalescing::DeletingNested => {}
                (Some(_), Value::Map(_)) => self.warnings.log(|| {
                    format!("warning: cannot overwrite table with non table for {place} ({})", shown(&default))
                }),
                (Some(Value::Map(_)), value) if !matches!(value, Value::Nil) => self.warnings.log(|| {
                    format!("warning: destination for {place} is a table. Ignoring non-table value ({})", shown(value))
                }),
                _ => {}
            }
        }
    }
}

/// Where in the values something is, for warnings: the keys that lead there, dotted (Helm: `concatPrefix`).
struct Place<'p> {
    parent: Option<&'p Self>,
    key: &'p [u8],
}

impl Place<'_> {
    fn below<'p>(&'p self, key: &'p GoString) -> Place<'p> {
        Place { parent: Some(self), key }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(formatter, "{parent}.")?;
        }
        formatter.write_str(&String::from_utf8_lossy(self.key))
    }
}

/// What Go prints for a value in a warning.
fn shown(value: &Value) -> String {
    let budget = Budget::new(Limits { bytes: MAX_SHOWN_BYTES, ..Limits::default() });
    let text = printf::sprint(&budget, std::slice::from_ref(value));
    text.map_or_else(|_| "...".to_owned(), |text| String::from_utf8_lossy(&text).into_owned())
}

/// Removes every null entry, in nested maps too.
fn remove_nulls(map: &Map) {
    if map.is_free_of_nulls() {
        return;
    }
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

/// How many values are directly in `global` and the maps below it.
fn global_values(values: &Map) -> usize {
    let Some(Value::Map(global)) = values.get(GLOBAL.as_bytes()) else { return 0 };
    let below = |value: &Value| if let Value::Map(map) = value { 1 + map.len() } else { 1 };
    global.entries().iter().map(|(_, value)| below(value)).sum()
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
    let copied = || map.entries().into_iter().map(|(key, value)| (key, deep_copy(&value))).collect();
    map.copy_unless_changed().unwrap_or_else(copied)
}

/// As [`wrong_verb`], inside a list or map, where `fmt` has its own word for nothing (`printValue`).
fn wrong_verb_inside(value: &Value) -> String {
    match value {
        Value::Nil | Value::Invalid => "<nil>".to_owned(),
        other => wrong_verb(other),
    }
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
            let items: Vec<String> = list.iter().map(wrong_verb_inside).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let member = |(key, value): &(GoString, Value)| format!("%!t(string={key}):{}", wrong_verb_inside(value));
            format!("map[{}]", map.entries().iter().map(member).collect::<Vec<_>>().join(" "))
        }
        other => format!("%!t({})", other.type_name()),
    }
}
