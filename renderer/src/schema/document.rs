//! Schema documents: their resources, anchors and references (santhosh-tekuri/jsonschema 6: `root.go`, `roots.go`).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::quote::quote;
use crate::url::escape_path_segment;

/// The drafts of JSON Schema, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    Draft4,
    Draft6,
    Draft7,
    Draft2019,
    Draft2020,
}

impl Draft {
    /// The draft that `$schema` names, with `http` or `https`.
    pub(super) fn named(url: &str) -> Option<Self> {
        let (url, fragment) = split(url);
        if !fragment.is_empty() {
            return None;
        }
        match url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))? {
            "json-schema.org/schema" | "json-schema.org/draft/2020-12/schema" => Some(Self::Draft2020),
            "json-schema.org/draft/2019-09/schema" => Some(Self::Draft2019),
            "json-schema.org/draft-07/schema" => Some(Self::Draft7),
            "json-schema.org/draft-06/schema" => Some(Self::Draft6),
            "json-schema.org/draft-04/schema" => Some(Self::Draft4),
            _ => None,
        }
    }

    /// Where the draft's own schema is.
    pub(super) fn url(self) -> &'static str {
        match self {
            Self::Draft4 => "http://json-schema.org/draft-04/schema",
            Self::Draft6 => "http://json-schema.org/draft-06/schema",
            Self::Draft7 => "http://json-schema.org/draft-07/schema",
            Self::Draft2019 => "https://json-schema.org/draft/2019-09/schema",
            Self::Draft2020 => "https://json-schema.org/draft/2020-12/schema",
        }
    }

    fn id_keyword(self) -> &'static str {
        if self == Self::Draft4 { "id" } else { "$id" }
    }

    /// The identifier of a schema without its fragment; empty if there is none.
    fn id(self, schema: &Map<String, Value>) -> &str {
        if self < Self::Draft2019 && schema.contains_key("$ref") {
            return "";
        }
        split(schema.get(self.id_keyword()).and_then(Value::as_str).unwrap_or_default()).0
    }

    /// The schemas that are directly in a schema, with their pointers.
    fn subschemas<'v>(self, schema: &'v Map<String, Value>, pointer: &str) -> Vec<(String, &'v Value)> {
        let mut found = Vec::new();
        let mut add = |since: Self, keywords: &[&str], shape: Shape| {
            for keyword in keywords.iter().filter(|_| self >= since) {
                let Some(value) = schema.get(*keyword) else { continue };
                let pointer = format!("{pointer}/{keyword}");
                match (shape, value) {
                    (Shape::One, value) => found.push((pointer, value)),
                    (Shape::List, Value::Array(items)) => {
                        let items = items.iter().enumerate();
                        found.extend(items.map(|(index, item)| (format!("{pointer}/{index}"), item)));
                    }
                    (Shape::Map, Value::Object(members)) => {
                        found
                            .extend(members.iter().map(|(key, member)| (format!("{pointer}/{}", escape(key)), member)));
                    }
                    _ => {}
                }
            }
        };
        add(Self::Draft4, &["definitions", "properties", "patternProperties", "dependencies"], Shape::Map);
        add(Self::Draft4, &["allOf", "anyOf", "oneOf", "items"], Shape::List);
        add(Self::Draft4, &["not", "additionalProperties", "items", "additionalItems"], Shape::One);
        add(Self::Draft6, &["propertyNames", "contains"], Shape::One);
        add(Self::Draft7, &["if", "then", "else"], Shape::One);
        add(Self::Draft2019, &["$defs", "dependentSchemas"], Shape::Map);
        add(Self::Draft2019, &["unevaluatedProperties", "unevaluatedItems", "contentSchema"], Shape::One);
        add(Self::Draft2020, &["prefixItems"], Shape::List);
        found
    }
}

#[derive(Clone, Copy)]
enum Shape {
    One,
    List,
    Map,
}

/// A document, with the schemas in it that have identifiers of their own.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) url: String,
    pub(super) json: Arc<Value>,
    resources: BTreeMap<String, Resource>,
    /// Pointers of the schemas that have been looked at.
    pub(super) schemas: HashSet<String>,
}

/// A schema with an identifier.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) pointer: String,
    pub(super) id: String,
    pub(super) draft: Draft,
    /// Pointers by name.
    pub(super) anchors: BTreeMap<String, String>,
    pub(super) dynamic_anchors: Vec<String>,
}

/// The most schemas of one document that have identifiers: they are looked up one by one.
const MAX_RESOURCES: usize = 1_000;

impl Document {
    pub(super) fn new(url: &str, json: &Arc<Value>) -> Result<Self, String> {
        let mut document =
            Self { url: url.to_owned(), json: Arc::clone(json), resources: BTreeMap::new(), schemas: HashSet::new() };
        document.collect(json, url, "", Draft::Draft2020)?;
        Ok(document)
    }

