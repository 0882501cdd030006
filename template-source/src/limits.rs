//! What fetching one chart may cost.

use std::time::Duration;

/// Upper bounds for fetching and reading one chart.
#[derive(Clone, Copy, Debug)]
pub struct SourceLimits {
    /// Files in one chart, its sub-charts included.
    pub files: usize,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files of one chart.
    pub chart_bytes: u64,
    /// Bytes that a git server may send for one commit.
    pub transfer_bytes: u64,
    /// Time for one conversation with a server.
    pub timeout: Duration,
}

/// kube-prometheus-stack, the largest chart tried, has about 300 files with its sub-charts.
const MAX_FILES: usize = 5_000;
/// Helm's own limit for a file of a chart (`pkg/chart/loader/archive`).
const MAX_FILE_BYTES: u64 = 5 << 20;
/// Helm's own limit for a whole chart.
const MAX_CHART_BYTES: u64 = 100 << 20;
/// A repository with hundreds of charts is about 50 MB without its history.
const MAX_TRANSFER_BYTES: u64 = 256 << 20;
/// Long enough for such a repository over a slow line; admission has its own, shorter deadline.
const TIMEOUT: Duration = Duration::from_mins(1);

impl Default for SourceLimits {
    fn default() -> Self {
        Self {
            files: MAX_FILES,
            file_bytes: MAX_FILE_BYTES,
            chart_bytes: MAX_CHART_BYTES,
            transfer_bytes: MAX_TRANSFER_BYTES,
            timeout: TIMEOUT,
        }
    }
}
