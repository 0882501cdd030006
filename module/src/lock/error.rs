//! Why the locks of a template cannot be told.

/// Why the locks of a template cannot be told. Nothing may be written then: anything might be locked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file is no JSON, or has a key twice.
    #[error("values.schema.json of the chart {chart} is not valid: {problem}")]
    Json {
        /// The chart.
        chart: String,
        /// What the reader says.
        problem: String,
    },
    /// A keyword has a value that it cannot have.
    #[error("values.schema.json of the chart {chart} is not valid: {expected} is expected at {pointer}")]
    Malformed {
        /// The chart.
        chart: String,
        /// JSON Pointer.
        pointer: String,
        /// What should be there.
        expected: &'static str,
    },
    /// `immutable` is neither true nor false.
    #[error("values.schema.json of the chart {chart} is not valid: `immutable` must be true or false at {pointer}")]
    Mark {
        /// The chart.
        chart: String,
        /// JSON Pointer of the subschema.
        pointer: String,
    },
    /// A mark in a place that says nothing about values: below a keyword that is not known, perhaps misspelt.
    #[error(
        "values.schema.json of the chart {chart} says `immutable` at {pointer}, below the unknown keyword `{keyword}`, \
         where it locks nothing; schemas that are only referred to belong into `$defs`"
    )]
    MisplacedMark {
        /// The chart.
        chart: String,
        /// JSON Pointer of what is marked.
        pointer: String,
        /// The keyword.
        keyword: String,
    },
    /// A reference leaves the file.
    #[error(
        "values.schema.json of the chart {chart} refers to another document at {pointer}: `{reference}`; copy what it \
         refers to into `$defs`"
    )]
    RemoteReference {
        /// The chart.
        chart: String,
        /// JSON Pointer of the subschema.
        pointer: String,
        /// The reference.
        reference: String,
    },
    /// A reference leads nowhere.
    #[error("values.schema.json of the chart {chart} refers to nothing at {pointer}: `{reference}`")]
    UnknownReference {
        /// The chart.
        chart: String,
        /// JSON Pointer of the subschema.
        pointer: String,
        /// The reference.
        reference: String,
    },
    /// A subschema refers to itself for the same value.
    #[error("values.schema.json of the chart {chart} refers to itself without end at {pointer}")]
    EndlessReference {
        /// The chart.
        chart: String,
        /// JSON Pointer of a subschema of the circle.
        pointer: String,
    },
    /// More subschemas or bytes than can be looked through in time.
    #[error("the values.schema.json files of the template are too large: more than {limit} {what}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// What is counted.
        what: &'static str,
    },
}
