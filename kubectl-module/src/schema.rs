//! What a template's `values.schema.json` says about one value, for people to read.
//!
//! Only descriptions are taken from here. Whether a value is valid or locked is decided elsewhere.

use std::collections::BTreeMap;

use serde_json::Value;

use module::ValuePath;
use module::path::Token;

/// References and combinators are followed this deep; a schema that nests deeper is a cycle.
const MAX_DEPTH: usize = 16;

/// The schema of a chart and, under the names by which values reach them, those of its sub-charts.
#[derive(Clone, Debug, Default)]
pub(crate) struct SchemaTree {
    root: Value,
    children: BTreeMap<String, SchemaTree>,
}

/// What a schema says about one value.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the fields are named after the keywords of JSON Schema")]
pub(crate) struct Description {
    /// `title`.
    pub(crate) title: Option<String>,
    /// `description`.
    pub(crate) description: Option<String>,
    /// `type`, one or several.
    pub(crate) types: Vec<String>,
    /// `enum`, or the value of `const`.
    pub(crate) allowed: Vec<Value>,
    /// `default`.
    pub(crate) default: Option<Value>,
    /// Bounds and patterns, such as `minimum 1`.
    pub(crate) bounds: Vec<String>,
    /// `deprecated`.
    pub(crate) deprecated: bool,
    /// `writeOnly`, or the format of a password: never shown.
    pub(crate) secret: bool,
}

/// Bounds that are worth telling, in this order.
const BOUNDS: [(&str, &str); 10] = [
    ("minimum", "at least"),
    ("exclusiveMinimum", "more than"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "less than"),
    ("multipleOf", "a multiple of"),
    ("minLength", "length at least"),
    ("maxLength", "length at most"),
    ("minItems", "items at least"),
    ("maxItems", "items at most"),
    ("pattern", "pattern"),
];

impl SchemaTree {
    /// A chart's schema and those of its sub-charts.
    pub(crate) fn new(root: Value, children: BTreeMap<String, Self>) -> Self {
        Self { root, children }
    }

    /// What is said about the value at a path.
    pub(crate) fn describe(&self, path: &ValuePath) -> Description {
        let mut description = Description::default();
        for schema in self.at(path) {
            description.add(schema.node);
        }
        description
    }

    /// The keys that the value at a path may have: in the template author's order where there is one, else with a name
    /// before what it names.
    pub(crate) fn keys(&self, path: &ValuePath) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        let mut add = |key: &str| {
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_owned());
            }
        };
        let schemas = self.at(path);
        for schema in &schemas {
            for key in schema.node.get("order").and_then(Value::as_array).into_iter().flatten() {
                key.as_str().map(&mut add);
            }
        }
        let named = |schema: &Schema<'_>| schema.node.pointer("/properties/name").is_some();
        if schemas.iter().any(named) {
            add("name");
        }
        for schema in &schemas {
            for key in schema.node.get("properties").and_then(Value::as_object).into_iter().flat_map(|map| map.keys()) {
                add(key);
            }
        }
        keys
    }

    /// Whether names are given to the values inside one, and this is none of them. Where the author says that others
    /// may be there too, nothing is left out.
    pub(crate) fn leaves_out(&self, key: &str, inside: &ValuePath) -> bool {
        let names = self.keys(inside);
        let others = ["additionalProperties", "patternProperties"];
        let admits_others = |node: &Value| {
            others.iter().filter_map(|keyword| node.get(keyword)).any(|others| *others != Value::Bool(false))
        };
        !names.is_empty()
            && !names.iter().any(|name| name == key)
            && !self.at(inside).iter().any(|schema| admits_others(schema.node))
    }

    /// All subschemas that apply to the value at a path.
    fn at(&self, path: &ValuePath) -> Vec<Schema<'_>> {
        let mut found = Schema::expand(&self.root, &self.root);
        for step in path.tokens() {
            found = found.iter().flat_map(|schema| schema.below(step)).collect();
        }
        if let Some((Token::Key(first), rest)) = path.tokens().split_first()
            && let Some(child) = self.children.get(first)
        {
            found.extend(child.at(&ValuePath::from(rest.to_vec())));
        }
        found
    }
}

impl Description {
    fn add(&mut self, node: &Value) {
        let text = |key: &str| node.get(key).and_then(Value::as_str).map(str::to_owned);
        self.title = self.title.take().or_else(|| text("title"));
        self.description = self.description.take().or_else(|| text("description"));
        if self.types.is_empty() {
            self.types = match node.get("type") {
                Some(Value::String(name)) => vec![name.clone()],
                Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                _ => Vec::new(),
            };
        }
        if self.allowed.is_empty() {
            self.allowed = match (node.get("enum"), node.get("const")) {
                (Some(Value::Array(values)), _) => values.clone(),
                (_, Some(value)) => vec![value.clone()],
                _ => Vec::new(),
            };
        }
        self.default = self.default.take().or_else(|| node.get("default").cloned());
        for (key, name) in BOUNDS {
            if let Some(bound) = node.get(key) {
                let bound = bound.as_str().map_or_else(|| bound.to_string(), str::to_owned);
                self.bounds.push(format!("{name} {bound}"));
            }
        }
        let is_true = |key: &str| node.get(key) == Some(&Value::Bool(true));
        self.deprecated |= is_true("deprecated");
        self.secret |= is_true("writeOnly") || text("format").is_some_and(|format| format == "password");
    }
}

