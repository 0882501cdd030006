//! Which sub-charts are rendered, under which names, with which defaults (Helm: `pkg/chart/v2/util/dependencies.go`).

use std::cell::Cell;

use super::metadata::{Dependency, ImportValue};
use super::{Chart, Metadata};
use crate::Profile;
use crate::profile::AliasCopies;
use crate::quote::quote;
use crate::semver::{Constraint, Version};
use crate::value::{Map, Value};
use crate::values::{Coalescer, NullHandling, ValuesError, deep_copy};
use crate::warning::Warnings;

/// The most charts of one render, sub-charts counted as often as they are rendered. Helm sets no limit; a chart that
/// renders each of its sub-charts twice doubles them at every level.
pub(super) const MAX_INSTANCES: usize = 10_000;

/// The most values that are copied or compared while those of all sub-charts are merged.
const MAX_MERGED: usize = 1_000_000;
/// What the names of all templates may take, and what a template takes besides.
const MAX_TEMPLATE_BYTES: usize = 16 << 20;
const TEMPLATE_BYTES: usize = 128;

/// The charts of one render in their places: under their aliases, with the sub-charts that are enabled and with what
/// they import from them.
///
/// Charts refer to each other by index, because Helm shares them: which chart a shared sub-chart belongs to is what was
/// said last.
#[derive(Debug)]
pub(crate) struct ChartTree<'a> {
    nodes: Vec<Node<'a>>,
    declared: Vec<Declared>,
    visits: usize,
    /// How many values have been copied or compared in all merges.
    merged: Cell<usize>,
}

/// A chart in its place.
#[derive(Clone, Debug)]
struct Node<'a> {
    chart: &'a Chart,
    name: String,
    parent: Option<usize>,
    /// Indices of declared dependencies; after processing only of enabled ones.
    declared: Option<Vec<usize>>,
    values: Map,
    dependencies: Vec<usize>,
}

/// A declared dependency; after processing under its alias.
#[derive(Clone, Debug)]
struct Declared {
    dependency: Dependency,
    /// Whether its imports are what Helm made of them, which is not read a second time.
    imported: bool,
}

/// A chart of a [`ChartTree`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChartInstance<'t, 'a> {
    tree: &'t ChartTree<'a>,
    node: usize,
}

impl<'t, 'a> ChartInstance<'t, 'a> {
    fn node(self) -> &'t Node<'a> {
        &self.tree.nodes[self.node]
    }

    /// The loaded chart.
    pub(crate) fn chart(self) -> &'a Chart {
        self.node().chart
    }

    /// The alias or the chart's name.
    pub(crate) fn name(self) -> &'t str {
        &self.node().name
    }

    /// Where its templates are registered, such as `demo/charts/db` (Helm: `ChartFullPath`).
    pub(crate) fn path(self) -> String {
        match self.node().parent {
            Some(parent) => format!("{}/charts/{}", Self { node: parent, ..self }.path(), self.name()),
            None => self.name().to_owned(),
        }
    }

    /// Whether this is the chart that is rendered, not one of its sub-charts.
    pub(crate) fn is_root(self) -> bool {
        self.node().parent.is_none()
    }

    /// The metadata, except [`ChartInstance::name`] and [`ChartInstance::declared`].
    pub(crate) fn metadata(self) -> &'a Metadata {
        self.chart().metadata()
    }

    /// The declared dependencies; after [`ChartTree::process`] the enabled ones, under their aliases.
    pub(crate) fn declared(self) -> impl Iterator<Item = &'t Dependency> {
        self.node().declared.iter().flatten().map(move |index| &self.tree.declared[*index].dependency)
    }

    /// The default values.
    pub(crate) fn values(self) -> &'t Map {
        &self.node().values
    }

    /// The sub-charts.
    pub(crate) fn dependencies(self) -> impl Iterator<Item = Self> {
        self.node().dependencies.iter().map(move |node| Self { node: *node, ..self })
    }

    /// Counts values that are about to be merged.
    pub(crate) fn count_merged(self, values: usize) -> Result<(), ValuesError> {
        self.tree.count_merged(values)
    }

    /// Names of declared dependencies that are not in `charts/`.
    pub(crate) fn missing_dependencies(self) -> Vec<String> {
        let is_loaded = |dependency: &&Dependency| self.dependencies().all(|chart| chart.name() != dependency.name);
        self.declared().filter(is_loaded).map(|dependency| dependency.name.clone()).collect()
    }
}