    /// The resource that a place belongs to.
    pub(super) fn resource(&self, pointer: &str) -> &Resource {
        let mut pointer = pointer;
        loop {
            match (self.resources.get(pointer), pointer.rfind('/')) {
                (Some(resource), _) => return resource,
                (None, Some(slash)) => pointer = &pointer[..slash],
                // The root is a resource: `collect` begins with it.
                (None, None) => return self.resources.values().next().unwrap_or(&FALLBACK),
            }
        }
    }

    /// Looks at a schema that no keyword leads to.
    pub(super) fn add_schema(&mut self, pointer: &str) -> Result<(), String> {
        let json = Arc::clone(&self.json);
        let schema = lookup(&json, &self.url, pointer)?;
        let Resource { id, draft, .. } = self.resource(pointer).clone();
        self.collect(schema, &id, pointer, draft)
    }

    /// Where a reference leads, or none if that is in another document.
    pub(super) fn resolve(&self, url: &str, fragment: &str) -> Option<Result<String, String>> {
        let resource = if url == self.url {
            self.resource("")
        } else {
            self.resources.values().find(|resource| resource.id == url)?
        };
        Some(self.resolve_in(resource, fragment))
    }

    fn resolve_in(&self, resource: &Resource, fragment: &str) -> Result<String, String> {
        if fragment.is_empty() || fragment.starts_with('/') {
            return Ok(format!("{}{fragment}", resource.pointer));
        }
        resource.anchors.get(fragment).cloned().ok_or_else(|| {
            let reference = format!("{}#{}", resource.id, encode(fragment));
            let (reference, url) = (quote(reference.as_bytes()), quote(self.url.as_bytes()));
            format!("anchor in {reference} not found in schema {url}")
        })
    }

    fn collect(&mut self, schema: &Value, base: &str, pointer: &str, fallback: Draft) -> Result<(), String> {
        if self.resources.len() > MAX_RESOURCES {
            return Err(format!("more than {MAX_RESOURCES} schemas with identifiers"));
        }
        if self.schemas.insert(pointer.to_owned()) {
            self.collect_new(schema, base, pointer, fallback)?;
        }
        Ok(())
    }

    fn collect_new(&mut self, schema: &Value, base: &str, pointer: &str, fallback: Draft) -> Result<(), String> {
        let Value::Object(members) = schema else {
            if pointer.is_empty() {
                self.resources.insert(String::new(), Resource::new(pointer, base, fallback));
            }
            return Ok(());
        };
        let mut draft = match members.get("$schema") {
            Some(Value::String(name)) => Draft::named(name).ok_or_else(|| {
                let (name, _) = split(name);
                format!("failing loading {}: {NOT_FOLLOWED}", quote(name.as_bytes()))
            })?,
            _ => fallback,
        };
        let mut id = draft.id(members);
        if id.is_empty() && !pointer.is_empty() {
            draft = fallback;
            id = draft.id(members);
        }
        let base = if id.is_empty() { base.to_owned() } else { join(base, id) };
        if !id.is_empty() || pointer.is_empty() {
            match self.resources.values().find(|resource| resource.id == base) {
                None => {
                    self.resources.insert(pointer.to_owned(), Resource::new(pointer, &base, draft));
                }
                Some(other) if other.pointer != pointer => {
                    let [id, url, first, second] =
                        [&base, &self.url, pointer, &other.pointer].map(|text| quote(text.as_bytes()));
                    return Err(format!("duplicate id {id} in {url} at {first} and {second}"));
                }
                Some(_) => {}
            }
        }
        let draft = self.collect_anchors(members, pointer, &base)?.unwrap_or(draft);
        for (pointer, subschema) in draft.subschemas(members, pointer) {
            self.collect(subschema, &base, &pointer, draft)?;
        }
        Ok(())
    }

