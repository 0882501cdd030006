//! Switching off a sub-chart that has locked values: they would be gone, whatever is written for them.

use std::collections::BTreeSet;

use renderer::Chart;
use renderer::chart::Dependency;
use renderer::values::{Values, ValuesError, enabled_sub_charts};
use serde_json::Value;

use crate::equality::{LockedChange, LockedChangeKind};
use crate::lock::LockSet;
use crate::path::ValuePath;

/// A chart and a Module's values for it.
#[derive(Clone, Copy)]
pub(super) struct Application<'a> {
    pub(super) chart: &'a Chart,
    /// What the Module sets.
    pub(super) values: &'a Values,
    /// What the templates see.
    pub(super) effective: &'a Value,
}

/// Sub-charts with locks that would no longer take part, each as a change of the value that decides so. Values that are
/// locked themselves are in `known` already. A sub-chart that the new template does not have is none of the values'.
pub(super) fn switched_off(
    locks: &LockSet,
    old: Application<'_>,
    new: Application<'_>,
    known: &[LockedChange],
) -> Result<Vec<LockedChange>, ValuesError> {
    let mut locked = Vec::new();
    collect(old.chart, locks, &[], &mut locked);
    if locked.is_empty() {
        return Ok(Vec::new());
    }
    let before = enabled_sub_charts(old.chart, old.values)?;
    let after = enabled_sub_charts(new.chart, new.values)?;
    let exists = all_names(new.chart);
    let mut changes: Vec<LockedChange> = Vec::new();
    for SubChart { path, switches } in locked {
        let is_off = before.contains(&path) && !after.contains(&path) && exists.contains(&path);
        let parent_is_on = path.len() == 1 || after.contains(&path[..path.len() - 1]);
        if !is_off || !parent_is_on {
            continue;
        }
        let place = ValuePath::of_keys(path.iter().map(String::as_str));
        let switch = switches.into_iter().find(|switch| switch.get(old.effective) != switch.get(new.effective));
        let switch = switch.unwrap_or_else(|| place.clone());
        if known.iter().chain(&changes).any(|change| change.path == switch) {
            continue;
        }
        changes.push(LockedChange {
            kind: LockedChangeKind::SubChartOff,
            old: switch.get(old.effective).cloned(),
            new: switch.get(new.effective).cloned(),
            path: switch,
            chart: place.to_string(),
            pointer: String::new(),
        });
    }
    Ok(changes)
}

/// A sub-chart with locks.
struct SubChart {
    /// The keys that lead to its values.
    path: Vec<String>,
    /// The values that may decide whether it takes part: its conditions and tags.
    switches: Vec<ValuePath>,
}

fn collect(chart: &Chart, locks: &LockSet, path: &[String], found: &mut Vec<SubChart>) {
    for (key, sub_chart) in chart.dependency_names() {
        let below = [path, &[key.to_owned()]].concat();
        let place = ValuePath::of_keys(below.iter().map(String::as_str));
        if !locks.at(&place).leads_to_lock() {
            continue;
        }
        let declared = chart.metadata().dependencies.iter().flatten();
        let declared = declared.filter(|dependency| name(dependency) == key);
        let switches = declared.flat_map(|dependency| switches(dependency, path)).collect();
        collect(sub_chart, locks, &below, found);
        found.push(SubChart { path: below, switches });
    }
}

fn name(dependency: &Dependency) -> &str {
    if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias }
}

fn switches(dependency: &Dependency, path: &[String]) -> Vec<ValuePath> {
    let conditions = dependency.condition.split(',').map(str::trim).filter(|condition| !condition.is_empty());
    let conditions =
        conditions.map(|condition| ValuePath::of_keys(path.iter().map(String::as_str).chain(condition.split('.'))));
    let tags = dependency.tags.iter().flatten().map(|tag| ValuePath::of_keys(["tags", tag]));
    conditions.chain(tags).collect()
}

/// The paths of all sub-charts that a chart has, taking part or not.
fn all_names(chart: &Chart) -> BTreeSet<Vec<String>> {
    fn add(chart: &Chart, path: &[String], names: &mut BTreeSet<Vec<String>>) {
        for (key, sub_chart) in chart.dependency_names() {
            let below = [path, &[key.to_owned()]].concat();
            add(sub_chart, &below, names);
            names.insert(below);
        }
    }
    let mut names = BTreeSet::new();
    add(chart, &[], &mut names);
    names
}
