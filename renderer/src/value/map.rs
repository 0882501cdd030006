//! Go maps with string keys: shared, mutable, iterated in key order.

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

use super::dismantle::dismantle;
use super::entries::Entries;
use super::frozen::FrozenMap;
use super::{GoString, Value};

/// The Go type of a map; it shows in type names, errors and strict comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapType {
    /// `map[string]interface {}`.
    Any,
    /// `common.Values` (Helm 4), the named type of `.Values` and of the root context.
    Values,
    /// `chartutil.Values`: the same in Helm 3.
    ChartutilValues,
    /// `map[string]string`, from `split` and of `.Chart.Annotations`: a missing key is `""`.
    String,
}

impl MapType {
    /// The Go type name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "map[string]interface {}",
            Self::Values => "common.Values",
            Self::ChartutilValues => "chartutil.Values",
            Self::String => "map[string]string",
        }
    }
}

/// What is behind all handles to one map.
#[derive(Debug, Default)]
struct Storage(RefCell<Contents>);

#[derive(Debug, Default)]
struct Contents {
    /// The entries, as long as nobody has looked at them; there are no others then.
    frozen: Option<Arc<FrozenMap>>,
    entries: Entries,
}

impl Storage {
    /// Gives the map entries of its own. Maps among them are frozen in turn.
    fn thaw(&self) {
        if self.0.borrow().frozen.is_none() {
            return;
        }
        let contents = &mut *self.0.borrow_mut();
        contents.entries = contents.frozen.take().iter().flat_map(|frozen| frozen.thaw()).collect();
    }

    fn read(&self) -> Ref<'_, Entries> {
        self.thaw();
        Ref::map(self.0.borrow(), |contents| &contents.entries)
    }

    fn write(&self) -> RefMut<'_, Entries> {
        self.thaw();
        RefMut::map(self.0.borrow_mut(), |contents| &mut contents.entries)
    }
}

impl From<Contents> for Storage {
    fn from(contents: Contents) -> Self {
        Self(RefCell::new(contents))
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        dismantle(self.0.get_mut().entries.values_mut());
    }
}

/// A shared handle to a mutable map. Cloning the handle does not copy the entries.
///
/// A nil map is empty and cannot be written to.
#[derive(Clone, Debug)]
pub struct Map {
    entries: Option<Rc<Storage>>,
    map_type: MapType,
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl Map {
    /// An empty `map[string]any`.
    pub fn new() -> Self {
        Self::typed(MapType::Any)
    }

    /// An empty map of the given type.
    pub fn typed(map_type: MapType) -> Self {
        Self { entries: Some(Rc::default()), map_type }
    }

    /// A nil map.
    pub fn nil(map_type: MapType) -> Self {
        Self { entries: None, map_type }
    }

    /// The same entries under another Go type: a conversion such as `map[string]any(values)`.
    #[must_use]
    pub fn with_type(&self, map_type: MapType) -> Self {
        Self { entries: self.entries.clone(), map_type }
    }

    /// Whether this is a nil map.
    pub fn is_nil(&self) -> bool {
        self.entries.is_none()
    }

    /// The Go type.
    pub fn map_type(&self) -> MapType {
        self.map_type
    }

    /// The value under `key`, if there is such a key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.entries.as_ref()?.read().get(key).cloned()
    }

    /// Whether there is such a key, null or not.
    pub fn contains_key(&self, key: &[u8]) -> bool {
        self.entries.as_ref().is_some_and(|entries| entries.read().get(key).is_some())
    }

    /// Writes an entry for everybody who holds this map. Returns false for a nil map, in which Go would panic with
    /// `assignment to entry in nil map`.
    pub fn insert(&self, key: GoString, value: Value) -> bool {
        match &self.entries {
            Some(entries) => {
                // What was there is freed after the map has been given back: freeing it may free this map.
                let before = entries.write().insert(key, value);
                drop(before);
                true
            }
            None => false,
        }
    }

    /// Removes an entry for everybody who holds this map.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        self.entries.as_ref()?.write().remove(key)
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, |storage| {
            let contents = storage.0.borrow();
            contents.frozen.as_ref().map_or(contents.entries.len(), |frozen| frozen.len())
        })
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A snapshot of the entries in key order (bytewise). Later changes of the map do not show in it, as in Go's
    /// template `range`.
    pub fn entries(&self) -> Vec<(GoString, Value)> {
        self.borrow()
            .map_or_else(Vec::new, |entries| entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// A snapshot of the keys, sorted bytewise.
    pub fn keys(&self) -> Vec<GoString> {
        self.borrow().map_or_else(Vec::new, |entries| entries.iter().map(|(key, _)| key.clone()).collect())
    }

    /// The identity of the map, equal for all handles to it, for cycle checks.
    pub fn address(&self) -> usize {
        self.entries.as_ref().map_or(0, |entries| Rc::as_ptr(entries).cast::<()>() as usize)
    }

    /// A copy that shares nothing changeable with this map, in one step, if nobody has looked into it yet.
    pub(crate) fn copy_unless_changed(&self) -> Option<Self> {
        self.entries.as_ref()?.0.borrow().frozen.as_ref().map(Self::from)
    }

    /// Whether it is known without a search that there is no null, here or in maps below.
    pub(crate) fn is_free_of_nulls(&self) -> bool {
        let Some(storage) = &self.entries else { return true };
        storage.0.borrow().frozen.as_ref().is_some_and(|frozen| !frozen.holds_null())
    }

    /// Removes all entries for everybody who holds this map.
    pub(crate) fn clear(&self) {
        // The entries are freed after the map has been given back: freeing them may free this map.
        let contents = self.entries.as_ref().map(|storage| storage.0.take());
        drop(contents.map(Storage::from));
    }

    /// The entries if no other handle shares them.
    pub(super) fn unshared(&mut self) -> Option<&mut Entries> {
        self.entries.as_mut().and_then(Rc::get_mut).map(|storage| &mut storage.0.get_mut().entries)
    }

    /// Read access for code of this crate that does not call back into templates meanwhile.
    pub(crate) fn borrow(&self) -> Option<Ref<'_, Entries>> {
        self.entries.as_ref().map(|entries| entries.read())
    }
}

impl From<&Arc<FrozenMap>> for Map {
    fn from(frozen: &Arc<FrozenMap>) -> Self {
        let contents = Contents { frozen: Some(Arc::clone(frozen)), entries: Entries::default() };
        Self { entries: Some(Rc::new(contents.into())), map_type: MapType::Any }
    }
}

impl FromIterator<(GoString, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (GoString, Value)>>(entries: I) -> Self {
        let contents = Contents { frozen: None, entries: entries.into_iter().collect() };
        Self { entries: Some(Rc::new(contents.into())), map_type: MapType::Any }
    }
}
