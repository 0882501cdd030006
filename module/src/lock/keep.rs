//! Whether a newer template still locks whatever an older one locks.

use std::collections::{BTreeSet, HashSet};

use super::graph::{GLOBAL, Graph, State};
use super::{Cursor, LockSet};

/// Pairs of places that are looked at.
const MAX_PLACES: usize = 20_000;
/// Regular expressions that two schemas may have for the keys of one mapping: a key may match any of them together.
const MAX_PATTERNS: usize = 6;

impl LockSet {
    /// Whether every place that `older` locks is locked here too, be it by a mark further up. Patterns of keys count as
    /// the same only if they are written alike. Schemas that cannot be compared within limits count as having lost
    /// locks.
    pub fn keeps_all_of(&self, older: &Self) -> bool {
        let mut seen = HashSet::new();
        let mut open = vec![(older.root(), self.root())];
        while let Some((older, newer)) = open.pop() {
            if older.is_exhausted() || newer.is_exhausted() {
                return false;
            }
            if newer.is_locked() || !older.leads_to_lock() {
                continue;
            }
            if older.is_locked() || seen.len() >= MAX_PLACES {
                return false;
            }
            if !seen.insert((older.states.clone(), newer.states.clone())) {
                continue;
            }
            let patterns: Vec<&str> = older.patterns().union(&newer.patterns()).copied().collect();
            if patterns.len() > MAX_PATTERNS {
                return false;
            }
            for name in older.names().union(&newer.names()) {
                open.push((older.key(name), newer.key(name)));
            }
            for subset in 0..1_usize << patterns.len() {
                let matched: Vec<&str> =
                    (0..patterns.len()).filter(|bit| subset >> bit & 1 == 1).map(|bit| patterns[bit]).collect();
                open.push((older.unnamed_key(&matched), newer.unnamed_key(&matched)));
            }
            // From the last position on that either of them names, all are alike.
            for index in 0..=older.named_positions().max(newer.named_positions()) {
                open.push((older.index(index), newer.index(index)));
            }
        }
        true
    }
}

impl<'a> Cursor<'a> {
    fn here(&self) -> impl Iterator<Item = &'a State> + '_ {
        let states = |(states, graph): (&'_ Vec<usize>, &'a std::sync::Arc<Graph>)| {
            states.iter().map(|state| &graph.states[*state]).collect::<Vec<_>>()
        };
        self.states.iter().zip(&self.set.graphs).flat_map(states)
    }

    /// Keys that the schemas here name.
    fn names(&self) -> BTreeSet<&'a str> {
        let global = |state: &State| (!state.sharing_global.is_empty()).then_some(GLOBAL);
        self.here()
            .flat_map(|state| {
                let charts = state.charts.iter().map(|(name, _)| name.as_str());
                state.names.keys().map(String::as_str).chain(charts).chain(global(state))
            })
            .collect()
    }

    fn patterns(&self) -> BTreeSet<&'a str> {
        self.here().flat_map(|state| state.patterns.iter().map(|(pattern, _, _)| pattern.as_str())).collect()
    }

    /// The position from which on the schemas here name none.
    fn named_positions(&self) -> usize {
        let last = |state: &State| {
            let named = state.positions.iter().map(|(position, _)| position + 1);
            named.chain(state.items.iter().map(|(from, _)| *from)).max()
        };
        self.here().filter_map(last).max().unwrap_or_default()
    }

    /// The place of a key that no schema names and that matches these patterns and no others.
    fn unnamed_key(&self, matched: &[&str]) -> Self {
        self.step(|graph, states| {
            let mut next = Vec::new();
            for state in states {
                let state = &graph.states[*state];
                let patterns = state.patterns.iter().filter(|(pattern, _, _)| matched.contains(&pattern.as_str()));
                let before = next.len();
                next.extend(patterns.map(|(_, _, target)| target));
                if next.len() == before {
                    next.extend(&state.other_names);
                }
                next.extend(state.any_name);
            }
            graph.close(&mut next);
            next
        })
    }
}
