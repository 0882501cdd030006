//! The custom resource `ModulePolicy`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a policy says. Every field may be left out; what that means is written at the field.
#[derive(Clone, Debug, Default, PartialEq, Eq, CustomResource, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "policy.cyclops-ui.com",
    version = "v1alpha1",
    kind = "ModulePolicy",
    plural = "modulepolicies",
    singular = "modulepolicy",
    status = "ModulePolicyStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Who may write which Modules, and how strictly locks are enforced. All policies that match a namespace must allow a write. Without any policy, locks are enforced and nobody may change locked values.",
    printcolumn = r#"{"name": "Writers", "type": "integer", "jsonPath": ".status.gitOpsWriters"}"#,
    printcolumn = r#"{"name": "Locks", "type": "string", "jsonPath": ".spec.immutableValues"}"#,
    printcolumn = r#"{"name": "Namespaces", "type": "integer", "jsonPath": ".status.namespaceCount"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Template changes", "type": "string", "jsonPath": ".spec.template.changes", "priority": 1}"#,
    printcolumn = r#"{"name": "Creation", "type": "string", "jsonPath": ".spec.creation", "priority": 1}"#,
    printcolumn = r#"{"name": "Deletion", "type": "string", "jsonPath": ".spec.deletion", "priority": 1}"#,
    printcolumn = r#"{"name": "Escalation", "type": "string", "jsonPath": ".spec.escalation", "priority": 1}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct ModulePolicySpec {
    /// Which Modules the policy is about. Left out: all.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<PolicyMatch>,
    /// Who may change locked values, template references and whatever else is locked. Left out: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub git_ops_writers: Vec<Subject>,
    /// Who may write past the locks by giving a reason in the annotation `module.cyclops-ui.com/break-glass`. Left
    /// out: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub break_glass: Vec<Subject>,
    /// What happens when somebody who is no GitOps writer changes a value that the template's schema marks as
    /// immutable: `Enforce` refuses it, `Warn` lets it through with a warning, `Off` lets it through. Left out:
    /// `Enforce`.
    #[serde(default)]
    pub immutable_values: ImmutableValues,
    /// Whether values that a GitOps field manager owns are locked too, marked as immutable or not: `Enforce` refuses a
    /// change, `Warn` lets it through with a warning, `Off` lets it through. Left out: `Off`.
    #[serde(default)]
    pub ownership: Ownership,
    /// Field managers whose values are locked by `ownership`: the names that GitOps tools write with. Left out:
    /// `argocd-controller`, `kustomize-controller`, `helm-controller` and `fleetagent`. A name gives nobody a right:
    /// whoever writes under it only has the values locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 128)))]
    pub git_ops_field_managers: Option<Vec<String>>,
    /// Which templates may be used, and who may change the reference.
    #[serde(default)]
    pub template: TemplatePolicy,
    /// Who may create Modules: `Anyone` whose roles allow it, or `GitOpsOnly` GitOps writers. Left out: `Anyone`.
    #[serde(default)]
    pub creation: Creation,
    /// Who may delete Modules: `Anyone` whose roles allow it; with `ProtectGitOps` those too, but not what a GitOps
    /// writer has written if its template has locks; with `GitOpsOnly` GitOps writers. Left out: `ProtectGitOps`.
    #[serde(default)]
    pub deletion: Deletion,
    /// Whose right to create, change or delete a Module's resources is asked for when the Module is written: that of
    /// the `Requester` who writes it, of the `ServiceAccount` that applies the resources, or nobody's (`Off`). Left
    /// out: `Requester`.
    #[serde(default)]
    pub escalation: Escalation,
    /// Which resources a Module may expand to. Left out: all namespaced kinds, in its target namespace.
    #[serde(default)]
    pub expansion: ExpansionPolicy,
    /// The service account, in the namespace of the Module, that the controller acts as. Left out: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub service_account_name: Option<String>,
}

/// Which Modules a policy is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyMatch {
    /// Namespaces of the Modules: names, or patterns in which `*` stands for any characters. Left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 253)))]
    pub namespaces: Option<Vec<String>>,
}

/// A user, a group or a service account: exactly one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("oneOf" = [{"required": ["serviceAccount"]}, {"required": ["user"]}, {"required": ["group"]}]))]
pub struct Subject {
    /// A service account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccountReference>,
    /// A user name, compared exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub user: Option<String>,
    /// A group name, compared exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub group: Option<String>,
}

