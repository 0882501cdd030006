//! Which kinds live in a namespace.

use std::collections::BTreeMap;

use serde_json::Value;

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

/// Without a cluster: Kubernetes' own kinds by what they are, all others as if they lived in a namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WellKnownScopes;

/// Kubernetes' cluster-scoped kinds by group, as of Kubernetes 1.37.
const CLUSTER_SCOPED: &[(&str, &[&str])] = &[
    ("", &["ComponentStatus", "Namespace", "Node", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    ("networking.k8s.io", &["IPAddress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy.cyclops-ui.com", &["ModulePolicy"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("resource.k8s.io", &["DeviceClass", "DeviceTaintRule", "ResourceSlice"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"]),
    ("storagemigration.k8s.io", &["StorageVersionMigration"]),
];

impl Scopes for WellKnownScopes {
    fn scope(&self, api_version: &str, kind: &str) -> Option<Scope> {
        let group = super::group(api_version);
        let listed = CLUSTER_SCOPED.iter().any(|(listed, kinds)| *listed == group && kinds.contains(&kind));
        Some(if listed { Scope::Cluster } else { Scope::Namespaced })
    }
}

/// A cluster's kinds and those that the expansion itself defines.
pub(super) struct WithDefinitions<'a> {
    cluster: &'a dyn Scopes,
    /// By group and kind.
    defined: BTreeMap<(String, String), Scope>,
}

impl<'a> WithDefinitions<'a> {
    pub(super) fn new<'o>(cluster: &'a dyn Scopes, objects: impl Iterator<Item = &'o Value>) -> Self {
        let defined = objects.filter_map(|object| {
            if object.get("kind")?.as_str()? != "CustomResourceDefinition" {
                return None;
            }
            let spec = object.get("spec")?;
            let group = spec.get("group")?.as_str()?.to_owned();
            let kind = spec.get("names")?.get("kind")?.as_str()?.to_owned();
            let scope = if spec.get("scope")?.as_str()? == "Cluster" { Scope::Cluster } else { Scope::Namespaced };
            Some(((group, kind), scope))
        });
        Self { cluster, defined: defined.collect() }
    }

    pub(super) fn scope(&self, api_version: &str, kind: &str) -> Option<Scope> {
        let key = (super::group(api_version).to_owned(), kind.to_owned());
        self.cluster.scope(api_version, kind).or_else(|| self.defined.get(&key).copied())
    }
}
