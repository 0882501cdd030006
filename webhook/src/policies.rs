//! All `ModulePolicies` of the cluster, kept current by a watch.

mod status;

use std::{collections::BTreeMap, sync::Arc};

use futures::{Stream, StreamExt, stream};
use kube::{
    Api, Client, ResourceExt,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use module::policy::{EffectivePolicy, ModulePolicy, ModulePolicySpec, Policies, PolicyMatch};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::health::{Condition, Readiness};

pub use status::PolicyStatus;

/// The policies. Until they have been read once, nothing can be decided.
pub struct PolicyCache {
    policies: watch::Sender<Option<Arc<Policies>>>,
    seen: watch::Sender<Arc<SeenPolicies>>,
}

/// By name.
type SeenPolicies = BTreeMap<String, SeenPolicy>;

/// A policy as the cluster has it.
#[derive(Clone, Debug, PartialEq)]
struct SeenPolicy {
    /// What counts.
    policy: ModulePolicy,
    /// Why it is not what is written there.
    unreadable: Option<String>,
}

impl Default for PolicyCache {
    fn default() -> Self {
        Self { policies: watch::Sender::new(None), seen: watch::Sender::default() }
    }
}

impl PolicyCache {
    /// A cache that is filled once and for all.
    pub fn fixed(policies: Policies) -> Self {
        Self { policies: watch::Sender::new(Some(Arc::new(policies))), ..Self::default() }
    }

    /// What counts for Modules of a namespace; nothing before the policies have been read.
    pub fn effective(&self, namespace: &str) -> Option<EffectivePolicy> {
        self.policies.borrow().as_ref().map(|policies| policies.effective(namespace))
    }

    /// What counts for Modules of a namespace, for people who look for the reason of a decision.
    pub fn shown(&self, namespace: &str) -> Option<Value> {
        let effective = self.effective(namespace)?;
        let policies: Vec<_> = effective
            .policies()
            .map(|policy| json!({"name": policy.name().unwrap_or("none: these are the defaults"), "spec": policy.spec()}))
            .collect();
        let writers: Vec<_> = effective.git_ops_writers().into_iter().map(ToString::to_string).collect();
        let service_account = match effective.service_account_name() {
            Ok(name) => name.to_owned(),
            Err(conflict) => conflict.to_string(),
        };
        Some(json!({
            "namespace": namespace,
            "gitOpsWriters": writers,
            "serviceAccountName": service_account,
            "escalation": effective.escalations(),
            "policies": policies,
        }))
    }

    fn replace(&self, seen: &SeenPolicies) {
        let specs = |seen: &SeenPolicies| -> BTreeMap<String, ModulePolicySpec> {
            seen.iter().map(|(name, seen)| (name.clone(), seen.policy.spec.clone())).collect()
        };
        // A status changes nothing that counts: nobody has to decide anew.
        if self.policies.borrow().is_none() || specs(&self.seen.borrow()) != specs(seen) {
            let policies = Policies::new(seen.values().map(|seen| seen.policy.clone()));
            self.policies.send_replace(Some(Arc::new(policies)));
        }
        self.seen.send_replace(Arc::new(seen.clone()));
    }

    /// Tells of every change of what counts, from now on.
    pub fn changes(&self) -> impl Stream<Item = ()> + Send + use<> {
        stream::unfold(self.policies.subscribe(), |mut changes| async move {
            changes.changed().await.ok()?;
            Some(((), changes))
        })
    }

    /// Follows the cluster's policies. Ends only if the watch does.
    pub async fn follow(&self, client: Client, readiness: &Readiness) {
        let api: Api<DeserializeGuard<ModulePolicy>> = Api::all(client);
        let mut events = std::pin::pin!(watcher::watcher(api, watcher::Config::default()).default_backoff());
        let mut known = BTreeMap::new();
        let mut listed = BTreeMap::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Init) => listed.clear(),
                Ok(Event::InitApply(policy)) => {
                    listed.insert(policy.name_any(), read(policy));
                }
                Ok(Event::InitDone) => {
                    known = std::mem::take(&mut listed);
                    self.replace(&known);
                    readiness.set(Condition::Policies);
                }
                Ok(Event::Apply(policy)) => {
                    known.insert(policy.name_any(), read(policy));
                    self.replace(&known);
                }
                Ok(Event::Delete(policy)) => {
                    known.remove(&policy.name_any());
                    self.replace(&known);
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot watch ModulePolicies; retrying");
                }
            }
        }
    }
}

