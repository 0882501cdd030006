//! Whether a change of values is refused, decided slowly: every place of the values is asked about on its own, and for
//! each the schemas are read from the start. Shares nothing with the rules under test but Helm's coalescing.

use std::collections::BTreeSet;

use serde_json::Value;

/// A place in a document: keys, and positions as numbers in decimal.
type Place = Vec<String>;

/// A step in the values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A key.
    Key(String),
    /// A position in a list.
    Index(usize),
    /// A key that no schema names and that matches these of the patterns. For comparing schemas without values.
    Unnamed(Vec<&'static str>),
}

/// The schema of a chart, and the keys that its values are under.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// Alias or name of each dependency on the way.
    pub chart: Vec<String>,
    /// The parsed schema.
    pub schema: Value,
}

/// The regular expressions that generated schemas have, and whether a key matches; none for what is no expression to Go.
/// Written out, so that no library decides.
pub(super) const PATTERNS: [&str; 4] = ["^x", "b$", "^[ab]$", "(?=a)"];

fn matches(pattern: &str, key: &str) -> Option<bool> {
    match pattern {
        "^x" => Some(key.starts_with('x')),
        "b$" => Some(key.ends_with('b')),
        "^[ab]$" => Some(key == "a" || key == "b"),
        _ => None,
    }
}

/// What the values say before and after, as templates see them and as they are set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'a> {
    /// What templates see.
    pub old_effective: &'a Value,
    /// What is set.
    pub old_explicit: &'a Value,
    /// What templates would see.
    pub new_effective: &'a Value,
    /// What would be set.
    pub new_explicit: &'a Value,
}

/// Keywords with one subschema about the same value.
const SAME_ONE: [&str; 3] = ["if", "then", "else"];
/// Keywords with a list of subschemas about the same value.
const SAME_LIST: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// Other keywords with one subschema.
const ONE: [&str; 7] = [
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "items",
    "additionalItems",
    "contains",
    "unevaluatedItems",
];
const NOT_SCHEMAS: [&str; 7] = ["not", "default", "const", "enum", "examples", "$defs", "definitions"];

impl Document {
    fn get(&self, place: &[String]) -> Option<&Value> {
        place.iter().try_fold(&self.schema, |value, token| match value {
            Value::Object(members) => members.get(token),
            Value::Array(items) => items.get(token.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// All places of the document.
    fn everywhere(&self) -> Vec<Place> {
        fn add(value: &Value, place: &Place, places: &mut Vec<Place>) {
            places.push(place.clone());
            match value {
                Value::Object(members) => {
                    members.iter().for_each(|(key, value)| add(value, &below(place, key), places));
                }
                Value::Array(items) => items
                    .iter()
                    .enumerate()
                    .for_each(|(index, value)| add(value, &below(place, &index.to_string()), places)),
                _ => {}
            }
        }
        let mut places = Vec::new();
        add(&self.schema, &Vec::new(), &mut places);
        places
    }

    fn text<'a>(&'a self, place: &[String], keyword: &str) -> Option<&'a str> {
        self.get(place)?.get(keyword)?.as_str()
    }

    /// Addresses that a place has by `$id`.
    fn addresses<'a>(&'a self, place: &[String]) -> Vec<&'a str> {
        let identifiers = ["$id", "id"].iter().filter_map(|keyword| self.text(place, keyword));
        let mut addresses: Vec<&str> = identifiers.filter_map(|identifier| identifier.split('#').next()).collect();
        addresses.retain(|address| !address.is_empty());
        addresses
    }

