//! From schemas to the graph of [`super::graph`].

use std::collections::{BTreeMap, HashMap};

use renderer::schema::Pattern;
use serde_json::{Map, Value};

use super::document::{Document, push_token};
use super::graph::{Graph, State, shown};
use super::misplaced::refuse_misplaced_marks;
use super::{ChartSchema, LockError, list};

/// Subschemas of all charts of a template together. The largest schemas of public charts, with the Kubernetes API
/// written out, have some ten thousand.
const MAX_STATES: usize = 100_000;
/// Bytes of all schemas of a template together.
const MAX_SCHEMA_BYTES: usize = 8 << 20;
/// What subschemas may refer to all together: where a schema calls many things by one name, each reference means all of
/// them.
const MAX_REFERENCES: usize = 1_000_000;
/// Bytes of JSON Pointers that are kept: in a schema with long keys each subschema has a long one.
pub(super) const MAX_POINTER_BYTES: usize = 64 << 20;
/// Different regular expressions. The largest that are compiled take some milliseconds each.
const MAX_PATTERNS: usize = 500;

/// Compiles the schemas of a chart and its sub-charts.
pub(super) fn compile(schemas: &[ChartSchema<'_>]) -> Result<Graph, LockError> {
    let bytes: usize = schemas.iter().filter_map(|schema| schema.schema).map(<[u8]>::len).sum();
    if bytes > MAX_SCHEMA_BYTES {
        return Err(LockError::TooLarge { limit: MAX_SCHEMA_BYTES, what: "bytes" });
    }
    let mut documents = Vec::new();
    let mut roots = Vec::new();
    for schema in schemas {
        let Some(text) = schema.schema else {
            roots.push((&schema.path, None));
            continue;
        };
        roots.push((&schema.path, Some(documents.len())));
        documents.push(Document::parse(schema.name.clone(), text)?);
    }
    let mut compiler = Compiler {
        documents: &documents,
        states: Vec::new(),
        known: HashMap::new(),
        queue: Vec::new(),
        patterns: HashMap::new(),
        references: 0,
        pointer_bytes: 0,
    };
    let root = compiler.blank()?;
    let mut charts: BTreeMap<Vec<String>, usize> = BTreeMap::from([(Vec::new(), root)]);
    for (path, document) in roots {
        let chart = compiler.chart(&mut charts, path)?;
        if let Some(document) = document {
            let schema = compiler.state(document, String::new())?;
            compiler.states[chart].same.push(schema);
        }
    }
    compiler.run()?;
    refuse_misplaced_marks(&documents, &compiler.states, &compiler.known)?;
    let states = compiler.states;
    let mut graph = Graph { documents, states, root, locks: Vec::new() };
    graph.refuse_endless_references()?;
    graph.look_ahead();
    graph.locks = list::locks(&graph);
    Ok(graph)
}

struct Compiler<'a> {
    documents: &'a [Document],
    states: Vec<State>,
    /// The states of subschemas by document and pointer.
    known: HashMap<(usize, String), usize>,
    queue: Vec<usize>,
    /// Compiled regular expressions; none for those that cannot be compiled.
    patterns: HashMap<&'a str, Option<Pattern>>,
    references: usize,
    pointer_bytes: usize,
}

impl<'a> Compiler<'a> {
    /// A state without a schema.
    fn blank(&mut self) -> Result<usize, LockError> {
        if self.states.len() >= MAX_STATES {
            return Err(LockError::TooLarge { limit: MAX_STATES, what: "subschemas" });
        }
        self.states.push(State::default());
        Ok(self.states.len() - 1)
    }

    /// The state of a chart's values, linked into those of its parents.
    fn chart(&mut self, charts: &mut BTreeMap<Vec<String>, usize>, path: &[String]) -> Result<usize, LockError> {
        if let Some(chart) = charts.get(path) {
            return Ok(*chart);
        }
        let chart = self.blank()?;
        if let Some((name, parent)) = path.split_last() {
            let parent = self.chart(charts, parent)?;
            self.states[parent].charts.push((name.clone(), chart));
            self.states[parent].sharing_global.push(chart);
        }
        charts.insert(path.to_vec(), chart);
        Ok(chart)
    }

