//! Why files are not a chart.

use super::archive::ArchiveError;
use super::helmignore::IgnoreError;
use super::metadata::{MetadataError, ValidationError};
use crate::quote::quote;
use crate::values::ValuesError;

/// A chart that cannot be loaded. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChartError {
    /// There is no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    MissingChartYaml,
    /// There is no `Chart.yaml` in an archive.
    #[error("unable to detect chart version, no Chart.yaml found")]
    NoChartYamlInArchive,
    /// `apiVersion` in `Chart.yaml` is none that Helm knows.
    #[error("unsupported chart version")]
    UnsupportedApiVersion,
    /// `apiVersion` in `Chart.yaml` is one that Helm reads but does not render.
    #[error("invalid chart apiVersion")]
    InvalidApiVersion,
    /// `Chart.yaml` or `requirements.yaml` cannot be read.
    #[error("cannot load {file}: {cause}")]
    Metadata {
        /// The file's name.
        file: String,
        /// What is wrong with it.
        cause: MetadataError,
    },
    /// `Chart.yaml` says something that Helm refuses.
    #[error(transparent)]
    Validation(#[from] ValidationError),
    /// `values.yaml` cannot be read.
    #[error("cannot load values.yaml: {0}")]
    Values(ValuesError),
    /// `Chart.lock` or `requirements.lock` cannot be read.
    #[error("cannot load {file}: {cause}")]
    Lock {
        /// The file's name.
        file: String,
        /// What is wrong with it.
        cause: MetadataError,
    },
    /// The time in a lock file is none.
    #[error("cannot load {file}: error unmarshaling JSON: while decoding JSON: {detail}")]
    LockTime {
        /// The file's name.
        file: String,
        /// What is wrong with it.
        detail: String,
    },
    /// `.helmignore` cannot be used.
    #[error(transparent)]
    Ignore(#[from] IgnoreError),
    /// An archive cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A sub-chart cannot be loaded.
    #[error("error unpacking subchart {name} in {parent}: {cause}")]
    Subchart {
        /// The sub-chart's file or directory below `charts/`.
        name: String,
        /// The chart that contains it.
        parent: String,
        /// What is wrong with it.
        cause: Box<Self>,
    },
    /// A directory below `charts/` is named like an archive.
    #[error("error unpacking subchart tar in {parent}: expected {name}, got {found}")]
    SubchartArchiveName {
        /// The name below `charts/`.
        name: String,
        /// The chart that contains it.
        parent: String,
        /// The file that was found in its place.
        found: String,
    },
    /// Sub-charts of sub-charts of sub-charts and so on.
    #[error("sub-charts are nested deeper than {limit} levels")]
    NestedTooDeep {
        /// The limit.
        limit: usize,
    },
    /// Rules and paths so many that comparing them takes too long.
    #[error("the rules of .helmignore and the chart's paths need more than {limit} comparisons")]
    IgnoreTooLarge {
        /// The limit.
        limit: usize,
    },
    /// A name or alias of a chart is longer than this crate takes.
    #[error("a chart has a name or alias of more than {limit} bytes")]
    NameTooLong {
        /// The limit.
        limit: usize,
    },
    /// More charts than this crate loads.
    #[error("the chart has more than {limit} sub-charts")]
    TooManyCharts {
        /// The limit.
        limit: usize,
    },
    /// A file is larger than what Helm 3 loads.
    #[error("chart file {} is larger than the maximum file size {limit}", quote(.name.as_bytes()))]
    FileTooLarge {
        /// The file's name without its folder.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The files together are larger than what Helm loads.
    #[error("chart is larger than the maximum size {limit}")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
}
