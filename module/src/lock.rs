//! Which values are locked: what `"immutable": true` in `values.schema.json` says, for a chart and its sub-charts.
//!
//! A value is locked if any subschema that could describe it is marked, whichever branch of an `anyOf` or `if`
//! validates: the writer chooses the branch. A mark covers everything below it. The schemas are compiled to a graph
//! that is walked along with the values, so that recursive schemas need no limit on depth.

mod compile;
mod document;
mod error;
mod graph;
mod keep;
mod list;
mod mask;
mod misplaced;
mod path;
mod redact;

pub use error::LockError;
pub use mask::HIDDEN;
pub use path::{LockPath, Segment};
pub use redact::Redaction;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use renderer::Chart;
use serde_json::Value;

use crate::path::{Token, ValuePath};

use graph::Graph;

/// How many locks of a template are listed. More are enforced all the same.
pub const MAX_LISTED: usize = 1_000;

/// Charts of a template, sub-charts counted as often as they have a name: a chart that names each of its sub-charts twice
/// doubles them at every level.
const MAX_CHARTS: usize = 1_000;

/// How much a walk over values may take, in states of the graph that are looked at. Values of the largest size that a
/// cluster stores, described by some subschemas each, take a tenth of it.
const MAX_WORK: usize = 10_000_000;

/// A mark in a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The values that it locks, relative to the root of the values.
    pub path: LockPath,
    /// `title` beside the mark.
    pub title: Option<String>,
    /// `description` beside the mark.
    pub description: Option<String>,
    /// The chart whose schema holds the mark: names from the root chart on, joined by `/`.
    pub chart: String,
    /// JSON Pointer of the mark's schema in that chart's `values.schema.json`.
    pub pointer: String,
    /// Whether the value must not be shown: `writeOnly` or `format: password`.
    pub secret: bool,
}

/// The locks of one template, or of an old and a new template together.
#[derive(Clone, Debug, Default)]
pub struct LockSet {
    graphs: Vec<Arc<Graph>>,
}

/// The schema of one chart of a tree of charts.
#[derive(Clone, Debug)]
pub struct ChartSchema<'a> {
    /// The keys that its values are under in those of the root chart: alias or name of each dependency on the way; empty
    /// for the root chart.
    pub path: Vec<String>,
    /// Name of the chart as messages give it: names from the root chart on, joined by `/`.
    pub name: String,
    /// Content of `values.schema.json`; none if the chart has no such file.
    pub schema: Option<&'a [u8]>,
}

/// A place in the values while walking them. A walk that takes too much ends in places that are locked and secret.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    set: &'a LockSet,
    /// For each graph the states that describe the value here.
    states: Vec<Vec<usize>>,
    /// The mark that covers this place: graph and state.
    mark: Option<(usize, usize)>,
    secret: bool,
    /// What a step from here takes.
    weight: usize,
    /// What the walk may still take.
    work: Rc<Cell<usize>>,
}

/// Where a mark is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    /// The chart: names from the root chart on, joined by `/`.
    pub chart: &'a str,
    /// JSON Pointer of the marked subschema in that chart's `values.schema.json`.
    pub pointer: &'a str,
}

impl LockSet {
    /// Reads the locks of a chart and its sub-charts.
    pub fn from_chart(chart: &Chart) -> Result<Self, LockError> {
        let mut schemas = Vec::new();
        collect_schemas(chart, Vec::new(), chart.name().to_owned(), &mut schemas)?;
        Self::from_schemas(&schemas)
    }

    /// Reads the locks that the schemas of a chart and its sub-charts declare.
    pub fn from_schemas(schemas: &[ChartSchema<'_>]) -> Result<Self, LockError> {
        Ok(Self { graphs: vec![Arc::new(compile::compile(schemas)?)] })
    }

    /// Whether nothing is locked.
    pub fn is_empty(&self) -> bool {
        !self.graphs.iter().any(|graph| graph.states[graph.root].leads_to_mark)
    }

    /// The locks, for showing: at most [`MAX_LISTED`] of each template.
    pub fn locks(&self) -> impl Iterator<Item = &Lock> {
        self.graphs.iter().flat_map(|graph| &graph.locks)
    }

    /// The locks of both: what counts while a Module moves from one template to the other.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        for graph in &other.graphs {
            if !union.graphs.iter().any(|known| Arc::ptr_eq(known, graph)) {
                union.graphs.push(Arc::clone(graph));
            }
        }
        union
    }

    /// The root of the values.
    pub fn root(&self) -> Cursor<'_> {
        let states = self.graphs.iter().map(|graph| {
            let mut states = vec![graph.root];
            graph.close(&mut states);
            states
        });
        let work = Rc::new(Cell::new(MAX_WORK));
        Cursor { set: self, states: Vec::new(), mark: None, secret: false, weight: 0, work }.at(states.collect())
    }

    /// The place of a path.
    pub fn at(&self, path: &ValuePath) -> Cursor<'_> {
        self.root().path(path)
    }
}

