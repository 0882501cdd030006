//! May somebody do something? Asked of the API server.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use k8s_openapi::api::{
    authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, Client, api::PostParams};
use module::{Requester, policy::ServiceAccountReference};
use tokio::time::Instant;

use crate::metrics::CacheCounters;

/// How long an answer is believed. Rights that are taken away count after at most this long.
const LIFETIME: Duration = Duration::from_secs(10);

/// Answers remembered.
const CAPACITY: usize = 16_384;

/// A right: a verb on a resource in a namespace, or everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    /// Such as `create`, `patch`, `delete`, `bind`.
    pub verb: String,
    /// API group, empty for the core group.
    pub group: String,
    /// Plural name, with a subresource as in a rule of RBAC: `serviceaccounts/token`.
    pub resource: String,
    /// Namespace; none for the whole cluster.
    pub namespace: Option<String>,
    /// Name of the one object; none for all of them.
    pub name: Option<String>,
}

/// Somebody who knows who may do what.
pub trait AccessReviewer: Send + Sync + 'static {
    /// Whether `identity` holds `permission`.
    fn review<'a>(
        &'a self,
        identity: &'a Requester,
        permission: &'a Permission,
    ) -> BoxFuture<'a, Result<bool, kube::Error>>;

    /// Whether there is such a service account.
    fn exists<'a>(&'a self, account: &'a ServiceAccountReference) -> BoxFuture<'a, Result<bool, kube::Error>>;
}

/// Asks the API server by `SubjectAccessReview`.
pub struct ClusterAccess {
    client: Client,
    api: Api<SubjectAccessReview>,
    known: Mutex<HashMap<(Requester, Permission), (bool, Instant)>>,
    counters: CacheCounters,
}

impl ClusterAccess {
    /// Asks with this client.
    pub fn new(client: Client, counters: CacheCounters) -> Self {
        Self { api: Api::all(client.clone()), client, known: Mutex::new(HashMap::new()), counters }
    }

    async fn ask(&self, identity: &Requester, permission: &Permission) -> Result<bool, kube::Error> {
        let (resource, subresource) = match permission.resource.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
            None => (permission.resource.as_str(), None),
        };
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(identity.username.clone()),
                uid: (!identity.uid.is_empty()).then(|| identity.uid.clone()),
                groups: Some(identity.groups.iter().cloned().collect()),
                extra: (!identity.extra.is_empty()).then(|| identity.extra.clone()),
                resource_attributes: Some(ResourceAttributes {
                    verb: Some(permission.verb.clone()),
                    group: Some(permission.group.clone()),
                    resource: Some(resource.to_owned()),
                    subresource,
                    namespace: permission.namespace.clone(),
                    name: permission.name.clone(),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let answer = self.api.create(&PostParams::default(), &review).await?;
        Ok(answer.status.is_some_and(|status| status.allowed && status.denied != Some(true)))
    }
}

impl AccessReviewer for ClusterAccess {
    fn review<'a>(
        &'a self,
        identity: &'a Requester,
        permission: &'a Permission,
    ) -> BoxFuture<'a, Result<bool, kube::Error>> {
        Box::pin(async move {
            let key = (identity.clone(), permission.clone());
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
            if let Some((allowed, asked)) = known
                && asked.elapsed() < LIFETIME
            {
                self.counters.hits.inc();
                return Ok(allowed);
            }
            self.counters.misses.inc();
            let asked = Instant::now();
            let allowed = self.ask(identity, permission).await?;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= CAPACITY {
                known.retain(|_, (_, asked)| asked.elapsed() < LIFETIME);
                if known.len() >= CAPACITY {
                    self.counters.evictions.inc_by(known.len() as u64);
                    known.clear();
                }
            }
            known.insert(key, (allowed, asked));
            Ok(allowed)
        })
    }

    fn exists<'a>(&'a self, account: &'a ServiceAccountReference) -> BoxFuture<'a, Result<bool, kube::Error>> {
        Box::pin(async move {
            let api: Api<ServiceAccount> = Api::namespaced(self.client.clone(), &account.namespace);
            Ok(api.get_metadata_opt(&account.name).await?.is_some())
        })
    }
}

/// A service account as the API server sees it.
pub fn service_account(namespace: &str, name: &str) -> Requester {
    let mut requester = Requester::named(Requester::service_account_username(namespace, name));
    requester.groups.extend([
        "system:authenticated".to_owned(),
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
    ]);
    requester
}
