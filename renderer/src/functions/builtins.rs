//! Go's built-in template functions (`text/template/funcs.go`).

use super::Function;

/// The built-in functions.
pub(crate) const FUNCTIONS: &[Function] = &[];