/// Namespace and name of a service account.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ServiceAccountReference {
    /// Namespace.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
    /// Name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What happens to a change of a locked value by somebody who is no GitOps writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ImmutableValues {
    /// It is refused.
    #[default]
    Enforce,
    /// It is accepted with a warning.
    Warn,
    /// It is accepted.
    Off,
}

/// Whether what a GitOps field manager owns is locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Ownership {
    /// No.
    #[default]
    Off,
    /// A change is accepted with a warning.
    Warn,
    /// A change is refused.
    Enforce,
}

/// Which templates may be used, and who may change the reference to one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplatePolicy {
    /// Who may change `spec.template` of a Module whose template has locks: `GitOpsOnly` GitOps writers; with `Version`
    /// everybody the version, as long as every lock stays and no locked value changes; with `Any` everybody. Left out:
    /// `GitOpsOnly`.
    #[serde(default)]
    pub changes: TemplateChanges,
    /// The sources that templates may come from. Left out: any over TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub sources: Option<Vec<TemplateSource>>,
    /// Follow branches and version ranges as they move. Left out: a Module keeps what its reference resolved to when
    /// it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<TemplateTracking>,
}

/// Who may change `spec.template` of a Module whose template has locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TemplateChanges {
    /// GitOps writers.
    #[default]
    GitOpsOnly,
    /// Everybody may change the version, as long as every lock stays and no locked value changes.
    Version,
    /// Everybody.
    Any,
}

/// A source that templates may come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TemplateSource {
    /// URL of the repository or registry: exact, or a pattern in which `*` stands for characters other than `/` and
    /// `**` for any.
    #[schemars(length(min = 1, max = 2048))]
    pub repo: String,
    /// Folder or chart name, exact or such a pattern. Left out: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub path: Option<String>,
}

/// How moving references are followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateTracking {
    /// How often the reference is resolved again, such as `10m` or `1h30m`.
    #[schemars(length(min = 2, max = 32), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    pub interval: String,
}

/// Who may create Modules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Creation {
    /// Everybody who may by RBAC.
    #[default]
    Anyone,
    /// GitOps writers.
    GitOpsOnly,
}

/// Who may delete Modules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Deletion {
    /// Everybody who may by RBAC; a Module that a GitOps writer has claimed and whose template has locks only GitOps
    /// writers.
    #[default]
    ProtectGitOps,
    /// GitOps writers.
    GitOpsOnly,
    /// Everybody who may by RBAC.
    Anyone,
}

/// Whose right to create, change or delete a Module's resources is asked for when the Module is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Escalation {
    /// That of the person who writes.
    #[default]
    Requester,
    /// That of the service account that applies the resources.
    ServiceAccount,
    /// Nobody's.
    Off,
}

/// Which resources a Module may expand to. Without a list, namespaced kinds in the target namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpansionPolicy {
    /// The only kinds allowed. Left out: every kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub allow: Option<Vec<KindPattern>>,
    /// Kinds refused in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub deny: Vec<KindPattern>,
    /// Cluster-scoped kinds allowed. Left out: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    pub cluster_scoped: Vec<KindPattern>,
    /// Namespaces allowed besides the target namespace: names, or patterns in which `*` stands for any characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 253)))]
    pub namespaces: Vec<String>,
}

/// Kinds of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct KindPattern {
    /// API group, empty for the core group; a pattern in which `*` stands for any characters.
    #[serde(default)]
    pub group: String,
    /// Kind; a pattern in which `*` stands for any characters.
    #[schemars(length(min = 1, max = 253))]
    pub kind: String,
}

/// What the webhook says about a policy. It is for people: nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModulePolicyStatus {
    /// The generation of the policy that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many GitOps writers the policy names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_ops_writers: Option<i64>,
    /// How many namespaces of the cluster the policy matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_count: Option<i64>,
    /// These namespaces, as far as there is room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// What is wrong with the policy, or hardly meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What each replica of the webhook decides by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub replicas: Vec<ReplicaStatus>,
    /// `Ready`: whether the policy counts as it is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// What one replica of the webhook has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaStatus {
    /// The replica.
    pub name: String,
    /// The generation of the policy that it decides by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When it said so. A replica repeats it from time to time; one that does not leaves the list.
    // A text, because a time that cannot be read must not make a policy one that cannot be read.
    #[schemars(extend("format" = "date-time"))]
    pub observed_time: String,
}
