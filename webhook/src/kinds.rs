//! The kinds of the cluster: their plural names and scopes, and what templates see as `.Capabilities`.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use kube::{
    Client,
    core::ApiResource,
    discovery::{ApiCapabilities, Discovery, Scope as DiscoveredScope},
};
use module::{
    api::GroupVersionResource,
    expansion::{Scope, Scopes},
};
use tokio::{sync::Mutex, time::Instant};

/// An unknown kind makes the kinds be read again, at most this often: a Module that names a kind which does not exist
/// must not turn every write into a discovery.
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);

/// A kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// Group, version, kind and plural.
    pub resource: ApiResource,
    /// Whether its objects live in a namespace.
    pub scope: Scope,
}

/// All kinds at one moment.
#[derive(Debug, Default)]
pub struct KindTable {
    kinds: HashMap<(String, String), Kind>,
    /// The cluster's version, such as `v1.33.1`.
    pub kube_version: Option<String>,
    /// `apps/v1` and `apps/v1/Deployment`, as Helm lists them.
    pub api_versions: Arc<[String]>,
}

/// The current table.
pub struct Kinds {
    client: Option<Client>,
    table: RwLock<Arc<KindTable>>,
    refreshed: Mutex<Option<Instant>>,
}

impl KindTable {
    /// A table of these kinds.
    pub fn new(kinds: impl IntoIterator<Item = Kind>, kube_version: Option<String>) -> Self {
        let mut table = Self { kube_version, ..Self::default() };
        let mut api_versions = BTreeSet::new();
        for kind in kinds {
            let ApiResource { api_version, kind: name, .. } = &kind.resource;
            api_versions.insert(api_version.clone());
            api_versions.insert(format!("{api_version}/{name}"));
            table.kinds.insert((api_version.clone(), name.clone()), kind);
        }
        table.api_versions = api_versions.into_iter().collect();
        table
    }

    /// A kind by `apiVersion` and name.
    pub fn get(&self, api_version: &str, kind: &str) -> Option<&Kind> {
        self.kinds.get(&(api_version.to_owned(), kind.to_owned()))
    }

    /// A kind by the plural name of its resource.
    pub fn by_resource(&self, wanted: &GroupVersionResource) -> Option<&Kind> {
        self.kinds.values().find(|kind| {
            let ApiResource { group, version, plural, .. } = &kind.resource;
            (group, version, plural) == (&wanted.group, &wanted.version, &wanted.resource)
        })
    }
}

impl Scopes for KindTable {
    fn scope(&self, api_version: &str, kind: &str) -> Option<Scope> {
        self.get(api_version, kind).map(|kind| kind.scope)
    }
}

impl Kinds {
    /// Kinds that never change.
    pub fn fixed(table: KindTable) -> Self {
        Self { client: None, table: RwLock::new(Arc::new(table)), refreshed: Mutex::new(None) }
    }

    /// Reads the kinds of a cluster.
    pub async fn discover(client: Client) -> Result<Self, kube::Error> {
        let table = discover(client.clone()).await?;
        Ok(Self {
            client: Some(client),
            table: RwLock::new(Arc::new(table)),
            refreshed: Mutex::new(Some(Instant::now())),
        })
    }

    /// The kinds as far as they are known.
    pub fn current(&self) -> Arc<KindTable> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the kinds again because one was missing, unless that was done a moment ago. Returns whether it was done.
    pub async fn refresh(&self) -> bool {
        let Some(client) = &self.client else { return false };
        let mut refreshed = self.refreshed.lock().await;
        if refreshed.is_some_and(|last| last.elapsed() < REFRESH_INTERVAL) {
            return false;
        }
        *refreshed = Some(Instant::now());
        match discover(client.clone()).await {
            Ok(table) => {
                *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
                true
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot read the cluster's kinds");
                false
            }
        }
    }
}

async fn discover(client: Client) -> Result<KindTable, kube::Error> {
    let version = client.apiserver_version().await?;
    let discovery = Discovery::new(client).run_aggregated().await?;
    let mut kinds = Vec::new();
    for group in discovery.groups() {
        for version in group.versions() {
            kinds.extend(group.versioned_resources(version).into_iter().map(kind));
        }
    }
    Ok(KindTable::new(kinds, Some(version.git_version)))
}

fn kind((resource, capabilities): (ApiResource, ApiCapabilities)) -> Kind {
    let scope = match capabilities.scope {
        DiscoveredScope::Namespaced => Scope::Namespaced,
        DiscoveredScope::Cluster => Scope::Cluster,
    };
    Kind { resource, scope }
}
