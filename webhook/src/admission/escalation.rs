//! May somebody create what a Module expands to? Otherwise writing Modules would be a way to do what one may not.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use module::{
    Requester,
    expansion::{Resource, Scope},
    policy::{EffectivePolicy, Escalation},
    verdict::{Cause, Refusal},
};

use super::{
    Admission,
    expansion::{Change, Consequences},
    write::Write,
};
use crate::{
    access::{Permission, service_account},
    kinds::KindTable,
};

/// Questions to the API server at a time. It answers from memory.
const CONCURRENCY: usize = 16;

impl Admission {
    /// Refuses a write whose consequences are beyond the rights of those whom the policies name.
    pub(crate) async fn check_escalation(
        &self,
        write: &Write,
        policy: &EffectivePolicy,
        consequences: &Consequences,
    ) -> Result<(), Refusal> {
        let kinds = self.kinds.current();
        for escalation in policy.escalations() {
            let identity = match escalation {
                Escalation::Off => continue,
                Escalation::Requester => write.requester.clone(),
                Escalation::ServiceAccount => {
                    let name =
                        policy.service_account_name().map_err(|conflict| Refusal::invalid("", conflict.to_string()))?;
                    service_account(&write.namespace, name)
                }
            };
            let applies = escalation == Escalation::ServiceAccount;
            let needed = permissions(consequences, &kinds, applies)?;
            let missing = self.missing(&identity, needed).await?;
            if !missing.is_empty() {
                return Err(refusal(&identity, applies, &missing));
            }
        }
        Ok(())
    }

    async fn missing(
        &self,
        identity: &Requester,
        needed: BTreeMap<Permission, String>,
    ) -> Result<Vec<(Permission, String)>, Refusal> {
        let mut missing: Vec<_> = stream::iter(needed)
            .map(|(permission, example)| async move {
                let allowed = self.access.review(identity, &permission).await?;
                Ok::<_, kube::Error>((!allowed).then_some((permission, example)))
            })
            .buffer_unordered(CONCURRENCY)
            .try_filter_map(|missing| async move { Ok(missing) })
            .try_collect()
            .await
            .map_err(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot review access");
                let message = format!("the API server did not say what {} may do; try again", identity.username);
                Refusal::unavailable(message, 1)
            })?;
        missing.sort();
        Ok(missing)
    }
}

/// The rights that the changes need, each with an object for which it is needed. `applies`: the identity looks whose an
/// object is before it touches it, and applies by server-side apply, which takes `patch` for a creation too.
fn permissions(
    consequences: &Consequences,
    kinds: &KindTable,
    applies: bool,
) -> Result<BTreeMap<Permission, String>, Refusal> {
    let mut needed = BTreeMap::new();
    for (change, resource) in consequences.changes() {
        let kind = kinds.get(&resource.api_version, &resource.kind).ok_or_else(|| {
            Refusal::invalid(
                "spec",
                format!("{}: the cluster has no kind {} in {}", resource.source, resource.kind, resource.api_version),
            )
        })?;
        let verbs: &[&'static str] = match change {
            Change::Added if applies => &["get", "create", "patch"],
            Change::Changed if applies => &["get", "patch"],
            Change::Deleted if applies => &["get", "delete"],
            Change::Added => &["create"],
            Change::Changed => &["patch"],
            Change::Deleted => &["delete"],
        };
        let namespace = match kind.scope {
            Scope::Namespaced => resource.namespace.clone(),
            Scope::Cluster => None,
        };
        for verb in verbs {
            let permission = Permission {
                verb,
                group: kind.resource.group.clone(),
                resource: kind.resource.plural.clone(),
                namespace: namespace.clone(),
            };
            needed.entry(permission).or_insert_with(|| name(resource));
        }
    }
    Ok(needed)
}

fn name(resource: &Resource) -> String {
    format!("{} {}", resource.kind, resource.name)
}

fn refusal(identity: &Requester, applies: bool, missing: &[(Permission, String)]) -> Refusal {
    let who = if applies {
        format!("the service account {}, which applies this Module,", identity.username)
    } else {
        identity.username.clone()
    };
    let causes: Vec<_> = missing
        .iter()
        .map(|(permission, example)| Cause {
            field: "spec".to_owned(),
            message: format!("{who} may not {}, as the {example} needs", describe(permission)),
        })
        .collect();
    let mut rules = BTreeMap::<(Option<&str>, &str, &str), BTreeSet<&str>>::new();
    for (permission, _) in missing {
        let key = (permission.namespace.as_deref(), permission.group.as_str(), permission.resource.as_str());
        rules.entry(key).or_default().insert(permission.verb);
    }
    let grants: Vec<_> = rules
        .into_iter()
        .map(|((namespace, group, resource), verbs)| {
            let place = namespace.map_or("a ClusterRole".to_owned(), |namespace| format!("a Role in {namespace}"));
            let verbs = verbs.into_iter().collect::<Vec<_>>().join(", ");
            format!("{place} with {{apiGroups: [\"{group}\"], resources: [{resource}], verbs: [{verbs}]}}")
        })
        .collect();
    let told: Vec<_> = missing.iter().map(|(permission, _)| describe(permission)).collect();
    let message = format!(
        "this Module expands to what {who} may not do: {}. It would be granted by {}",
        told.join("; "),
        grants.join(" and ")
    );
    Refusal { causes, ..Refusal::forbidden(message) }
}

fn describe(permission: &Permission) -> String {
    let resource = if permission.group.is_empty() {
        permission.resource.clone()
    } else {
        format!("{}.{}", permission.resource, permission.group)
    };
    match &permission.namespace {
        Some(namespace) => format!("{} {resource} in {namespace}", permission.verb),
        None => format!("{} {resource}", permission.verb),
    }
}
