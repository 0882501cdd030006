//! `Module`: an application made from a template and values.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::core::NamespaceResourceScope;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::{DEFAULT_TARGET_NAMESPACE, GROUP, SourceType, TemplateReference, VERSION, null_as_default};

// No derived custom resource: those have neither an optional spec nor fields beside spec and status.
/// An application made from a template and values.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
pub struct Module {
    /// Name, namespace, labels, annotations.
    #[serde(default)]
    #[schemars(with = "Metadata")]
    pub metadata: ObjectMeta,
    /// What the Module should be. Cyclops' definition does not require it.
    #[serde(default)]
    pub spec: Option<ModuleSpec>,
    /// What the controller observed.
    #[serde(default)]
    pub status: Option<ModuleStatus>,
    /// Earlier states, newest first, written by Cyclops' interface for its roll back.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryEntry>,
}

/// The metadata of a definition's root: the API server knows its fields.
#[derive(JsonSchema)]
#[schemars(extend("type" = "object"))]
struct Metadata {}

/// What a Module should be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModuleSpec {
    /// The namespace that the resources are created in; empty for `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_namespace: Option<String>,
    /// The chart.
    pub template: TemplateReference,
    /// The chart's values: anything that JSON can say, a mapping if the chart is to be rendered.
    #[schemars(schema_with = "any_json")]
    pub values: serde_json::Value,
}

/// A state that a Module once had.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// `metadata.generation` of that state.
    pub generation: i64,
    /// The target namespace of that state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_namespace: Option<String>,
    /// The template of that state, its version resolved.
    pub template: HistoryTemplateReference,
    /// The values of that state.
    #[schemars(schema_with = "any_json")]
    pub values: serde_json::Value,
}

/// A template in the history of a Module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryTemplateReference {
    /// URL of the Git repository, Helm repository or OCI registry.
    pub repo: String,
    /// Folder in the Git repository, or name of the chart.
    pub path: String,
    /// Resolved version: a commit or a chart version.
    pub version: String,
    /// Kind of source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_type: Option<SourceType>,
}

/// What the controller observed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModuleStatus {
    /// Outcome of the last attempt to create and update the resources.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub reconciliation_status: ReconciliationStatus,
    /// The commit or chart version that the template reference resolved to, for people and for Cyclops.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub template_resolved_version: String,
    /// Every resource type that this Module ever created objects of.
    #[serde(
        default,
        rename = "managedGVRs",
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub managed_gvrs: Vec<GroupVersionResource>,
    /// Icon of the template.
    #[serde(
        default,
        rename = "iconURL",
        deserialize_with = "null_as_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub icon_url: String,
    /// The generation of the Module that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling, Stalled, Admitted, Drifted, `TemplateHeld` and Blocked.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The objects that the last apply left in the cluster.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub inventory: Vec<InventoryEntry>,
    /// Digest of the template that the last apply used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_digest: Option<String>,
    /// Digest of the spec and template that the last apply used; equal digests need no new apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied_digest: Option<String>,
    /// How many different expansions were applied: `.Release.Revision` of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
}

/// Outcome of an attempt to create and update the resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReconciliationStatus {
    /// Whether it succeeded.
    #[serde(default)]
    pub status: ReconciliationState,
    /// Why it failed.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// One line for each object that failed.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// Whether the resources could be created and updated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReconciliationState {
    /// Not tried yet.
    #[default]
    Unknown,
    /// All of them.
    Succeeded,
    /// Not all of them.
    Failed,
}

/// A resource type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct GroupVersionResource {
    /// API group, empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Plural name.
    pub resource: String,
}

/// An object in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct InventoryEntry {
    /// API group, empty for the core group.
    #[serde(default)]
    pub group: String,
    /// API version that it was applied with.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace, none for a cluster-scoped object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl Module {
    /// The namespace that the resources are created in: the target namespace, or Cyclops' default for an empty one.
    pub fn target_namespace(&self) -> &str {
        self.spec
            .as_ref()
            .and_then(|spec| spec.target_namespace.as_deref())
            .filter(|namespace| !namespace.is_empty())
            .unwrap_or(DEFAULT_TARGET_NAMESPACE)
    }

    /// The name, empty before the API server has given one.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// The value of an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(name).map(String::as_str)
    }
}

impl kube::Resource for Module {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Module".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        GROUP.into()
    }

    fn version((): &()) -> Cow<'_, str> {
        VERSION.into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "modules".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl Serialize for Module {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Module", 6)?;
        fields.serialize_field("apiVersion", &format!("{GROUP}/{VERSION}"))?;
        fields.serialize_field("kind", "Module")?;
        fields.serialize_field("metadata", &self.metadata)?;
        match &self.spec {
            Some(spec) => fields.serialize_field("spec", spec)?,
            None => fields.skip_field("spec")?,
        }
        match &self.status {
            Some(status) => fields.serialize_field("status", status)?,
            None => fields.skip_field("status")?,
        }
        if self.history.is_empty() {
            fields.skip_field("history")?;
        } else {
            fields.serialize_field("history", &self.history)?;
        }
        fields.end()
    }
}

fn any_json(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
