//! The status of `ModulePolicies`: what people see of a policy that counts.
//!
//! Each replica writes an entry of its own, as a field manager of its own, and all of them write what must be the same
//! for all, as one. A replica writes what it has not written before, if it is not there: replicas that disagree, as
//! during an upgrade, do not take turns.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use futures::StreamExt;
use k8s_openapi::{
    api::core::v1::Namespace,
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use module::policy::{self, ModulePolicyStatus, Policies, ReplicaStatus};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{PolicyCache, SeenPolicies, SeenPolicy};
use crate::{metrics::Metrics, shortened};

/// Field manager of what is the same for all replicas; with a replica's name, of its entry.
const FIELD_MANAGER: &str = "module-webhook";

/// The API server's limit is 128 bytes.
const REPLICA_BYTES: usize = 100;

/// Namespaces named in a status. All are counted.
const NAMESPACES: usize = 50;

/// Problems told in a status.
const PROBLEMS: usize = 16;

/// Bytes of one problem.
const PROBLEM_BYTES: usize = 512;

/// Replicas in a status. Of more, those leave that spoke least lately.
const REPLICAS: usize = 16;

/// Changes that come together are written together.
const SETTLE: Duration = Duration::from_secs(1);

/// After a failed write.
const RETRY: Duration = Duration::from_secs(30);

/// A replica repeats what it decides by this often.
const RENEWAL: Duration = Duration::from_hours(1);

/// A replica that has not spoken for this long is gone.
const GONE: SignedDuration = SignedDuration::from_hours(3);

/// Writes the status of all policies.
pub struct PolicyStatus {
    client: Client,
    replica: String,
    metrics: Arc<Metrics>,
    namespaces: Namespaces,
    /// What this replica has written.
    written: HashMap<String, Summary>,
    /// The generation that this replica has said it decides by, and when.
    said: HashMap<String, (Option<i64>, Instant)>,
}

/// What all replicas say about a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Summary {
    generation: Option<i64>,
    git_ops_writers: usize,
    namespaces: Vec<String>,
    mistakes: bool,
    problems: Vec<String>,
}

/// The names of all namespaces, as far as they are known.
#[derive(Default)]
struct Namespaces {
    known: BTreeSet<String>,
    listed: BTreeSet<String>,
    complete: bool,
}

impl PolicyStatus {
    /// Nothing is written yet. `replica` names this one.
    pub fn new(client: Client, replica: &str, metrics: Arc<Metrics>) -> Self {
        Self {
            client,
            replica: shortened::to_bytes(replica, REPLICA_BYTES),
            metrics,
            namespaces: Namespaces::default(),
            written: HashMap::new(),
            said: HashMap::new(),
        }
    }

