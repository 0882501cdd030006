//! From documents to schemas that values are validated with (santhosh-tekuri/jsonschema 6: `compiler.go`,
//! `objcompiler.go`).

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, OnceLock};

use referencing::meta;
use serde_json::{Map, Value};

use super::Violation;
use super::document::{Document, Draft, NOT_FOLLOWED, encode, escape, join, lookup, split};
use super::format::Format;
use super::message;
use super::plain;
use super::validate;
use crate::functions::Pattern;
use crate::quote::quote;

/// The most schemas in one `values.schema.json`; the largest public one has about 20,000.
pub(super) const MAX_SCHEMAS: usize = 30_000;

/// The longest schema, and the most keys and values that are read; the largest public one has 600,000 bytes, the one with
/// the most parts 20,000.
const MAX_TEXT_BYTES: usize = 8 << 20;
const MAX_PARTS: usize = 400_000;
/// The most different patterns of a schema, and what they may take together.
const MAX_PATTERNS: usize = 500;
const MAX_PATTERN_BYTES: usize = 16 << 20;

/// A schema that is ready for use. `Send + Sync`.
#[derive(Debug)]
pub(super) struct Compiled {
    #[expect(clippy::vec_box, reason = "a node is large, and a list that grows is there twice")]
    pub(super) nodes: Vec<Box<Node>>,
    pub(super) root: usize,
}

/// One schema. References to others are indices.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The URL with a pointer.
    pub(super) location: String,
    pub(super) draft: Option<Draft>,
    pub(super) boolean: Option<bool>,
    /// The schema with an identifier that this one belongs to.
    pub(super) resource: usize,
    pub(super) dynamic_anchors: BTreeMap<String, usize>,
    pub(super) dynamic_anchor: Option<String>,
    pub(super) recursive_anchor: bool,
    pub(super) types: Vec<String>,
    pub(super) constant: Option<Value>,
    pub(super) options: Option<Vec<Value>>,
    pub(super) format: Option<Format>,
    pub(super) reference: Option<usize>,
    pub(super) recursive_reference: Option<usize>,
    pub(super) dynamic_reference: Option<(usize, Option<String>)>,
    pub(super) all_of: Vec<usize>,
    pub(super) any_of: Vec<usize>,
    pub(super) one_of: Vec<usize>,
    pub(super) not: Option<usize>,
    pub(super) condition: Option<usize>,
    pub(super) then: Option<usize>,
    pub(super) otherwise: Option<usize>,
    pub(super) properties: BTreeMap<String, usize>,
    pub(super) pattern_properties: Vec<(Pattern, usize)>,
    pub(super) additional_properties: Option<Additional>,
    pub(super) property_names: Option<usize>,
    pub(super) dependencies: BTreeMap<String, Dependency>,
    pub(super) dependent_schemas: BTreeMap<String, usize>,
    pub(super) dependent_required: BTreeMap<String, Vec<String>>,
    pub(super) unevaluated_properties: Option<usize>,
    pub(super) required: Vec<String>,
    pub(super) min_properties: Option<u64>,
    pub(super) max_properties: Option<u64>,
    pub(super) items: Option<Items>,
    pub(super) additional_items: Option<Additional>,
    pub(super) contains: Option<usize>,
    pub(super) min_contains: Option<u64>,
    pub(super) max_contains: Option<u64>,
    pub(super) unevaluated_items: Option<usize>,
    pub(super) unique_items: bool,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) pattern: Option<(Pattern, String)>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) exclusive_minimum: Option<f64>,
    pub(super) exclusive_maximum: Option<f64>,
    pub(super) multiple_of: Option<f64>,
}

/// What further properties or items must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Additional {
    Allowed(bool),
    Schema(usize),
}

/// `dependencies` of one property.
#[derive(Clone, Debug)]
pub(super) enum Dependency {
    Required(Vec<String>),
    Schema(usize),
}

/// What items must be.
#[derive(Clone, Debug)]
pub(super) enum Items {
    /// All of them one thing.
    Each(usize),
    /// The first ones different things, the others something else.
    First { first: Vec<usize>, others: Option<usize> },
}

impl Node {
    /// How many items are always evaluated; none for all of them.
    pub(super) fn evaluated_items(&self) -> Option<usize> {
        match &self.items {
            _ if self.additional_items.is_some() => None,
            Some(Items::Each(_) | Items::First { others: Some(_), .. }) => None,
            Some(Items::First { first, others: None }) => Some(first.len()),
            None => Some(0),
        }
    }
}

