//! The custom resources of the group `cyclops-ui.com`, field by field as Cyclops defines them, plus status fields of
//! our own.
//!
//! Cyclops is installed with more than one edition of its definitions. Reading is therefore lenient: fields that an
//! older definition prunes may be missing, and `null` stands for missing.

pub mod definition;
mod module;
mod template_auth_rule;
mod template_reference;
mod template_store;

pub use module::{
    GroupVersionResource, HistoryEntry, HistoryTemplateReference, InventoryEntry, Module, ModuleSpec, ModuleStatus,
    ReconciliationState, ReconciliationStatus,
};
pub use template_auth_rule::{SecretKeySelector, TemplateAuthRule, TemplateAuthRuleSpec};
pub use template_reference::{GitOpsWriteTarget, SourceType, TemplateReference};
pub use template_store::TemplateStore;

/// The API group of Module, `TemplateStore` and `TemplateAuthRule`.
pub const GROUP: &str = "cyclops-ui.com";
/// Their only version.
pub const VERSION: &str = "v1alpha1";
/// Where Cyclops deploys a Module that names no target namespace.
pub const DEFAULT_TARGET_NAMESPACE: &str = "default";

/// Reads `null` as the type's default: Go clients write empty lists so.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de> + Default,
{
    Ok(<Option<T> as serde::Deserialize>::deserialize(deserializer)?.unwrap_or_default())
}
