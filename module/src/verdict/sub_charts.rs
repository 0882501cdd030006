//! Switching off a sub-chart that has locked values: they would be gone, whatever is written for them.

use renderer::Chart;
use serde_json::Value;

use crate::equality::{LockedChange, LockedChangeKind};
use crate::lock::LockSet;
use crate::path::ValuePath;
use crate::template::Template;

/// Conditions that turn false or disappear for sub-charts with locks, as changes of the condition's value. Those that
/// are locked themselves are in `known` already.
pub(super) fn switched_off(
    template: &Template,
    locks: &LockSet,
    old: &Value,
    new: &Value,
    known: &[LockedChange],
) -> Vec<LockedChange> {
    let mut conditions = Vec::new();
    collect(template.chart(), locks, &ValuePath::root(), &mut conditions);
    conditions
        .into_iter()
        .filter_map(|Condition { path, chart }| {
            let (before, after) = (path.get(old), path.get(new));
            let switched_off = matches!(
                (before, after),
                (None | Some(Value::Bool(true)), Some(Value::Bool(false))) | (Some(Value::Bool(true)), None)
            );
            (switched_off && !known.iter().any(|change| change.path == path)).then(|| LockedChange {
                path,
                kind: LockedChangeKind::SubChartOff,
                old: before.cloned(),
                new: after.cloned(),
                chart,
                pointer: String::new(),
            })
        })
        .collect()
}

/// A value that decides whether a sub-chart with locks is part of the application.
struct Condition {
    path: ValuePath,
    /// Where the sub-chart's values are.
    chart: String,
}

fn collect(chart: &Chart, locks: &LockSet, place: &ValuePath, conditions: &mut Vec<Condition>) {
    for dependency in chart.metadata().dependencies.iter().flatten() {
        let key = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
        let below = place.key(key);
        if locks.at(&below).leads_to_lock() {
            for condition in dependency.condition.split(',').map(str::trim).filter(|condition| !condition.is_empty()) {
                let path = condition.split('.').fold(place.clone(), |path, key| path.key(key));
                conditions.push(Condition { path, chart: below.to_string() });
            }
        }
    }
    for (key, sub_chart) in chart.dependency_names() {
        collect(sub_chart, locks, &place.key(key), conditions);
    }
}
