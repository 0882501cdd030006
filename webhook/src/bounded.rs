//! A map with room for so much. What was not used for longest goes first.

use std::{collections::HashMap, hash::Hash};

use prometheus_client::metrics::counter::Counter;

/// The map.
pub(crate) struct BoundedMap<K, V> {
    entries: HashMap<K, Entry<V>>,
    clock: u64,
    weight: usize,
    capacity: usize,
    most_weight: usize,
    evictions: Counter,
}

struct Entry<V> {
    value: V,
    used: u64,
    weight: usize,
}

impl<K: Clone + Eq + Hash, V> BoundedMap<K, V> {
    /// An empty map of at most `capacity` entries that weigh at most `most_weight` together. What is dropped because there
    /// is no more room counts as an eviction.
    pub(crate) fn new(capacity: usize, most_weight: usize, evictions: Counter) -> Self {
        Self { entries: HashMap::new(), clock: 0, weight: 0, capacity, most_weight, evictions }
    }

    /// Uses a value, if there is one that will do.
    pub(crate) fn get(&mut self, key: &K, will_do: impl FnOnce(&V) -> bool) -> Option<&V> {
        let entry = self.entries.get_mut(key).filter(|entry| will_do(&entry.value))?;
        self.clock += 1;
        entry.used = self.clock;
        Some(&entry.value)
    }

    /// Keeps a value in the place of an older one. It stays, whatever it weighs.
    pub(crate) fn insert(&mut self, key: &K, value: V, weight: usize) {
        self.clock += 1;
        self.remove_if(key, |_| true);
        self.weight += weight;
        self.entries.insert(key.clone(), Entry { value, used: self.clock, weight });
        self.evict(key);
    }

    /// Says what a value weighs, which is only known now, if it is still this one. It stays, whatever that is.
    pub(crate) fn weigh(&mut self, key: &K, weight: usize, is_it: impl FnOnce(&V) -> bool) {
        if let Some(entry) = self.entries.get_mut(key).filter(|entry| is_it(&entry.value)) {
            self.weight = self.weight - entry.weight + weight;
            entry.weight = weight;
            self.evict(key);
        }
    }

    /// Drops a value, if it is one of these.
    pub(crate) fn remove_if(&mut self, key: &K, is_one: impl FnOnce(&V) -> bool) {
        if self.entries.get(key).is_some_and(|entry| is_one(&entry.value)) {
            self.weight -= self.entries.remove(key).map_or(0, |entry| entry.weight);
        }
    }

    fn evict(&mut self, keep: &K) {
        while self.entries.len() > 1 && (self.entries.len() > self.capacity || self.weight > self.most_weight) {
            let oldest = self.entries.iter().filter(|(key, _)| *key != keep).min_by_key(|(_, entry)| entry.used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
            self.remove_if(&oldest, |_| true);
            self.evictions.inc();
        }
    }

    /// What is kept.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.entries.keys()
    }

    /// What all of it weighs.
    #[cfg(test)]
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }
}
