//! From a Module and its chart to the resources in the cluster.
//!
//! The release is named after the Module and its namespace is the Module's target namespace, as with Cyclops. The order
//! is: files below `crds/`, hooks that Helm runs before an install or upgrade, Helm's install order, hooks that Helm runs
//! after.
//!
//! Nothing here runs hooks. Those of an install or upgrade are applied like any other resource, because applications
//! cannot do without the objects that charts declare so; a warning names them. Those of a test, a roll back or a
//! deletion are left out: applied along with the rest, they would undo or repeat what they are for.

mod confine;
mod error;
mod manifest;
mod scopes;
mod size;
mod unasked;

pub use error::ExpansionError;
pub use scopes::{Scope, Scopes, WellKnownScopes};
pub use size::json_size;
pub use unasked::{TOKEN_SECRET, unasked};

use std::sync::Arc;

use renderer::{Chart, Manifest, Profile, RenderOptions};
use serde_json::Value;

use crate::api::Module;
use crate::policy::EffectivePolicy;

/// Objects of one Module. The largest public charts have some 200.
pub const MAX_RESOURCES: usize = 2_000;
/// Bytes of one object as JSON: what a cluster can store.
pub const MAX_RESOURCE_BYTES: usize = 1_572_864;
/// What fits into a label's value, which the Module's name has to be on each resource.
const MAX_NAME: usize = 63;

/// What an expansion is told besides chart and Module.
pub struct ExpansionOptions<'a> {
    /// The policies that confine what a Module may expand to; none: everything may be.
    pub policy: Option<&'a EffectivePolicy>,
    /// The cluster's kinds.
    pub scopes: &'a dyn Scopes,
    /// Clock and randomness.
    pub host: &'a dyn renderer::functions::Host,
    /// `.Capabilities.KubeVersion`; none takes the renderer's default.
    pub kube_version: Option<String>,
    /// `.Capabilities.APIVersions`.
    pub api_versions: Arc<[String]>,
    /// `.Release.Revision`: 1 for the first apply.
    pub revision: i64,
    /// Limits on the render.
    pub limits: renderer::Limits,
}

/// The resources of a Module in the order in which they are applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expansion {
    /// The resources.
    pub resources: Vec<Resource>,
    /// What the chart has and Modules do not: hooks.
    pub warnings: Vec<String>,
    /// Bytes of all resources as JSON.
    pub bytes: usize,
}

/// One object of a Module.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// `apiVersion`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; none for a cluster-scoped object.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// The whole object.
    pub object: Value,
    /// The template file that it comes from, such as `demo/templates/service.yaml`.
    pub source: String,
}

impl Resource {
    /// The API group, empty for the core group.
    pub fn group(&self) -> &str {
        group(&self.api_version)
    }

    /// What makes an object the same one: group, kind, namespace and name. The version that it is written in does not.
    pub fn key(&self) -> (&str, &str, Option<&str>, &str) {
        (self.group(), &self.kind, self.namespace.as_deref(), &self.name)
    }
}

/// The group of an `apiVersion`, empty for the core group.
pub(crate) fn group(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

/// Expands a Module. Needs [`renderer::template::RENDER_STACK_BYTES`] of stack.
pub fn expand(chart: &Chart, module: &Module, options: &ExpansionOptions<'_>) -> Result<Expansion, ExpansionError> {
    let Some(spec) = &module.spec else { return Err(ExpansionError::MissingSpec) };
    let name = module.name();
    if name.len() > MAX_NAME {
        return Err(ExpansionError::LongName { name: name.to_owned(), limit: MAX_NAME });
    }
    let namespace = module.target_namespace();
    if !confine::is_namespace(namespace) {
        return Err(ExpansionError::TargetNamespace { name: namespace.to_owned() });
    }
    let values = renderer::values::from_json(&spec.values)?;
    let rendered = renderer::render(
        chart,
        &values,
        &RenderOptions {
            release_name: name.to_owned(),
            namespace: namespace.to_owned(),
            is_upgrade: options.revision > 1,
            revision: options.revision,
            kube_version: options.kube_version.clone(),
            api_versions: Arc::clone(&options.api_versions),
            validate_schema: true,
            include_crds: true,
            keep_documents: true,
            profile: Profile::V4,
            limits: options.limits,
            host: options.host,
        },
    )?;
    let (hooks, warnings) = sort_hooks(rendered.hooks);
    let manifests = rendered.crds.into_iter().chain(hooks.before).chain(rendered.manifests).chain(hooks.after);
    let mut objects = Vec::new();
    for manifest in manifests {
        manifest::decode(manifest, &mut objects)?;
        if objects.len() > MAX_RESOURCES {
            return Err(ExpansionError::TooMany { limit: MAX_RESOURCES });
        }
    }
    let scopes = scopes::WithDefinitions::new(options.scopes, objects.iter().map(|object| &object.value));
    let mut expansion = Expansion { resources: Vec::with_capacity(objects.len()), warnings, bytes: 0 };
    for object in objects {
        let (resource, bytes) = confine::place(object, name, namespace, &scopes, options.policy)?;
        expansion.resources.push(resource);
        expansion.bytes += bytes;
    }
    confine::refuse_duplicates(&expansion.resources)?;
    Ok(expansion)
}

/// Hooks by when they are applied.
#[derive(Default)]
struct Hooks {
    before: Vec<Manifest>,
    after: Vec<Manifest>,
}

fn sort_hooks(manifests: Vec<Manifest>) -> (Hooks, Vec<String>) {
    let mut hooks = Hooks::default();
    let mut warnings = Vec::new();
    for manifest in manifests {
        let has = |events: &[&str]| manifest.hooks.iter().any(|event| events.contains(&event.as_str()));
        let what = format!("{} {} of {}", manifest.kind, manifest.name, manifest.source);
        if has(&["pre-install", "pre-upgrade"]) {
            warnings.push(format!("the hook {what} is applied like any other resource, before the rest"));
            hooks.before.push(manifest);
        } else if has(&["post-install", "post-upgrade"]) {
            warnings.push(format!("the hook {what} is applied like any other resource, after the rest"));
            hooks.after.push(manifest);
        } else if !manifest.hooks.iter().all(|event| event.starts_with("test")) {
            warnings.push(format!("the hook {what} is left out: it is for {}", manifest.hooks.join(", ")));
        }
    }
    (hooks, warnings)
}

#[cfg(test)]
mod tests;
