//! Expansions that were made before. The stored Module of an update is mostly what an earlier write wrote, a preview
//! comes before its change, and the API server may ask twice about one write: each would render the same chart with the
//! same values again, which is most of the work of an admission.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use module::{
    Template,
    expansion::Expansion,
    policy::{EffectivePolicy, ModulePolicySpec, NamedPolicy},
    verdict::Refusal,
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{bounded::BoundedMap, kinds::KindTable, metrics::CacheCounters};

/// Expansions kept.
const CAPACITY: usize = 1_024;

/// Bytes of kept expansions, as JSON; in memory they take a few times as much.
const BYTES: usize = 6 << 20;

/// What an expansion depends on, but for the cluster's kinds: equal keys, equal expansions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// The key for a Module: its name, namespaces and values, its template and its revision, and the policies that
    /// confine it. Nothing, if they cannot be written down.
    pub(crate) fn new(module: &Value, template: &Template, policy: &EffectivePolicy, revision: i64) -> Option<Self> {
        #[derive(Serialize)]
        struct Inputs<'a> {
            name: Option<&'a Value>,
            namespace: Option<&'a Value>,
            spec: Option<&'a Value>,
            // A digest names content together with the repository and the path, which are part of the spec.
            digest: &'a str,
            revision: i64,
            policies: Vec<&'a ModulePolicySpec>,
        }
        let inputs = Inputs {
            name: module.pointer("/metadata/name"),
            namespace: module.pointer("/metadata/namespace"),
            spec: module.get("spec"),
            digest: template.digest(),
            revision,
            policies: policy.policies().map(NamedPolicy::spec).collect(),
        };
        let text = serde_json::to_vec(&inputs).ok()?;
        Some(Self(Sha256::digest(text).into()))
    }
}

/// The kept expansions.
pub struct ExpansionCache {
    kept: Mutex<BoundedMap<Key, Made>>,
    counters: CacheCounters,
}

struct Made {
    kinds: Arc<KindTable>,
    expansion: Arc<Expansion>,
}

impl ExpansionCache {
    /// An empty cache.
    pub fn new(counters: CacheCounters) -> Self {
        Self { kept: Mutex::new(BoundedMap::new(CAPACITY, BYTES, counters.evictions.clone())), counters }
    }

    /// The expansion of this key with these kinds, made if there is none. Failures are not kept.
    pub(crate) fn get(
        &self,
        key: Option<Key>,
        kinds: &Arc<KindTable>,
        make: impl FnOnce() -> Result<Expansion, Refusal>,
    ) -> Result<Arc<Expansion>, Refusal> {
        if let Some(known) = key.and_then(|key| self.known(key, kinds)) {
            self.counters.hits.inc();
            return Ok(known);
        }
        self.counters.misses.inc();
        let expansion = Arc::new(make()?);
        if let Some(key) = key {
            self.keep(key, Arc::clone(kinds), Arc::clone(&expansion));
        }
        Ok(expansion)
    }

    fn known(&self, key: Key, kinds: &Arc<KindTable>) -> Option<Arc<Expansion>> {
        self.lock().get(&key, |made| Arc::ptr_eq(&made.kinds, kinds)).map(|made| Arc::clone(&made.expansion))
    }

    fn keep(&self, key: Key, kinds: Arc<KindTable>, expansion: Arc<Expansion>) {
        let bytes = expansion.bytes;
        if bytes <= BYTES {
            self.lock().insert(&key, Made { kinds, expansion }, bytes);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BoundedMap<Key, Made>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Option<Key> {
        Some(Key([number; 32]))
    }

    fn expansion(bytes: usize) -> Result<Expansion, Refusal> {
        Ok(Expansion { bytes, ..Expansion::default() })
    }

    #[test]
    fn an_expansion_is_made_once_for_each_table_of_kinds() {
        let cache = ExpansionCache::new(CacheCounters::default());
        let kinds = Arc::new(KindTable::default());
        assert_eq!(cache.get(key(1), &kinds, || expansion(1)).unwrap().bytes, 1);
        assert_eq!(cache.get(key(1), &kinds, || expansion(2)).unwrap().bytes, 1);
        let others = Arc::new(KindTable::default());
        assert_eq!(cache.get(key(1), &others, || expansion(3)).unwrap().bytes, 3);
        assert_eq!(cache.get(None, &kinds, || expansion(4)).unwrap().bytes, 4);
        assert_eq!(cache.lock().weight(), 3);
    }

    #[test]
    fn failures_are_not_kept() {
        let cache = ExpansionCache::new(CacheCounters::default());
        let kinds = Arc::new(KindTable::default());
        let refused = cache.get(key(1), &kinds, || Err(Refusal::invalid("spec", "no")));
        assert!(refused.is_err());
        assert_eq!(cache.get(key(1), &kinds, || expansion(2)).unwrap().bytes, 2);
    }

    #[test]
    fn what_was_used_last_stays_when_there_is_no_room() {
        let cache = ExpansionCache::new(CacheCounters::default());
        let kinds = Arc::new(KindTable::default());
        let third = BYTES / 3;
        for number in 1..=3 {
            cache.get(key(number), &kinds, || expansion(third)).unwrap();
        }
        cache.get(key(1), &kinds, || expansion(0)).unwrap();
        cache.get(key(4), &kinds, || expansion(third)).unwrap();
        cache.get(key(5), &kinds, || expansion(BYTES + 1)).unwrap();
        let kept = cache.lock();
        let mut numbers: Vec<_> = kept.keys().map(|key| key.0[0]).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 3, 4]);
        assert_eq!(kept.weight(), 3 * third);
    }
}