/// A policy that cannot be read must not vanish: that would lift what it forbids. One with a pattern that is no
/// pattern matches everywhere and allows nobody.
fn read(policy: DeserializeGuard<ModulePolicy>) -> SeenPolicy {
    const NO_PATTERN: &str = "***";
    match policy.0 {
        Ok(policy) => SeenPolicy { policy, unreadable: None },
        Err(invalid) => {
            let name = invalid.metadata.name.as_deref().unwrap_or_default();
            tracing::error!(
                policy = name,
                error = invalid.error,
                "a ModulePolicy cannot be read: it refuses every write"
            );
            let matches = PolicyMatch { namespaces: Some(vec![NO_PATTERN.to_owned()]) };
            let spec = ModulePolicySpec { matches: Some(matches), ..ModulePolicySpec::default() };
            let policy = ModulePolicy { metadata: invalid.metadata, spec, status: None };
            SeenPolicy { policy, unreadable: Some(invalid.error) }
        }
    }
}

#[cfg(test)]
mod tests {
    use module::{
        Requester,
        policy::{ModulePolicyStatus, Rule},
    };

    use super::*;

    #[test]
    fn an_unreadable_policy_refuses() {
        let guard: DeserializeGuard<ModulePolicy> =
            serde_json::from_value(json!({"metadata": {"name": "broken"}, "spec": {"gitOpsWriters": 7}})).unwrap();
        let cache = PolicyCache::fixed(Policies::new([read(guard).policy]));
        let policy = cache.effective("team-a").unwrap();
        assert_eq!(policy.locked(&Requester::named("alice"), false), Rule::Refuse);
        assert!(!policy.may_create(&Requester::named("alice")));
    }

    #[tokio::test]
    async fn changes_are_told() {
        let cache = PolicyCache::default();
        let mut changes = std::pin::pin!(cache.changes());
        assert!(futures::poll!(changes.next()).is_pending());
        let mut seen = SeenPolicies::new();
        cache.replace(&seen);
        assert!(futures::poll!(changes.next()).is_ready());
        let policy = ModulePolicy::new("teams", ModulePolicySpec::default());
        seen.insert("teams".to_owned(), SeenPolicy { policy, unreadable: None });
        cache.replace(&seen);
        assert!(futures::poll!(changes.next()).is_ready());
        seen.get_mut("teams").unwrap().policy.status = Some(ModulePolicyStatus::default());
        cache.replace(&seen);
        assert!(futures::poll!(changes.next()).is_pending(), "a status decides nothing");
    }

    #[test]
    fn what_counts_is_shown() {
        let spec = json!({"match": {"namespaces": ["team-*"]}, "gitOpsWriters": [{"user": "robot"}]});
        let policy = ModulePolicy::new("teams", serde_json::from_value(spec).unwrap());
        let cache = PolicyCache::fixed(Policies::new([policy]));
        let shown = cache.shown("team-a").unwrap();
        assert_eq!(
            (&shown["gitOpsWriters"], &shown["escalation"]),
            (&json!(["the user robot"]), &json!(["Requester"]))
        );
        assert_eq!((&shown["policies"][0]["name"], &shown["serviceAccountName"]), (&json!("teams"), &json!("default")));
        assert_eq!(cache.shown("other").unwrap()["gitOpsWriters"], json!([]));
    }

    #[test]
    fn nothing_is_known_before_the_first_list() {
        assert!(PolicyCache::default().effective("team-a").is_none());
        assert!(PolicyCache::default().shown("team-a").is_none());
    }
}
