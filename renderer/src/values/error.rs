//! What can be wrong with values.

use crate::yaml::YamlError;

/// Values that cannot be used. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValuesError {
    /// A YAML document that cannot be read.
    #[error("cannot unmarshal yaml document: {0}")]
    Yaml(YamlError),
    /// Something other than a map at the root.
    #[error(
        "cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} \
         into Go value of type map[string]interface {{}}"
    )]
    NotAMap {
        /// The JSON type that was found: `array`, `bool`, `number` or `string`.
        found: &'static str,
    },
    /// A file of Helm 3, which reads the first document only, cannot be read.
    #[error("{0}")]
    FirstDocument(YamlError),
    /// A file of Helm 3 has something other than a map at the root.
    #[error(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type \
         map[string]interface {{}}"
    )]
    FirstDocumentNotAMap {
        /// The JSON type that was found.
        found: &'static str,
    },
    /// A line that starts with `---` and goes on with something other than spaces or a comment.
    #[error("error reading yaml document: invalid Yaml document separator: {text}")]
    Separator {
        /// What follows the dashes.
        text: String,
    },
    /// The values of a sub-chart are not a map.
    #[error("type mismatch on {chart}: {found}")]
    SubchartNotAMap {
        /// The sub-chart's name or alias.
        chart: String,
        /// Go's rendering of the value, such as `%!t(<nil>)`.
        found: String,
    },
    /// More values than are merged.
    #[error("there are more than {limit} values")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// More values than are copied or compared in merges.
    #[error("the values of all sub-charts together need more than {limit} steps to be merged")]
    TooManyMerged {
        /// The limit.
        limit: usize,
    },
    /// More templates than are rendered, in all places of their charts.
    #[error("the templates of all sub-charts together need more than {limit} bytes for their names")]
    TooManyTemplates {
        /// The limit.
        limit: usize,
    },
    /// Sub-charts that render sub-charts more than once, and so on.
    #[error("the chart renders more than {limit} sub-charts")]
    TooManyCharts {
        /// The limit.
        limit: usize,
    },
}
