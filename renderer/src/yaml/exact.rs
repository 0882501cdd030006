//! What Go's YAML decoder makes of a document, for what JSON cannot hold: keys of any type, numbers that are none. Such
//! documents are rare, and most of them are errors.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use super::build::key_text;
use super::construct::{Build, Halt, Typed, construct};
use super::document::Document;
use super::error::YamlError;
use super::node::Position;
use crate::{number, quote};

/// A value as Go has it after `yaml.Unmarshal` into an empty interface, and where it starts.
#[derive(Debug)]
struct Any {
    kind: Kind,
    position: Position,
}

#[derive(Debug)]
enum Kind {
    Scalar(Typed<'static>),
    Sequence(Vec<Any>),
    Mapping(Vec<(Any, Any)>),
}

/// Makes a document into a tree that cannot hold all that a document can have: either it is lost in favour of a later
/// entry with the same key, or it is an error.
pub(crate) fn rebuild<B: Build>(document: &Document<'_>, build: &B) -> Result<B::Tree, YamlError> {
    match construct(document, &Exact) {
        Ok(any) => {
            if let Some(error) = any.conversion_error().or_else(|| any.number_error()) {
                return Err(error);
            }
            // Nothing else keeps a tree from being built.
            any.convert(build).ok_or_else(|| YamlError::conversion("json: unsupported value").at(any.position))
        }
        Err(Halt::Error(error)) => Err(*error),
        Err(Halt::Unfit) => Err(YamlError::conversion("json: unsupported value")),
    }
}

struct Exact;

/// The entries of a map, and where each key stands among them.
#[derive(Debug, Default)]
struct Entries {
    entries: Vec<(Any, Any)>,
    places: HashMap<Identity, usize>,
}

/// What makes two keys of a Go map equal: type and value.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Identity {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    Text(String),
}

impl Identity {
    /// The identity of a key; none for one that is equal to no key, itself included.
    fn of(key: &Any) -> Option<Self> {
        let Kind::Scalar(scalar) = &key.kind else { return None };
        Some(match scalar {
            Typed::Null => Self::Null,
            Typed::Bool(value) => Self::Bool(*value),
            Typed::Int(value) => Self::Int(*value),
            Typed::Uint(value) => Self::Uint(*value),
            Typed::Float(value) if value.is_nan() => return None,
            // Both zeros are one key.
            Typed::Float(value) => Self::Float((value + 0.0).to_bits()),
            Typed::Text(text) => Self::Text(text.clone().into_owned()),
        })
    }
}

impl Build for Exact {
    type Tree = Any;
    type Key = Any;
    type Entries = Entries;

    fn scalar(&self, scalar: Typed<'_>, position: Position) -> Option<Any> {
        let scalar = match scalar {
            Typed::Text(text) => Typed::Text(Cow::Owned(text.into_owned())),
            Typed::Null => Typed::Null,
            Typed::Bool(value) => Typed::Bool(value),
            Typed::Int(value) => Typed::Int(value),
            Typed::Uint(value) => Typed::Uint(value),
            Typed::Float(value) => Typed::Float(value),
        };
        Some(Any { kind: Kind::Scalar(scalar), position })
    }

    fn sequence(&self, items: Vec<Any>, position: Position) -> Any {
        Any { kind: Kind::Sequence(items), position }
    }

    fn key(&self, scalar: Typed<'_>, position: Position) -> Option<Any> {
        self.scalar(scalar, position)
    }

    fn insert(&self, entries: &mut Entries, key: Any, value: Any) {
        let place = Identity::of(&key).map(|identity| *entries.places.entry(identity).or_insert(entries.entries.len()));
        match place.and_then(|place| entries.entries.get_mut(place)) {
            Some(entry) => *entry = (key, value),
            None => entries.entries.push((key, value)),
        }
    }

    fn mapping(&self, entries: Entries, position: Position) -> Any {
        Any { kind: Kind::Mapping(entries.entries), position }
    }

    fn describe(&self, tree: &Any) -> Option<String> {
        Some(tree.describe())
    }
}

impl Any {
    /// The first key that has no text. Go meets the entries of a mapping in any order.
    fn conversion_error(&self) -> Option<YamlError> {
        match &self.kind {
            Kind::Scalar(_) => None,
            Kind::Sequence(items) => items.iter().find_map(Self::conversion_error),
            Kind::Mapping(entries) => entries.iter().find_map(|(key, value)| {
                if key.text().is_some() {
                    return value.conversion_error();
                }
                let key_type = match key.kind {
                    Kind::Scalar(Typed::Uint(_)) => "uint64",
                    _ => "%!s(<nil>)",
                };
                let (shown_key, shown_value) = (key.describe_alone(), value.describe_alone());
                let problem =
                    format!("unsupported map key of type: {key_type}, key: {shown_key}, value: {shown_value}");
                Some(YamlError::conversion(problem).at(key.position))
            }),
        }
    }

