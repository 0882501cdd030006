//! The whole way from chart and values to manifests.

mod chart_object;
mod context;
mod error;

pub use error::RenderError;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::capabilities::Capabilities;
use crate::chart::{ChartInstance, ChartTree, is_compatible};
use crate::functions::{self, Host};
use crate::profile::ErrorWords;
use crate::release::{self, MAX_OUTPUT_BYTES, Manifest};
use crate::template::{Evaluator, TemplateSet, strip_no_value};
use crate::value::{Map, Value};
use crate::values::{Coalescer, NullHandling, Values, from_values};
use crate::warning::Warnings;
use crate::{Budget, BudgetExceeded, Chart, Limits, Profile, Rendered, schema};

/// What a render is told besides chart and values.
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags that have nothing to do with each other, as on Helm's command line"
)]
pub struct RenderOptions<'a> {
    /// `.Release.Name`.
    pub release_name: String,
    /// `.Release.Namespace`.
    pub namespace: String,
    /// `.Release.IsUpgrade`; `.Release.IsInstall` is its opposite.
    pub is_upgrade: bool,
    /// `.Release.Revision`, 1 for a first install.
    pub revision: i64,
    /// `.Capabilities.KubeVersion` such as `v1.33.0`; none takes the profile's default.
    pub kube_version: Option<String>,
    /// Group versions added to `.Capabilities.APIVersions`.
    pub api_versions: Arc<[String]>,
    /// Validate values against `values.schema.json` of the chart and its sub-charts.
    pub validate_schema: bool,
    /// Take along the files below `crds/`.
    pub include_crds: bool,
    /// Whether manifests carry what they say besides their text, for who would read it again.
    pub keep_documents: bool,
    /// Whose output is reproduced.
    pub profile: Profile,
    /// What the render may consume.
    pub limits: Limits,
    /// Clock and randomness.
    pub host: &'a dyn Host,
}

impl<'a> RenderOptions<'a> {
    /// What `helm template` does without flags.
    pub fn new(host: &'a dyn Host) -> Self {
        Self {
            release_name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            is_upgrade: false,
            revision: 1,
            kube_version: None,
            api_versions: Arc::default(),
            validate_schema: true,
            include_crds: false,
            keep_documents: false,
            profile: Profile::default(),
            limits: Limits::default(),
            host,
        }
    }
}

/// Renders a chart (Helm: `helm template`). `values` are the user's; the defaults of the chart come in here.
///
/// Needs [`crate::template::RENDER_STACK_BYTES`] of stack.
pub fn render(chart: &Chart, values: &Values, options: &RenderOptions<'_>) -> Result<Rendered, RenderError> {
    let warnings = Warnings::new(options.profile);
    let (tree, files) = render_tree(chart, values, options, &warnings)?;
    let notes_path = format!("{}/templates/NOTES.txt", tree.root().path());
    let mut crds = Vec::new();
    if options.include_crds {
        collect_crds(tree.root(), &mut crds, &mut 0)?;
    }
    let mut rendered = release::assemble(files, crds, &notes_path, options.keep_documents, options.profile, &warnings)?;
    rendered.warnings = chart.warnings().iter().cloned().chain(warnings.into_lines()).collect();
    Ok(rendered)
}

/// The output of every template file by its full name such as `demo/templates/service.yaml`, before it is split into
/// manifests (Helm: `Engine.Render`). Otherwise as [`render`].
pub fn render_files(
    chart: &Chart,
    values: &Values,
    options: &RenderOptions<'_>,
) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
    Prepared::new(chart, values, options)?.execute(options)
}

/// A chart with everything that its templates are given: what Helm's `Engine.Render` takes.
pub struct Prepared<'a> {
    tree: ChartTree<'a>,
    values: Map,
    capabilities: Capabilities,
}

impl<'a> Prepared<'a> {
    /// Coalesces and checks the values. Fails as [`render`] does before the first template is executed.
    pub fn new(chart: &'a Chart, values: &Values, options: &RenderOptions<'_>) -> Result<Self, RenderError> {
        prepare(chart, values, options, &Warnings::new(options.profile))
    }

    /// Parses the templates, unless the chart has been rendered before, and executes them as [`render_files`] does.
    /// Templates may change their values, so this is possible once.
    pub fn execute(self, options: &RenderOptions<'_>) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
        execute(self.tree.root(), &self.values, self.capabilities, options)
    }
}

