//! `TemplateAuthRule`: credentials for template repositories.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which repositories the credentials are for, and where they are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, CustomResource, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "cyclops-ui.com",
    version = "v1alpha1",
    kind = "TemplateAuthRule",
    plural = "templateauthrules",
    namespaced,
    derive = "PartialEq",
    derive = "Default",
    doc = "Credentials for template repositories.",
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Repository", "type": "string", "jsonPath": ".spec.repo"}"#
)]
pub struct TemplateAuthRuleSpec {
    /// The repositories. Cyclops looks for this regular expression anywhere in a URL. The webhook takes it only for a literal
    /// `https://` URL and what lies below, with `^`, `$`, a final `/.*` and escaped signs allowed.
    pub repo: String,
    /// The Secret key with the user name.
    pub username: SecretKeySelector,
    /// The Secret key with the password or token.
    pub password: SecretKeySelector,
}

/// A key of a Secret in the namespace of the rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeySelector {
    /// Name of the Secret.
    #[serde(default)]
    pub name: String,
    /// Key in the Secret.
    pub key: String,
    /// Whether Secret or key may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}