/// Adds what the templates of a chart and of its sub-charts take, below a path of so many bytes.
fn add_template_bytes(chart: ChartInstance<'_, '_>, above: usize, bytes: &mut usize) -> Result<(), ValuesError> {
    let path = above + chart.name().len();
    *bytes += chart.chart().templates().map(|(name, _)| TEMPLATE_BYTES + path + name.len()).sum::<usize>();
    if *bytes > MAX_TEMPLATE_BYTES {
        return Err(ValuesError::TooManyTemplates { limit: MAX_TEMPLATE_BYTES });
    }
    chart.dependencies().try_for_each(|below| add_template_bytes(below, path + "/charts/".len(), bytes))
}

impl<'a> ChartTree<'a> {
    /// The tree as it was loaded.
    pub(crate) fn new(chart: &'a Chart) -> Self {
        let mut tree = Self { nodes: Vec::new(), declared: Vec::new(), visits: 0, merged: Cell::default() };
        tree.add(chart, None);
        tree
    }

    fn add(&mut self, chart: &'a Chart, parent: Option<usize>) -> usize {
        let node = self.nodes.len();
        let declared = chart.metadata().dependencies.as_ref().map(|dependencies| {
            let start = self.declared.len();
            let declared =
                dependencies.iter().map(|dependency| Declared { dependency: dependency.clone(), imported: false });
            self.declared.extend(declared);
            (start..self.declared.len()).collect()
        });
        self.nodes.push(Node {
            chart,
            name: chart.name().to_owned(),
            parent,
            declared,
            values: Map::from(chart.frozen_values()),
            dependencies: Vec::new(),
        });
        self.nodes[node].dependencies =
            chart.dependencies().iter().map(|subchart| self.add(subchart, Some(node))).collect();
        node
    }

    /// The chart that is rendered.
    pub(crate) fn root(&self) -> ChartInstance<'_, 'a> {
        ChartInstance { tree: self, node: 0 }
    }

    /// Enables, disables and renames sub-charts by these user values, then imports values from them (Helm:
    /// `ProcessDependencies`).
    pub(crate) fn process(&mut self, values: &Map, profile: Profile, warnings: &Warnings) -> Result<(), ValuesError> {
        self.process_enabled(0, values, "", profile, warnings)?;
        self.import_values(0, Coalescer::new(profile.coalescing, warnings), warnings)
    }

    fn count_merged(&self, values: usize) -> Result<(), ValuesError> {
        self.merged.set(self.merged.get().saturating_add(values));
        if self.merged.get() > MAX_MERGED { Err(ValuesError::TooManyMerged { limit: MAX_MERGED }) } else { Ok(()) }
    }

    /// Refuses a tree whose templates, each under its full name for each chart that it is in, are too many.
    pub(crate) fn check_templates(&self) -> Result<(), ValuesError> {
        let mut bytes = 0;
        add_template_bytes(self.root(), 0, &mut bytes)
    }

