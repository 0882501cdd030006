//! The locks of a graph as a list of patterns, for showing and for comparing two templates.

use std::collections::BTreeMap;

use super::graph::Graph;
use super::{Lock, LockPath, MAX_LISTED, Segment};

/// Places looked at. Schemas that would need more are walked along with values all the same.
const MAX_PLACES: usize = 20_000;
/// Steps from the root. Deeper marks are enforced all the same.
const MAX_DEPTH: usize = 64;

/// Lists the locks, and says whether that is all of them. A recursive schema is followed once around.
pub(super) fn locks(graph: &Graph) -> (Vec<Lock>, bool) {
    let mut lister = Lister { graph, locks: Vec::new(), places: 0, path: Vec::new(), open: Vec::new(), all: true };
    let mut root = vec![graph.root];
    graph.close(&mut root);
    lister.visit(root);
    (lister.locks, lister.all)
}

struct Lister<'a> {
    graph: &'a Graph,
    locks: Vec<Lock>,
    places: usize,
    path: Vec<Segment>,
    /// State sets from the root to here.
    open: Vec<Vec<usize>>,
    all: bool,
}

impl Lister<'_> {
    fn visit(&mut self, states: Vec<usize>) {
        self.places += 1;
        if self.locks.len() >= MAX_LISTED || self.places > MAX_PLACES || self.path.len() > MAX_DEPTH {
            self.all = false;
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

/// States reached by a step of a pattern. Different patterns may match the same keys: only an equal one counts.
pub(super) fn step(graph: &Graph, states: &[usize], segment: &Segment) -> Vec<usize> {
    let mut next = BTreeMap::new();
    for state in states {
        edges(graph, *state, &mut next);
    }
    let mut states = next.remove(segment).unwrap_or_default();
    graph.close(&mut states);
    states
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
    if !state.sharing_global.is_empty() {
        for chart in &state.sharing_global {
            let mut inside = vec![*chart];
            graph.close(&mut inside);
            for target in graph.step_key(&inside, "global", true) {
                add(Segment::Name("global".to_owned()), target);
            }
        }
    }
}