    /// Whatever a reference may mean in some draft.
    fn targets(&self, reference: &str, from: &Place) -> Vec<Place> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let everywhere = self.everywhere();
        let same = |one: &str, other: &str| {
            one == other || one.ends_with(&format!("/{other}")) || other.ends_with(&format!("/{one}"))
        };
        let mut bases: Vec<Place> = if address.is_empty() {
            let enclosing = everywhere.iter().filter(|place| from.starts_with(place));
            enclosing.filter(|place| !self.addresses(place).is_empty()).cloned().collect()
        } else {
            let named = |place: &&Place| self.addresses(place).into_iter().any(|known| same(known, address));
            everywhere.iter().filter(named).cloned().collect()
        };
        if address.is_empty() || same("file:///values.schema.json", address) {
            bases.push(Vec::new());
        }
        if bases.is_empty() {
            return Vec::new();
        }
        if !fragment.is_empty() && !fragment.starts_with('/') {
            let anchored = |place: &&Place| {
                let anchors = ["$anchor", "$dynamicAnchor"].iter().filter_map(|keyword| self.text(place, keyword));
                let fragments = ["$id", "id"].iter().filter_map(|keyword| self.text(place, keyword)?.strip_prefix('#'));
                anchors.chain(fragments).any(|anchor| anchor == fragment)
            };
            return everywhere.iter().filter(anchored).cloned().collect();
        }
        let tokens = fragment
            .split('/')
            .skip(1)
            .map(|token| token.replace("%25", "%").replace("%2F", "/").replace("~1", "/").replace("~0", "~"));
        let tokens: Place = tokens.collect();
        bases.retain(|base| self.get(&[base.as_slice(), &tokens].concat()).is_some());
        bases.into_iter().map(|base| [base, tokens.clone()].concat()).collect()
    }

    /// Subschemas about the very value that the one at a place is about.
    fn same_value(&self, place: &Place) -> Vec<Place> {
        let Some(Value::Object(schema)) = self.get(place) else { return Vec::new() };
        let mut same = Vec::new();
        for (keyword, value) in schema {
            let here = below(place, keyword);
            match keyword.as_str() {
                keyword if REFERENCES.contains(&keyword) => {
                    same.extend(self.targets(value.as_str().unwrap_or_default(), place));
                }
                keyword if SAME_LIST.contains(&keyword) => {
                    let count = value.as_array().map_or(0, Vec::len);
                    same.extend((0..count).map(|index| below(&here, &index.to_string())));
                }
                keyword if SAME_ONE.contains(&keyword) => same.push(here),
                "dependentSchemas" | "dependencies" => {
                    for (key, value) in value.as_object().into_iter().flatten() {
                        if keyword == "dependentSchemas" || !value.is_array() {
                            same.push(below(&here, key));
                        }
                    }
                }
                _ => {}
            }
        }
        same
    }

    /// Subschemas about parts of the value.
    fn parts(&self, place: &Place) -> Vec<Place> {
        let Some(Value::Object(schema)) = self.get(place) else { return Vec::new() };
        let mut parts = Vec::new();
        for (keyword, value) in schema {
            let here = below(place, keyword);
            match (keyword.as_str(), value) {
                ("properties" | "patternProperties", Value::Object(members)) => {
                    parts.extend(members.keys().map(|key| below(&here, key)));
                }
                ("prefixItems" | "items", Value::Array(items)) => {
                    parts.extend((0..items.len()).map(|index| below(&here, &index.to_string())));
                }
                (keyword, _) if ONE.contains(&keyword) => parts.push(here),
                _ => {}
            }
        }
        parts
    }

    /// A subschema and all others about the same value.
    fn closure(&self, places: Vec<Place>) -> Vec<Place> {
        let mut all = Vec::new();
        let mut open = places;
        while let Some(place) = open.pop() {
            if !all.contains(&place) {
                open.extend(self.same_value(&place));
                all.push(place);
            }
        }
        all
    }

    /// Every subschema that could ever count.
    fn reachable(&self, from: Vec<Place>) -> Vec<Place> {
        let mut all = Vec::new();
        let mut open = from;
        while let Some(place) = open.pop() {
            if !all.contains(&place) {
                open.extend(self.same_value(&place));
                open.extend(self.parts(&place));
                all.push(place);
            }
        }
        all
    }

    /// Whether nobody can say what the schema locks.
    fn is_malformed(&self) -> bool {
        let reachable = self.reachable(vec![Vec::new()]);
        reachable.iter().any(|place| {
            self.is_malformed_at(place) || self.comes_back(place, &self.same_value(place)) || {
                let members = self.get(place).and_then(Value::as_object);
                members.into_iter().flatten().any(|(keyword, value)| {
                    let known = REFERENCES.iter().chain(&SAME_LIST).chain(&SAME_ONE).chain(&ONE).chain(&NOT_SCHEMAS);
                    let known = known.copied().chain([
                        "dependentSchemas",
                        "dependencies",
                        "properties",
                        "patternProperties",
                        "prefixItems",
                    ]);
                    !known.into_iter().any(|known| known == keyword)
                        && !keyword.starts_with("x-")
                        && marked_inside(value, &below(place, keyword), &reachable)
                })
            }
        })
    }

    fn is_malformed_at(&self, place: &Place) -> bool {
        let schema = match self.get(place) {
            Some(Value::Bool(_)) => return false,
            Some(Value::Object(schema)) => schema,
            _ => return true,
        };
        schema.iter().any(|(keyword, value)| match keyword.as_str() {
            "$id" | "$anchor" | "$dynamicAnchor" => !value.is_string(),
            "properties" | "patternProperties" | "dependentSchemas" | "dependencies" => !value.is_object(),
            "prefixItems" => !value.is_array(),
            keyword if SAME_LIST.contains(&keyword) => !value.is_array(),
            keyword if REFERENCES.contains(&keyword) => {
                value.as_str().is_none_or(|reference| self.targets(reference, place).is_empty())
            }
            keyword => is_mark(keyword) && !value.is_boolean(),
        })
    }

    /// Whether following subschemas about the same value leads back to where it began.
    fn comes_back(&self, start: &Place, next: &[Place]) -> bool {
        self.closure(next.to_vec()).contains(start)
    }

    fn is_marked(&self, place: &Place) -> bool {
        let members = self.get(place).and_then(Value::as_object);
        members.into_iter().flatten().any(|(keyword, value)| is_mark(keyword) && *value == Value::Bool(true))
    }

    /// Subschemas about what a step leads to. `is_new`: there was nothing before, so that only what is named counts.
    fn step(&self, places: &[Place], step: &Step, is_new: bool) -> Vec<Place> {
        let mut next = Vec::new();
        for place in places {
            let Some(schema) = self.get(place) else { continue };
            let keyword = |keyword: &str| below(place, keyword);
            let has = |keyword: &str| schema.get(keyword).is_some();
            let named = |keyword: &str, key: &str| schema.get(keyword).and_then(|named| named.get(key)).is_some();
            match step {
                Step::Index(index) => {
                    for list in ["prefixItems", "items"] {
                        if schema.get(list).and_then(Value::as_array).is_some_and(|items| *index < items.len()) {
                            next.push(below(&keyword(list), &index.to_string()));
                        }
                    }
                    if is_new {
                        continue;
                    }
                    for each in ["items", "contains", "unevaluatedItems"] {
                        if has(each) && !schema[each].is_array() {
                            next.push(keyword(each));
                        }
                    }
                    let first = schema.get("items").and_then(Value::as_array).map_or(0, Vec::len);
                    if has("additionalItems") && *index >= first {
                        next.push(keyword("additionalItems"));
                    }
                }
                Step::Key(_) | Step::Unnamed(_) => {
                    let mut is_named = false;
                    if let Step::Key(key) = step
                        && named("properties", key)
                    {
                        is_named = true;
                        next.push(below(&keyword("properties"), key));
                    }
                    if is_new {
                        continue;
                    }
                    for pattern in schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten() {
                        let pattern = pattern.0;
                        let matched = match step {
                            Step::Key(key) => matches(pattern, key),
                            // Which keys the expression stands for is not asked.
                            _ => Some(true).filter(|_| step_matches(step, pattern)).or(Some(false)),
                        };
                        if matched != Some(false) {
                            next.push(below(&keyword("patternProperties"), pattern));
                        }
                        is_named |= matched == Some(true);
                    }
                    for other in ["additionalProperties", "unevaluatedProperties"] {
                        if has(other) && !is_named {
                            next.push(keyword(other));
                        }
                    }
                    if has("propertyNames") {
                        next.push(keyword("propertyNames"));
                    }
                }
            }
        }
        self.closure(next)
    }

    /// How the path of a value reads in this document: below the chart's own values, and as what it shares with the
    /// charts that it is part of. How many steps each leaves out at the start.
    fn views(&self, path: &[Step]) -> Vec<usize> {
        let starts = |chart: &[String]| {
            let keys = chart.iter().map(|key| Step::Key(key.clone()));
            path.len() >= chart.len() && keys.zip(path).all(|(key, step)| key == *step)
        };
        let mut views = Vec::new();
        for length in 0..self.chart.len() {
            let shares = path.get(length) == Some(&Step::Key("global".into()));
            if starts(&self.chart[..length]) && shares {
                views.push(length);
            }
        }
        if starts(&self.chart) {
            views.push(self.chart.len());
        }
        views
    }

    /// Subschemas about the value at a path.
    fn describing(&self, path: &[Step], is_new: &dyn Fn(usize) -> bool) -> Vec<Place> {
        let mut places = Vec::new();
        for skipped in self.views(path) {
            let mut here = self.closure(vec![Vec::new()]);
            for (index, step) in path.iter().enumerate().skip(skipped) {
                here = self.step(&here, step, is_new(index + 1));
            }
            places.extend(here);
        }
        places
    }
}

