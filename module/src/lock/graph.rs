//! JSON Schemas compiled to a graph: states are subschemas, edges are keys and positions.

use super::Lock;

/// Limits on the schemas of one template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Subschemas of all charts together.
    pub states: usize,
}

/// Why the locks of a template cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file is no JSON.
    #[error("values.schema.json of the chart {chart} is not valid JSON: {problem}")]
    Json {
        /// The chart.
        chart: String,
        /// What the reader says.
        problem: String,
    },
}

/// The compiled schemas of a chart and its sub-charts.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) locks: Vec<Lock>,
}
