//! What can go wrong in a template.

use std::fmt;

use crate::BudgetExceeded;

/// A template file that is not a template. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parse error at ({file}:{line}): {message}")]
pub struct ParseError {
    /// The template file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// A failed execution: where, in which template, and why. Displays as Helm prints it.
#[derive(Clone, Debug)]
pub struct ExecError {
    message: String,
    budget: Option<BudgetExceeded>,
}

impl ExecError {
    /// A failure without a place.
    pub(crate) fn message(message: String) -> Self {
        Self { message, budget: None }
    }

    /// The limit that was reached, if that is what ended the render.
    pub fn budget(&self) -> Option<BudgetExceeded> {
        self.budget
    }
}

impl fmt::Display for ExecError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ExecError {}
