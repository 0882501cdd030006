//! What an apply makes that no right was asked for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Expansion, Resource};
use crate::api;

/// The type of Secrets that the API server fills with the token of a service account.
pub const TOKEN_SECRET: &str = "kubernetes.io/service-account-token";

/// The resources of `made` about which nobody was asked when `judged` was: those that are not in it, and those whose
/// content is itself a matter of rights (roles and bindings, tokens of service accounts, Modules) and is another one.
///
/// A template sees another clock and other random values when it is applied than when it is judged.
pub fn unasked<'a>(judged: &Expansion, made: &'a Expansion) -> Vec<&'a Resource> {
    let known: BTreeMap<_, _> = judged.resources.iter().map(|resource| (resource.key(), &resource.object)).collect();
    let is_unasked = |resource: &&Resource| match known.get(&resource.key()) {
        None => true,
        Some(object) => grants(resource) && **object != resource.object,
    };
    made.resources.iter().filter(is_unasked).collect()
}

/// Whether what a resource says takes rights, besides the right to write it.
fn grants(resource: &Resource) -> bool {
    match (resource.group(), resource.kind.as_str()) {
        ("rbac.authorization.k8s.io" | api::GROUP, _) => true,
        ("", "Secret") => resource.object.get("type").and_then(Value::as_str) == Some(TOKEN_SECRET),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(api_version: &str, kind: &str, name: &str, object: Value) -> Resource {
        Resource {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some("team-a".to_owned()),
            name: name.to_owned(),
            object,
            source: String::new(),
        }
    }

    #[test]
    fn other_names_and_other_grants_were_not_asked_about() {
        let rbac = "rbac.authorization.k8s.io/v1";
        let of = |content: u32, token: &str| Expansion {
            resources: vec![
                resource("v1", "ConfigMap", "content", json!({"data": content})),
                resource("v1", "Secret", "password", json!({"type": "Opaque", "data": content})),
                resource("v1", "Secret", "token", json!({"type": token, "data": content})),
                resource(rbac, "Role", "role", json!({"rules": content})),
                resource("cyclops-ui.com/v1alpha1", "Module", "module", json!({"spec": content})),
                resource("apps/v1", "Deployment", &format!("name-{content}"), json!({})),
            ],
            ..Expansion::default()
        };
        let names = |judged: &Expansion, made: &Expansion| -> Vec<String> {
            unasked(judged, made).into_iter().map(|resource| resource.name.clone()).collect()
        };
        let judged = of(1, "Opaque");
        assert_eq!(names(&judged, &judged), [""; 0]);
        assert_eq!(names(&judged, &of(2, "Opaque")), ["role", "module", "name-2"]);
        assert_eq!(names(&judged, &of(1, TOKEN_SECRET)), ["token"]);
        assert_eq!(names(&Expansion::default(), &judged).len(), 6);
    }
}