/// Compiles the text of a `values.schema.json`. An error is Helm's text.
pub(super) fn compile(text: &[u8]) -> Result<Compiled, String> {
    let json = Arc::new(read(text)?);
    Compiler { formats_are_asserted: false, ..Compiler::default() }.compile("file:///values.schema.json", &json)
}

/// Reads JSON (santhosh-tekuri/jsonschema 6: `UnmarshalJSON`).
fn read(text: &[u8]) -> Result<Value, String> {
    if text.len() > MAX_TEXT_BYTES || crate::json::parts(text) > MAX_PARTS {
        return Err(format!("the schema has more than {MAX_TEXT_BYTES} bytes or {MAX_PARTS} keys and values"));
    }
    match crate::json::decode(text) {
        Ok(decoded) => Ok(crate::values::to_json(&decoded.value)),
        Err(error) => {
            let error = error.to_string();
            if text.iter().all(u8::is_ascii_whitespace) {
                Err("EOF".to_owned())
            } else if error == "unexpected end of JSON input" {
                Err("unexpected EOF".to_owned())
            } else if error.ends_with(" after top-level value") {
                Err("invalid character after top-level value".to_owned())
            } else {
                Err(error)
            }
        }
    }
}

/// The schema of a draft's schemas.
pub(super) fn metaschema(draft: Draft) -> Result<&'static Compiled, String> {
    static COMPILED: [OnceLock<Result<Compiled, String>>; 5] = [const { OnceLock::new() }; 5];
    let compiled = COMPILED[draft as usize].get_or_init(|| {
        let json = known_document(draft.url()).ok_or_else(|| draft.url().to_owned())?;
        Compiler { formats_are_asserted: true, ..Compiler::default() }.compile(draft.url(), &json)
    });
    compiled.as_ref().map_err(Clone::clone)
}

/// The drafts' own documents.
fn known_document(url: &str) -> Option<Arc<Value>> {
    let path =
        url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?.strip_prefix("json-schema.org/")?;
    let document: &LazyLock<Arc<Value>> = match path {
        "draft-04/schema" => &meta::DRAFT4,
        "draft-06/schema" => &meta::DRAFT6,
        "draft-07/schema" => &meta::DRAFT7,
        "draft/2019-09/schema" => &meta::DRAFT201909,
        "draft/2019-09/meta/core" => &meta::DRAFT201909_CORE,
        "draft/2019-09/meta/applicator" => &meta::DRAFT201909_APPLICATOR,
        "draft/2019-09/meta/validation" => &meta::DRAFT201909_VALIDATION,
        "draft/2019-09/meta/meta-data" => &meta::DRAFT201909_META_DATA,
        "draft/2019-09/meta/format" => &meta::DRAFT201909_FORMAT,
        "draft/2019-09/meta/content" => &meta::DRAFT201909_CONTENT,
        "schema" | "draft/2020-12/schema" => &meta::DRAFT202012,
        "draft/2020-12/meta/core" => &meta::DRAFT202012_CORE,
        "draft/2020-12/meta/applicator" => &meta::DRAFT202012_APPLICATOR,
        "draft/2020-12/meta/unevaluated" => &meta::DRAFT202012_UNEVALUATED,
        "draft/2020-12/meta/validation" => &meta::DRAFT202012_VALIDATION,
        "draft/2020-12/meta/meta-data" => &meta::DRAFT202012_META_DATA,
        "draft/2020-12/meta/format-annotation" => &meta::DRAFT202012_FORMAT_ANNOTATION,
        "draft/2020-12/meta/content" => &meta::DRAFT202012_CONTENT,
        _ => return None,
    };
    Some(Arc::clone(document))
}

#[derive(Default)]
struct Compiler {
    documents: Vec<Document>,
    #[expect(clippy::vec_box, reason = "as in Compiled")]
    nodes: Vec<Box<Node>>,
    /// Where each node is: document and pointer.
    places: Vec<(usize, String)>,
    known: HashMap<(usize, String), usize>,
    formats_are_asserted: bool,
    /// The patterns compiled so far by their texts, and what they take together.
    patterns: HashMap<String, Pattern>,
    pattern_bytes: usize,
}