    /// Writes what changes, until it is told to stop; then takes this replica's entries away.
    pub async fn follow(mut self, policies: &PolicyCache, stop: CancellationToken) {
        let mut changes = policies.seen.subscribe();
        let api: Api<PartialObjectMeta<Namespace>> = Api::all(self.client.clone());
        let watch = watcher::watcher(api, watcher::Config::default());
        let mut events = std::pin::pin!(watch.default_backoff());
        let mut due = Instant::now() + SETTLE;
        loop {
            tokio::select! {
                news = changes.changed() => match news {
                    Ok(()) => due = due.min(Instant::now() + SETTLE),
                    Err(_) => return,
                },
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        if self.namespaces.take(event) {
                            due = due.min(Instant::now() + SETTLE);
                        }
                    }
                    Some(Err(error)) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "cannot watch namespaces; retrying");
                    }
                    None => return,
                },
                () = tokio::time::sleep_until(due) => {
                    let seen = Arc::clone(&changes.borrow_and_update());
                    let pause = match self.write(&seen).await {
                        Ok(()) => RENEWAL,
                        Err(error) => {
                            tracing::warn!(
                                error = &error as &dyn std::error::Error,
                                "cannot write the status of ModulePolicies"
                            );
                            RETRY
                        }
                    };
                    due = Instant::now() + pause;
                }
                () = stop.cancelled() => {
                    self.leave().await;
                    return;
                }
            }
        }
    }

    /// Writes what has changed since the last time.
    async fn write(&mut self, seen: &SeenPolicies) -> Result<(), kube::Error> {
        if !self.namespaces.complete {
            return Ok(());
        }
        self.written.retain(|name, _| seen.contains_key(name));
        self.said.retain(|name, _| seen.contains_key(name));
        let summaries = summaries(seen, &self.namespaces.known);
        let mistaken = summaries.values().filter(|summary| summary.mistakes).count();
        self.metrics.policies(summaries.len(), mistaken);
        let mut failed = Ok(());
        for (name, summary) in summaries {
            let stored = seen.get(&name).and_then(|seen| seen.policy.status.clone()).unwrap_or_default();
            let written = self.write_one(&name, summary, &stored).await;
            failed = failed.and(written);
        }
        failed
    }

    async fn write_one(
        &mut self,
        name: &str,
        summary: Summary,
        stored: &ModulePolicyStatus,
    ) -> Result<(), kube::Error> {
        let (generation, now) = (summary.generation, Instant::now());
        let due = match self.said.get(name) {
            Some((said, at)) => *said != generation || now.duration_since(*at) >= RENEWAL,
            None => true,
        };
        if due || self.written.get(name) != Some(&summary) {
            if !summary.is_in(stored) {
                self.apply(FIELD_MANAGER, name, json!({"status": summary.filled(stored)})).await?;
            }
            self.written.insert(name.to_owned(), summary);
        }
        if due {
            let entry = ReplicaStatus {
                name: self.replica.clone(),
                observed_generation: generation,
                observed_time: Timestamp::now().to_string(),
            };
            self.apply(&manager(&self.replica), name, json!({"status": {"replicas": [entry]}})).await?;
            self.said.insert(name.to_owned(), (generation, now));
        }
        for gone in gone(&stored.replicas, &self.replica, Timestamp::now()) {
            self.apply(&manager(gone), name, json!({})).await?;
        }
        Ok(())
    }

    async fn leave(&self) {
        for name in self.said.keys() {
            // Whoever comes after takes the entry away in time.
            let _ = self.apply(&manager(&self.replica), name, json!({})).await;
        }
    }

    /// Sets what a field manager says of a policy. What it does not say any more goes; if it says nothing, not even an
    /// empty status, it goes itself.
    async fn apply(&self, manager: &str, name: &str, mut patch: Value) -> Result<(), kube::Error> {
        let api: Api<policy::ModulePolicy> = Api::all(self.client.clone());
        patch["apiVersion"] = json!(format!("{}/{}", policy::GROUP, policy::VERSION));
        patch["kind"] = json!("ModulePolicy");
        patch["metadata"] = json!({"name": name});
        match api.patch_status(name, &PatchParams::apply(manager).force(), &Patch::Apply(&patch)).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn manager(replica: &str) -> String {
    format!("{FIELD_MANAGER}-{replica}")
}

impl Namespaces {
    /// Takes over what a watch tells. Returns whether all names are known and one has changed.
    fn take(&mut self, event: Event<PartialObjectMeta<Namespace>>) -> bool {
        let name = |object: PartialObjectMeta<Namespace>| object.metadata.name.unwrap_or_default();
        match event {
            Event::Init => {
                self.listed.clear();
                false
            }
            Event::InitApply(namespace) => {
                self.listed.insert(name(namespace));
                false
            }
            Event::InitDone => {
                self.complete = true;
                self.known = std::mem::take(&mut self.listed);
                true
            }
            Event::Apply(namespace) => self.known.insert(name(namespace)),
            Event::Delete(namespace) => self.known.remove(&name(namespace)),
        }
    }
}

/// What there is to say about each policy.
fn summaries(seen: &SeenPolicies, namespaces: &BTreeSet<String>) -> BTreeMap<String, Summary> {
    let policies = Policies::new(seen.values().map(|seen| seen.policy.clone()));
    let mut summaries: BTreeMap<String, Summary> =
        seen.iter().map(|(name, seen)| (name.clone(), Summary::new(seen))).collect();
    // One conflict may be about every namespace: it is told once, for the first.
    let mut told = BTreeSet::new();
    for namespace in namespaces {
        let effective = policies.effective(namespace);
        let conflict = effective.service_account_name().err();
        for name in effective.names() {
            let Some(summary) = summaries.get_mut(name) else { continue };
            summary.namespaces.push(namespace.clone());
            if let Some(conflict) = &conflict
                && told.insert((name.to_owned(), conflict.names.clone()))
            {
                summary.problems.push(format!("nothing can be applied in {namespace}: {conflict}"));
            }
        }
    }
    for summary in summaries.values_mut() {
        summary.problems.truncate(PROBLEMS);
        for problem in &mut summary.problems {
            *problem = shortened::to_bytes(problem, PROBLEM_BYTES);
        }
    }
    summaries
}

impl Summary {
    fn new(seen: &SeenPolicy) -> Self {
        let spec = &seen.policy.spec;
        let mistakes = policy::validate(spec).into_iter();
        let mut problems: Vec<String> =
            mistakes.map(|mistake| format!("{}: {}", mistake.field, mistake.message)).collect();
        if let Some(error) = &seen.unreadable {
            problems = vec![format!("it cannot be read, so it matches every namespace and allows nobody: {error}")];
        }
        let mistakes = !problems.is_empty();
        problems.extend(policy::doubts(spec));
        Self {
            generation: seen.policy.metadata.generation,
            git_ops_writers: spec.git_ops_writers.len(),
            namespaces: Vec::new(),
            mistakes,
            problems,
        }
    }

    /// Whether a status says all this.
    fn is_in(&self, stored: &ModulePolicyStatus) -> bool {
        ModulePolicyStatus { replicas: Vec::new(), ..stored.clone() } == self.filled(stored)
    }

    /// The status without replicas. The time of an unchanged condition stays.
    fn filled(&self, stored: &ModulePolicyStatus) -> ModulePolicyStatus {
        let (status, reason) = if self.mistakes { ("False", "Invalid") } else { ("True", "Valid") };
        let unchanged =
            stored.conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status == status);
        let condition = Condition {
            type_: "Ready".to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: if self.mistakes { self.problems.join("; ") } else { String::new() },
            last_transition_time: unchanged
                .map_or_else(|| Time(Timestamp::now()), |condition| condition.last_transition_time.clone()),
            observed_generation: self.generation,
        };
        ModulePolicyStatus {
            observed_generation: self.generation,
            git_ops_writers: i64::try_from(self.git_ops_writers).ok(),
            namespace_count: i64::try_from(self.namespaces.len()).ok(),
            namespaces: self.namespaces.iter().take(NAMESPACES).cloned().collect(),
            problems: self.problems.clone(),
            replicas: Vec::new(),
            conditions: vec![condition],
        }
    }
}

