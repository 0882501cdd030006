//! JSON Schemas compiled to a graph: states are subschemas, edges are keys and positions of values.
//!
//! `$ref`, `allOf` and whatever else says more about the same value are edges without a step. A walk over values
//! holds all states that describe the value at hand, so that marks add up wherever they are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use regex_automata::meta::Regex;
use serde_json::{Map, Value};

use super::document::{Document, push_token};
use super::{ChartSchema, Lock, list};

/// Subschemas of all charts of a template together. The largest schemas of public charts, with the Kubernetes API
/// written out, have some ten thousand.
const MAX_STATES: usize = 100_000;
/// Bytes of all schemas of a template together.
const MAX_SCHEMA_BYTES: usize = 8 << 20;
/// Key of the values that every sub-chart shares.
const GLOBAL: &str = "global";

/// Why the locks of a template cannot be told. Nothing may be written then: anything might be locked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file is no JSON, or has a key twice.
    #[error("values.schema.json of the chart {chart} is not valid: {problem}")]
    Json {
        /// The chart.
        chart: String,
        /// What the reader says.
        problem: String,
    },
    /// A keyword has a value that it cannot have.
    #[error("values.schema.json of the chart {chart} is not valid: {expected} is expected at {pointer}")]
    Malformed {
        /// The chart.
        chart: String,
        /// JSON Pointer.
        pointer: String,
        /// What should be there.
        expected: &'static str,
    },
    /// `immutable` is neither true nor false.
    #[error("values.schema.json of the chart {chart} is not valid: `immutable` must be true or false at {pointer}")]
    Mark {
        /// The chart.
        chart: String,
        /// JSON Pointer of the subschema.
        pointer: String,
    },
    /// A reference leaves the file.
    #[error(
        "values.schema.json of the chart {chart} refers to another document at {pointer}: `{reference}`; copy what it \
         refers to into `$defs`"
    )]
    RemoteReference {
        /// The chart.
        chart: String,
        /// JSON Pointer of the subschema.
        pointer: String,
        /// The reference.
        reference: String,
    },
    /// A reference leads nowhere.
    #[error("values.schema.json of the chart {chart} refers to nothing at {pointer}: `{reference}`")]
    UnknownReference {
        /// The chart.
        chart: String,
        /// JSON Pointer of the subschema.
        pointer: String,
        /// The reference.
        reference: String,
    },
    /// A subschema refers to itself for the same value.
    #[error("values.schema.json of the chart {chart} refers to itself without end at {pointer}")]
    EndlessReference {
        /// The chart.
        chart: String,
        /// JSON Pointer of a subschema of the circle.
        pointer: String,
    },
    /// More subschemas or bytes than can be looked through in time.
    #[error("the values.schema.json files of the template are too large: more than {limit} {what}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// What is counted.
        what: &'static str,
    },
}

/// The compiled schemas of a chart and its sub-charts.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) documents: Vec<Document>,
    pub(super) states: Vec<State>,
    pub(super) root: usize,
    /// The locks for showing.
    pub(super) locks: Vec<Lock>,
    /// Whether `locks` is all of them.
    pub(super) listed_all: bool,
}

/// A subschema, or a chart without a schema.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Index of the document; none for the values of a chart as such.
    pub(super) document: Option<usize>,
    /// JSON Pointer in the document.
    pub(super) pointer: String,
    /// Whether the mark is here.
    pub(super) marked: bool,
    /// `writeOnly` or `format: password`.
    pub(super) secret: bool,
    /// A mark is here or can be reached from here.
    pub(super) leads_to_mark: bool,
    /// States about the same value.
    pub(super) same: Vec<usize>,
    /// `properties`.
    pub(super) names: BTreeMap<String, usize>,
    /// Sub-charts by alias or name.
    pub(super) charts: Vec<(String, usize)>,
    /// `patternProperties`. A pattern that cannot be compiled matches every key.
    pub(super) patterns: Vec<(String, Option<Regex>, usize)>,
    /// `additionalProperties`.
    pub(super) other_names: Option<usize>,
    /// `unevaluatedProperties`.
    pub(super) any_name: Option<usize>,
    /// `prefixItems`, `items` as a list.
    pub(super) positions: Vec<(usize, usize)>,
    /// `items`, `additionalItems`, `contains`, `unevaluatedItems`: from which position on.
    pub(super) items: Vec<(usize, usize)>,
    /// Roots of sub-charts, which share this state's `global`.
    pub(super) sharing_global: Vec<usize>,
}

