//! What templates are given: their text and the dot of their chart (Helm: `recAllTpls`).

use std::collections::BTreeMap;
use std::rc::Rc;

use super::RenderOptions;
use crate::capabilities::Capabilities;
use crate::chart::{ChartInstance, Dependency, ImportValue, table};
use crate::files::Files;
use crate::value::{Map, MapType, Object, Value};

/// A template file in its chart.
pub(super) struct Template<'a> {
    /// The text.
    pub(super) text: &'a [u8],
    /// The dot, one map for all files of a chart.
    pub(super) dot: Map,
    base_path: String,
}

impl Template<'_> {
    /// `.Template` while the file of this name is executed.
    pub(super) fn describe(&self, name: &str) -> Value {
        let map = Map::typed(MapType::Values);
        map.insert("Name".into(), name.into());
        map.insert("BasePath".into(), self.base_path.as_str().into());
        Value::Map(map)
    }
}

/// All template files of a chart and its sub-charts by their full names.
pub(super) fn templates<'a>(
    root: &ChartInstance<'a>,
    values: &Map,
    capabilities: Capabilities,
    options: &RenderOptions<'_>,
) -> BTreeMap<String, Template<'a>> {
    let capabilities: Rc<dyn Object> = Rc::new(capabilities);
    let shared = Shared { release: release(options), capabilities: Value::Object(capabilities) };
    let mut templates = BTreeMap::new();
    add_chart(root, &values.with_type(MapType::Values), &shared, &mut templates);
    templates
}

/// What is the same in all charts.
struct Shared {
    release: Value,
    capabilities: Value,
}

fn release(options: &RenderOptions<'_>) -> Value {
    let release = Map::new();
    for (key, value) in [
        ("Name", Value::from(options.release_name.as_str())),
        ("Namespace", options.namespace.as_str().into()),
        ("IsUpgrade", options.is_upgrade.into()),
        ("IsInstall", (!options.is_upgrade).into()),
        ("Revision", Value::Int(options.revision)),
        ("Service", "Helm".into()),
    ] {
        release.insert(key.into(), value);
    }
    Value::Map(release)
}

fn add_chart<'a>(
    instance: &ChartInstance<'a>,
    values: &Map,
    shared: &Shared,
    templates: &mut BTreeMap<String, Template<'a>>,
) -> Map {
    let subcharts = Map::new();
    let dot = Map::new();
    for (key, value) in [
        ("Chart", chart(instance)),
        ("Files", Value::Object(Rc::new(Files::new(instance.chart().shared_files())))),
        ("Release", shared.release.clone()),
        ("Capabilities", shared.capabilities.clone()),
        ("Values", Value::Map(values.clone())),
        ("Subcharts", Value::Map(subcharts.clone())),
    ] {
        dot.insert(key.into(), value);
    }
    for subchart in instance.dependencies() {
        let values = table(values, subchart.name()).unwrap_or_default();
        let context = add_chart(subchart, &values.with_type(MapType::Values), shared, templates);
        subcharts.insert(subchart.name().into(), Value::Map(context));
    }
    let base_path = format!("{}/templates", instance.path());
    for (name, text) in instance.chart().templates() {
        let partial = name.rsplit('/').next().is_some_and(|base| base.starts_with('_'));
        if partial || !instance.chart().is_library() {
            let template = Template { text, dot: dot.clone(), base_path: base_path.clone() };
            templates.insert(format!("{}/{name}", instance.path()), template);
        }
    }
    dot
}

/// `.Chart`, with Go's names of the fields.
fn chart(instance: &ChartInstance<'_>) -> Value {
    let metadata = instance.metadata();
    let annotations = metadata.annotations.as_ref().map_or_else(
        || Map::nil(MapType::String),
        |annotations| {
            let map = Map::typed(MapType::String);
            for (key, value) in annotations {
                map.insert(key.as_str().into(), value.as_str().into());
            }
            map
        },
    );
    let maintainers = metadata.maintainers.iter().flatten().map(|maintainer| {
        fields([
            ("Name", maintainer.name.as_str().into()),
            ("Email", maintainer.email.as_str().into()),
            ("URL", maintainer.url.as_str().into()),
        ])
    });
    let dependencies = instance.declared().unwrap_or_default().iter().map(dependency);
    fields([
        ("APIVersion", metadata.api_version.as_str().into()),
        ("Name", instance.name().into()),
        ("Version", metadata.version.as_str().into()),
        ("KubeVersion", metadata.kube_version.as_str().into()),
        ("Description", metadata.description.as_str().into()),
        ("Type", metadata.chart_type.as_str().into()),
        ("Home", metadata.home.as_str().into()),
        ("Icon", metadata.icon.as_str().into()),
        ("AppVersion", metadata.app_version.as_str().into()),
        ("Condition", metadata.condition.as_str().into()),
        ("Tags", metadata.tags.as_str().into()),
        ("Deprecated", metadata.deprecated.into()),
        ("Keywords", strings(metadata.keywords.as_deref())),
        ("Sources", strings(metadata.sources.as_deref())),
        ("Maintainers", Value::list(maintainers.collect())),
        ("Annotations", Value::Map(annotations)),
        ("Dependencies", Value::list(dependencies.collect())),
        ("IsRoot", instance.is_root().into()),
    ])
}

fn dependency(dependency: &Dependency) -> Value {
    let imports = dependency.import_values.iter().flatten().filter_map(|import| match import {
        ImportValue::Path { child, parent } => {
            let map = Map::typed(MapType::String);
            map.insert("child".into(), child.as_str().into());
            map.insert("parent".into(), parent.as_str().into());
            Some(Value::Map(map))
        }
        ImportValue::Export(_) | ImportValue::Other => None,
    });
    fields([
        ("Name", dependency.name.as_str().into()),
        ("Version", dependency.version.as_str().into()),
        ("Repository", dependency.repository.as_str().into()),
        ("Condition", dependency.condition.as_str().into()),
        ("Tags", strings(dependency.tags.as_deref())),
        ("Enabled", dependency.enabled.into()),
        ("ImportValues", Value::list(imports.collect())),
        ("Alias", dependency.alias.as_str().into()),
    ])
}

fn strings(texts: Option<&[String]>) -> Value {
    Value::list(texts.unwrap_or_default().iter().map(|text| text.as_str().into()).collect())
}

fn fields<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
