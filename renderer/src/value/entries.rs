//! The entries of a map in key order: a sorted list as long as they are few, which almost all maps of charts are, and a
//! tree beyond that, so that a map grows in reasonable time to any size.

use std::collections::BTreeMap;

use super::{GoString, Value};

/// The most entries of a list. To search or shift so many takes less time than a tree takes for its nodes.
const FEW: usize = 32;

#[derive(Debug)]
pub(crate) enum Entries {
    Few(Vec<(GoString, Value)>),
    Many(BTreeMap<GoString, Value>),
}

impl Default for Entries {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

fn position(list: &[(GoString, Value)], key: &[u8]) -> Result<usize, usize> {
    list.binary_search_by(|(known, _)| known.as_bytes().cmp(key))
}

impl Entries {
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Value> {
        match self {
            // Few keys have the same length: to compare all lengths takes less time than to order a few keys.
            Self::Few(list) => list.iter().find(|(known, _)| known.as_bytes() == key).map(|(_, value)| value),
            Self::Many(tree) => tree.get(key),
        }
    }

    /// Gives back the value that was there before.
    pub(super) fn insert(&mut self, key: GoString, value: Value) -> Option<Value> {
        match self {
            Self::Few(list) => match position(list, &key) {
                Ok(index) => Some(std::mem::replace(&mut list[index].1, value)),
                Err(index) if list.len() < FEW => {
                    list.insert(index, (key, value));
                    None
                }
                Err(_) => {
                    let mut tree: BTreeMap<_, _> = std::mem::take(list).into_iter().collect();
                    tree.insert(key, value);
                    *self = Self::Many(tree);
                    None
                }
            },
            Self::Many(tree) => tree.insert(key, value),
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<Value> {
        match self {
            Self::Few(list) => position(list, key).ok().map(|index| list.remove(index).1),
            Self::Many(tree) => tree.remove(key),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(tree) => tree.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&GoString, &Value)> {
        let (few, many) = match self {
            Self::Few(list) => (Some(list), None),
            Self::Many(tree) => (None, Some(tree)),
        };
        few.into_iter().flatten().map(|(key, value)| (key, value)).chain(many.into_iter().flatten())
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let (few, many) = match self {
            Self::Few(list) => (Some(list), None),
            Self::Many(tree) => (None, Some(tree)),
        };
        let few = few.into_iter().flatten().map(|(_, value)| value);
        few.chain(many.into_iter().flat_map(BTreeMap::values_mut))
    }
}

impl FromIterator<(GoString, Value)> for Entries {
    /// Of two entries with one key, the later counts.
    fn from_iter<I: IntoIterator<Item = (GoString, Value)>>(entries: I) -> Self {
        let mut list: Vec<_> = entries.into_iter().collect();
        if list.len() > FEW {
            return Self::Many(list.into_iter().collect());
        }
        list.sort_by(|(left, _), (right, _)| left.cmp(right));
        list.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        Self::Few(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: Option<&Value>) -> Option<i64> {
        match value {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    #[test]
    fn few_and_many_entries_behave_alike() {
        let mut entries = Entries::default();
        let mut expected = BTreeMap::new();
        // 37 is coprime to 100: every key comes once before the second round, in no order.
        for step in 0..200_i64 {
            let key = GoString::from(format!("key {}", step * 37 % 100));
            let before = entries.insert(key.clone(), Value::Int(step));
            assert_eq!(number(before.as_ref()), expected.insert(key, step));
            assert_eq!(entries.len(), expected.len());
            let list = entries.iter().map(|(key, value)| (key.clone(), number(Some(value)).unwrap_or(-1)));
            assert!(list.eq(expected.iter().map(|(key, value)| (key.clone(), *value))));
        }
        for (count, key) in expected.keys().enumerate() {
            assert!(entries.get(key).is_some());
            assert!(entries.remove(key).is_some() && entries.remove(key).is_none());
            assert_eq!(entries.len(), 99 - count);
        }
        assert!(entries.is_empty() && entries.get(b"key 1").is_none());
    }

    #[test]
    fn the_later_of_two_entries_counts() {
        for copies in [1, 20] {
            let keys = (0..3 * copies).map(|index| GoString::from(format!("{}", index % (2 * copies))));
            let entries: Entries = keys.zip((0..).map(Value::Int)).collect();
            assert_eq!(entries.len(), 2 * copies);
            assert_eq!(number(entries.get(b"0")), Some(2 * copies as i64));
        }
    }
}
