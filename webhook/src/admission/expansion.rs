//! What a write makes of a Module's resources.

use std::{collections::BTreeMap, sync::Arc};

use module::{
    Template,
    api::Module,
    expansion::{Expansion, ExpansionOptions, Resource, expand},
    policy::EffectivePolicy,
    verdict::Refusal,
};
use renderer::{Limits, functions::FixedHost};
use serde_json::{Value, json};

use super::{Admission, loading::Loaded, worker_refusal, write::Write};
use crate::kinds::KindTable;

/// The resources before and after a write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consequences {
    /// The resources of the stored Module, as far as they can be told.
    pub(crate) before: Expansion,
    /// The resources of the new Module.
    pub(crate) after: Expansion,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    Added,
    Changed,
    Deleted,
}

impl Consequences {
    /// The resources that are added, changed or deleted.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (Change, &Resource)> {
        let before: BTreeMap<_, _> = self.before.resources.iter().map(|resource| (resource.key(), resource)).collect();
        let after: BTreeMap<_, _> = self.after.resources.iter().map(|resource| (resource.key(), resource)).collect();
        let mut changes = Vec::new();
        for resource in &self.after.resources {
            match before.get(&resource.key()) {
                None => changes.push((Change::Added, resource)),
                Some(old) if old.object != resource.object => changes.push((Change::Changed, resource)),
                Some(_) => {}
            }
        }
        changes.extend(
            self.before
                .resources
                .iter()
                .filter(|resource| !after.contains_key(&resource.key()))
                .map(|resource| (Change::Deleted, resource)),
        );
        changes.into_iter()
    }
}

impl Admission {
    /// Expands the new Module, which must succeed, and the old one, which need not.
    pub(crate) async fn consequences(
        &self,
        write: &Arc<Write>,
        policy: &Arc<EffectivePolicy>,
        loaded: &Loaded,
    ) -> Result<Consequences, Refusal> {
        match self.expand_both(write, policy, loaded).await? {
            Ok(consequences) => Ok(consequences),
            // A kind may have been installed a moment ago.
            Err(_) if self.kinds.refresh().await => self.expand_both(write, policy, loaded).await?,
            Err(refusal) => Err(refusal),
        }
    }

    async fn expand_both(
        &self,
        write: &Arc<Write>,
        policy: &Arc<EffectivePolicy>,
        loaded: &Loaded,
    ) -> Result<Result<Consequences, Refusal>, Refusal> {
        let (write, policy, loaded) = (Arc::clone(write), Arc::clone(policy), loaded.clone());
        let kinds = self.kinds.current();
        let work = move || {
            let after = expand_new(&write, &loaded, &policy, &kinds)?;
            // What changes only matters for the rights that it takes.
            let before = if policy.escalations().is_empty() {
                Expansion::default()
            } else {
                expand_old(&write, &loaded, &policy, &kinds).unwrap_or_default()
            };
            Ok(Consequences { before, after })
        };
        self.workers.run(work).await.map_err(worker_refusal)
    }
}

/// Expands the stored Module; nothing, if there is none.
pub(crate) fn expand_old(
    write: &Write,
    loaded: &Loaded,
    policy: &EffectivePolicy,
    kinds: &KindTable,
) -> Result<Expansion, Refusal> {
    match (&write.old, &loaded.old) {
        (Some(old), Some(template)) => expand_module(old, template, policy, kinds, applied_revision(write).max(1)),
        _ => Ok(Expansion::default()),
    }
}

/// Expands the new Module as the next apply will.
pub(crate) fn expand_new(
    write: &Write,
    loaded: &Loaded,
    policy: &EffectivePolicy,
    kinds: &KindTable,
) -> Result<Expansion, Refusal> {
    match (&write.new, &loaded.new) {
        (Some(new), Some(template)) => expand_module(new, template, policy, kinds, applied_revision(write) + 1),
        _ => Ok(Expansion::default()),
    }
}

fn applied_revision(write: &Write) -> i64 {
    let revision = write.old.as_ref().and_then(|old| old.pointer("/status/revision"));
    revision.and_then(Value::as_i64).unwrap_or_default()
}

fn expand_module(
    module: &Value,
    template: &Template,
    policy: &EffectivePolicy,
    kinds: &KindTable,
    revision: i64,
) -> Result<Expansion, Refusal> {
    // Only what an expansion looks at: managedFields can be as large as the values.
    let part = |pointer: &str| module.pointer(pointer).cloned().unwrap_or_default();
    let module = json!({
        "metadata": {"name": part("/metadata/name"), "namespace": part("/metadata/namespace")},
        "spec": part("/spec"),
    });
    let module: Module =
        serde_json::from_value(module).map_err(|error| Refusal::invalid("spec", format!("not a Module: {error}")))?;
    let options = ExpansionOptions {
        policy: Some(policy),
        scopes: kinds,
        // The same for every render: a password that a template makes up is no difference.
        host: &FixedHost::default(),
        kube_version: kinds.kube_version.clone(),
        api_versions: kinds.api_versions.clone(),
        revision,
        limits: Limits::default(),
    };
    expand(template.chart(), &module, &options).map_err(|error| {
        let values = module.spec.as_ref().map(|spec| &spec.values);
        Refusal::for_expansion(&error, template.locks(), values.unwrap_or(&Value::Null))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(api_version: &str, kind: &str, name: &str, data: u32) -> Resource {
        Resource {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: Some("team-a".into()),
            name: name.into(),
            object: json!({"data": data}),
            source: String::new(),
        }
    }

    #[test]
    fn changes_are_told_by_group_kind_and_name() {
        let consequences = Consequences {
            before: Expansion {
                resources: vec![
                    resource("v1", "ConfigMap", "same", 1),
                    resource("v1", "ConfigMap", "changed", 1),
                    resource("autoscaling/v1", "HorizontalPodAutoscaler", "version", 1),
                    resource("v1", "ConfigMap", "gone", 1),
                ],
                ..Expansion::default()
            },
            after: Expansion {
                resources: vec![
                    resource("v1", "ConfigMap", "new", 1),
                    resource("v1", "ConfigMap", "same", 1),
                    resource("v1", "ConfigMap", "changed", 2),
                    resource("autoscaling/v2", "HorizontalPodAutoscaler", "version", 2),
                ],
                ..Expansion::default()
            },
        };
        let changes: Vec<_> =
            consequences.changes().map(|(change, resource)| (change, resource.name.as_str())).collect();
        assert_eq!(
            changes,
            [
                (Change::Added, "new"),
                (Change::Changed, "changed"),
                (Change::Changed, "version"),
                (Change::Deleted, "gone")
            ]
        );
    }
}
