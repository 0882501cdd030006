//! The rights that the consequences of a write take.

use std::collections::{BTreeMap, BTreeSet};

use module::{
    expansion::{Resource, Scope, TOKEN_SECRET},
    verdict::Refusal,
};
use serde_json::Value;

use super::rbac;
use crate::{
    access::Permission,
    admission::expansion::{Change, Consequences, Deleted},
    kinds::{Kind, KindTable},
};

/// Names the service account whose token a Secret holds.
const TOKEN_OWNER: &str = "kubernetes.io/service-account.name";

/// The service account that applies a Module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deployer<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

/// What makes a right necessary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    /// Whoever holds all of these does not need the right; none: there is no other way.
    pub(super) instead: Option<BTreeSet<Permission>>,
    /// An object that needs the right.
    pub(super) example: String,
}

/// The rights that the consequences take, each asked once. `applies`: asked is the identity that applies. It looks
/// whose an object is before it touches it; and the API server judges its writes once more.
pub(super) fn requirements(
    consequences: &Consequences,
    kinds: &KindTable,
    deployer: Deployer<'_>,
    applies: bool,
) -> Result<BTreeMap<Permission, Requirement>, Refusal> {
    let mut required =
        Requirements { needed: BTreeMap::new(), deployer, applies, rbac: rbac::Roles::new(consequences) };
    for change in consequences.changes() {
        match change {
            Change::Added(resource) => {
                let kind = known(kinds, resource)?;
                // Server-side apply takes both: an object of that name may be there.
                required.verbs(kind, resource, &["create", "patch"]);
                required.special(kind, None, resource);
            }
            Change::Changed { from, to } => {
                let kind = known(kinds, to)?;
                required.verbs(kind, to, &["patch"]);
                required.special(kind, Some(from), to);
            }
            Change::Deleted(deleted) => required.deletion(kinds, deleted),
        }
    }
    Ok(required.needed)
}

struct Requirements<'a> {
    needed: BTreeMap<Permission, Requirement>,
    deployer: Deployer<'a>,
    applies: bool,
    rbac: rbac::Roles<'a>,
}

impl Requirements<'_> {
    fn verbs(&mut self, kind: &Kind, resource: &Resource, verbs: &[&str]) {
        let namespace = namespace(kind, resource.namespace.as_deref());
        self.plain(kind, namespace.as_deref(), verbs, &describe(&resource.kind, &resource.name));
    }

    fn deletion(&mut self, kinds: &KindTable, deleted: Deleted<'_>) {
        let Deleted { group, kind: name, version, .. } = deleted;
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        // Nor does the controller delete objects of a kind that is gone: there are none.
        let Some(kind) = kinds.get(&api_version, name) else { return };
        let namespace = namespace(kind, deleted.namespace);
        self.plain(kind, namespace.as_deref(), &["delete"], &describe(deleted.kind, deleted.name));
    }

    fn plain(&mut self, kind: &Kind, namespace: Option<&str>, verbs: &[&str], example: &str) {
        let look: &[&str] = if self.applies { &["get"] } else { &[] };
        for verb in look.iter().chain(verbs) {
            let permission = Permission {
                verb: (*verb).to_owned(),
                group: kind.resource.group.clone(),
                resource: kind.resource.plural.clone(),
                namespace: namespace.map(str::to_owned),
                name: None,
            };
            self.need(permission, None, example);
        }
    }

    /// What creating or changing some kinds takes besides the right to do so.
    fn special(&mut self, kind: &Kind, from: Option<&Resource>, to: &Resource) {
        let namespace = namespace(kind, to.namespace.as_deref());
        let example = describe(&to.kind, &to.name);
        match (kind.resource.group.as_str(), kind.resource.plural.as_str()) {
            (rbac::GROUP, plural @ ("roles" | "clusterroles"))
                if from.is_none_or(|from| rbac::grants_differ(&from.object, &to.object)) =>
            {
                let permission = rbac::permission("escalate", plural, namespace.clone(), Some(&to.name));
                let instead = self.rbac.held_instead(&to.object, namespace.as_deref());
                self.need(permission, instead, &example);
            }
            (rbac::GROUP, "rolebindings" | "clusterrolebindings") => {
                let (plural, name) = rbac::role_of(&to.object);
                let permission = rbac::permission("bind", plural, namespace.clone(), name);
                // The role of that name in the cluster may be another one than the Module's, and stay it.
                let instead = self.applies.then(|| self.rbac.bound_instead(plural, name, namespace.as_deref()));
                self.need(permission, instead.flatten(), &example);
            }
            ("", "secrets") if to.object.get("type").and_then(Value::as_str) == Some(TOKEN_SECRET) => {
                let owner =
                    to.object.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(TOKEN_OWNER));
                let permission = Permission {
                    verb: "create".to_owned(),
                    group: String::new(),
                    resource: "serviceaccounts/token".to_owned(),
                    namespace,
                    name: owner.and_then(Value::as_str).map(str::to_owned),
                };
                self.need(permission, None, &example);
            }
            // The inner Module's writer is the deployer, with whose rights it would be judged in turn.
            (module::api::GROUP, "modules") if !self.applies => {
                let permission = Permission {
                    verb: "impersonate".to_owned(),
                    group: String::new(),
                    resource: "serviceaccounts".to_owned(),
                    namespace: Some(self.deployer.namespace.to_owned()),
                    name: Some(self.deployer.name.to_owned()),
                };
                self.need(permission, None, &example);
            }
            _ => {}
        }
    }

    fn need(&mut self, permission: Permission, instead: Option<BTreeSet<Permission>>, example: &str) {
        let requirement = || Requirement { instead, example: example.to_owned() };
        self.needed.entry(permission).or_insert_with(requirement);
    }
}

fn known<'a>(kinds: &'a KindTable, resource: &Resource) -> Result<&'a Kind, Refusal> {
    kinds.get(&resource.api_version, &resource.kind).ok_or_else(|| {
        Refusal::invalid(
            "spec",
            format!("{}: the cluster has no kind {} in {}", resource.source, resource.kind, resource.api_version),
        )
    })
}

fn namespace(kind: &Kind, namespace: Option<&str>) -> Option<String> {
    match kind.scope {
        Scope::Namespaced => namespace.map(str::to_owned),
        Scope::Cluster => None,
    }
}

fn describe(kind: &str, name: &str) -> String {
    format!("{kind} {name}")
}