    fn process_enabled(
        &mut self,
        node: usize,
        values: &Map,
        path: &str,
        profile: Profile,
        warnings: &Warnings,
    ) -> Result<(), ValuesError> {
        let Some(declared) = self.nodes[node].declared.clone() else {
            return Ok(());
        };
        self.visits += 1;
        if self.visits.max(self.nodes.len()) > MAX_INSTANCES {
            return Err(ValuesError::TooManyCharts { limit: MAX_INSTANCES });
        }
        let loaded = self.nodes[node].dependencies.clone();
        let is_declared = |chart: &usize| declared.iter().any(|dependency| self.satisfies(*chart, *dependency));
        let mut dependencies: Vec<usize> = loaded.iter().copied().filter(|chart| !is_declared(chart)).collect();
        for index in &declared {
            let dependency = &self.declared[*index].dependency;
            let alias = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias }.clone();
            if let Some(chart) = loaded.iter().find(|chart| self.satisfies(**chart, *index)) {
                dependencies.push(self.copy(*chart, &alias, profile.alias_copies));
                if self.nodes.len() > MAX_INSTANCES {
                    return Err(ValuesError::TooManyCharts { limit: MAX_INSTANCES });
                }
            }
            let dependency = &mut self.declared[*index].dependency;
            dependency.name = alias;
            dependency.enabled = true;
        }
        self.set_dependencies(node, dependencies);
        let coalescer = Coalescer::new(profile.coalescing, warnings);
        let effective = coalescer.coalesce(ChartInstance { tree: self, node }, values, NullHandling::Remove)?;
        for index in &declared {
            apply_tags(&mut self.declared[*index].dependency, &effective, warnings);
        }
        for index in &declared {
            apply_condition(&mut self.declared[*index].dependency, &effective, path, warnings);
        }
        let disabled: Vec<&str> = declared
            .iter()
            .map(|index| &self.declared[*index].dependency)
            .filter(|dependency| !dependency.enabled)
            .map(|dependency| dependency.name.as_str())
            .collect();
        let is_enabled = |name: &str| !disabled.contains(&name);
        let charts = self.nodes[node].dependencies.iter().copied();
        let charts: Vec<usize> = charts.filter(|chart| is_enabled(&self.nodes[*chart].name)).collect();
        let enabled = declared.into_iter();
        let enabled: Vec<usize> = enabled.filter(|index| is_enabled(&self.declared[*index].dependency.name)).collect();
        for chart in &charts {
            let path = format!("{path}{}.", self.nodes[*chart].name);
            self.process_enabled(*chart, &effective, &path, profile, warnings)?;
        }
        self.nodes[node].declared = (!enabled.is_empty()).then_some(enabled);
        self.set_dependencies(node, charts);
        Ok(())
    }

    /// Whether a chart is what a dependency asks for. An empty or invalid constraint asks for nothing.
    fn satisfies(&self, chart: usize, declared: usize) -> bool {
        let (node, dependency) = (&self.nodes[chart], &self.declared[declared].dependency);
        node.name == dependency.name && is_compatible(&dependency.version, node.chart.version())
    }

    fn set_dependencies(&mut self, node: usize, dependencies: Vec<usize>) {
        for dependency in &dependencies {
            self.nodes[*dependency].parent = Some(node);
        }
        self.nodes[node].dependencies = dependencies;
    }

    /// A copy of a chart under an alias.
    fn copy(&mut self, chart: usize, alias: &str, copies: AliasCopies) -> usize {
        let copy = self.nodes.len();
        self.nodes.push(Node { name: alias.to_owned(), ..self.nodes[chart].clone() });
        match copies {
            AliasCopies::Shared => {}
            AliasCopies::Separate => {
                if let Some(declared) = &mut self.nodes[copy].declared {
                    for index in declared {
                        self.declared.push(self.declared[*index].clone());
                        *index = self.declared.len() - 1;
                    }
                }
                let mut below = Vec::new();
                for dependency in self.nodes[copy].dependencies.clone() {
                    below.push(self.nodes.len());
                    self.nodes.push(self.nodes[dependency].clone());
                }
                self.set_dependencies(copy, below);
            }
        }
        copy
    }

    fn import_values(&mut self, node: usize, coalescer: Coalescer<'_>, warnings: &Warnings) -> Result<(), ValuesError> {
        for chart in self.nodes[node].dependencies.clone() {
            self.import_values(chart, coalescer, warnings)?;
        }
        let Some(declared) = self.nodes[node].declared.clone() else {
            return Ok(());
        };
        let own = coalescer.coalesce(ChartInstance { tree: self, node }, &Map::new(), NullHandling::Keep)?;
        let imported = Map::new();
        for index in declared {
            let Declared { dependency, imported: is_imported } = &mut self.declared[index];
            let mut normalized = Vec::new();
            let imports = dependency.import_values.take();
            for import in imports.into_iter().flatten().filter(|_| !*is_imported) {
                let is_export = matches!(import, ImportValue::Export(_));
                let (child, parent) = match import {
                    ImportValue::Export(name) => (format!("exports.{name}"), ".".to_owned()),
                    ImportValue::Path { child, parent } => (child, parent),
                    ImportValue::Other => continue,
                };
                match find_table(&own, &format!("{}.{child}", dependency.name)) {
                    Ok(table) => {
                        // What is imported stays the sub-chart's own map, unless it is empty (`Values.AsMap`).
                        let table = if table.is_empty() { Map::new() } else { table };
                        self.merged.set(self.merged.get().saturating_add(values_in(&table)));
                        if self.merged.get() > MAX_MERGED {
                            return Err(ValuesError::TooManyMerged { limit: MAX_MERGED });
                        }
                        coalescer.merge_tables(&imported, &nested(&parent, table));
                    }
                    Err(key) => warn_of_missing_table(warnings, &dependency.name, key, is_export),
                }
                normalized.push(ImportValue::Path { child, parent });
            }
            dependency.import_values = (!normalized.is_empty()).then_some(normalized);
            *is_imported = true;
        }
        if let Value::Map(values) = deep_copy(&Value::Map(own)) {
            coalescer.merge_tables(&values, &imported);
            self.nodes[node].values = values;
        }
        Ok(())
    }
}

