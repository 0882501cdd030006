//! The locks of a graph as a list of patterns, for showing.

use std::collections::BTreeMap;

use super::graph::{GLOBAL, Graph};
use super::{Lock, LockPath, MAX_LISTED, Segment};

/// How much is looked at. Schemas that would need more are walked along with values all the same.
const MAX_WORK: usize = 1_000_000;
/// Steps from the root. Deeper marks are enforced all the same.
const MAX_DEPTH: usize = 64;

/// Lists the locks within limits. A recursive schema is followed once around.
pub(super) fn locks(graph: &Graph) -> Vec<Lock> {
    let mut lister = Lister { graph, locks: Vec::new(), work: 0, path: Vec::new(), open: Vec::new() };
    let mut root = vec![graph.root];
    graph.close(&mut root);
    lister.visit(root);
    lister.locks
}

struct Lister<'a> {
    graph: &'a Graph,
    locks: Vec<Lock>,
    work: usize,
    path: Vec<Segment>,
    /// State sets from the root to here.
    open: Vec<Vec<usize>>,
}

impl Lister<'_> {
    fn visit(&mut self, states: Vec<usize>) {
        self.work += 1 + self.graph.weight(&states);
        if self.locks.len() >= MAX_LISTED || self.work > MAX_WORK || self.path.len() > MAX_DEPTH {
            return;
        }
        if let Some(marked) = states.iter().find(|state| self.graph.states[**state].marked) {
            self.add(*marked, &states);
            return;
        }
        if self.open.contains(&states) {
            return;
        }
        let mut next: BTreeMap<Segment, Vec<usize>> = BTreeMap::new();
        for state in &states {
            edges(self.graph, *state, &mut next);
        }
        self.open.push(states);
        for (segment, mut states) in next {
            states.retain(|state| self.graph.states[*state].leads_to_mark);
            if states.is_empty() {
                continue;
            }
            self.graph.close(&mut states);
            self.path.push(segment);
            self.visit(states);
            self.path.pop();
        }
        self.open.pop();
    }

    fn add(&mut self, marked: usize, states: &[usize]) {
        let text = |name: &str| {
            let described = |state: &usize| Some(self.graph.schema(*state)?.get(name)?.as_str()?.to_owned());
            std::iter::once(&marked).chain(states).find_map(described)
        };
        let state = &self.graph.states[marked];
        self.locks.push(Lock {
            path: LockPath(self.path.clone()),
            title: text("title"),
            description: text("description"),
            chart: state.document.map(|document| self.graph.documents[document].chart.clone()).unwrap_or_default(),
            pointer: state.pointer.clone(),
            secret: states.iter().any(|state| self.graph.states[*state].secret),
        });
    }
}

/// The steps from a state, by what they look like.
fn edges(graph: &Graph, state: usize, next: &mut BTreeMap<Segment, Vec<usize>>) {
    let mut add = |segment: Segment, target: usize| next.entry(segment).or_default().push(target);
    let state = &graph.states[state];
    for (name, target) in &state.names {
        add(Segment::Name(name.clone()), *target);
    }
    for (name, target) in &state.charts {
        add(Segment::Name(name.clone()), *target);
    }
    for (pattern, _, target) in &state.patterns {
        add(Segment::Pattern(pattern.clone()), *target);
    }
    for target in state.other_names.iter().chain(&state.any_name) {
        add(Segment::AnyName, *target);
    }
    for (index, target) in &state.positions {
        add(Segment::Index(*index), *target);
    }
    for (_, target) in &state.items {
        add(Segment::AnyItem, *target);
    }
    for chart in &state.sharing_global {
        let mut inside = vec![*chart];
        graph.close(&mut inside);
        for target in graph.step_key(&inside, GLOBAL, true) {
            add(Segment::Name(GLOBAL.to_owned()), target);
        }
    }
}
