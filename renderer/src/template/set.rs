//! The named templates of a whole chart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::node::{Source, Template};
use super::parse::{self, MAX_ITEMS};
use super::{ExecError, ParseError};
use crate::functions::{Expressions, FunctionTable};
use crate::value::GoString;

/// All templates of a chart and its sub-charts in one namespace, parsed. `Send + Sync`: parse once, render many times.
#[derive(Debug)]
pub struct TemplateSet {
    /// The files in the order in which they were given.
    files: Vec<(String, Arc<ParsedFile>)>,
    executable: Vec<String>,
    templates: Templates,
    functions: &'static FunctionTable,
    expressions: Expressions,
    inner: Mutex<Inner>,
}

/// Texts of `tpl` that have been parsed: mostly the chart's own default values, which every render parses again.
#[derive(Debug, Default)]
struct Inner {
    parsed: HashMap<GoString, Arc<Templates>>,
    bytes: usize,
}

/// The most text that is kept parsed for `tpl`.
const MAX_INNER_BYTES: usize = 256 << 10;

/// What has been parsed from the files of one chart, kept so that the next render of it need not parse. `Send + Sync`.
#[derive(Debug, Default)]
pub struct ParseCache {
    set: Mutex<Option<Arc<TemplateSet>>>,
}

#[derive(Debug)]
struct ParsedFile {
    functions: &'static FunctionTable,
    templates: Templates,
    /// How many items it has.
    items: usize,
}

impl ParsedFile {
    fn is_of(&self, text: &Arc<[u8]>, functions: &'static FunctionTable) -> bool {
        // All templates of a file have its text, and there is at least that of its body.
        let has_text = self.templates.values().next().is_some_and(|template| {
            let known = &template.source.text;
            Arc::ptr_eq(known, text) || known == text
        });
        has_text && std::ptr::eq(self.functions, functions)
    }
}

impl ParseCache {
    // A panic elsewhere leaves a whole set behind: it is exchanged in one step.
    fn get(&self) -> Option<Arc<TemplateSet>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, set: Arc<TemplateSet>) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = Some(set);
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
        files: impl IntoIterator<Item = (&'t str, &'t Arc<[u8]>)>,
        functions: &'static FunctionTable,
    ) -> Result<Arc<Self>, ParseError> {
        Self::parse_cached(files, functions, &ParseCache::default())
    }

    /// As [`TemplateSet::parse`], but files whose name and text are those of the last call are not parsed again, and if
    /// all are, the set is the one of that call.
    pub fn parse_cached<'t>(
        files: impl IntoIterator<Item = (&'t str, &'t Arc<[u8]>)>,
        functions: &'static FunctionTable,
        cache: &ParseCache,
    ) -> Result<Arc<Self>, ParseError> {
        let given: Vec<(&str, &Arc<[u8]>)> = files.into_iter().collect();
        let known = cache.get();
        if let Some(set) = &known
            && set.is_of(&given, functions)
        {
            return Ok(Arc::clone(set));
        }
        let known: HashMap<&str, &Arc<ParsedFile>> =
            known.iter().flat_map(|set| &set.files).map(|(name, file)| (name.as_str(), file)).collect();
        let mut order: Vec<usize> = (0..given.len()).collect();
        // Helm: engine.go `sortTemplates`, `byPathLen` reversed
        order.sort_by_cached_key(|index| {
            let (name, _) = given[*index];
            std::cmp::Reverse((name.matches('/').count(), name))
        });
        let mut files: Vec<Option<(String, Arc<ParsedFile>)>> = given.iter().map(|_| None).collect();
        let mut templates = Templates::new();
        let mut executable = Vec::new();
        let mut items_left = MAX_ITEMS;
        for index in order {
            let (name, text) = given[index];
            let file = match known.get(name) {
                Some(file) if file.is_of(text, functions) && file.items <= items_left => {
                    items_left -= file.items;
                    Arc::clone(file)
                }
                _ => {
                    let before = items_left;
                    let templates = parse(name, text, functions, &mut items_left)?;
                    Arc::new(ParsedFile { functions, templates, items: before - items_left })
                }
            };
            for (name, template) in &file.templates {
                add(&mut templates, None, name, template);
            }
            if !name.rsplit('/').next().unwrap_or_default().starts_with('_') {
                executable.push(name.to_owned());
            }
            files[index] = Some((name.to_owned(), file));
        }
        let set = Arc::new(Self {
            files: files.into_iter().flatten().collect(),
            executable,
            templates,
            functions,
            expressions: Expressions::default(),
            inner: Mutex::default(),
        });
        cache.put(Arc::clone(&set));
        Ok(set)
    }

    fn is_of(&self, files: &[(&str, &Arc<[u8]>)], functions: &'static FunctionTable) -> bool {
        self.files.len() == files.len()
            && std::iter::zip(&self.files, files)
                .all(|((known, file), (name, text))| known == name && file.is_of(text, functions))
    }

    /// The names of all files in the order in which Helm executes them; partials (`_helpers.tpl`) are left out.
    pub fn executable_files(&self) -> impl Iterator<Item = &str> {
        self.executable.iter().map(String::as_str)
    }

    /// The functions that the templates were parsed with.
    pub fn functions(&self) -> &'static FunctionTable {
        self.functions
    }

    /// Parses a text of `tpl`, unless it is known from this render or an earlier one.
    pub(super) fn parse_inner(&self, text: &GoString) -> Result<Arc<Templates>, ParseError> {
        // A panic elsewhere leaves whole entries behind.
        let lock = || self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(templates) = lock().parsed.get(text) {
            return Ok(Arc::clone(templates));
        }
        let mut items_left = MAX_ITEMS;
        let templates = Arc::new(parse(ROOT_NAME, text.shared(), self.functions, &mut items_left)?);
        let mut inner = lock();
        if inner.bytes + text.len() <= MAX_INNER_BYTES {
            inner.bytes += text.len();
            inner.parsed.insert(text.clone(), Arc::clone(&templates));
        }
        Ok(templates)
    }

    /// The regular expressions that these templates have used.
    pub(super) fn expressions(&self) -> &Expressions {
        &self.expressions
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<&Arc<Template>> {
        self.templates.get(name)
    }
}

/// Parses one text as the template of that name. `items_left` is how many more items there may be, and shrinks by those
/// that there are.
fn parse(
    name: &str,
    text: &Arc<[u8]>,
    functions: &FunctionTable,
    items_left: &mut usize,
) -> Result<Templates, ParseError> {
    let source = Arc::new(Source::new(name, Arc::clone(text)));
    parse::parse(Arc::clone(&source), functions, items_left).map_err(|error| ParseError::new(&source, error))
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

    fn parsed(files: &[(&str, &str)], cache: &ParseCache) -> Arc<TemplateSet> {
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, Arc::from(text.as_bytes()))).collect();
        let files = files.iter().map(|(name, text)| (*name, text));
        TemplateSet::parse_cached(files, table(Profile::V4), cache).unwrap()
    }

    fn text(set: &TemplateSet, name: &str) -> String {
        let template = set.get(name.as_bytes()).unwrap();
        template
            .body
            .iter()
            .map(|node| match node {
                super::super::node::Node::Text(text) => {
                    String::from_utf8_lossy(template.source.get(*text)).into_owned()
                }
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
        assert!(Arc::ptr_eq(&first, &again));
        let more = parsed(&[("t", "one"), ("u", "new")], &cache);
        assert!(Arc::ptr_eq(first.get(b"t").unwrap(), more.get(b"t").unwrap()));
        let changed = parsed(&[("t", "two")], &cache);
        assert_eq!(text(&changed, "t"), "two");
    }
}
