//! From rendered files to an ordered list of manifests and Helm's output text.

/// One document of a rendered chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The template that produced it, such as `demo/templates/service.yaml`.
    pub source: String,
    /// The text as Helm prints it below the `# Source:` line.
    pub content: String,
    /// `apiVersion` of the document, empty if it has none.
    pub api_version: String,
    /// `kind` of the document, empty if it has none.
    pub kind: String,
    /// `metadata.name` of the document, empty if it has none.
    pub name: String,
    /// Events of a `helm.sh/hook` annotation; empty for an ordinary manifest.
    pub hooks: Vec<String>,
}

/// What a chart expands to, in Helm's install order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Files below `crds/`, never templated.
    pub crds: Vec<Manifest>,
    /// Ordinary manifests.
    pub manifests: Vec<Manifest>,
    /// Hooks.
    pub hooks: Vec<Manifest>,
}
