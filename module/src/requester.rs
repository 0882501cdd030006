//! Who asks for a write.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::authentication::v1::UserInfo;

/// The identity that the API server authenticated. Nothing else about a request says who sends it: field managers,
/// labels and user agents are the client's to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requester {
    /// The user name, such as `alice` or `system:serviceaccount:argocd:argocd-application-controller`.
    pub username: String,
    /// The unique id, empty where the authenticator gives none.
    pub uid: String,
    /// The groups.
    pub groups: BTreeSet<String>,
    /// Further attributes, such as the pod a service account token is bound to.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// What the API server puts before the namespace and name of a service account.
const SERVICE_ACCOUNT_PREFIX: &str = "system:serviceaccount:";

impl Requester {
    /// A requester known by name only.
    pub fn named(username: impl Into<String>) -> Self {
        Self { username: username.into(), ..Self::default() }
    }

    /// The user name of a service account.
    pub fn service_account_username(namespace: &str, name: &str) -> String {
        format!("{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}")
    }

    /// Namespace and name, if this is a service account.
    pub fn service_account(&self) -> Option<(&str, &str)> {
        self.username.strip_prefix(SERVICE_ACCOUNT_PREFIX)?.split_once(':')
    }
}

impl From<UserInfo> for Requester {
    fn from(user: UserInfo) -> Self {
        Self {
            username: user.username.unwrap_or_default(),
            uid: user.uid.unwrap_or_default(),
            groups: user.groups.unwrap_or_default().into_iter().collect(),
            extra: user.extra.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_user_info() {
        let user: UserInfo = serde_json::from_value(serde_json::json!({
            "username": "system:serviceaccount:argocd:argocd-application-controller",
            "uid": "7",
            "groups": ["system:serviceaccounts", "system:authenticated"],
            "extra": {"authentication.kubernetes.io/pod-name": ["argocd-0"]},
        }))
        .unwrap();
        let requester = Requester::from(user);
        assert_eq!(requester.service_account(), Some(("argocd", "argocd-application-controller")));
        assert!(requester.groups.contains("system:authenticated"));
        assert_eq!(Requester::named("alice").service_account(), None);
    }
}