impl Compiler {
    /// Compiles a pattern, once for each text.
    fn pattern(&mut self, text: &str) -> Result<Pattern, String> {
        if let Some(pattern) = self.patterns.get(text) {
            return Ok(pattern.clone());
        }
        let pattern = Pattern::compile(text)?;
        self.pattern_bytes += pattern.bytes();
        if self.patterns.len() >= MAX_PATTERNS || self.pattern_bytes > MAX_PATTERN_BYTES {
            return Err(format!("more than {MAX_PATTERNS} patterns, or {MAX_PATTERN_BYTES} bytes for them"));
        }
        self.patterns.insert(text.to_owned(), pattern.clone());
        Ok(pattern)
    }

    fn compile(mut self, url: &str, json: &Arc<Value>) -> Result<Compiled, String> {
        let document = self.add_document(url, json)?;
        let root = self.node(document, "");
        let mut next = 0;
        while next < self.nodes.len() {
            if self.nodes.len() > MAX_SCHEMAS {
                return Err(format!("more than {MAX_SCHEMAS} schemas"));
            }
            let (document, pointer) = self.places[next].clone();
            self.ensure_schema(document, &pointer)?;
            let json = Arc::clone(&self.documents[document].json);
            let value = lookup(&json, &self.documents[document].url, &pointer)?;
            self.fill(next, document, &pointer, value)?;
            next += 1;
        }
        Ok(Compiled { nodes: self.nodes, root })
    }

    fn add_document(&mut self, url: &str, json: &Arc<Value>) -> Result<usize, String> {
        let document = Document::new(url, json)?;
        let is_known = ["http://json-schema.org/", "https://json-schema.org/"];
        if !is_known.iter().any(|prefix| url.starts_with(prefix)) {
            check(&document, "")?;
        }
        self.documents.push(document);
        Ok(self.documents.len() - 1)
    }

    /// The document at a URL, which is loaded only if that takes no network and no disk.
    fn document(&mut self, url: &str) -> Result<usize, String> {
        if let Some(index) = self.documents.iter().position(|document| document.url == url) {
            return Ok(index);
        }
        let json = match known_document(url) {
            Some(json) => json,
            // Helm takes a URN that nobody resolves for anything.
            None if url.starts_with("urn:") => Arc::new(Value::Bool(true)),
            None => return Err(format!("failing loading {}: {NOT_FOLLOWED}", quote(url.as_bytes()))),
        };
        self.add_document(url, &json)
    }

    /// A reference can lead to a place that is no schema for any keyword.
    fn ensure_schema(&mut self, document: usize, pointer: &str) -> Result<(), String> {
        let document = &mut self.documents[document];
        if !document.schemas.contains(pointer) {
            document.add_schema(pointer)?;
            check(document, pointer)?;
        }
        Ok(())
    }

    fn node(&mut self, document: usize, pointer: &str) -> usize {
        let place = (document, pointer.to_owned());
        if let Some(node) = self.known.get(&place) {
            return *node;
        }
        let node = self.nodes.len();
        let location = format!("{}#{}", self.documents[document].url, encode(pointer));
        self.nodes.push(Box::new(Node { location, ..Node::default() }));
        self.known.insert(place.clone(), node);
        self.places.push(place);
        node
    }

    fn fill(&mut self, index: usize, document: usize, pointer: &str, value: &Value) -> Result<(), String> {
        let resource = self.documents[document].resource(pointer).clone();
        let mut node = Node {
            location: self.nodes[index].location.clone(),
            draft: Some(resource.draft),
            resource: self.node(document, &resource.pointer),
            ..Node::default()
        };
        if resource.draft >= Draft::Draft2020 && resource.pointer == pointer {
            for anchor in &resource.dynamic_anchors {
                if let Some(place) = resource.anchors.get(anchor) {
                    node.dynamic_anchors.insert(anchor.clone(), self.node(document, place));
                }
            }
        }
        match value {
            Value::Bool(value) => node.boolean = Some(*value),
            Value::Object(members) if members.is_empty() => node.boolean = Some(true),
            Value::Object(members) => {
                let object = Object { document, pointer, base: &resource.id, members, draft: resource.draft };
                self.fill_object(&mut node, &object)?;
            }
            _ => {}
        }
        *self.nodes[index] = node;
        Ok(())
    }

