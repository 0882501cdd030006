//! From a Module and its chart to the resources in the cluster.

use renderer::Chart;
use serde_json::Value;

use crate::api::Module;
use crate::policy::EffectivePolicy;

/// Whether objects of a kind live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In none.
    Cluster,
}

/// What is known about the kinds of a cluster.
pub trait Scopes {
    /// The scope of a kind; none if the kind is not known.
    fn scope(&self, api_version: &str, kind: &str) -> Option<Scope>;
}

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
    pub api_versions: Vec<String>,
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
    /// What the chart has and Modules do not: hooks that were left out.
    pub warnings: Vec<String>,
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

/// Why a Module does not expand to resources.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExpansionError {
    /// The Module has no spec.
    #[error("the Module has no spec: name a template and values")]
    MissingSpec,
}

/// Expands a Module.
pub fn expand(_chart: &Chart, module: &Module, _options: &ExpansionOptions<'_>) -> Result<Expansion, ExpansionError> {
    if module.spec.is_none() {
        return Err(ExpansionError::MissingSpec);
    }
    Ok(Expansion::default())
}