impl<'a> Cursor<'a> {
    /// The place of a path from here on.
    #[must_use]
    pub fn path(&self, path: &ValuePath) -> Self {
        path.tokens().iter().fold(self.clone(), |cursor, token| match token {
            Token::Key(key) => cursor.key(key),
            Token::Index(index) => cursor.index(*index),
        })
    }

    /// The place of a key of the mapping here.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(|graph, states| graph.step_key(states, key, false))
    }

    /// The place of a key of the mapping here as far as a schema names this very key: what `patternProperties` and
    /// `additionalProperties` say about keys is left out.
    #[must_use]
    pub fn named_key(&self, key: &str) -> Self {
        self.step(|graph, states| graph.step_key(states, key, true))
    }

    /// The place of a position of the list here.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(|graph, states| graph.step_index(states, index, false))
    }

    /// The place of a position of the list here as far as a schema names this very position: what `items` and the like
    /// say about all positions is left out.
    #[must_use]
    pub fn named_index(&self, index: usize) -> Self {
        self.step(|graph, states| graph.step_index(states, index, true))
    }

    /// Whether a schema names this very key of the mapping here.
    pub fn names_key(&self, key: &str) -> bool {
        self.named_key(key).is_described()
    }

    /// Whether a schema names this very position of the list here.
    pub fn names_index(&self, index: usize) -> bool {
        self.named_index(index).is_described()
    }

    /// A sub-chart without a schema names nothing.
    fn is_described(&self) -> bool {
        self.any(|graph, state| graph.states[state].document.is_some())
    }

    /// Whether a mark here or further up locks the value.
    pub fn is_locked(&self) -> bool {
        self.mark.is_some() || self.is_exhausted()
    }

    /// Whether the walk has taken too much, so that nothing can be told of this place.
    pub fn is_exhausted(&self) -> bool {
        self.work.get() == 0
    }

    /// The mark that locks the value.
    pub fn mark(&self) -> Option<Mark<'a>> {
        let (graph, state) = self.mark?;
        let graph = &self.set.graphs[graph];
        let state = &graph.states[state];
        Some(Mark { chart: &graph.documents[state.document?].chart, pointer: &state.pointer })
    }

    /// Whether there may be locks here or further down.
    pub fn leads_to_lock(&self) -> bool {
        self.is_locked() || self.any(|graph, state| graph.states[state].leads_to_mark)
    }

    /// Whether the value here must not be shown: it, or something it is part of, is `writeOnly` or a password.
    pub fn is_secret(&self) -> bool {
        self.secret || self.is_exhausted()
    }

    /// The subschemas that describe the value here, those of all branches.
    pub fn schemas(&self) -> impl Iterator<Item = &'a Value> + '_ {
        self.states
            .iter()
            .zip(&self.set.graphs)
            .flat_map(|(states, graph)| states.iter().filter_map(|state| graph.schema(*state)))
    }

    fn step(&self, next: impl Fn(&Graph, &[usize]) -> Vec<usize>) -> Self {
        self.work.set(self.work.get().saturating_sub(self.weight));
        let graphs = self.states.iter().zip(&self.set.graphs);
        let states =
            if self.is_exhausted() { Vec::new() } else { graphs.map(|(states, graph)| next(graph, states)).collect() };
        self.at(states)
    }

    fn at(&self, states: Vec<Vec<usize>>) -> Self {
        let graphs = states.iter().zip(&self.set.graphs);
        let weight = 1 + graphs.map(|(states, graph)| graph.weight(states)).sum::<usize>();
        let work = Rc::clone(&self.work);
        let mut cursor = Self { set: self.set, states, mark: self.mark, secret: self.secret, weight, work };
        cursor.secret |= cursor.any(|graph, state| graph.states[state].secret);
        if cursor.mark.is_none() {
            cursor.mark = cursor.states.iter().enumerate().find_map(|(graph, states)| {
                let marked = states.iter().find(|state| self.set.graphs[graph].states[**state].marked)?;
                Some((graph, *marked))
            });
        }
        cursor
    }

    fn any(&self, holds: impl Fn(&Graph, usize) -> bool) -> bool {
        self.states.iter().zip(&self.set.graphs).any(|(states, graph)| states.iter().any(|state| holds(graph, *state)))
    }
}

/// The schemas of a chart and, under every name they are configured by, of its sub-charts.
fn collect_schemas<'a>(
    chart: &'a Chart,
    path: Vec<String>,
    name: String,
    schemas: &mut Vec<ChartSchema<'a>>,
) -> Result<(), LockError> {
    for (key, sub_chart) in chart.dependency_names() {
        let mut path = path.clone();
        path.push(key.to_owned());
        collect_schemas(sub_chart, path, format!("{name}/{key}"), schemas)?;
    }
    if schemas.len() >= MAX_CHARTS {
        return Err(LockError::TooLarge { limit: MAX_CHARTS, what: "charts" });
    }
    schemas.push(ChartSchema { path, name, schema: chart.schema() });
    Ok(())
}

#[cfg(test)]
mod tests;
