//! JSON Schemas compiled to a graph: states are subschemas, edges are keys and positions of values.
//!
//! `$ref`, `allOf` and whatever else says more about the same value are edges without a step. A walk over values
//! holds all states that describe the value at hand, so that marks add up wherever they are.

use std::collections::{BTreeMap, BTreeSet};

use renderer::schema::Pattern;
use serde_json::Value;

use super::document::Document;
use super::{Lock, LockError};

/// What it takes to match a key with a regular expression, compared with looking at a state.
const PATTERN_WEIGHT: usize = 4;
/// Key of the values that every sub-chart shares.
pub(super) const GLOBAL: &str = "global";

/// The compiled schemas of a chart and its sub-charts.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) documents: Vec<Document>,
    pub(super) states: Vec<State>,
    pub(super) root: usize,
    /// The locks for showing.
    pub(super) locks: Vec<Lock>,
}

/// A subschema, or a chart without a schema.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Index of the document; none for the values of a chart as such.
    pub(super) document: Option<usize>,
    /// JSON Pointer in the document.
    pub(super) pointer: String,
    /// Whether the mark is here.
    pub(super) marked: bool,
    /// `writeOnly` or `format: password`.
    pub(super) secret: bool,
    /// A mark is here or can be reached from here.
    pub(super) leads_to_mark: bool,
    /// States about the same value.
    pub(super) same: Vec<usize>,
    /// `properties`.
    pub(super) names: BTreeMap<String, usize>,
    /// Sub-charts by alias or name.
    pub(super) charts: Vec<(String, usize)>,
    /// `patternProperties`. A pattern that cannot be compiled matches every key.
    pub(super) patterns: Vec<(String, Option<Pattern>, usize)>,
    /// `additionalProperties`, `unevaluatedProperties`.
    pub(super) other_names: Vec<usize>,
    /// `propertyNames`: a mark there is about every key.
    pub(super) any_name: Option<usize>,
    /// `prefixItems`, `items` as a list.
    pub(super) positions: Vec<(usize, usize)>,
    /// `items`, `additionalItems`, `contains`, `unevaluatedItems`: from which position on.
    pub(super) items: Vec<(usize, usize)>,
    /// Roots of sub-charts, which share the `global` of this state, a chart's.
    pub(super) sharing_global: Vec<usize>,
    /// What it takes to step from here, roughly.
    pub(super) weight: usize,
}

impl Graph {
    /// The subschema of a state.
    pub(super) fn schema(&self, state: usize) -> Option<&Value> {
        let state = &self.states[state];
        self.documents[state.document?].root.pointer(&state.pointer)
    }

    /// What a step from these states takes.
    pub(super) fn weight(&self, states: &[usize]) -> usize {
        states.iter().map(|state| self.states[*state].weight).sum()
    }

    /// Adds all states about the same value.
    pub(super) fn close(&self, states: &mut Vec<usize>) {
        let mut seen: BTreeSet<usize> = states.iter().copied().collect();
        let mut open: Vec<usize> = seen.iter().copied().collect();
        while let Some(state) = open.pop() {
            for next in &self.states[state].same {
                if seen.insert(*next) {
                    open.push(*next);
                }
            }
        }
        states.clear();
        states.extend(seen);
    }

    /// States that describe the value of a key. `named_only`: without those that describe keys that no schema names.
    pub(super) fn step_key(&self, states: &[usize], key: &str, named_only: bool) -> Vec<usize> {
        let mut next = Vec::new();
        for state in states {
            let state = &self.states[*state];
            next.extend(state.names.get(key));
            next.extend(state.charts.iter().filter(|(name, _)| name == key).map(|(_, target)| target));
            if key == GLOBAL {
                for chart in &state.sharing_global {
                    let mut inside = vec![*chart];
                    self.close(&mut inside);
                    next.extend(self.step_key(&inside, key, named_only));
                }
            }
            if named_only {
                continue;
            }
            let mut matched = false;
            for (_, pattern, target) in &state.patterns {
                match pattern {
                    Some(pattern) if !pattern.is_match(key) => continue,
                    Some(_) => matched = true,
                    None => {}
                }
                next.push(*target);
            }
            if !matched && !state.names.contains_key(key) {
                next.extend(&state.other_names);
            }
            next.extend(state.any_name);
        }
        self.close(&mut next);
        next
    }

    /// States that describe the value at a position. `named_only`: without those that describe positions that no schema
    /// names.
    pub(super) fn step_index(&self, states: &[usize], index: usize, named_only: bool) -> Vec<usize> {
        let mut next = Vec::new();
        for state in states {
            let state = &self.states[*state];
            next.extend(state.positions.iter().filter(|(position, _)| *position == index).map(|(_, target)| target));
            if named_only {
                continue;
            }
            next.extend(state.items.iter().filter(|(from, _)| *from <= index).map(|(_, target)| target));
        }
        self.close(&mut next);
        next
    }

    /// Errors if a subschema refers to itself for the same value.
    pub(super) fn refuse_endless_references(&self) -> Result<(), LockError> {
        /// Progress of a depth-first search.
        #[derive(Clone, Copy, PartialEq)]
        enum Visit {
            New,
            Open,
            Done,
        }
        let mut visits = vec![Visit::New; self.states.len()];
        for start in 0..self.states.len() {
            let mut stack = vec![(start, 0)];
            while let Some((state, position)) = stack.pop() {
                if position == 0 {
                    match visits[state] {
                        Visit::Done => continue,
                        _ => visits[state] = Visit::Open,
                    }
                }
                let Some(next) = self.states[state].same.get(position).copied() else {
                    visits[state] = Visit::Done;
                    continue;
                };
                stack.push((state, position + 1));
                match visits[next] {
                    Visit::New => stack.push((next, 0)),
                    Visit::Open => {
                        let state = &self.states[next];
                        let chart = state.document.map(|document| self.documents[document].chart.clone());
                        return Err(LockError::EndlessReference {
                            chart: chart.unwrap_or_default(),
                            pointer: shown(&state.pointer),
                        });
                    }
                    Visit::Done => {}
                }
            }
        }
        Ok(())
    }

    /// Notes from which states marks can be reached, and how much a step from each takes.
    pub(super) fn look_ahead(&mut self) {
        let mut sources: Vec<Vec<usize>> = vec![Vec::new(); self.states.len()];
        for (index, state) in self.states.iter_mut().enumerate() {
            let cheap = state.same.len() + state.items.len() + state.positions.len();
            state.weight = 1 + cheap + PATTERN_WEIGHT * state.patterns.len();
            for target in state.targets() {
                sources[target].push(index);
            }
        }
        let mut open: Vec<usize> = (0..self.states.len()).filter(|state| self.states[*state].marked).collect();
        while let Some(state) = open.pop() {
            if !self.states[state].leads_to_mark {
                self.states[state].leads_to_mark = true;
                open.extend(&sources[state]);
            }
        }
    }
}

impl State {
    fn targets(&self) -> impl Iterator<Item = usize> + '_ {
        self.same
            .iter()
            .chain(self.names.values())
            .chain(self.charts.iter().map(|(_, target)| target))
            .chain(self.patterns.iter().map(|(_, _, target)| target))
            .chain(&self.other_names)
            .chain(&self.any_name)
            .chain(self.positions.iter().map(|(_, target)| target))
            .chain(self.items.iter().map(|(_, target)| target))
            .chain(&self.sharing_global)
            .copied()
    }
}

/// A pointer as messages show it.
pub(super) fn shown(pointer: &str) -> String {
    if pointer.is_empty() { "/".to_owned() } else { pointer.to_owned() }
}