    /// The state of a subschema, which is compiled later.
    fn state(&mut self, document: usize, pointer: String) -> Result<usize, LockError> {
        if let Some(state) = self.known.get(&(document, pointer.clone())) {
            return Ok(*state);
        }
        let state = self.blank()?;
        self.pointer_bytes += pointer.len();
        if self.pointer_bytes > MAX_POINTER_BYTES {
            return Err(LockError::TooLarge { limit: MAX_POINTER_BYTES, what: "bytes of names" });
        }
        self.states[state].document = Some(document);
        self.states[state].pointer.clone_from(&pointer);
        self.known.insert((document, pointer), state);
        self.queue.push(state);
        Ok(state)
    }

    fn pattern(&mut self, text: &'a str) -> Result<Option<Pattern>, LockError> {
        if let Some(pattern) = self.patterns.get(text) {
            return Ok(pattern.clone());
        }
        if self.patterns.len() >= MAX_PATTERNS {
            return Err(LockError::TooLarge { limit: MAX_PATTERNS, what: "regular expressions" });
        }
        let pattern = Pattern::compile(text).ok();
        self.patterns.insert(text, pattern.clone());
        Ok(pattern)
    }

    fn run(&mut self) -> Result<(), LockError> {
        while let Some(state) = self.queue.pop() {
            let Some(index) = self.states[state].document else { continue };
            let documents = self.documents;
            let document = &documents[index];
            let pointer = self.states[state].pointer.clone();
            match document.root.pointer(&pointer) {
                Some(Value::Object(schema)) => {
                    Keywords { compiler: self, state, index, document, pointer, schema }.compile()?;
                }
                Some(Value::Bool(_)) => {}
                _ => {
                    return Err(LockError::Malformed {
                        chart: document.chart.clone(),
                        pointer: shown(&pointer),
                        expected: "a schema (an object, true or false)",
                    });
                }
            }
        }
        Ok(())
    }
}

/// One subschema being compiled.
struct Keywords<'c, 'a> {
    compiler: &'c mut Compiler<'a>,
    state: usize,
    index: usize,
    document: &'a Document,
    pointer: String,
    schema: &'a Map<String, Value>,
}

