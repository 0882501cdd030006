//! What templates are given: their text and the dot of their chart (Helm: `recAllTpls`).

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::RenderOptions;
use super::chart_object::chart_object;
use crate::Profile;
use crate::capabilities::Capabilities;
use crate::chart::{ChartInstance, File, table};
use crate::files::Files;
use crate::value::{Map, MapType, Object, Value};

/// A template file in its chart.
pub(super) struct Template<'a> {
    /// The text.
    pub(super) text: &'a Arc<[u8]>,
    /// The dot, one map for all files of a chart.
    pub(super) dot: Map,
    base_path: Rc<str>,
}

impl Template<'_> {
    /// `.Template` while the file of this name is executed.
    pub(super) fn describe(&self, name: &str, values_type: MapType) -> Value {
        let map = Map::typed(values_type);
        map.insert("Name".into(), name.into());
        map.insert("BasePath".into(), (&*self.base_path).into());
        Value::Map(map)
    }
}

/// All template files of a chart and its sub-charts by their full names.
pub(super) fn templates<'a>(
    root: ChartInstance<'_, 'a>,
    values: &Map,
    capabilities: Capabilities,
    options: &RenderOptions<'_>,
) -> BTreeMap<String, Template<'a>> {
    let capabilities: Rc<dyn Object> = Rc::new(capabilities);
    let capabilities = Value::Object(capabilities);
    let shared = Shared { release: release(options), capabilities, profile: options.profile };
    let mut templates = BTreeMap::new();
    add_chart(root, &values.with_type(options.profile.types.values), &shared, &mut templates);
    templates
}

/// What is the same in all charts.
struct Shared {
    release: Value,
    capabilities: Value,
    profile: Profile,
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
    instance: ChartInstance<'_, 'a>,
    values: &Map,
    shared: &Shared,
    templates: &mut BTreeMap<String, Template<'a>>,
) -> Map {
    let subcharts = Map::new();
    let dot = Map::new();
    for (key, value) in [
        ("Chart", chart_object(instance, shared.profile.chart_object)),
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
        let context = add_chart(subchart, &values.with_type(shared.profile.types.values), shared, templates);
        subcharts.insert(subchart.name().into(), Value::Map(context));
    }
    let path = instance.path();
    let base_path: Rc<str> = format!("{path}/templates").into();
    for File { name, data: text } in instance.chart().shared_templates() {
        let partial = name.rsplit('/').next().is_some_and(|base| base.starts_with('_'));
        if partial || !instance.chart().is_library() {
            let template = Template { text, dot: dot.clone(), base_path: Rc::clone(&base_path) };
            templates.insert(format!("{path}/{name}"), template);
        }
    }
    dot
}