/// Replicas other than this one whose entries are to go.
fn gone<'a>(replicas: &'a [ReplicaStatus], own: &str, now: Timestamp) -> Vec<&'a str> {
    let time = |replica: &ReplicaStatus| replica.observed_time.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let others = replicas.iter().filter(|replica| replica.name != own);
    let mut others: Vec<_> = others.map(|replica| (time(replica), replica.name.as_str())).collect();
    others.sort_by(|one, other| other.cmp(one));
    let is_gone = |(position, (time, _)): &(usize, (Timestamp, &str))| {
        *position + 1 >= REPLICAS || now.duration_since(*time) > GONE
    };
    others.into_iter().enumerate().filter(is_gone).map(|(_, (_, name))| name).collect()
}

#[cfg(test)]
mod tests {
    use module::policy::ModulePolicy;

    use super::*;

    fn seen(policies: &[(&str, Value)]) -> SeenPolicies {
        let policy = |(name, spec): &(&str, Value)| {
            let mut policy = ModulePolicy::new(name, serde_json::from_value(spec.clone()).unwrap());
            policy.metadata.generation = Some(3);
            ((*name).to_owned(), SeenPolicy { policy, unreadable: None })
        };
        policies.iter().map(policy).collect()
    }

    fn namespaces(count: usize) -> BTreeSet<String> {
        (0..count).map(|number| format!("team-{number:03}")).chain(["kube-system".to_owned()]).collect()
    }

    #[test]
    fn a_status_counts_writers_and_namespaces_and_names_some() {
        let policy = json!({"match": {"namespaces": ["team-*"]}, "gitOpsWriters": [{"user": "a"}, {"user": "b"}]});
        let summary = &summaries(&seen(&[("teams", policy)]), &namespaces(120))["teams"];
        let stored = ModulePolicyStatus::default();
        let status = json!(summary.filled(&stored));
        assert_eq!((&status["gitOpsWriters"], &status["namespaceCount"]), (&json!(2), &json!(120)));
        assert_eq!(
            (&status["namespaces"][0], status["namespaces"].as_array().unwrap().len()),
            (&json!("team-000"), 50)
        );
        assert_eq!((&status["conditions"][0]["status"], &status["problems"]), (&json!("True"), &Value::Null));
        assert!(!summary.is_in(&stored));
        let stored: ModulePolicyStatus = serde_json::from_value(status).unwrap();
        assert!(summary.is_in(&stored), "what was written is not written again");
    }

    #[test]
    fn mistakes_and_doubts_and_conflicts_are_problems() {
        let policies = seen(&[
            ("broken", json!({"match": {"namespaces": ["***"]}})),
            ("doubtful", json!({"gitOpsWriters": [{"group": "system:authenticated"}], "serviceAccountName": "one"})),
            ("other", json!({"match": {"namespaces": ["team-*"]}, "serviceAccountName": "two"})),
        ]);
        let summaries = summaries(&policies, &namespaces(2));
        let problems = |name: &str| summaries[name].problems.join("\n");
        assert!(summaries["broken"].mistakes && problems("broken").contains("spec.match.namespaces[0]"));
        assert!(!summaries["doubtful"].mistakes && problems("doubtful").contains("system:authenticated"));
        for name in ["doubtful", "other"] {
            assert_eq!(problems(name).matches("nothing can be applied in team-000").count(), 1, "{}", problems(name));
            assert!(!problems(name).contains("team-001"), "once is enough: {}", problems(name));
        }
        assert_eq!(summaries["broken"].namespaces.len(), 3, "what cannot be read matches everywhere");
    }

    #[test]
    fn replicas_leave_that_are_silent_or_too_many() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(100);
        let replica = |name: &str, hours: i64| ReplicaStatus {
            name: name.to_owned(),
            observed_generation: None,
            observed_time: (now - SignedDuration::from_hours(hours)).to_string(),
        };
        let replicas = [replica("self", 9), replica("silent", 4), replica("other", 2)];
        assert_eq!(gone(&replicas, "self", now), ["silent"]);
        let crowd: Vec<_> = (0..20).map(|number| replica(&format!("replica-{number:02}"), 1)).collect();
        assert_eq!(gone(&crowd, "replica-00", now).len(), 4);
    }
}