fn step_matches(step: &Step, pattern: &str) -> bool {
    matches!(step, Step::Unnamed(matched) if matched.contains(&pattern))
}

fn below(place: &[String], token: &str) -> Place {
    [place, &[token.to_owned()]].concat()
}

fn is_mark(keyword: &str) -> bool {
    keyword.to_lowercase() == "immutable"
}

/// Whether something is marked that is no subschema that counts.
fn marked_inside(value: &Value, place: &Place, reachable: &[Place]) -> bool {
    match value {
        Value::Object(_) if reachable.contains(place) => false,
        Value::Object(members) => members.iter().any(|(key, value)| {
            is_mark(key) && *value == Value::Bool(true) || marked_inside(value, &below(place, key), reachable)
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .any(|(index, value)| marked_inside(value, &below(place, &index.to_string()), reachable)),
        _ => false,
    }
}

/// Whether nobody can say what some of the schemas lock.
pub(super) fn are_malformed(documents: &[Document]) -> bool {
    documents.iter().any(Document::is_malformed)
}

/// Whether the schemas lock anything below a chart's values; all values for the root chart.
pub(super) fn lock_anything(documents: &[Document], chart: &[String]) -> bool {
    let path: Vec<Step> = chart.iter().map(|key| Step::Key(key.clone())).collect();
    let is_inner = |document: &&Document| document.chart.starts_with(chart);
    let any_mark =
        |document: &Document, from: Vec<Place>| document.reachable(from).iter().any(|place| document.is_marked(place));
    documents.iter().filter(is_inner).any(|document| any_mark(document, vec![Vec::new()]))
        || documents.iter().any(|document| any_mark(document, document.describing(&path, &|_| false)))
        || is_locked(documents, &path, &|_| false)
}

/// Whether a mark on the way locks the value at a path.
fn is_locked(documents: &[Document], path: &[Step], is_new: &dyn Fn(usize) -> bool) -> bool {
    (0..=path.len()).any(|length| {
        documents
            .iter()
            .any(|document| document.describing(&path[..length], is_new).iter().any(|place| document.is_marked(place)))
    })
}

/// The places of locked values that change.
pub(super) fn locked_changes(documents: &[Document], change: Change<'_>) -> BTreeSet<Vec<Step>> {
    let is_new = |path: &[Step]| at(change.old_effective, path).is_none() && at(change.old_explicit, path).is_none();
    let from = |path: &[Step]| {
        let is_new = |length: usize| is_new(&path[..length]);
        (0..=path.len()).find(|length| is_locked(documents, &path[..*length], &is_new))
    };
    // Where no schema names a place, also what kind of nothing is there, and whether it is there, says something.
    let is_named = |path: &[Step], locked: usize| {
        let named_only = |length: usize| length == path.len() || length <= locked && is_new(&path[..length]);
        path.is_empty() || documents.iter().any(|document| !document.describing(path, &named_only).is_empty())
    };
    changes(change, from, is_named)
}

/// The places of values that change and that are owned, or part of one that is.
pub(super) fn owned_changes(owned: &BTreeSet<Vec<Step>>, change: Change<'_>) -> BTreeSet<Vec<Step>> {
    changes(change, |path| (0..=path.len()).find(|length| owned.contains(&path[..*length])), |_, _| true)
}

/// The places of values that change and must not. `from`: how many steps of a path lead to what must not change.
/// `is_named`: whether nothing is nothing at a path, whatever it is written as; told also how many steps those are.
fn changes(
    change: Change<'_>,
    from: impl Fn(&[Step]) -> Option<usize>,
    is_named: impl Fn(&[Step], usize) -> bool,
) -> BTreeSet<Vec<Step>> {
    let mut paths = BTreeSet::new();
    for value in [change.old_effective, change.old_explicit, change.new_effective, change.new_explicit] {
        add_paths(value, &mut Vec::new(), &mut paths);
    }
    let is_changed = |path: &Vec<Step>| {
        let Some(locked) = from(path) else { return false };
        let (before, after) = (at(change.old_effective, path), at(change.new_effective, path));
        let (set_before, set_after) = (at(change.old_explicit, path), at(change.new_explicit, path));
        let differs = content(before) != content(after) || shape(before) != shape(after) && !is_named(path, locked);
        let digits = |value: Option<&Value>| value.filter(|value| value.is_number()).map(exact);
        let differs_in_digits =
            digits(set_before).zip(digits(set_after)).is_some_and(|(before, after)| before != after);
        // What is part of a list has no default to follow.
        let is_part_of_list = path[locked..].iter().any(|step| matches!(step, Step::Index(_)));
        let matters = set_before.is_some_and(|value| value.is_null() || !content(Some(value)).is_empty());
        let is_mapping = set_before.is_some_and(Value::is_object);
        differs || differs_in_digits || matters && set_after.is_none() && !is_mapping && !is_part_of_list
    };
    paths.into_iter().filter(is_changed).collect()
}

/// Whether everything that the old schemas lock is locked by the new ones, tried out on all paths that any of them says
/// something else about.
pub(super) fn keep_locks(old: &[Document], new: &[Document]) -> bool {
    type Described = Vec<Vec<Place>>;
    struct Trial<'a> {
        old: &'a [Document],
        new: &'a [Document],
        steps: Vec<Step>,
        known: BTreeSet<(Vec<Step>, Described, Described)>,
    }
    impl Trial<'_> {
        fn loses(&mut self, path: &mut Vec<Step>) -> bool {
            if is_locked(self.new, path, &|_| false) {
                return false;
            }
            if is_locked(self.old, path, &|_| false) {
                return true;
            }
            let describing = |documents: &[Document]| -> Described {
                documents.iter().map(|document| document.describing(path, &|_| false)).collect()
            };
            let (old, new) = (describing(self.old), describing(self.new));
            let is_outside = |document: &Document| path.len() <= document.chart.len();
            let leads_on = self.old.iter().zip(&old).any(|(document, places)| {
                let places = if is_outside(document) { vec![Vec::new()] } else { places.clone() };
                document.reachable(places).iter().any(|place| document.is_marked(place))
            });
            // Which path leads to inner charts matters, further in only what is said there.
            let outside = self.old.iter().chain(self.new).any(is_outside);
            let start = if outside { path.clone() } else { Vec::new() };
            if !leads_on || !self.known.insert((start, old, new)) {
                return false;
            }
            self.steps.clone().into_iter().any(|step| {
                path.push(step);
                let loses = self.loses(path);
                path.pop();
                loses
            })
        }
    }
    let mut names = BTreeSet::from(["global".to_owned()]);
    let (mut patterns, mut longest) = (BTreeSet::new(), 0);
    for document in old.iter().chain(new) {
        names.extend(document.chart.iter().cloned());
        for place in document.everywhere() {
            let Some(value) = document.get(&place) else { continue };
            let keyword = |keyword: &str| value.get(keyword);
            names.extend(
                keyword("properties").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.clone()),
            );
            let used = keyword("patternProperties").and_then(Value::as_object);
            patterns
                .extend(PATTERNS.into_iter().filter(|pattern| used.is_some_and(|used| used.contains_key(*pattern))));
            for list in ["items", "prefixItems"] {
                longest = longest.max(keyword(list).and_then(Value::as_array).map_or(0, Vec::len));
            }
        }
    }
    let patterns: Vec<&'static str> = patterns.into_iter().collect();
    let subsets = (0..1_usize << patterns.len()).map(|subset| {
        Step::Unnamed((0..patterns.len()).filter(|bit| subset & (1 << bit) != 0).map(|bit| patterns[bit]).collect())
    });
    let steps: Vec<Step> =
        names.into_iter().map(Step::Key).chain(subsets).chain((0..=longest).map(Step::Index)).collect();
    !Trial { old, new, steps, known: BTreeSet::new() }.loses(&mut Vec::new())
}