impl<'a> Keywords<'_, 'a> {
    fn compile(&mut self) -> Result<(), LockError> {
        for (key, value) in self.schema {
            if is_mark(key) {
                match value {
                    Value::Bool(marked) => self.here().marked |= *marked,
                    _ => {
                        return Err(LockError::Mark {
                            chart: self.document.chart.clone(),
                            pointer: shown(&self.pointer),
                        });
                    }
                }
            }
        }
        for keyword in ["$id", "$anchor", "$dynamicAnchor"] {
            if self.schema.get(keyword).is_some_and(|name| !name.is_string()) {
                return Err(self.malformed(keyword, "a name"));
            }
        }
        self.here().secret = self.schema.get("writeOnly") == Some(&Value::Bool(true))
            || self.schema.get("format").and_then(Value::as_str) == Some("password");

        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(reference) = self.schema.get(keyword) else { continue };
            let Some(reference) = reference.as_str() else { return Err(self.malformed(keyword, "a reference")) };
            let document = self.document;
            for target in document.resolve(reference, &self.pointer, &mut self.compiler.references)? {
                self.add_same(target)?;
            }
            if self.compiler.references > MAX_REFERENCES {
                return Err(LockError::TooLarge { limit: MAX_REFERENCES, what: "references" });
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for (pointer, _) in self.list(keyword)? {
                self.add_same(pointer)?;
            }
        }
        for keyword in ["if", "then", "else"] {
            if self.schema.contains_key(keyword) {
                self.add_same(self.below(keyword))?;
            }
        }
        for keyword in ["dependentSchemas", "dependencies"] {
            for (_, pointer, value) in self.mapping(keyword)? {
                let names_only = keyword == "dependencies" && value.is_array();
                if !names_only {
                    self.add_same(pointer)?;
                }
            }
        }
        self.compile_names()?;
        self.compile_items()
    }

    fn compile_names(&mut self) -> Result<(), LockError> {
        for (name, pointer, _) in self.mapping("properties")? {
            let target = self.target(pointer)?;
            self.here().names.insert(name.to_owned(), target);
        }
        for (pattern, pointer, _) in self.mapping("patternProperties")? {
            let target = self.target(pointer)?;
            let regex = self.compiler.pattern(pattern)?;
            self.here().patterns.push((pattern.to_owned(), regex, target));
        }
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            if self.schema.contains_key(keyword) {
                let target = self.target(self.below(keyword))?;
                self.here().other_names.push(target);
            }
        }
        if self.schema.contains_key("propertyNames") {
            let target = self.target(self.below("propertyNames"))?;
            self.here().any_name = Some(target);
        }
        Ok(())
    }

    /// In which draft `items` starts after `prefixItems`, and in which `prefixItems` means nothing, does not matter:
    /// each applies wherever some draft applies it.
    fn compile_items(&mut self) -> Result<(), LockError> {
        let mut listed = 0;
        for keyword in ["prefixItems", "items"] {
            if keyword == "items" && !self.schema.get(keyword).is_some_and(Value::is_array) {
                continue;
            }
            let items = self.list(keyword)?;
            if keyword == "items" {
                listed = items.len();
            }
            for (index, (pointer, _)) in items.into_iter().enumerate() {
                let target = self.target(pointer)?;
                self.here().positions.push((index, target));
            }
        }
        for keyword in ["items", "additionalItems", "contains", "unevaluatedItems"] {
            let from = if keyword == "additionalItems" { listed } else { 0 };
            if self.schema.get(keyword).is_some_and(|value| !(keyword == "items" && value.is_array())) {
                let target = self.target(self.below(keyword))?;
                self.here().items.push((from, target));
            }
        }
        Ok(())
    }

    fn here(&mut self) -> &mut State {
        &mut self.compiler.states[self.state]
    }

    fn below(&self, keyword: &str) -> String {
        let mut pointer = self.pointer.clone();
        push_token(&mut pointer, keyword);
        pointer
    }

    fn target(&mut self, pointer: String) -> Result<usize, LockError> {
        self.compiler.state(self.index, pointer)
    }

    fn add_same(&mut self, pointer: String) -> Result<(), LockError> {
        let target = self.target(pointer)?;
        self.here().same.push(target);
        Ok(())
    }

    fn list(&self, keyword: &str) -> Result<Vec<(String, &'a Value)>, LockError> {
        match self.schema.get(keyword) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    let mut pointer = self.below(keyword);
                    push_token(&mut pointer, &index.to_string());
                    (pointer, item)
                })
                .collect()),
            Some(_) => Err(self.malformed(keyword, "a list of schemas")),
        }
    }

    fn mapping(&self, keyword: &str) -> Result<Vec<(&'a str, String, &'a Value)>, LockError> {
        match self.schema.get(keyword) {
            None => Ok(Vec::new()),
            Some(Value::Object(members)) => Ok(members
                .iter()
                .map(|(name, member)| {
                    let mut pointer = self.below(keyword);
                    push_token(&mut pointer, name);
                    (name.as_str(), pointer, member)
                })
                .collect()),
            Some(_) => Err(self.malformed(keyword, "an object of schemas")),
        }
    }

    fn malformed(&self, keyword: &str, expected: &'static str) -> LockError {
        LockError::Malformed { chart: self.document.chart.clone(), pointer: self.below(keyword), expected }
    }
}

/// Whether a keyword is the mark. Go's decoder, which Cyclops reads schemas with, ignores case.
pub(super) fn is_mark(keyword: &str) -> bool {
    keyword.eq_ignore_ascii_case("immutable")
}
