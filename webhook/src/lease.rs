//! Which replica runs the controller.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    jiff::Timestamp,
};
use kube::{Api, Client, api::PostParams};
use tokio::time::Instant;

/// A replica that has not renewed for this long is taken for dead.
const DURATION: Duration = Duration::from_secs(15);

/// Renewals: several may fail before the Lease is lost.
const RENEWAL: Duration = Duration::from_secs(4);

/// The holder stops this long before others may take over, so that there are never two.
const SAFETY: Duration = Duration::from_secs(3);

/// A Lease in our namespace. Of several replicas one holds it.
pub struct Leadership {
    api: Api<Lease>,
    name: String,
    identity: String,
    observed: Observation,
}

/// The version of somebody else's Lease, and since when it has not changed. Their clocks are not trusted, only ours.
#[derive(Debug, Default)]
struct Observation(Option<(String, Instant)>);

impl Observation {
    /// Whether `identity` may take this Lease: it is its own, nobody's, or was not renewed for too long.
    fn may_take(&mut self, lease: &Lease, identity: &str, now: Instant) -> bool {
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default();
        if holder.is_empty() || holder == identity {
            return true;
        }
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        match &self.0 {
            Some((seen, since)) if *seen == version => now.duration_since(*since) >= DURATION,
            _ => {
                self.0 = Some((version, now));
                false
            }
        }
    }
}

impl Leadership {
    /// A Lease called `name`. `identity` names this replica; one that starts again with its old name keeps the Lease.
    pub fn new(client: Client, namespace: &str, name: &str, identity: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            identity: identity.to_owned(),
            observed: Observation::default(),
        }
    }

    /// Waits until this replica holds the Lease.
    pub async fn acquire(&mut self) {
        while !self.attempt().await.unwrap_or(false) {
            tokio::time::sleep(RENEWAL).await;
        }
    }

    /// Renews the Lease. Returns when it is lost, in time to stop before another replica begins.
    pub async fn hold(&mut self) {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(RENEWAL).await;
            let limit = renewed + DURATION.saturating_sub(SAFETY);
            let attempted = Instant::now();
            match tokio::time::timeout_at(limit, self.attempt()).await {
                Ok(Ok(true)) => renewed = attempted,
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot renew the Lease");
                    if Instant::now() >= limit {
                        return;
                    }
                }
            }
        }
    }

    /// Gives the Lease back, so that another replica need not wait until it expires.
    pub async fn release(&self) {
        let released: Result<(), kube::Error> = async {
            let Some(mut lease) = self.api.get_opt(&self.name).await? else { return Ok(()) };
            let Some(spec) = lease.spec.as_mut().filter(|spec| spec.holder_identity.as_deref() == Some(&self.identity))
            else {
                return Ok(());
            };
            spec.holder_identity = None;
            self.api.replace(&self.name, &PostParams::default(), &lease).await.map(drop)
        }
        .await;
        if let Err(error) = released {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot give the Lease back");
        }
    }

    /// Takes or renews the Lease if it is ours, free, or expired. Every write names the version that was read: of two
    /// replicas that try at once one fails.
    async fn attempt(&mut self) -> Result<bool, kube::Error> {
        let Some(lease) = self.api.get_opt(&self.name).await? else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
                spec: Some(self.spec(None)),
            };
            return won(self.api.create(&PostParams::default(), &lease).await);
        };
        if !self.observed.may_take(&lease, &self.identity, Instant::now()) {
            return Ok(false);
        }
        let next = Lease { spec: Some(self.spec(lease.spec.as_ref())), ..lease };
        won(self.api.replace(&self.name, &PostParams::default(), &next).await)
    }

    fn spec(&self, previous: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let ours = previous.filter(|spec| spec.holder_identity.as_deref() == Some(&self.identity));
        let transitions = previous.and_then(|spec| spec.lease_transitions).unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: ours.and_then(|spec| spec.acquire_time.clone()).or_else(|| Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(if ours.is_some() || previous.is_none() { transitions } else { transitions + 1 }),
            ..LeaseSpec::default()
        }
    }
}

fn won(result: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match result {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(holder: Option<&str>, version: &str) -> Lease {
        Lease {
            metadata: ObjectMeta { resource_version: Some(version.to_owned()), ..ObjectMeta::default() },
            spec: Some(LeaseSpec { holder_identity: holder.map(str::to_owned), ..LeaseSpec::default() }),
        }
    }

    #[test]
    fn ours_and_nobodys_lease_are_taken_at_once() {
        let now = Instant::now();
        for holder in [None, Some(""), Some("me")] {
            assert!(Observation::default().may_take(&lease(holder, "1"), "me", now), "{holder:?}");
        }
    }

    #[test]
    fn anothers_lease_is_taken_only_when_it_was_not_renewed_while_we_watched() {
        let start = Instant::now();
        let mut observed = Observation::default();
        assert!(!observed.may_take(&lease(Some("other"), "1"), "me", start));
        assert!(!observed.may_take(&lease(Some("other"), "1"), "me", start + DURATION / 2));
        assert!(!observed.may_take(&lease(Some("other"), "2"), "me", start + DURATION));
        assert!(!observed.may_take(&lease(Some("other"), "2"), "me", start + DURATION + DURATION / 2));
        assert!(observed.may_take(&lease(Some("other"), "2"), "me", start + DURATION * 2));
    }
}
