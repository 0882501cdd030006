//! A template as verdicts need it: the chart, its locks and its digest. Made once, used by many requests.

use renderer::Chart;

use crate::lock::{LockError, LockSet};

/// A resolved template.
#[derive(Debug)]
pub struct Template {
    chart: Chart,
    locks: LockSet,
    digest: String,
}

impl Template {
    /// Reads the locks of a chart. `digest` names the content, such as a commit. Errors if the chart's schemas cannot
    /// be read: nobody can say then what is locked.
    pub fn new(chart: Chart, digest: impl Into<String>) -> Result<Self, LockError> {
        let locks = LockSet::from_chart(&chart)?;
        Ok(Self { chart, locks, digest: digest.into() })
    }

    /// The chart.
    pub fn chart(&self) -> &Chart {
        &self.chart
    }

    /// Its locks.
    pub fn locks(&self) -> &LockSet {
        &self.locks
    }

    /// What names its content.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}