    /// Returns the draft of the resource.
    fn collect_anchors(
        &mut self,
        members: &Map<String, Value>,
        pointer: &str,
        base: &str,
    ) -> Result<Option<Draft>, String> {
        let Some(resource) = self.resources.values_mut().find(|resource| resource.id == base) else {
            return Ok(None);
        };
        let draft = resource.draft;
        let text = |keyword: &str| members.get(keyword).and_then(Value::as_str);
        let mut anchors = Vec::new();
        if draft < Draft::Draft2019 {
            if members.contains_key("$ref") {
                return Ok(Some(draft));
            }
            let (_, fragment) = split(text(draft.id_keyword()).unwrap_or_default());
            if !fragment.is_empty() && !fragment.starts_with('/') {
                anchors.push(fragment);
            }
        }
        if draft >= Draft::Draft2019 {
            anchors.extend(text("$anchor"));
        }
        if draft >= Draft::Draft2020
            && let Some(anchor) = text("$dynamicAnchor")
        {
            anchors.push(anchor);
            resource.dynamic_anchors.push(anchor.to_owned());
        }
        for anchor in anchors {
            let earlier = resource.anchors.insert(anchor.to_owned(), pointer.to_owned());
            if let Some(earlier) = earlier.filter(|earlier| earlier != pointer) {
                let [anchor, url, first, second] =
                    [anchor, &self.url, &earlier, pointer].map(|text| quote(text.as_bytes()));
                return Err(format!("duplicate anchor {anchor} in {url} at {first} and {second}"));
            }
        }
        Ok(Some(draft))
    }
}

/// Why a document is not loaded.
pub(super) const NOT_FOLLOWED: &str = "references to other documents are not followed";

static FALLBACK: Resource = Resource {
    pointer: String::new(),
    id: String::new(),
    draft: Draft::Draft2020,
    anchors: BTreeMap::new(),
    dynamic_anchors: Vec::new(),
};

impl Resource {
    fn new(pointer: &str, id: &str, draft: Draft) -> Self {
        Self { pointer: pointer.to_owned(), id: id.to_owned(), draft, ..FALLBACK.clone() }
    }
}

/// The value at a pointer.
pub(super) fn lookup<'v>(json: &'v Value, url: &str, pointer: &str) -> Result<&'v Value, String> {
    let step = |value: &'v Value, token: &str| match value {
        Value::Object(members) => members.get(&token.replace("~1", "/").replace("~0", "~")),
        Value::Array(items) => items.get(token.parse::<usize>().ok()?),
        _ => None,
    };
    pointer.split('/').skip(1).try_fold(json, step).ok_or_else(|| {
        let place = format!("{url}#{}", encode(pointer));
        format!("json-pointer in {} not found", quote(place.as_bytes()))
    })
}

/// A URL and its fragment.
pub(super) fn split(text: &str) -> (&str, &str) {
    text.split_once('#').unwrap_or((text, ""))
}

/// A token of a JSON pointer.
pub(super) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// A pointer as part of a URL.
pub(super) fn encode(pointer: &str) -> String {
    let tokens: Vec<String> = pointer.split('/').map(escape_path_segment).collect();
    tokens.join("/")
}

/// A reference without fragment from a base (RFC 3986, 5.2).
pub(super) fn join(base: &str, reference: &str) -> String {
    let scheme_of = |text: &str| {
        let end = text.find(':')?;
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        (text[..end].bytes().all(is_scheme) && text.starts_with(|first: char| first.is_ascii_alphabetic()))
            .then_some(end)
    };
    if reference.is_empty() {
        return base.to_owned();
    }
    let Some(scheme) = scheme_of(base).filter(|_| scheme_of(reference).is_none()) else {
        return reference.to_owned();
    };
    let Some(rest) = base[scheme + 1..].strip_prefix("//") else {
        // Nothing is relative to a URN.
        return base.to_owned();
    };
    let start = scheme + 3 + rest.find('/').unwrap_or(rest.len());
    let (authority, path) = base.split_at(start);
    let path = path.split('?').next().unwrap_or_default();
    if reference.starts_with("//") {
        return format!("{}:{reference}", &base[..scheme]);
    }
    if reference.starts_with('?') {
        return format!("{authority}{path}{reference}");
    }
    let (reference, query) = reference.split_at(reference.find('?').unwrap_or(reference.len()));
    let merged = if reference.starts_with('/') {
        reference.to_owned()
    } else {
        format!("{}/{reference}", &path[..path.rfind('/').unwrap_or(0)])
    };
    let mut segments: Vec<&str> = Vec::new();
    for segment in merged.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    if merged.ends_with("/.") || merged.ends_with("/..") {
        segments.push("");
    }
    format!("{authority}/{}{query}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_references() {
        let base = "https://example.com/a/b.json";
        for (reference, expected) in [
            ("", base),
            ("c.json", "https://example.com/a/c.json"),
            ("../c.json", "https://example.com/c.json"),
            ("./d/../c.json", "https://example.com/a/c.json"),
            ("/c.json", "https://example.com/c.json"),
            ("//other.com/c", "https://other.com/c"),
            ("urn:x", "urn:x"),
            ("c?q=1", "https://example.com/a/c?q=1"),
        ] {
            assert_eq!(join(base, reference), expected, "{reference}");
        }
        assert_eq!(join("file:///values.schema.json", "x.json"), "file:///x.json");
        assert_eq!(join("urn:example:a", "b"), "urn:example:a");
    }
}