impl Graph {
    /// Compiles the schemas of a chart and its sub-charts.
    pub(super) fn compile(schemas: &[ChartSchema<'_>]) -> Result<Self, LockError> {
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
        let mut compiler =
            Compiler { documents: &documents, states: Vec::new(), known: HashMap::new(), queue: Vec::new() };
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
        let mut states = compiler.states;
        states[root].sharing_global = charts.into_values().filter(|chart| *chart != root).collect();
        let mut graph = Self { documents, states, root, locks: Vec::new(), listed_all: true };
        graph.refuse_endless_references()?;
        graph.find_ways_to_marks();
        (graph.locks, graph.listed_all) = list::locks(&graph);
        Ok(graph)
    }

    /// The subschema of a state.
    pub(super) fn schema(&self, state: usize) -> Option<&Value> {
        let state = &self.states[state];
        self.documents[state.document?].root.pointer(&state.pointer)
    }

    /// Adds all states about the same value.
    pub(super) fn close(&self, states: &mut Vec<usize>) {
        let mut seen: BTreeSet<usize> = states.iter().copied().collect();
        let mut open: Vec<usize> = seen.iter().copied().collect();
        while let Some(state) = open.pop() {
            for next in &self.states[state].same {
                if seen.insert(*next) {
                    open.push(*next);
                }
            }
        }
        states.clear();
        states.extend(seen);
    }

    /// States that describe the value of a key. `named_only`: without those that describe keys nobody named.
    pub(super) fn step_key(&self, states: &[usize], key: &str, named_only: bool) -> Vec<usize> {
        let mut next = Vec::new();
        for state in states {
            let state = &self.states[*state];
            next.extend(state.names.get(key));
            next.extend(state.charts.iter().filter(|(name, _)| name == key).map(|(_, target)| target));
            if key == GLOBAL {
                for chart in &state.sharing_global {
                    let mut inside = vec![*chart];
                    self.close(&mut inside);
                    next.extend(self.step_key(&inside, key, named_only));
                }
            }
            if named_only {
                continue;
            }
            let mut matched = false;
            for (_, regex, target) in &state.patterns {
                match regex {
                    Some(regex) if !regex.is_match(key) => continue,
                    Some(_) => matched = true,
                    None => {}
                }
                next.push(*target);
            }
            if !matched && !state.names.contains_key(key) {
                next.extend(state.other_names);
            }
            next.extend(state.any_name);
        }
        self.close(&mut next);
        next
    }

    /// States that describe the value at a position.
    pub(super) fn step_index(&self, states: &[usize], index: usize) -> Vec<usize> {
        let mut next = Vec::new();
        for state in states {
            let state = &self.states[*state];
            next.extend(state.positions.iter().filter(|(position, _)| *position == index).map(|(_, target)| target));
            next.extend(state.items.iter().filter(|(from, _)| *from <= index).map(|(_, target)| target));
        }
        self.close(&mut next);
        next
    }

    fn refuse_endless_references(&self) -> Result<(), LockError> {
        /// Progress of a depth-first search.
        #[derive(Clone, Copy, PartialEq)]
        enum Visit {
            New,
            Open,
            Done,
        }
        let mut visits = vec![Visit::New; self.states.len()];
        for start in 0..self.states.len() {
            let mut stack = vec![(start, 0)];
            while let Some((state, position)) = stack.pop() {
                if position == 0 {
                    match visits[state] {
                        Visit::Done => continue,
                        _ => visits[state] = Visit::Open,
                    }
                }
                let Some(next) = self.states[state].same.get(position).copied() else {
                    visits[state] = Visit::Done;
                    continue;
                };
                stack.push((state, position + 1));
                match visits[next] {
                    Visit::New => stack.push((next, 0)),
                    Visit::Open => {
                        let state = &self.states[next];
                        let chart = state.document.map(|document| self.documents[document].chart.clone());
                        return Err(LockError::EndlessReference {
                            chart: chart.unwrap_or_default(),
                            pointer: shown(&state.pointer),
                        });
                    }
                    Visit::Done => {}
                }
            }
        }
        Ok(())
    }

    fn find_ways_to_marks(&mut self) {
        let mut sources: Vec<Vec<usize>> = vec![Vec::new(); self.states.len()];
        for (index, state) in self.states.iter().enumerate() {
            for target in state.targets() {
                sources[target].push(index);
            }
        }
        let mut open: Vec<usize> = (0..self.states.len()).filter(|state| self.states[*state].marked).collect();
        while let Some(state) = open.pop() {
            if !self.states[state].leads_to_mark {
                self.states[state].leads_to_mark = true;
                open.extend(&sources[state]);
            }
        }
    }
}

impl State {
    fn targets(&self) -> impl Iterator<Item = usize> + '_ {
        self.same
            .iter()
            .chain(self.names.values())
            .chain(self.charts.iter().map(|(_, target)| target))
            .chain(self.patterns.iter().map(|(_, _, target)| target))
            .chain(&self.other_names)
            .chain(&self.any_name)
            .chain(self.positions.iter().map(|(_, target)| target))
            .chain(self.items.iter().map(|(_, target)| target))
            .chain(&self.sharing_global)
            .copied()
    }
}

struct Compiler<'a> {
    documents: &'a [Document],
    states: Vec<State>,
    known: HashMap<(usize, String), usize>,
    queue: Vec<usize>,
}

impl Compiler<'_> {
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
        self.states[state].document = Some(document);
        self.states[state].pointer.clone_from(&pointer);
        self.known.insert((document, pointer), state);
        self.queue.push(state);
        Ok(state)
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
            // Go's decoder, which Cyclops reads schemas with, ignores case.
            if key.eq_ignore_ascii_case("immutable") {
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
        self.here().secret = self.schema.get("writeOnly") == Some(&Value::Bool(true))
            || self.schema.get("format").and_then(Value::as_str) == Some("password");

        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(reference) = self.schema.get(keyword) else { continue };
            let Some(reference) = reference.as_str() else { return Err(self.malformed(keyword, "a reference")) };
            for target in self.document.resolve(reference, &self.pointer)? {
                self.add_same(target)?;
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
            self.here().patterns.push((pattern.to_owned(), Regex::new(pattern).ok(), target));
        }
        if self.schema.contains_key("additionalProperties") {
            let target = self.target(self.below("additionalProperties"))?;
            self.here().other_names = Some(target);
        }
        if self.schema.contains_key("unevaluatedProperties") {
            let target = self.target(self.below("unevaluatedProperties"))?;
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

fn shown(pointer: &str) -> String {
    if pointer.is_empty() { "/".to_owned() } else { pointer.to_owned() }
}
