//! `TemplateStore`: a template offered to the users of Cyclops' interface.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GitOpsWriteTarget, SourceType, TemplateReference};

/// The template that is offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, CustomResource, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "cyclops-ui.com",
    version = "v1alpha1",
    kind = "TemplateStore",
    plural = "templatestores",
    namespaced,
    derive = "PartialEq",
    derive = "Default",
    doc = "A template offered to the users of Cyclops' interface.",
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Type", "type": "string", "jsonPath": ".spec.sourceType"}"#,
    printcolumn = r#"{"name": "Repository", "type": "string", "jsonPath": ".spec.repo"}"#,
    printcolumn = r#"{"name": "Path", "type": "string", "jsonPath": ".spec.path"}"#,
    printcolumn = r#"{"name": "Version", "type": "string", "jsonPath": ".spec.version"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct TemplateStoreSpec {
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

impl From<TemplateStoreSpec> for TemplateReference {
    fn from(spec: TemplateStoreSpec) -> Self {
        Self {
            repo: spec.repo,
            path: spec.path,
            version: spec.version,
            source_type: spec.source_type,
            enforce_git_ops_write: spec.enforce_git_ops_write,
        }
    }
}
