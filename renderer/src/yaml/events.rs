//! What the parser finds in a text, in order.

use std::borrow::Cow;

use super::scan::Mark;

/// One step of a document: a scalar, an alias, or a collection's start or end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event<'text> {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias {
        name: &'text str,
        start: Mark,
    },
    Scalar {
        text: Cow<'text, str>,
        /// Whether the type follows from the text: it is plain and without a tag, or its tag is `!`.
        implicit: bool,
        properties: Properties<'text>,
        start: Mark,
    },
    SequenceStart {
        properties: Properties<'text>,
        start: Mark,
    },
    SequenceEnd,
    MappingStart {
        properties: Properties<'text>,
        start: Mark,
    },
    MappingEnd,
}

/// The anchor and the tag of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Properties<'text> {
    pub(crate) anchor: Option<&'text str>,
    /// The tag with its prefix.
    pub(crate) tag: Option<Box<str>>,
}
