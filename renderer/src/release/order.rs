//! Install order.

use super::Manifest;
use crate::Profile;

/// Kinds in the order in which Helm installs them (`InstallOrder`).
const INSTALL_ORDER: [&str; 36] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// The kinds that Helm 4 has after [`INSTALL_ORDER`].
const WEBHOOK_CONFIGURATIONS: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Sorts by kind only; manifests of one kind keep their order. Kinds that Helm does not know come last, by name.
pub(super) fn sort_by_kind(manifests: &mut [Manifest], profile: Profile) {
    let last: &[&str] = if profile.orders_webhook_configurations { &WEBHOOK_CONFIGURATIONS } else { &[] };
    let rank = |kind: &str| INSTALL_ORDER.iter().chain(last).position(|known| *known == kind);
    manifests.sort_by(|left, right| match (rank(&left.kind), rank(&right.kind)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => left.kind.cmp(&right.kind),
    });
}
