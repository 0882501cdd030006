//! What a write makes of a Module's resources.

use std::{collections::BTreeMap, sync::Arc};

use module::{
    Template,
    api::{InventoryEntry, Module},
    expansion::{Expansion, ExpansionOptions, Resource, expand},
    policy::EffectivePolicy,
    verdict::Refusal,
};
use renderer::{Limits, functions::FixedHost};
use serde_json::{Value, json};

use super::{
    Admission,
    expansion_cache::{ExpansionCache, Key},
    loading::Loaded,
    worker_refusal,
    write::Write,
};
use crate::{kinds::KindTable, metrics::Stage};

/// The resources before and after a write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consequences {
    /// The resources of the stored Module, as far as they can be told.
    pub(crate) before: Arc<Expansion>,
    /// The resources of the new Module.
    pub(crate) after: Arc<Expansion>,
    /// What the controller has applied: it prunes what is no longer there, even if the stored Module cannot be expanded
    /// any more.
    pub(crate) applied: Vec<InventoryEntry>,
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change<'a> {
    Added(&'a Resource),
    Changed { from: &'a Resource, to: &'a Resource },
    Deleted(Deleted<'a>),
}

/// A resource that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deleted<'a> {
    pub(crate) group: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) name: &'a str,
    /// The version that it was written in.
    pub(crate) version: &'a str,
}

impl Consequences {
    /// The consequences of a write.
    pub(crate) fn new(write: &Write, before: Arc<Expansion>, after: Arc<Expansion>) -> Self {
        let inventory = write.old.as_ref().and_then(|old| old.pointer("/status/inventory")).cloned();
        // Only our controller writes it, in this very form.
        let applied = inventory.and_then(|inventory| serde_json::from_value(inventory).ok()).unwrap_or_default();
        Self { before, after, applied }
    }

    /// The resources that are added, changed or deleted.
    pub(crate) fn changes(&self) -> Vec<Change<'_>> {
        let before: BTreeMap<_, _> = self.before.resources.iter().map(|resource| (resource.key(), resource)).collect();
        let after: BTreeMap<_, _> = self.after.resources.iter().map(|resource| (resource.key(), resource)).collect();
        let mut changes = Vec::new();
        for resource in &self.after.resources {
            match before.get(&resource.key()) {
                None => changes.push(Change::Added(resource)),
                Some(old) if old.object != resource.object => {
                    changes.push(Change::Changed { from: old, to: resource });
                }
                Some(_) => {}
            }
        }
        let rendered = self.before.resources.iter().map(|resource| {
            let (group, kind, namespace, name) = resource.key();
            let version = resource.api_version.rsplit('/').next().unwrap_or_default();
            ((group, kind, namespace, name), version)
        });
        let applied = self.applied.iter().map(|entry| {
            let key = (entry.group.as_str(), entry.kind.as_str(), entry.namespace.as_deref(), entry.name.as_str());
            (key, entry.version.as_str())
        });
        let gone: BTreeMap<_, _> = rendered.chain(applied).filter(|(key, _)| !after.contains_key(key)).collect();
        changes.extend(gone.into_iter().map(|((group, kind, namespace, name), version)| {
            Change::Deleted(Deleted { group, kind, namespace, name, version })
        }));
        changes
    }
}

impl Admission {
    /// What expands with the kinds that are known now.
    pub(crate) fn expander(&self) -> Expander {
        Expander { kinds: self.kinds.current(), known: Arc::clone(&self.expansions) }
    }

    /// Expands the new Module, which must succeed, and the old one, which need not.
    pub(crate) async fn consequences(
        &self,
        write: &Arc<Write>,
        policy: &Arc<EffectivePolicy>,
        loaded: &Loaded,
    ) -> Result<Consequences, Refusal> {
        let _time = self.metrics.stage(Stage::Render);
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
        let expander = self.expander();
        let work = move || {
            let after = expander.written(&write, &loaded, &policy)?;
            // What changes only matters for the rights that it takes.
            let before = if policy.escalations().is_empty() {
                Arc::default()
            } else {
                expander.stored(&write, &loaded, &policy).unwrap_or_default()
            };
            Ok(Consequences::new(&write, before, after))
        };
        self.workers.run(work).await.map_err(worker_refusal)
    }
}

/// Expands Modules, or knows what they expand to.
pub(crate) struct Expander {
    kinds: Arc<KindTable>,
    known: Arc<ExpansionCache>,
}

impl Expander {
    /// Expands the stored Module; nothing, if there is none.
    pub(crate) fn stored(
        &self,
        write: &Write,
        loaded: &Loaded,
        policy: &EffectivePolicy,
    ) -> Result<Arc<Expansion>, Refusal> {
        match (&write.old, &loaded.old) {
            (Some(old), Some(template)) => self.module(old, template, policy, applied_revision(write).max(1)),
            _ => Ok(Arc::default()),
        }
    }

    /// Expands the new Module as the next apply will.
    pub(crate) fn written(
        &self,
        write: &Write,
        loaded: &Loaded,
        policy: &EffectivePolicy,
    ) -> Result<Arc<Expansion>, Refusal> {
        match (&write.new, &loaded.new) {
            (Some(new), Some(template)) => self.module(new, template, policy, applied_revision(write) + 1),
            _ => Ok(Arc::default()),
        }
    }

    fn module(
        &self,
        module: &Value,
        template: &Template,
        policy: &EffectivePolicy,
        revision: i64,
    ) -> Result<Arc<Expansion>, Refusal> {
        let key = Key::new(module, template, policy, revision);
        self.known.get(key, &self.kinds, || expand_module(module, template, policy, &self.kinds, revision))
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
        api_versions: Arc::clone(&kinds.api_versions),
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
            before: Arc::new(Expansion {
                resources: vec![
                    resource("v1", "ConfigMap", "same", 1),
                    resource("v1", "ConfigMap", "changed", 1),
                    resource("autoscaling/v1", "HorizontalPodAutoscaler", "version", 1),
                    resource("v1", "ConfigMap", "gone", 1),
                ],
                ..Expansion::default()
            }),
            after: Arc::new(Expansion {
                resources: vec![
                    resource("v1", "ConfigMap", "new", 1),
                    resource("v1", "ConfigMap", "same", 1),
                    resource("v1", "ConfigMap", "changed", 2),
                    resource("autoscaling/v2", "HorizontalPodAutoscaler", "version", 2),
                ],
                ..Expansion::default()
            }),
            applied: ["same", "gone", "left"].map(applied).to_vec(),
        };
        let changes: Vec<_> = consequences
            .changes()
            .into_iter()
            .map(|change| match change {
                Change::Added(resource) => format!("+{}", resource.name),
                Change::Changed { from, to } => format!("~{} {}", to.name, from.object["data"]),
                Change::Deleted(deleted) => format!("-{}", deleted.name),
            })
            .collect();
        assert_eq!(changes, ["+new", "~changed 1", "~version 1", "-gone", "-left"]);
    }

    fn applied(name: &str) -> InventoryEntry {
        InventoryEntry {
            version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: Some("team-a".into()),
            name: name.into(),
            ..InventoryEntry::default()
        }
    }
}
