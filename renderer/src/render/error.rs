//! Why a chart could not be rendered.

use crate::BudgetExceeded;
use crate::capabilities::KubeVersionError;
use crate::profile::ErrorWords;
use crate::release::HeadError;
use crate::schema::SchemaError;
use crate::template::{ExecError, ParseError};
use crate::values::ValuesError;

const MISSING_DEPENDENCIES: &str = "an error occurred while checking for chart dependencies. You may need to run 'helm \
                                    dependency build' to fetch";
const MISSING_DEPENDENCIES_V3: &str = "An error occurred while checking for chart dependencies. You may need to run `helm \
                                       dependency build` to fetch";

/// A chart that cannot be rendered. Displays as Helm prints it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// A limit was reached before any template was executed; see also [`RenderError::budget`].
    #[error(transparent)]
    Budget(#[from] BudgetExceeded),
    /// The version of Kubernetes is none.
    #[error("invalid kube version '{version}': {cause}")]
    KubeVersion {
        /// The text that was given.
        version: String,
        /// What is wrong with it.
        cause: KubeVersionError,
    },
    /// A library chart.
    #[error("{chart_type} charts are not installable")]
    NotInstallable {
        /// `type` in `Chart.yaml`.
        chart_type: String,
    },
    /// Declared dependencies are not in `charts/`.
    #[error(
        "{} missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        match .words {
            ErrorWords::V3 => MISSING_DEPENDENCIES_V3,
            ErrorWords::V4 => MISSING_DEPENDENCIES,
        },
        names.join(", ")
    )]
    MissingDependencies {
        /// Their names.
        names: Vec<String>,
        /// Whose words they are told in.
        words: ErrorWords,
    },
    /// Dependencies cannot be enabled and disabled with these values.
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(ValuesError),
    /// The values do not fit the chart's structure.
    #[error(transparent)]
    Values(ValuesError),
    /// The values do not fit a `values.schema.json`.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The chart is not for this version of Kubernetes.
    #[error("chart requires kubeVersion: {constraint} which is incompatible with Kubernetes {version}")]
    IncompatibleKubeVersion {
        /// `kubeVersion` in `Chart.yaml`.
        constraint: String,
        /// The version of Kubernetes.
        version: String,
    },
    /// A file is no template.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A template failed, or reached a limit.
    #[error(transparent)]
    Execution(#[from] ExecError),
    /// The rendered files are larger than a render may print.
    #[error("{file}: {exceeded}")]
    TooMuch {
        /// The file with which the limit was reached.
        file: String,
        /// The limit.
        exceeded: BudgetExceeded,
    },
    /// A rendered file holds something other than manifests.
    #[error(transparent)]
    Head(#[from] HeadError),
}

impl RenderError {
    /// The limit that was reached, if that is what ended the render.
    pub fn budget(&self) -> Option<BudgetExceeded> {
        match self {
            Self::Budget(exceeded)
            | Self::TooMuch { exceeded, .. }
            | Self::Head(HeadError::TooMany { exceeded, .. }) => Some(*exceeded),
            Self::Execution(error) => error.budget(),
            _ => None,
        }
    }
}