/// How many values a map holds.
fn values_in(map: &Map) -> usize {
    let below = |value: &Value| if let Value::Map(map) = value { values_in(map) } else { 1 };
    1 + map.entries().iter().map(|(_, value)| below(value)).sum::<usize>()
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
fn apply_tags(dependency: &mut Dependency, values: &Map, warnings: &Warnings) {
    let Some(Value::Map(tags)) = values.get(b"tags") else {
        return;
    };
    let mut states = Vec::new();
    for tag in dependency.tags.iter().flatten() {
        match tags.get(tag.as_bytes()) {
            None => {}
            Some(Value::Bool(state)) => states.push(state),
            Some(_) => warnings.structured(
                "WARN",
                || format!("Warning: Tag '{tag}' for chart {} returned non-bool value", dependency.name),
                "returned non-bool value",
                [("tag", tag), ("chart", &dependency.name)],
            ),
        }
    }
    dependency.enabled = states.is_empty() || states.contains(&true);
}

/// The first path that leads to a boolean decides.
fn apply_condition(dependency: &mut Dependency, values: &Map, prefix: &str, warnings: &Warnings) {
    let Dependency { condition, name, enabled, .. } = dependency;
    for path in condition.trim().split(',').filter(|path| !path.is_empty()) {
        match value_at(values, &format!("{prefix}{path}")) {
            None | Some(Value::Map(_)) => {}
            Some(Value::Bool(state)) => {
                *enabled = state;
                return;
            }
            Some(_) => warnings.structured(
                "WARN",
                || format!("Warning: Condition path '{path}' for chart {name} returned non-bool value"),
                "returned non-bool value",
                [("path", path), ("chart", name)],
            ),
        }
    }
}

fn value_at(values: &Map, path: &str) -> Option<Value> {
    match path.rsplit_once('.') {
        None => values.get(path.as_bytes()),
        Some((parent, key)) => table(values, parent)?.get(key.as_bytes()),
    }
}

fn warn_of_missing_table(warnings: &Warnings, chart: &str, key: &str, is_export: bool) {
    let error = format!("{} is not a table", quote(key.as_bytes()));
    if is_export {
        let plain = || format!("Warning: ImportValues missing table: {error}");
        warnings.structured("WARN", plain, "ImportValues missing table", [("error", &error)]);
    } else {
        warnings.structured(
            "WARN",
            || format!("Warning: ImportValues missing table from chart {chart}: {error}"),
            "ImportValues missing table from chart",
            [("chart", chart), ("error", &error)],
        );
    }
}

/// The map at a dotted path (Helm: `Values.Table`).
pub(crate) fn table(values: &Map, path: &str) -> Option<Map> {
    find_table(values, path).ok()
}

/// The map at a dotted path, or the first key that leads to none.
pub(crate) fn find_table<'p>(values: &Map, path: &'p str) -> Result<Map, &'p str> {
    let mut current = values.clone();
    for key in path.split('.') {
        match current.get(key.as_bytes()) {
            Some(Value::Map(next)) => current = next,
            _ => return Err(key),
        }
    }
    Ok(current)
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
