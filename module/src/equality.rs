//! Which locked values a change of values touches.
//!
//! What counts are *effective* values: what the chart's templates see, defaults of the chart and its sub-charts
//! included. Besides, a value that is set explicitly must stay set: without it, the next default would count.

mod number;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::lock::Cursor;
use crate::lock::LockSet;
use crate::path::ValuePath;
use number::same_number;

/// One state of the values.
#[derive(Clone, Copy, Debug)]
pub struct ValuesState<'a> {
    /// What the templates see, a mapping.
    pub effective: &'a Value,
    /// What the Module sets; anything but a mapping sets nothing.
    pub explicit: &'a Value,
}

/// A locked value that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct LockedChange {
    /// Where.
    pub path: ValuePath,
    /// How.
    pub kind: LockedChangeKind,
    /// The effective value now, none if there is none; what must not be shown is [`crate::lock::HIDDEN`].
    pub old: Option<Value>,
    /// The effective value then.
    pub new: Option<Value>,
    /// The chart that declares the lock.
    pub chart: String,
    /// Where in that chart's schema.
    pub pointer: String,
}

/// How a locked value changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockedChangeKind {
    /// The effective value changes.
    Value,
    /// The value is the same for now, but no longer set: it would follow the template's default.
    NoLongerSet,
    /// The value decides whether a sub-chart with locked values is part of the application, and would switch it off.
    SubChartOff,
}

/// The values and schemas are too large together to be compared in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the values, and the schemas that describe each of them, are too many to tell which locked values change")]
pub struct TooLarge;

/// All locked values that change, each as deep as it can be told.
pub fn locked_changes(
    locks: &LockSet,
    old: ValuesState<'_>,
    new: ValuesState<'_>,
) -> Result<Vec<LockedChange>, TooLarge> {
    fn root(state: ValuesState<'_>) -> Pair<'_> {
        Pair { effective: Some(state.effective), explicit: Some(state.explicit) }
    }
    let mut comparison = Comparison { changes: Vec::new() };
    let cursor = locks.root();
    comparison.walk(&cursor, true, &ValuePath::root(), root(old), root(new));
    if cursor.is_exhausted() { Err(TooLarge) } else { Ok(comparison.changes) }
}

/// Whether two effective values are the same to people: numbers by value, types apart; nothing, null, an empty list and
/// an empty mapping are one; list elements in order.
pub fn same(old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old.filter(|value| !is_nothing(value)), new.filter(|value| !is_nothing(value))) {
        (None, None) => true,
        (Some(Value::Object(old)), None) => old.values().all(|value| same(Some(value), None)),
        (None, Some(Value::Object(new))) => new.values().all(|value| same(None, Some(value))),
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            keys.into_iter().all(|key| same(old.get(key), new.get(key)))
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(Some(old), Some(new)))
        }
        (Some(Value::Number(old)), Some(Value::Number(new))) => same_number(old, new),
        (old, new) => old == new,
    }
}

/// Whether two effective values are the same to a lock: as [`same`], but nothing, null, an empty list and an empty mapping
/// are one only where a schema names the place, since there Cyclops' form writes one for another. Anywhere else it says
/// something that a key is there: a host is one without settings, and `namespaceSelector: {}` is every namespace.
fn same_under_lock(cursor: &Cursor<'_>, is_named: bool, old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (old, new) if old == new => true,
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            keys.into_iter()
                .all(|key| same_under_lock(&cursor.key(key), cursor.names_key(key), old.get(key), new.get(key)))
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            let element = |index: usize| {
                same_under_lock(&cursor.index(index), cursor.names_index(index), old.get(index), new.get(index))
            };
            old.len() == new.len() && (0..old.len()).all(element)
        }
        (Some(Value::Number(old)), Some(Value::Number(new))) => same_number(old, new),
        (old, new) => is_named && holds_nothing(cursor, old) && holds_nothing(cursor, new),
    }
}

/// Whether a value is nothing, or a mapping in which all that schemas name is nothing, and that has nothing else.
fn holds_nothing(cursor: &Cursor<'_>, value: Option<&Value>) -> bool {
    match value {
        Some(Value::Object(members)) => {
            members.iter().all(|(key, member)| cursor.names_key(key) && holds_nothing(&cursor.key(key), Some(member)))
        }
        value => value.is_none_or(is_nothing),
    }
}

/// Null, an empty list or an empty mapping.
pub(crate) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The values of one state at one place.
#[derive(Clone, Copy)]
struct Pair<'a> {
    effective: Option<&'a Value>,
    explicit: Option<&'a Value>,
}

impl<'a> Pair<'a> {
    fn key(self, key: &str) -> Self {
        Self { effective: member(self.effective, key), explicit: member(self.explicit, key) }
    }

    fn index(self, index: usize) -> Self {
        let item = |value: Option<&'a Value>| value?.as_array()?.get(index);
        Self { effective: item(self.effective), explicit: item(self.explicit) }
    }

    fn keys(self) -> impl Iterator<Item = &'a str> {
        let keys = |value: Option<&'a Value>| value.and_then(Value::as_object).into_iter().flat_map(Map::keys);
        keys(self.effective).chain(keys(self.explicit)).map(String::as_str)
    }

    fn length(self) -> usize {
        self.effective.and_then(Value::as_array).map_or(0, Vec::len)
    }

    fn is_absent(self) -> bool {
        self.effective.is_none() && self.explicit.is_none()
    }

    fn is_nothing(self) -> bool {
        self.effective.is_none_or(is_nothing)
    }
}

