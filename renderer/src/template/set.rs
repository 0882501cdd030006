//! The named templates of a whole chart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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

/// What has been parsed from the files of one chart, kept so that the next render of it need not parse. `Send + Sync`.
#[derive(Debug, Default)]
pub struct ParseCache {
    files: Mutex<HashMap<String, Arc<ParsedFile>>>,
}

#[derive(Debug)]
struct ParsedFile {
    functions: &'static FunctionTable,
    templates: Templates,
}

impl ParsedFile {
    fn is_of(&self, text: &[u8], functions: &'static FunctionTable) -> bool {
        // All templates of a file have its text, and there is at least that of its body.
        let has_text = self.templates.values().next().is_some_and(|template| *template.source.text == *text);
        has_text && std::ptr::eq(self.functions, functions)
    }
}

impl ParseCache {
    /// The templates of a file, parsed now unless the same text was parsed under this name before.
    fn file(&self, name: &str, text: &[u8], functions: &'static FunctionTable) -> Result<Arc<ParsedFile>, ParseError> {
        // A panic elsewhere leaves whole entries behind: each is inserted in one step.
        let known = self.files.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(file) = known
            && file.is_of(text, functions)
        {
            return Ok(file);
        }
        let templates = parse(name, text, functions)?;
        let file = Arc::new(ParsedFile { functions, templates });
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }
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
        Self::parse_cached(files, functions, &ParseCache::default())
    }

    /// As [`TemplateSet::parse`], but files whose name and text are those of an earlier call are not parsed again.
    pub fn parse_cached<'t>(
        files: impl IntoIterator<Item = (&'t str, &'t [u8])>,
        functions: &'static FunctionTable,
        cache: &ParseCache,
    ) -> Result<Self, ParseError> {
        let mut files: Vec<(&str, &[u8])> = files.into_iter().collect();
        // Helm: engine.go `sortTemplates`, `byPathLen` reversed
        files.sort_by_cached_key(|(name, _)| std::cmp::Reverse((name.matches('/').count(), *name)));
        let mut templates = Templates::new();
        for (name, text) in &files {
            for (name, template) in &cache.file(name, text, functions)?.templates {
                add(&mut templates, None, name, template);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use crate::functions::table;

    fn parsed(files: &[(&str, &str)], cache: &ParseCache) -> TemplateSet {
        let files = files.iter().map(|(name, text)| (*name, text.as_bytes()));
        TemplateSet::parse_cached(files, table(Profile::V4), cache).unwrap()
    }

    fn text(set: &TemplateSet, name: &str) -> String {
        let template = set.get(name.as_bytes()).unwrap();
        template
            .body
            .iter()
            .map(|node| match node {
                super::super::node::Node::Text(text) => String::from_utf8_lossy(template.text(text)).into_owned(),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn files_are_executed_from_the_deepest_and_last_to_the_first() {
        let names = ["c/templates/a.yaml", "c/templates/b.yaml", "c/charts/d/templates/a.yaml", "c/templates/_h.tpl"];
        let set = parsed(&names.map(|name| (name, "")), &ParseCache::default());
        let expected = ["c/charts/d/templates/a.yaml", "c/templates/b.yaml", "c/templates/a.yaml"];
        assert_eq!(set.executable_files().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn shallow_and_alphabetically_first_definitions_win_unless_empty() {
        let set = parsed(
            &[
                ("c/templates/_a.tpl", r#"{{ define "x" }}a{{ end }}{{ define "y" }} {{/* */}} {{ end }}"#),
                ("c/templates/_b.tpl", r#"{{ define "x" }}b{{ end }}{{ define "y" }}b{{ end }}"#),
                ("c/charts/d/templates/_a.tpl", r#"{{ define "x" }}d{{ end }}{{ define "z" }}d{{ end }}"#),
            ],
            &ParseCache::default(),
        );
        assert_eq!(["x", "y", "z"].map(|name| text(&set, name)), ["a", "b", "d"]);
    }

    #[test]
    fn a_cache_gives_back_the_same_text_only() {
        let cache = ParseCache::default();
        let first = parsed(&[("t", "one")], &cache);
        let again = parsed(&[("t", "one")], &cache);
        assert!(Arc::ptr_eq(first.get(b"t").unwrap(), again.get(b"t").unwrap()));
        let changed = parsed(&[("t", "two")], &cache);
        assert_eq!(text(&changed, "t"), "two");
    }
}
