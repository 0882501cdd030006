//! Helm charts: metadata, default values, templates, files and sub-charts, read from a list of files.

/// One file of a chart: its path from the chart's root, with `/`, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    /// Path relative to the chart's root, such as `templates/service.yaml`.
    pub name: String,
    /// The content.
    pub data: Vec<u8>,
}

/// A loaded chart with its sub-charts. `Send + Sync`: load once, render many times.
#[derive(Debug)]
pub struct Chart {}

/// Why the files are not a chart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChartError {
    /// There is no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    MissingChartYaml,
}

impl Chart {
    /// Reads a chart from its files (Helm: `pkg/chart/loader`).
    pub fn load(files: Vec<ChartFile>) -> Result<Self, ChartError> {
        let _ = files;
        Err(ChartError::MissingChartYaml)
    }
}
