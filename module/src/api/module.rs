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
    // Always written: one edition of Cyclops' definition requires it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub reconciliation_status: ReconciliationStatus,
    /// The commit or chart version that the template reference resolved to, for people and for Cyclops.
    // Always written: one edition of Cyclops' definition requires it.
    #[serde(default, deserialize_with = "null_as_default")]
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Reads and writes an object, and returns what came back.
    fn round_trip(object: &Value) -> Value {
        let module: Module = serde_json::from_value(object.clone()).unwrap();
        serde_json::to_value(module).unwrap()
    }

    fn with_head(mut object: Value) -> Value {
        object["apiVersion"] = "cyclops-ui.com/v1alpha1".into();
        object["kind"] = "Module".into();
        object
    }

    #[test]
    fn what_cyclops_stores_comes_back_without_loss() {
        let metadata = json!({
            "name": "shop",
            "namespace": "cyclops",
            "generation": 4,
            "resourceVersion": "12",
            "uid": "4a5d7f0e-0c8e-4f2b-9d2b-0d6f0a4b8f11",
            "creationTimestamp": "2024-11-29T10:00:00Z",
            "finalizers": ["cyclops-ui.com/module-resources"],
            "annotations": {"cyclops-ui.com/write-repo": "https://git.example.com/apps"},
        });
        let values = json!({
            "general": {"image": "nginx", "version": "1.27"}, "list": [1, 2.5, null, "x", {"a": []}],
            "big": 9_007_199_254_740_993_i64, "empty": {}, "dotted.key/x": true, "nothing": null,
        });
        let complete = with_head(json!({
            "metadata": metadata,
            "spec": {
                "targetNamespace": "shop",
                "template": {
                    "repo": "https://github.com/cyclops-ui/templates", "path": "app-template", "version": "main",
                    "sourceType": "git", "enforceGitOpsWrite": {"repo": "r", "path": "p", "version": "v"},
                },
                "values": values,
            },
            "status": {
                "reconciliationStatus": {"status": "failed", "reason": "apply", "errors": ["v1/Service shop/a failed to apply: x"]},
                "templateResolvedVersion": "2f0e1d", "iconURL": "https://example.com/icon.svg",
                "managedGVRs": [{"group": "apps", "version": "v1", "resource": "deployments"}],
            },
            "history": [{
                "generation": 3, "targetNamespace": "shop",
                "template": {"repo": "r", "path": "p", "version": "2f0e1d", "sourceType": "git"},
                "values": values,
            }],
        }));
        assert_eq!(round_trip(&complete), complete);
    }

    #[test]
    fn objects_of_older_definitions_come_back_as_they_are() {
        // The definition of Cyclops' chart prunes later fields and requires two of the status.
        let old = with_head(json!({
            "metadata": {"name": "old", "namespace": "cyclops"},
            "spec": {"targetNamespace": "", "template": {"repo": "", "path": "", "version": ""}, "values": []},
            "status": {"reconciliationStatus": {"status": "unknown", "errors": ["x"]}, "templateResolvedVersion": "1"},
            "history": [{"generation": 1, "template": {"repo": "", "path": "", "version": ""}, "values": "text"}],
        }));
        assert_eq!(round_trip(&old), old);
        let bare = with_head(json!({"metadata": {"name": "bare"}}));
        assert_eq!(round_trip(&bare), bare);
    }

    #[test]
    fn nulls_of_go_clients_are_read_as_nothing() {
        let module: Module = serde_json::from_value(json!({
            "metadata": {"name": "a", "creationTimestamp": null},
            "spec": null,
            "status": {"reconciliationStatus": {"errors": null, "reason": null}, "managedGVRs": null, "conditions": null,
                "templateResolvedVersion": null, "iconURL": null},
            "history": null,
        }))
        .unwrap();
        assert_eq!(module.spec, None);
        assert_eq!(module.status, Some(ModuleStatus::default()));
        assert!(module.history.is_empty());
    }

    #[test]
    fn an_empty_target_namespace_is_the_default_one() {
        let module = |namespace: Value| -> Module {
            serde_json::from_value(json!({
                "metadata": {"name": "a"},
                "spec": {"targetNamespace": namespace, "template": {"repo": "", "path": "", "version": ""}, "values": {}},
            }))
            .unwrap()
        };
        assert_eq!(module(json!("")).target_namespace(), "default");
        assert_eq!(module(Value::Null).target_namespace(), "default");
        assert_eq!(module(json!("team-a")).target_namespace(), "team-a");
        assert_eq!(Module::default().target_namespace(), "default");
    }
}