/// A subschema and the document that its references are relative to.
#[derive(Clone, Copy)]
struct Schema<'a> {
    document: &'a Value,
    node: &'a Value,
}

impl<'a> Schema<'a> {
    /// The subschema itself and everything that it refers to or combines.
    fn expand(document: &'a Value, node: &'a Value) -> Vec<Self> {
        let mut found = Vec::new();
        Self { document, node }.collect(0, &mut found);
        found
    }

    fn collect(self, depth: usize, found: &mut Vec<Self>) {
        if depth > MAX_DEPTH || found.iter().any(|known| std::ptr::eq(known.node, self.node)) {
            return;
        }
        found.push(self);
        let mut follow = |node: &'a Value| Self { document: self.document, node }.collect(depth + 1, found);
        if let Some(target) = self.node.get("$ref").and_then(Value::as_str).and_then(|name| self.resolve(name)) {
            follow(target);
        }
        for key in ["allOf", "anyOf", "oneOf"] {
            self.node.get(key).and_then(Value::as_array).into_iter().flatten().for_each(&mut follow);
        }
        for key in ["if", "then", "else"] {
            self.node.get(key).into_iter().for_each(&mut follow);
        }
    }

    /// The target of a reference into the same document.
    fn resolve(self, reference: &str) -> Option<&'a Value> {
        let pointer = reference.strip_prefix('#')?;
        self.document.pointer(&pointer.replace("%20", " ").replace("%25", "%"))
    }

    /// The subschemas for one step further in.
    fn below(&self, step: &Token) -> Vec<Self> {
        let next: Option<&Value> = match step {
            Token::Key(key) => {
                let named = self.node.get("properties").and_then(|properties| properties.get(key));
                named.or_else(|| self.node.get("additionalProperties"))
            }
            Token::Index(index) => {
                let positional = |key| self.node.get(key).and_then(Value::as_array).and_then(|list| list.get(*index));
                positional("prefixItems").or_else(|| positional("items")).or_else(|| self.node.get("items"))
            }
        };
        next.filter(|node| node.is_object()).map(|node| Self::expand(self.document, node)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree() -> SchemaTree {
        let root = json!({
            "order": ["b", "a"],
            "properties": {
                "a": {"$ref": "#/definitions/port", "title": "Port of a"},
                "b": {"allOf": [{"type": "string"}, {"description": "Text"}], "enum": ["x", "y"], "default": "x"},
                "c": {"type": "array", "items": {"properties": {"name": {"type": ["string", "null"], "writeOnly": true}}}},
                "loop": {"$ref": "#/properties/loop"}
            },
            "definitions": {"port": {"type": "integer", "title": "Port", "minimum": 1, "maximum": 9}}
        });
        let child =
            SchemaTree::new(json!({"properties": {"size": {"type": "string", "deprecated": true}}}), BTreeMap::new());
        SchemaTree::new(root, BTreeMap::from([("cache".to_owned(), child)]))
    }

    fn describe(path: &str) -> Description {
        tree().describe(&crate::path::parse(path).unwrap())
    }

    #[test]
    fn references_and_their_siblings_are_read() {
        let port = describe("a");
        assert_eq!(port.title.as_deref(), Some("Port of a"));
        assert_eq!(port.types, ["integer"]);
        assert_eq!(port.bounds, ["at least 1", "at most 9"]);
    }

    #[test]
    fn combinators_items_and_sub_charts_are_read() {
        let text = describe("b");
        assert_eq!(text.types, ["string"]);
        assert_eq!(text.description.as_deref(), Some("Text"));
        assert_eq!(text.allowed, [json!("x"), json!("y")]);
        assert_eq!(describe("c[3].name").types, ["string", "null"]);
        assert!(describe("c[3].name").secret);
        assert!(describe("cache.size").deprecated);
        assert_eq!(describe("unknown"), Description::default());
        assert_eq!(describe("loop"), Description::default());
    }

    #[test]
    fn what_has_no_name_is_left_out_unless_others_are_admitted() {
        let tree = tree();
        let leaves_out = |key: &str, path: &str| tree.leaves_out(key, &crate::path::parse(path).unwrap());
        assert!(leaves_out("d", "") && leaves_out("sizes", "cache"));
        assert!(!leaves_out("a", "") && !leaves_out("size", "cache"));
        // Nothing is said about what is inside.
        assert!(!leaves_out("x", "a"));
        for others in [json!({"additionalProperties": {}}), json!({"patternProperties": {"^x": {}}})] {
            let mut root = json!({"properties": {"a": {}}});
            root.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
            assert!(!SchemaTree::new(root, BTreeMap::new()).leaves_out("b", &ValuePath::default()));
        }
    }

    #[test]
    fn keys_follow_the_wanted_order() {
        assert_eq!(tree().keys(&ValuePath::default()), ["b", "a", "c", "loop"]);
        assert_eq!(tree().keys(&crate::path::parse("cache").unwrap()), ["size"]);
    }
}