    fn fill_object(&mut self, node: &mut Node, object: &Object<'_>) -> Result<(), String> {
        node.reference = self.reference(object, "$ref")?;
        if object.draft < Draft::Draft2019 && node.reference.is_some() {
            return Ok(());
        }
        self.fill_applicators(node, object)?;
        fill_assertions(node, object)?;
        if let Some(pattern) = object.text("pattern") {
            node.pattern = Some((self.pattern(pattern)?, pattern.to_owned()));
        }
        if object.draft < Draft::Draft2019 || self.formats_are_asserted {
            node.format = object.text("format").and_then(Format::named);
        }
        if object.draft >= Draft::Draft2019 {
            node.recursive_reference = self.reference(object, "$recursiveRef")?;
            node.recursive_anchor = object.is_true("$recursiveAnchor");
        }
        if object.draft >= Draft::Draft2020 {
            if let Some(target) = self.reference(object, "$dynamicRef")? {
                let (_, fragment) = split(object.text("$dynamicRef").unwrap_or_default());
                let is_anchor = !fragment.is_empty() && !fragment.starts_with('/');
                node.dynamic_reference = Some((target, is_anchor.then(|| fragment.to_owned())));
            }
            node.dynamic_anchor = object.text("$dynamicAnchor").map(str::to_owned);
        }
        Ok(())
    }

    fn fill_applicators(&mut self, node: &mut Node, object: &Object<'_>) -> Result<(), String> {
        node.all_of = self.list(object, "allOf");
        node.any_of = self.list(object, "anyOf");
        node.one_of = self.list(object, "oneOf");
        node.not = self.one(object, "not");
        if object.draft < Draft::Draft2020 {
            match object.members.get("items") {
                Some(Value::Array(_)) => {
                    node.items = Some(Items::First { first: self.list(object, "items"), others: None });
                    node.additional_items = self.additional(object, "additionalItems");
                }
                Some(_) => node.items = self.one(object, "items").map(Items::Each),
                None => {}
            }
        } else {
            let (first, others) = (self.list(object, "prefixItems"), self.one(object, "items"));
            if !first.is_empty() || others.is_some() {
                node.items = Some(Items::First { first, others });
            }
        }
        node.properties = self.map(object, "properties");
        for (pattern, schema) in self.map(object, "patternProperties") {
            node.pattern_properties.push((self.pattern(&pattern)?, schema));
        }
        node.additional_properties = self.additional(object, "additionalProperties");
        for (property, value) in object.map("dependencies") {
            let dependency = match value {
                Value::Array(names) => Dependency::Required(texts(names)),
                _ => Dependency::Schema(self.node(object.document, &object.below(&["dependencies", property]))),
            };
            node.dependencies.insert(property.clone(), dependency);
        }
        if object.draft >= Draft::Draft6 {
            node.contains = self.one(object, "contains");
            node.property_names = self.one(object, "propertyNames");
        }
        if object.draft >= Draft::Draft7 {
            node.condition = self.one(object, "if");
            if node.condition.is_some() {
                node.then = self.one(object, "then");
                node.otherwise = self.one(object, "else");
            }
        }
        if object.draft >= Draft::Draft2019 {
            node.dependent_schemas = self.map(object, "dependentSchemas");
            node.unevaluated_items = self.one(object, "unevaluatedItems");
            node.unevaluated_properties = self.one(object, "unevaluatedProperties");
        }
        Ok(())
    }

    fn one(&mut self, object: &Object<'_>, keyword: &str) -> Option<usize> {
        object.members.get(keyword)?;
        Some(self.node(object.document, &object.below(&[keyword])))
    }

    fn list(&mut self, object: &Object<'_>, keyword: &str) -> Vec<usize> {
        let length = object.members.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        (0..length).map(|index| self.node(object.document, &object.below(&[keyword, &index.to_string()]))).collect()
    }

    fn map(&mut self, object: &Object<'_>, keyword: &str) -> BTreeMap<String, usize> {
        let keys = object.map(keyword);
        keys.map(|(key, _)| (key.clone(), self.node(object.document, &object.below(&[keyword, key])))).collect()
    }

    fn additional(&mut self, object: &Object<'_>, keyword: &str) -> Option<Additional> {
        match object.members.get(keyword)? {
            Value::Bool(allowed) => Some(Additional::Allowed(*allowed)),
            _ => self.one(object, keyword).map(Additional::Schema),
        }
    }

