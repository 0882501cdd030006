//! Syntax errors in the words and with the line numbers of `go.yaml.in/yaml` v2.

use granit_parser::ScanError;

use super::error::YamlError;
use super::node::Position;

/// A `%YAML` directive other than 1.1.
pub(crate) fn incompatible_version() -> YamlError {
    YamlError::yaml(None, "found incompatible YAML document")
}

/// Translates an error of the event parser.
pub(crate) fn describe(_text: &str, error: &ScanError) -> YamlError {
    let marker = error.marker();
    let position = Position { line: marker.line(), column: marker.col() + 1 };
    YamlError::yaml(Some(marker.line()), error.kind().to_string()).at(position)
}