/// Every place of a value, the root included.
fn add_paths(value: &Value, path: &mut Vec<Step>, paths: &mut BTreeSet<Vec<Step>>) {
    paths.insert(path.clone());
    let parts: Vec<(Step, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(key, value)| (Step::Key(key.clone()), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (Step::Index(index), value)).collect(),
        _ => Vec::new(),
    };
    for (step, part) in parts {
        path.push(step);
        add_paths(part, path, paths);
        path.pop();
    }
}

fn at<'a>(value: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.as_object()?.get(key),
        Step::Index(index) => value.as_array()?.get(*index),
        Step::Unnamed(_) => None,
    })
}

/// What a value holds, so that equal texts mean equal values: nothing, null, an empty list and an empty mapping are one.
fn content(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::Bool(value)) => format!("{value}"),
        // Minus zero is zero.
        Some(Value::Number(number)) => format!("number {:?}", number.as_f64().map(|number| number + 0.0)),
        Some(Value::String(text)) => format!("text {text:?}"),
        Some(Value::Array(items)) if items.is_empty() => String::new(),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|item| content(Some(item))).collect();
            format!("[{}]", items.join(";"))
        }
        Some(Value::Object(members)) => {
            let members = members.iter().map(|(key, value)| (key, content(Some(value))));
            let members: Vec<String> = members
                .filter(|(_, content)| !content.is_empty())
                .map(|(key, content)| format!("{key:?}={content}"))
                .collect();
            if members.is_empty() { String::new() } else { format!("{{{}}}", members.join(";")) }
        }
    }
}

/// Which nothing a value is, as long as it is one.
fn shape(value: Option<&Value>) -> &str {
    match value {
        None => "absent",
        Some(_) if !content(value).is_empty() => "something",
        Some(Value::Array(_)) => "list",
        Some(Value::Object(_)) => "mapping",
        Some(_) => "null",
    }
}

/// A number to the last digit; whole numbers written as floats are whole.
fn exact(number: &Value) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => format!("{:.0}", float + 0.0),
        _ => number.to_string(),
    }
}
