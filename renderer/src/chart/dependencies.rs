//! Which sub-charts are rendered, under which names, with which defaults (Helm: `pkg/chart/v2/util/dependencies.go`).

use super::metadata::{Dependency, ImportValue};
use super::{Chart, Metadata};
use crate::semver::{Constraint, Version};
use crate::value::{Map, Value};
use crate::values::{NullHandling, ValuesError, coalesce, coalesce_tables, deep_copy, from_values};

/// A chart in its place in the tree of one render: under its alias, with the sub-charts that are enabled and with what
/// it imports from them.
#[derive(Clone, Debug)]
pub(crate) struct ChartInstance<'a> {
    chart: &'a Chart,
    name: String,
    /// Where its templates are registered, such as `demo/charts/db`.
    path: String,
    declared: Option<Vec<Dependency>>,
    values: Map,
    dependencies: Vec<Self>,
    root: bool,
}

impl<'a> ChartInstance<'a> {
    /// The tree as it was loaded.
    pub(crate) fn new(chart: &'a Chart) -> Self {
        Self { root: true, ..Self::at(chart, chart.name().to_owned()) }
    }

    fn at(chart: &'a Chart, path: String) -> Self {
        let below = |subchart: &'a Chart| Self::at(subchart, format!("{path}/charts/{}", subchart.name()));
        let dependencies = chart.dependencies().iter().map(below).collect();
        Self {
            chart,
            name: chart.name().to_owned(),
            declared: chart.metadata().dependencies.clone(),
            values: from_values(chart.values()),
            dependencies,
            root: false,
            path,
        }
    }

    /// The loaded chart.
    pub(crate) fn chart(&self) -> &'a Chart {
        self.chart
    }

    /// The alias or the chart's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where its templates are registered (Helm: `ChartFullPath`).
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Whether this is the chart that is rendered, not one of its sub-charts.
    pub(crate) fn is_root(&self) -> bool {
        self.root
    }

    /// The metadata, except [`ChartInstance::name`] and [`ChartInstance::declared`].
    pub(crate) fn metadata(&self) -> &'a Metadata {
        self.chart.metadata()
    }

    /// The declared dependencies; after [`ChartInstance::process_dependencies`] the enabled ones, under their aliases.
    pub(crate) fn declared(&self) -> Option<&[Dependency]> {
        self.declared.as_deref()
    }

    /// The default values.
    pub(crate) fn values(&self) -> &Map {
        &self.values
    }

    /// The sub-charts.
    pub(crate) fn dependencies(&self) -> &[Self] {
        &self.dependencies
    }

    /// Names of declared dependencies that are not in `charts/`.
    pub(crate) fn missing_dependencies(&self) -> Vec<String> {
        let loaded = |dependency: &&Dependency| self.dependencies.iter().all(|chart| chart.name != dependency.name);
        self.declared.iter().flatten().filter(loaded).map(|dependency| dependency.name.clone()).collect()
    }

    /// Enables, disables and renames sub-charts by these user values, then imports values from them.
    pub(crate) fn process_dependencies(&mut self, values: &Map) -> Result<(), ValuesError> {
        self.process_enabled(values, "")?;
        self.import_values()
    }

    fn process_enabled(&mut self, values: &Map, path: &str) -> Result<(), ValuesError> {
        let Some(mut declared) = self.declared.take() else {
            return Ok(());
        };
        let loaded = std::mem::take(&mut self.dependencies);
        let undeclared = loaded.iter().filter(|chart| !declared.iter().any(|dependency| chart.satisfies(dependency)));
        self.dependencies = undeclared.map(|chart| chart.moved(&self.path, &chart.name)).collect();
        for dependency in &mut declared {
            let alias = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias }.clone();
            if let Some(chart) = loaded.iter().find(|chart| chart.satisfies(dependency)) {
                self.dependencies.push(chart.copied(&self.path, &alias));
            }
            dependency.name = alias;
            dependency.enabled = true;
        }
        let coalesced = coalesce(self, values, NullHandling::Remove)?;
        apply_tags(&mut declared, &coalesced);
        apply_conditions(&mut declared, &coalesced, path);
        let (enabled, disabled): (Vec<_>, Vec<_>) = declared.into_iter().partition(|dependency| dependency.enabled);
        self.dependencies.retain(|chart| !disabled.iter().any(|dependency| dependency.name == chart.name));
        for chart in &mut self.dependencies {
            let path = format!("{path}{}.", chart.name);
            chart.process_enabled(&coalesced, &path)?;
        }
        let disabled: Vec<&str> = disabled.iter().map(|dependency| dependency.name.as_str()).collect();
        let enabled: Vec<Dependency> =
            enabled.into_iter().filter(|dependency| !disabled.contains(&dependency.name.as_str())).collect();
        self.declared = (!enabled.is_empty()).then_some(enabled);
        Ok(())
    }

    /// Whether this chart is what the dependency asks for. An empty or invalid constraint asks for nothing.
    fn satisfies(&self, dependency: &Dependency) -> bool {
        self.chart.name() == dependency.name && is_compatible(&dependency.version, self.chart.version())
    }

    /// The same chart below another parent.
    fn moved(&self, parent: &str, name: &str) -> Self {
        Self { path: format!("{parent}/charts/{name}"), ..self.clone() }
    }

    /// A copy under an alias. Its sub-charts move with it; theirs keep their paths, as in Helm, whose copy is shallow.
    fn copied(&self, parent: &str, alias: &str) -> Self {
        let mut copy = self.moved(parent, alias);
        alias.clone_into(&mut copy.name);
        copy.dependencies = self.dependencies.iter().map(|chart| chart.moved(&copy.path, &chart.name)).collect();
        copy
    }

    fn import_values(&mut self) -> Result<(), ValuesError> {
        for chart in &mut self.dependencies {
            chart.import_values()?;
        }
        let Some(mut declared) = self.declared.take() else {
            return Ok(());
        };
        let own = coalesce(self, &Map::new(), NullHandling::Keep)?;
        let imported = Map::new();
        for dependency in &mut declared {
            let mut normalized = Vec::new();
            for import in dependency.import_values.iter().flatten() {
                let (child, parent) = match import {
                    ImportValue::Export(name) => (format!("exports.{name}"), ".".to_owned()),
                    ImportValue::Path { child, parent } => (child.clone(), parent.clone()),
                    ImportValue::Other => continue,
                };
                if let Some(table) = table(&own, &format!("{}.{child}", dependency.name)) {
                    // What is imported stays the sub-chart's own map, unless it is empty (`Values.AsMap`).
                    let table = if table.is_empty() { Map::new() } else { table };
                    coalesce_tables(&imported, &nested(&parent, table), NullHandling::Keep);
                }
                normalized.push(ImportValue::Path { child, parent });
            }
            dependency.import_values = (!normalized.is_empty()).then_some(normalized);
        }
        self.declared = Some(declared);
        if let Value::Map(values) = deep_copy(&Value::Map(own)) {
            coalesce_tables(&values, &imported, NullHandling::Keep);
            self.values = values;
        }
        Ok(())
    }
}

