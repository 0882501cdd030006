//! The reference to a template: what a Module is made from, and what a `TemplateStore` offers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a template comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceType {
    /// A folder of a Git repository.
    Git,
    /// A chart of a Helm repository.
    Helm,
    /// A chart in an OCI registry.
    Oci,
}

/// The chart that is the template, as it was asked for. It resolves to a digest; this is only the intent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateReference {
    /// URL of the Git repository, Helm repository or OCI registry.
    pub repo: String,
    /// Folder in the Git repository, or name of the chart.
    pub path: String,
    /// Branch, tag, commit, chart version or version range; empty for the default branch or the newest version.
    pub version: String,
    /// Kind of source. Empty: found out from the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_type: Option<SourceType>,
    /// Where Modules made from this template are written in Git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforce_git_ops_write: Option<GitOpsWriteTarget>,
}

/// A place in Git for the files of Modules.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct GitOpsWriteTarget {
    /// URL of the Git repository.
    pub repo: String,
    /// Folder in it, a Go template over the Module.
    pub path: String,
    /// Branch.
    pub version: String,
}
