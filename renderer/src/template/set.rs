//! The named templates of a whole chart.

use std::collections::HashMap;
use std::sync::Arc;

use super::node::{Source, Template};
use super::parse;
use super::{ExecError, ParseError};
use crate::functions::FunctionTable;

/// All templates of a chart and its sub-charts in one namespace, parsed. `Send + Sync`: parse once, render many times.
#[derive(Debug)]
pub struct TemplateSet {
    files: Vec<String>,
    templates: Templates,
    functions: &'static FunctionTable,
}

/// Templates by name.
pub(super) type Templates = HashMap<Box<[u8]>, Arc<Template>>;

impl TemplateSet {
    /// Parses template files in Helm's order, whatever order they come in. A name is the file's full path, such as
    /// `demo/charts/db/templates/service.yaml`.
    ///
    /// A later definition of a name replaces an earlier one, except that an empty one replaces nothing (Go:
    /// `Template.AddParseTree`).
    pub fn parse<'t>(
        files: impl IntoIterator<Item = (&'t str, &'t [u8])>,
        functions: &'static FunctionTable,
    ) -> Result<Self, ParseError> {
        let mut files: Vec<(&str, &[u8])> = files.into_iter().collect();
        // Helm: engine.go `sortTemplates`, `byPathLen` reversed
        files.sort_by_cached_key(|(name, _)| std::cmp::Reverse((name.matches('/').count(), *name)));
        let mut templates = Templates::new();
        for (name, text) in &files {
            let definitions = parse(name, text, functions)?;
            for (name, template) in definitions {
                add(&mut templates, None, &name, &template);
            }
        }
        let files = files.into_iter().map(|(name, _)| name.to_owned()).collect();
        Ok(Self { files, templates, functions })
    }

    /// The names of all files in the order in which Helm executes them; partials (`_helpers.tpl`) are left out.
    pub fn executable_files(&self) -> impl Iterator<Item = &str> {
        self.files
            .iter()
            .map(String::as_str)
            .filter(|name| !name.rsplit('/').next().unwrap_or_default().starts_with('_'))
    }

    /// The functions that the templates were parsed with.
    pub fn functions(&self) -> &'static FunctionTable {
        self.functions
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<&Arc<Template>> {
        self.templates.get(name)
    }
}

/// Parses one text as the template of that name.
pub(super) fn parse(name: &str, text: &[u8], functions: &FunctionTable) -> Result<Templates, ParseError> {
    let source = Arc::new(Source { name: name.to_owned(), text: text.into() });
    parse::parse(Arc::clone(&source), functions).map_err(|error| ParseError::new(&source, error))
}

/// Adds a template unless it is empty and the name is taken, here or in what these templates are layered upon.
pub(super) fn add(templates: &mut Templates, below: Option<&Arc<Template>>, name: &[u8], template: &Arc<Template>) {
    let is_taken = below.is_some() || templates.contains_key(name);
    if !(is_taken && template.is_empty()) {
        templates.insert(name.into(), Arc::clone(template));
    }
}

/// The error of a name that no template has (Go: `Template.ExecuteTemplate`).
pub(super) fn no_template(name: &[u8]) -> String {
    format!("template: no template {} associated with template \"{ROOT_NAME}\"", crate::quote::quote(name))
}

impl ExecError {
    pub(super) fn no_template(name: &[u8]) -> Self {
        Self::without_frame(no_template(name))
    }
}

/// The name of the template that Helm hangs all others on, and of the text of a `tpl`.
pub(super) const ROOT_NAME: &str = "gotpl";