/// Pairs of the name under which values configure a sub-chart and that sub-chart, before conditions and tags.
pub(super) fn names(chart: &Chart) -> Vec<(&str, &Chart)> {
    let satisfies = |subchart: &Chart, dependency: &Dependency| {
        subchart.name() == dependency.name && is_compatible(&dependency.version, subchart.version())
    };
    let declared = chart.metadata().dependencies.as_deref().unwrap_or_default();
    let undeclared = chart
        .dependencies()
        .iter()
        .filter(|subchart| !declared.iter().any(|dependency| satisfies(subchart, dependency)))
        .map(|subchart| (subchart.name(), subchart));
    let named = declared.iter().filter_map(|dependency| {
        let subchart = chart.dependencies().iter().find(|subchart| satisfies(subchart, dependency))?;
        Some((if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias }.as_str(), subchart))
    });
    undeclared.chain(named).collect()
}

/// Whether the version satisfies the constraint; false if either cannot be parsed (Helm: `IsCompatibleRange`).
pub(crate) fn is_compatible(constraint: &str, version: &str) -> bool {
    match (Constraint::parse(constraint), Version::parse(version)) {
        (Ok(constraint), Ok(version)) => constraint.matches(&version),
        _ => false,
    }
}

/// One true tag enables, else one false tag disables; tags that are absent or no booleans do not count.
fn apply_tags(dependencies: &mut [Dependency], values: &Map) {
    let Some(Value::Map(tags)) = values.get(b"tags") else {
        return;
    };
    for dependency in dependencies {
        let mut states = dependency.tags.iter().flatten().filter_map(|tag| match tags.get(tag.as_bytes()) {
            Some(Value::Bool(state)) => Some(state),
            _ => None,
        });
        dependency.enabled = match states.next() {
            None => true,
            Some(first) => first || states.any(|state| state),
        };
    }
}

/// The first path that leads to a boolean decides.
fn apply_conditions(dependencies: &mut [Dependency], values: &Map, prefix: &str) {
    for dependency in dependencies {
        let mut paths = dependency.condition.trim().split(',').filter(|path| !path.is_empty());
        if let Some(state) = paths.find_map(|path| bool_at(values, &format!("{prefix}{path}"))) {
            dependency.enabled = state;
        }
    }
}

fn bool_at(values: &Map, path: &str) -> Option<bool> {
    let value = match path.rsplit_once('.') {
        None => values.get(path.as_bytes()),
        Some((parent, key)) => table(values, parent)?.get(key.as_bytes()),
    };
    match value {
        Some(Value::Bool(state)) => Some(state),
        _ => None,
    }
}

/// The map at a dotted path (Helm: `Values.Table`).
pub(crate) fn table(values: &Map, path: &str) -> Option<Map> {
    let mut current = values.clone();
    for key in path.split('.') {
        match current.get(key.as_bytes()) {
            Some(Value::Map(next)) => current = next,
            _ => return None,
        }
    }
    Some(current)
}

/// The map below a dotted path in new maps; `.` is the map itself.
fn nested(path: &str, values: Map) -> Map {
    if path == "." {
        return values;
    }
    path.rsplit('.').fold(values, |inner, key| {
        let outer = Map::new();
        outer.insert(key.into(), Value::Map(inner));
        outer
    })
}
