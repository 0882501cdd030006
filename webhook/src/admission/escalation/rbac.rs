//! What Kubernetes asks of whoever writes roles and bindings: nobody may grant what they do not hold.
//!
//! A role takes the right to `escalate` it, or every right that it grants; a binding takes the right to `bind` the role,
//! or every right of the role (`pkg/registry/rbac` in Kubernetes).

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::Value;

use crate::{access::Permission, admission::expansion::Consequences};

/// The API group.
pub(super) const GROUP: &str = "rbac.authorization.k8s.io";

/// Rights that are asked for one write in the place of `escalate` and `bind`. A chart can name any number.
const MAX_GRANTS: usize = 1_000;

/// The roles that a Module brings.
pub(super) struct Roles<'a> {
    /// By plural, namespace and name.
    roles: BTreeMap<(&'static str, Option<&'a str>, &'a str), &'a Value>,
    /// Rights that may still be asked for.
    left: Cell<usize>,
}

impl<'a> Roles<'a> {
    pub(super) fn new(consequences: &'a Consequences) -> Self {
        let roles = consequences.after.resources.iter().filter_map(|resource| {
            let (group, kind, namespace, name) = resource.key();
            let plural = match kind {
                "Role" => "roles",
                "ClusterRole" => "clusterroles",
                _ => return None,
            };
            (group == GROUP).then_some(((plural, namespace, name), &resource.object))
        });
        Self { roles: roles.collect(), left: Cell::new(MAX_GRANTS) }
    }

    /// What may be held in the place of the right to `escalate` this role. `namespace`: the role's.
    pub(super) fn held_instead(&self, role: &Value, namespace: Option<&str>) -> Option<BTreeSet<Permission>> {
        // It grants whatever other roles are selected by it.
        if role.get("aggregationRule").is_some_and(|rule| !rule.is_null()) {
            return None;
        }
        let mut grants = BTreeSet::new();
        for rule in list(role.get("rules"))? {
            let texts = |key: &str| -> Option<Vec<&str>> { list(rule.get(key))?.iter().map(Value::as_str).collect() };
            if !texts("nonResourceURLs")?.is_empty() {
                return None;
            }
            let names = texts("resourceNames")?;
            let names: Vec<_> = if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
            let (verbs, groups, resources) = (texts("verbs")?, texts("apiGroups")?, texts("resources")?);
            let count = [verbs.len(), groups.len(), resources.len()].iter().fold(names.len(), |all, one| all * one);
            self.left.set(self.left.get().checked_sub(count)?);
            for verb in &verbs {
                for group in &groups {
                    for resource in &resources {
                        grants.extend(names.iter().map(|name| Permission {
                            verb: (*verb).to_owned(),
                            group: (*group).to_owned(),
                            resource: (*resource).to_owned(),
                            namespace: namespace.map(str::to_owned),
                            name: name.map(str::to_owned),
                        }));
                    }
                }
            }
        }
        Some(grants)
    }

    /// What may be held in the place of the right to `bind` a role, if the Module itself brings that. `namespace`: the
    /// binding's.
    pub(super) fn bound_instead(
        &self,
        plural: &'static str,
        name: Option<&str>,
        namespace: Option<&str>,
    ) -> Option<BTreeSet<Permission>> {
        let home = if plural == "roles" { namespace } else { None };
        let role = self.roles.get(&(plural, home, name?))?;
        self.held_instead(role, namespace)
    }
}

/// Whether two versions of a role grant something else.
pub(super) fn grants_differ(from: &Value, to: &Value) -> bool {
    ["rules", "aggregationRule"].iter().any(|key| from.get(key) != to.get(key))
}

/// Plural and name of the role that a binding names. The API server refuses a binding that names none.
pub(super) fn role_of(binding: &Value) -> (&'static str, Option<&str>) {
    let field = |key: &str| binding.get("roleRef").and_then(|role| role.get(key)?.as_str());
    (if field("kind") == Some("Role") { "roles" } else { "clusterroles" }, field("name"))
}

/// A right on roles.
pub(super) fn permission(verb: &str, plural: &str, namespace: Option<String>, name: Option<&str>) -> Permission {
    Permission {
        verb: verb.to_owned(),
        group: GROUP.to_owned(),
        resource: plural.to_owned(),
        namespace,
        name: name.map(str::to_owned),
    }
}

/// The items of a list; none for what is no list. Nothing is an empty one.
fn list(value: Option<&Value>) -> Option<&[Value]> {
    match value {
        None | Some(Value::Null) => Some(&[]),
        Some(Value::Array(items)) => Some(items),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn held_instead(role: &Value) -> Option<Vec<String>> {
        let roles = Roles { roles: BTreeMap::new(), left: Cell::new(MAX_GRANTS) };
        let grants = roles.held_instead(role, Some("team-a"))?;
        Some(grants.iter().map(super::super::describe).collect())
    }

    #[test]
    fn every_right_of_a_role_counts() {
        let rules = json!([
            {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get"]},
            {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"], "resourceNames": ["web", "api"]},
        ]);
        assert_eq!(
            held_instead(&json!({"rules": rules})).unwrap(),
            [
                "* deployments.apps api in team-a",
                "* deployments.apps web in team-a",
                "get pods in team-a",
                "get pods/log in team-a",
            ]
        );
        assert_eq!(held_instead(&json!({"rules": null})), Some(Vec::new()), "grants nothing");
    }

    #[test]
    fn what_cannot_be_asked_takes_the_right_to_escalate() {
        let many: Vec<_> = (0..=MAX_GRANTS).map(|number| number.to_string()).collect();
        for role in [
            json!({"rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]}),
            json!({"rules": [], "aggregationRule": {"clusterRoleSelectors": []}}),
            json!({"rules": [{"apiGroups": [""], "resources": many, "verbs": ["get"]}]}),
            json!({"rules": "all"}),
            json!({"rules": [{"apiGroups": "", "resources": ["pods"], "verbs": ["get"]}]}),
            json!({"rules": [{"apiGroups": [""], "resources": [7], "verbs": ["get"]}]}),
        ] {
            assert_eq!(held_instead(&role), None, "{role}");
        }
    }

    #[test]
    fn a_binding_names_its_role() {
        let binding = |kind: &str| json!({"roleRef": {"apiGroup": GROUP, "kind": kind, "name": "admin"}});
        assert_eq!(role_of(&binding("Role")), ("roles", Some("admin")));
        assert_eq!(role_of(&binding("ClusterRole")), ("clusterroles", Some("admin")));
        assert_eq!(role_of(&json!({})), ("clusterroles", None));
    }
}
