//! May somebody create what a Module expands to? Otherwise writing Modules would be a way to do what one may not.

mod rbac;
mod required;

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use module::{
    Requester,
    policy::{EffectivePolicy, Escalation},
    verdict::{Cause, Ground, Refusal},
};

use super::{Admission, expansion::Consequences, write::Write};
use crate::{
    access::{Permission, service_account},
    metrics::Stage,
};
use required::{Deployer, Requirement, requirements};

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
        let _time = self.metrics.stage(Stage::AccessReviews);
        let kinds = self.kinds.current();
        for escalation in policy.escalations() {
            let deployer = Deployer {
                namespace: &write.namespace,
                name: policy
                    .service_account_name()
                    .map_err(|conflict| Refusal::invalid("", conflict.to_string()).on(Ground::Policy))?,
            };
            let (identity, applies) = match escalation {
                Escalation::Off => continue,
                Escalation::Requester => (write.requester.clone(), false),
                Escalation::ServiceAccount => (service_account(deployer.namespace, deployer.name), true),
            };
            let needed = requirements(consequences, &kinds, deployer, applies)?;
            let missing = self.missing(&identity, needed).await?;
            if !missing.is_empty() {
                return Err(refusal(&identity, applies, &missing));
            }
        }
        Ok(())
    }

    /// The requirements that an identity does not meet.
    async fn missing(
        &self,
        identity: &Requester,
        needed: BTreeMap<Permission, Requirement>,
    ) -> Result<BTreeMap<Permission, Requirement>, Refusal> {
        let denied = self.denied(identity, needed.keys().cloned().collect()).await?;
        let mut missing: BTreeMap<_, _> =
            needed.into_iter().filter(|(permission, _)| denied.contains(permission)).collect();
        // Only what is denied is worth asking about in another way.
        let instead = missing.values().filter_map(|requirement| requirement.instead.as_ref()).flatten().cloned();
        let denied = self.denied(identity, instead.collect()).await?;
        missing.retain(|_, requirement| match &requirement.instead {
            Some(instead) => instead.iter().any(|permission| denied.contains(permission)),
            None => true,
        });
        Ok(missing)
    }

    /// Those of the permissions that an identity does not hold.
    async fn denied(
        &self,
        identity: &Requester,
        permissions: BTreeSet<Permission>,
    ) -> Result<BTreeSet<Permission>, Refusal> {
        stream::iter(permissions)
            .map(|permission| async move {
                let allowed = self.access.review(identity, &permission).await?;
                Ok::<_, kube::Error>((!allowed).then_some(permission))
            })
            .buffer_unordered(CONCURRENCY)
            .try_filter_map(|denied| async move { Ok(denied) })
            .try_collect()
            .await
            .map_err(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot review access");
                let message = format!("the API server did not say what {} may do; try again", identity.username);
                Refusal::unavailable(message, 1)
            })
    }
}

fn refusal(identity: &Requester, applies: bool, missing: &BTreeMap<Permission, Requirement>) -> Refusal {
    let who = if applies {
        format!("the service account {}, which applies this Module,", identity.username)
    } else {
        identity.username.clone()
    };
    let causes = missing
        .iter()
        .map(|(permission, requirement)| Cause {
            field: "spec".to_owned(),
            message: format!(
                "{who} may not {}, as the {} needs",
                lacking(permission, requirement),
                requirement.example
            ),
        })
        .collect();
    let mut rules = BTreeMap::<_, BTreeSet<&str>>::new();
    for Permission { verb, group, resource, namespace, name } in missing.keys() {
        rules.entry((namespace.as_deref(), group, resource, name.as_deref())).or_default().insert(verb);
    }
    let grants: Vec<_> = rules
        .into_iter()
        .map(|((namespace, group, resource, name), verbs)| {
            let place = namespace.map_or("a ClusterRole".to_owned(), |namespace| format!("a Role in {namespace}"));
            let names = name.map(|name| format!("resourceNames: [\"{name}\"], ")).unwrap_or_default();
            let verbs = verbs.into_iter().collect::<Vec<_>>().join(", ");
            format!("{place} with {{apiGroups: [\"{group}\"], resources: [{resource}], {names}verbs: [{verbs}]}}")
        })
        .collect();
    let told: Vec<_> = missing.iter().map(|(permission, requirement)| lacking(permission, requirement)).collect();
    let message = format!(
        "this Module expands to what {who} may not do: {}. It would be granted by {}",
        told.join("; "),
        grants.join(" and ")
    );
    Refusal { causes, ..Refusal::forbidden(Ground::Escalation, message) }
}

fn lacking(permission: &Permission, requirement: &Requirement) -> String {
    let or = if requirement.instead.is_some() { " (nor holds every right that it grants)" } else { "" };
    describe(permission) + or
}

fn describe(permission: &Permission) -> String {
    let Permission { verb, group, resource, namespace, name } = permission;
    let mut text = format!("{verb} {resource}");
    if !group.is_empty() {
        text = format!("{text}.{group}");
    }
    if let Some(name) = name {
        text = format!("{text} {name}");
    }
    if let Some(namespace) = namespace {
        text = format!("{text} in {namespace}");
    }
    text
}
