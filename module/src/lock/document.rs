//! One `values.schema.json`: reading it, and finding what its references refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::LockError;
use super::compile::MAX_POINTER_BYTES;

/// What Helm calls the file when it reads it.
const FILE: &str = "file:///values.schema.json";

/// A parsed schema with its identifiers.
#[derive(Debug)]
pub(super) struct Document {
    /// Names of the charts from the root chart to the one that the schema belongs to, joined by `/`.
    pub(super) chart: String,
    /// The schema.
    pub(super) root: Value,
    /// Pointers of subschemas by `$id` (or `id`), the fragment cut off; by the last segment first, which two spellings
    /// of one address share.
    identifiers: BTreeMap<String, Vec<(String, String)>>,
    /// Pointers of subschemas by `$anchor`, `$dynamicAnchor` or an `$id` that is only a fragment.
    anchors: BTreeMap<String, Vec<String>>,
    /// Pointers of the subschemas that have an `$id`: what `#` means below them.
    bases: BTreeSet<String>,
    /// Bytes of the pointers above. Too many are an error, and not all of them are kept.
    pointer_bytes: usize,
}

impl Document {
    /// Parses a schema. Keys that occur twice are an error: programs differ in which one they read.
    pub(super) fn parse(chart: String, text: &[u8]) -> Result<Self, LockError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let root = match serde_json::from_slice::<UniqueKeys>(text) {
            Ok(UniqueKeys(root)) => root,
            Err(problem) => return Err(LockError::Json { chart, problem: problem.to_string() }),
        };
        let mut document = Self {
            chart,
            root: Value::Null,
            identifiers: BTreeMap::new(),
            anchors: BTreeMap::new(),
            bases: BTreeSet::new(),
            pointer_bytes: 0,
        };
        document.add_identifier(FILE, "");
        document.collect(&root, &mut String::new());
        if document.pointer_bytes > MAX_POINTER_BYTES {
            return Err(LockError::TooLarge { limit: MAX_POINTER_BYTES, what: "bytes of names" });
        }
        document.root = root;
        Ok(document)
    }

    /// Notes identifiers wherever they are: what looks like one but is none, in an example say, can only make more
    /// subschemas count, never fewer.
    fn collect(&mut self, value: &Value, pointer: &mut String) {
        if self.pointer_bytes > MAX_POINTER_BYTES {
            return;
        }
        let length = pointer.len();
        match value {
            Value::Object(members) => {
                for name in ["$id", "id"] {
                    if let Some(identifier) = members.get(name).and_then(Value::as_str) {
                        self.identify(identifier, pointer);
                    }
                }
                for name in ["$anchor", "$dynamicAnchor"] {
                    if let Some(anchor) = members.get(name).and_then(Value::as_str) {
                        self.add_anchor(anchor, pointer);
                    }
                }
                for (key, member) in members {
                    push_token(pointer, key);
                    self.collect(member, pointer);
                    pointer.truncate(length);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    push_token(pointer, &index.to_string());
                    self.collect(item, pointer);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn identify(&mut self, identifier: &str, pointer: &str) {
        match identifier.split_once('#') {
            Some(("", anchor)) if !anchor.is_empty() => {
                self.add_anchor(anchor, pointer);
            }
            Some((uri, _)) if !uri.is_empty() => self.add_base(uri, pointer),
            None if !identifier.is_empty() => self.add_base(identifier, pointer),
            _ => {}
        }
    }

    fn add_anchor(&mut self, anchor: &str, pointer: &str) {
        self.pointer_bytes += pointer.len();
        self.anchors.entry(anchor.to_owned()).or_default().push(pointer.to_owned());
    }

    fn add_base(&mut self, uri: &str, pointer: &str) {
        self.add_identifier(uri, pointer);
        self.bases.insert(pointer.to_owned());
    }

    fn add_identifier(&mut self, uri: &str, pointer: &str) {
        self.pointer_bytes += 2 * pointer.len();
        let identified = (uri.to_owned(), pointer.to_owned());
        self.identifiers.entry(last_segment(uri).to_owned()).or_default().push(identified);
    }

    /// Pointers of all subschemas that a reference at `place` may mean. Where drafts of JSON Schema disagree, each
    /// reading counts. Errors for a reference to another document, and for one to nothing. Adds to `work` how much was
    /// looked at.
    pub(super) fn resolve(&self, reference: &str, place: &str, work: &mut usize) -> Result<Vec<String>, LockError> {
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let bases: Vec<&str> = if uri.is_empty() {
            let ends = place.match_indices('/').map(|(end, _)| end).chain([place.len()]);
            let enclosing = ends.map(|end| &place[..end]).filter(|base| self.bases.contains(*base));
            std::iter::once("").chain(enclosing).collect()
        } else {
            let same = |known: &str| known == uri || ends_with_path(known, uri) || ends_with_path(uri, known);
            let candidates = self.identifiers.get(last_segment(uri)).map(Vec::as_slice).unwrap_or_default();
            *work += candidates.len();
            let bases: Vec<&str> =
                candidates.iter().filter(|(known, _)| same(known)).map(|(_, pointer)| pointer.as_str()).collect();
            if bases.is_empty() {
                return Err(LockError::RemoteReference {
                    chart: self.chart.clone(),
                    pointer: place.to_owned(),
                    reference: reference.to_owned(),
                });
            }
            bases
        };
        let fragment = percent_decode(fragment);
        let targets: BTreeSet<String> = if fragment.is_empty() || fragment.starts_with('/') {
            bases
                .into_iter()
                .map(|base| format!("{base}{fragment}"))
                .filter(|pointer| self.root.pointer(pointer).is_some())
                .map(|pointer| normalize(&pointer))
                .collect()
        } else {
            self.anchors.get(&fragment).into_iter().flatten().cloned().collect()
        };
        *work += targets.len();
        if targets.is_empty() {
            return Err(LockError::UnknownReference {
                chart: self.chart.clone(),
                pointer: place.to_owned(),
                reference: reference.to_owned(),
            });
        }
        Ok(targets.into_iter().collect())
    }
}

fn last_segment(uri: &str) -> &str {
    uri.rsplit_once('/').map_or(uri, |(_, last)| last)
}

/// Whether `long` ends with `short` as whole path segments.
fn ends_with_path(long: &str, short: &str) -> bool {
    let short = short.trim_start_matches("./");
    !short.is_empty() && long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'))
}

/// One spelling for a pointer: `~1` and `~0` as [`push_token`] writes them.
fn normalize(pointer: &str) -> String {
    pointer.split('/').skip(1).fold(String::new(), |mut normal, token| {
        push_token(&mut normal, &token.replace("~1", "/").replace("~0", "~"));
        normal
    })
}

/// Appends one token to a JSON Pointer.
pub(super) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    if token.contains(['~', '/']) {
        pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
    } else {
        pointer.push_str(token);
    }
}

/// Decodes `%XX`; anything that is no such sequence stands for itself.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while position < bytes.len() {
        let escaped = (bytes[position] == b'%')
            .then(|| text.get(position + 1..position + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(bytes[position]));
        position += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A JSON value none of whose objects has a key twice.
struct UniqueKeys(Value);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        UniqueKeysVisitor.deserialize(deserializer).map(Self)
    }
}

struct UniqueKeysVisitor;

impl<'de> DeserializeSeed<'de> for UniqueKeysVisitor {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueKeysVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(Self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if members.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key {key:?} occurs twice in one object")));
            }
            let value = entries.next_value_seed(Self)?;
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}