    fn reference(&mut self, object: &Object<'_>, keyword: &str) -> Result<Option<usize>, String> {
        let Some(reference) = object.text(keyword) else { return Ok(None) };
        let (url, fragment) = split(reference);
        let url = join(object.base, url);
        let fragment = decode(fragment);
        if let Some(pointer) = self.documents[object.document].resolve(&url, &fragment) {
            return Ok(Some(self.node(object.document, &pointer?)));
        }
        let document = self.document(&url)?;
        let pointer = self.documents[document].resolve(&url, &fragment).unwrap_or_else(|| Ok(fragment.clone()))?;
        Ok(Some(self.node(document, &pointer)))
    }
}

/// Compares a schema with the schema of its draft.
fn check(document: &Document, pointer: &str) -> Result<(), String> {
    let schema = lookup(&document.json, &document.url, pointer)?;
    let draft = document.resource(pointer).draft;
    if plain::is_surely_valid(schema, draft) {
        return Ok(());
    }
    let metaschema = metaschema(draft)?;
    let violations = match validate::validate(metaschema, schema) {
        Ok(violations) if violations.is_empty() => return Ok(()),
        Ok(violations) => violations,
        Err(error) => return Err(error),
    };
    let place = format!("{}#{}", document.url, encode(pointer));
    let name = message::quote(&metaschema.nodes[metaschema.root].location);
    let mut text = format!(
        "{} is not valid against metaschema: jsonschema validation failed with {name}",
        quote(place.as_bytes())
    );
    for violation in &violations {
        text.push('\n');
        text.push_str(Violation::to_string(violation).trim_end());
    }
    Err(text)
}

fn decode(fragment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = fragment.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A schema that is an object, in its place.
struct Object<'a> {
    document: usize,
    pointer: &'a str,
    base: &'a str,
    members: &'a Map<String, Value>,
    draft: Draft,
}

impl Object<'_> {
    fn below(&self, tokens: &[&str]) -> String {
        let mut pointer = self.pointer.to_owned();
        for token in tokens {
            pointer.push('/');
            pointer.push_str(&escape(token));
        }
        pointer
    }

    fn text(&self, keyword: &str) -> Option<&str> {
        self.members.get(keyword).and_then(Value::as_str)
    }

    fn is_true(&self, keyword: &str) -> bool {
        self.members.get(keyword).and_then(Value::as_bool).unwrap_or_default()
    }

    fn number(&self, keyword: &str) -> Option<f64> {
        self.members.get(keyword).and_then(Value::as_f64)
    }

    fn count(&self, keyword: &str) -> Option<u64> {
        self.number(keyword).filter(|number| number.fract() == 0.0 && *number >= 0.0).map(|number| number as u64)
    }

    fn list(&self, keyword: &str) -> Option<&Vec<Value>> {
        self.members.get(keyword).and_then(Value::as_array)
    }

    fn map(&self, keyword: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.members.get(keyword).and_then(Value::as_object).into_iter().flatten()
    }
}

fn fill_assertions(node: &mut Node, object: &Object<'_>) -> Result<(), String> {
    node.types = match object.members.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => texts(names),
        _ => Vec::new(),
    };
    node.types.sort_by_key(|name| message::TYPE_ORDER.iter().position(|known| known == name));
    node.types.dedup();
    node.options = object.list("enum").cloned();
    node.multiple_of = object.number("multipleOf");
    node.maximum = object.number("maximum");
    node.exclusive_maximum =
        if object.is_true("exclusiveMaximum") { node.maximum.take() } else { object.number("exclusiveMaximum") };
    node.minimum = object.number("minimum");
    node.exclusive_minimum =
        if object.is_true("exclusiveMinimum") { node.minimum.take() } else { object.number("exclusiveMinimum") };
    node.min_length = object.count("minLength");
    node.max_length = object.count("maxLength");
    node.min_items = object.count("minItems");
    node.max_items = object.count("maxItems");
    node.unique_items = object.is_true("uniqueItems");
    node.min_properties = object.count("minProperties");
    node.max_properties = object.count("maxProperties");
    node.required = object.list("required").map(|names| texts(names)).unwrap_or_default();
    if object.draft >= Draft::Draft6 {
        node.constant = object.members.get("const").cloned();
    }
    if object.draft >= Draft::Draft2019 {
        if object.members.contains_key("contains") {
            node.min_contains = object.count("minContains");
            node.max_contains = object.count("maxContains");
        }
        for (property, names) in object.map("dependentRequired") {
            if let Value::Array(names) = names {
                node.dependent_required.insert(property.clone(), texts(names));
            }
        }
    }
    Ok(())
}