fn member<'a>(value: Option<&'a Value>, key: &str) -> Option<&'a Value> {
    value?.as_object()?.get(key)
}

struct Comparison {
    changes: Vec<LockedChange>,
}

impl Comparison {
    /// Descends to the locked places. `is_named`: whether a schema names this very one.
    fn walk(&mut self, cursor: &Cursor<'_>, is_named: bool, path: &ValuePath, old: Pair<'_>, new: Pair<'_>) {
        if cursor.is_exhausted() {
            return;
        }
        if cursor.is_locked() {
            self.compare(cursor, is_named, path, old, new);
            return;
        }
        if !cursor.leads_to_lock() {
            return;
        }
        let keys: BTreeSet<&str> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let old = old.key(key);
            // A key that no schema names may be added, and an element appended to a list.
            let below = if old.is_absent() { cursor.named_key(key) } else { cursor.key(key) };
            let is_named = below.is_locked() && cursor.names_key(key);
            self.walk(&below, is_named, &path.key(key), old, new.key(key));
        }
        for index in 0..old.length().max(new.length()) {
            let old = old.index(index);
            let below = if old.is_absent() { cursor.named_index(index) } else { cursor.index(index) };
            let is_named = below.is_locked() && cursor.names_index(index);
            self.walk(&below, is_named, &path.index(index), old, new.index(index));
        }
    }

    /// Compares a locked place and everything below it.
    fn compare(&mut self, cursor: &Cursor<'_>, is_named: bool, path: &ValuePath, old: Pair<'_>, new: Pair<'_>) {
        if cursor.is_exhausted() {
            return;
        }
        let is_mapping = |value: Option<&Value>| value.is_some_and(Value::is_object);
        let may_be_mapping = |value: Option<&Value>| value.is_none_or(|value| value.is_object() || is_nothing(value));
        let mappings = (is_mapping(old.effective) || is_mapping(new.effective))
            && may_be_mapping(old.effective)
            && may_be_mapping(new.effective);
        // A null that is set keeps a default away, be it an empty one.
        let null_goes = old.explicit.is_some_and(Value::is_null) && new.explicit.is_none();
        if mappings && !null_goes {
            let keys: BTreeSet<&str> = old.keys().chain(new.keys()).collect();
            let known = self.changes.len();
            for key in keys {
                let (old, new) = (old.key(key), new.key(key));
                // Matters only where there is nothing, and costs.
                let is_named = (old.is_nothing() || new.is_nothing()) && cursor.names_key(key);
                self.compare(&cursor.key(key), is_named, &path.key(key), old, new);
            }
            // The mapping itself comes or goes, and nothing in it tells.
            if !is_named && self.changes.len() == known && is_mapping(old.effective) != is_mapping(new.effective) {
                self.add(LockedChangeKind::Value, cursor, path, old, new);
            }
        } else if let Some(kind) = change(same_under_lock(cursor, is_named, old.effective, new.effective), old, new) {
            self.add(kind, cursor, path, old, new);
        }
    }

    fn add(&mut self, kind: LockedChangeKind, cursor: &Cursor<'_>, path: &ValuePath, old: Pair<'_>, new: Pair<'_>) {
        let mark = cursor.mark();
        self.changes.push(LockedChange {
            path: path.clone(),
            kind,
            old: old.effective.map(|value| cursor.masked(value)),
            new: new.effective.map(|value| cursor.masked(value)),
            chart: mark.map(|mark| mark.chart.to_owned()).unwrap_or_default(),
            pointer: mark.map(|mark| mark.pointer.to_owned()).unwrap_or_default(),
        });
    }
}

/// How the value at one place changes. A mapping there changes only if it gives way to something else: what is below it is
/// not looked at.
pub(crate) fn change_at(path: &ValuePath, old: ValuesState<'_>, new: ValuesState<'_>) -> Option<LockedChangeKind> {
    fn at<'a>(path: &ValuePath, state: ValuesState<'a>) -> Pair<'a> {
        Pair { effective: path.get(state.effective), explicit: path.get(state.explicit) }
    }
    let (old, new) = (at(path, old), at(path, new));
    if old.explicit.is_some_and(Value::is_object) {
        let gives_way = new.effective.is_some_and(|value| !value.is_object() && !is_nothing(value));
        return gives_way.then_some(LockedChangeKind::Value);
    }
    change(same(old.effective, new.effective), old, new)
}

/// How a value changes that is no mapping in both states. `is_same`: whether the effective values are the same.
fn change(is_same: bool, old: Pair<'_>, new: Pair<'_>) -> Option<LockedChangeKind> {
    if !is_same || !same_digits(old.explicit, new.explicit) {
        Some(LockedChangeKind::Value)
    } else if is_set(old.explicit) && new.explicit.is_none() {
        Some(LockedChangeKind::NoLongerSet)
    } else {
        None
    }
}

/// Whether a value is set in a way that matters: empty lists and mappings come and go with Cyclops' form.
fn is_set(explicit: Option<&Value>) -> bool {
    explicit.is_some_and(|value| value.is_null() || !is_nothing(value))
}

/// Helm reads every number as a float, which cannot tell large integers apart. As long as both states set the value,
/// the digits as written decide.
fn same_digits(old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (Some(Value::Number(old)), Some(Value::Number(new))) => same_number(old, new),
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            old.iter().zip(new).all(|(old, new)| same_digits(Some(old), Some(new)))
        }
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            old.iter().all(|(key, old)| new.get(key).is_none_or(|new| same_digits(Some(old), Some(new))))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