fn render_tree<'a>(
    chart: &'a Chart,
    values: &Values,
    options: &RenderOptions<'_>,
    warnings: &Warnings,
) -> Result<(ChartTree<'a>, BTreeMap<String, Vec<u8>>), RenderError> {
    let Prepared { tree, values, capabilities } = prepare(chart, values, options, warnings)?;
    let files = execute(tree.root(), &values, capabilities, options)?;
    Ok((tree, files))
}

fn prepare<'a>(
    chart: &'a Chart,
    values: &Values,
    options: &RenderOptions<'_>,
    warnings: &Warnings,
) -> Result<Prepared<'a>, RenderError> {
    let capabilities =
        Capabilities::new(options.profile, options.kube_version.as_deref(), &options.api_versions).map_err(
            |cause| RenderError::KubeVersion { version: options.kube_version.clone().unwrap_or_default(), cause },
        )?;
    if !matches!(chart.metadata().chart_type.as_str(), "" | "application") {
        return Err(RenderError::NotInstallable { chart_type: chart.metadata().chart_type.clone() });
    }
    let mut tree = ChartTree::new(chart);
    let missing = tree.root().missing_dependencies();
    if !missing.is_empty() {
        return Err(RenderError::MissingDependencies { names: missing, words: options.profile.error_words });
    }
    let user = from_values(values);
    let refused = match options.profile.error_words {
        ErrorWords::V3 => RenderError::Values,
        ErrorWords::V4 => RenderError::Dependencies,
    };
    tree.process(&user, options.profile, warnings).map_err(refused)?;
    tree.check_templates().map_err(RenderError::Values)?;
    let coalescer = Coalescer::new(options.profile.coalescing, warnings);
    let effective = coalescer.coalesce(tree.root(), &user, NullHandling::Remove).map_err(RenderError::Values)?;
    if options.validate_schema {
        schema::validate_instance(tree.root(), &effective)?;
    }
    let constraint = &chart.metadata().kube_version;
    let kube_version = capabilities.kube_version();
    if !constraint.is_empty() && !is_compatible(constraint, kube_version.normalized()) {
        return Err(RenderError::IncompatibleKubeVersion {
            constraint: constraint.clone(),
            version: kube_version.version().to_owned(),
        });
    }
    Ok(Prepared { tree, values: effective, capabilities })
}

/// Parses all templates, then executes every file that is no partial.
fn execute(
    instance: ChartInstance<'_, '_>,
    values: &Map,
    capabilities: Capabilities,
    options: &RenderOptions<'_>,
) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
    let templates = context::templates(instance, values, capabilities, options);
    let sources = templates.iter().map(|(name, template)| (name.as_str(), template.text));
    let set = TemplateSet::parse_cached(sources, functions::table(options.profile), instance.chart().parsed())?;
    let budget = Budget::new(options.limits);
    let evaluator = Evaluator::new(&set, &budget, options.host);
    let mut files = BTreeMap::new();
    let mut printed = 0;
    for name in set.executable_files() {
        let Some(template) = templates.get(name) else { continue };
        template.dot.insert("Template".into(), template.describe(name, options.profile.types.values));
        let dot = Value::Map(template.dot.with_type(options.profile.types.values));
        let output = evaluator.execute(name, dot).map_err(|error| error.told(options.profile.exec_errors))?;
        printed += output.len();
        if printed > MAX_OUTPUT_BYTES {
            let exceeded = BudgetExceeded::Output { limit: MAX_OUTPUT_BYTES };
            return Err(RenderError::TooMuch { file: name.to_owned(), exceeded });
        }
        files.insert(name.to_owned(), strip_no_value(output));
    }
    Ok(files)
}

/// The files below `crds/` of a chart, then of its sub-charts.
fn collect_crds(
    instance: ChartInstance<'_, '_>,
    crds: &mut Vec<Manifest>,
    printed: &mut usize,
) -> Result<(), RenderError> {
    for (name, text) in instance.chart().files() {
        let extension = name.rsplit('/').next().and_then(|base| base.rsplit_once('.')).map(|(_, extension)| extension);
        let is_manifest = extension
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)));
        if name.starts_with("crds/") && is_manifest {
            *printed += text.len();
            if *printed > MAX_OUTPUT_BYTES {
                let exceeded = BudgetExceeded::Output { limit: MAX_OUTPUT_BYTES };
                return Err(RenderError::TooMuch { file: format!("{}/{name}", instance.path()), exceeded });
            }
            crds.push(Manifest {
                source: format!("{}/{name}", instance.path()),
                content: String::from_utf8_lossy(text).into_owned(),
                api_version: String::new(),
                kind: String::new(),
                name: String::new(),
                hooks: Vec::new(),
                document: None,
            });
        }
    }
    for subchart in instance.dependencies() {
        collect_crds(subchart, crds, printed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