    /// The first number in the order of JSON that is infinite or none.
    fn number_error(&self) -> Option<YamlError> {
        match &self.kind {
            Kind::Scalar(Typed::Float(value)) if !value.is_finite() => {
                let shown = number::format_f64_general(*value);
                Some(YamlError::conversion(format!("json: unsupported value: {shown}")).at(self.position))
            }
            Kind::Scalar(_) => None,
            Kind::Sequence(items) => items.iter().find_map(Self::number_error),
            Kind::Mapping(entries) => {
                let mut entries = effective(entries);
                entries.sort_by_key(|(key, _)| key.text());
                entries.into_iter().find_map(|(_, value)| value.number_error())
            }
        }
    }

    /// The text of a key.
    fn text(&self) -> Option<Cow<'_, str>> {
        match &self.kind {
            Kind::Scalar(scalar) => key_text(scalar.clone()),
            _ => None,
        }
    }

    /// The order in which `fmt` prints keys: by type, in the order of the types' addresses in Helm's binary, then by value.
    fn printed_order(&self, other: &Self) -> Ordering {
        let (Kind::Scalar(left), Kind::Scalar(right)) = (&self.kind, &other.kind) else { return Ordering::Equal };
        let rank = |scalar: &Typed<'_>| match scalar {
            Typed::Null => 0,
            Typed::Text(_) => 1,
            Typed::Uint(_) => 2,
            Typed::Int(_) => 3,
            Typed::Float(_) => 4,
            Typed::Bool(_) => 5,
        };
        match (left, right) {
            (Typed::Text(left), Typed::Text(right)) => left.cmp(right),
            (Typed::Uint(left), Typed::Uint(right)) => left.cmp(right),
            (Typed::Int(left), Typed::Int(right)) => left.cmp(right),
            (Typed::Float(left), Typed::Float(right)) => {
                left.partial_cmp(right).unwrap_or_else(|| right.is_nan().cmp(&left.is_nan()))
            }
            (Typed::Bool(left), Typed::Bool(right)) => left.cmp(right),
            _ => rank(left).cmp(&rank(right)),
        }
    }

    fn convert<B: Build>(&self, build: &B) -> Option<B::Tree> {
        match &self.kind {
            Kind::Scalar(scalar) => build.scalar(scalar.clone(), self.position),
            Kind::Sequence(items) => {
                let items = items.iter().map(|item| item.convert(build)).collect::<Option<_>>()?;
                Some(build.sequence(items, self.position))
            }
            Kind::Mapping(entries) => {
                let mut converted = B::Entries::default();
                for (key, value) in effective(entries) {
                    let Kind::Scalar(scalar) = &key.kind else { return None };
                    build.insert(&mut converted, build.key(scalar.clone(), key.position)?, value.convert(build)?);
                }
                Some(build.mapping(converted, self.position))
            }
        }
    }

    /// A value by itself as `%#v` prints it: a nil interface is `<nil>` there.
    fn describe_alone(&self) -> String {
        match &self.kind {
            Kind::Scalar(Typed::Null) => "<nil>".into(),
            _ => self.describe(),
        }
    }

    /// A value inside another one as `%#v` prints it.
    fn describe(&self) -> String {
        match &self.kind {
            Kind::Scalar(Typed::Null) => "interface {}(nil)".into(),
            Kind::Scalar(Typed::Bool(value)) => value.to_string(),
            Kind::Scalar(Typed::Int(value)) => value.to_string(),
            Kind::Scalar(Typed::Uint(value)) => format!("{value:#x}"),
            Kind::Scalar(Typed::Float(value)) => number::format_f64_general(*value),
            Kind::Scalar(Typed::Text(text)) => quote::quote(text.as_bytes()),
            Kind::Sequence(items) => {
                let items: Vec<String> = items.iter().map(Self::describe).collect();
                format!("[]interface {{}}{{{}}}", items.join(", "))
            }
            Kind::Mapping(entries) => {
                let mut entries: Vec<_> = entries.iter().collect();
                entries.sort_by(|left, right| left.0.printed_order(&right.0));
                let entries: Vec<String> =
                    entries.iter().map(|(key, value)| format!("{}:{}", key.describe(), value.describe())).collect();
                format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
            }
        }
    }
}

/// The last entry of each key with the same text: these are what is left in JSON.
fn effective(entries: &[(Any, Any)]) -> Vec<&(Any, Any)> {
    let last: HashMap<_, _> = entries.iter().enumerate().map(|(index, (key, _))| (key.text(), index)).collect();
    entries
        .iter()
        .enumerate()
        .filter(|(index, (key, _))| last.get(&key.text()) == Some(index))
        .map(|(_, entry)| entry)
        .collect()
}
