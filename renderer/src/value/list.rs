//! Go slices as templates see them: never changed in place, so a shared immutable vector.

use std::ops::Deref;
use std::rc::Rc;

use super::Value;
use super::dismantle::dismantle;

/// The element type of a slice; it shows in type names, errors and strict comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// `[]interface {}`.
    Any,
    /// `[]string`.
    String,
    /// `[]int`.
    Int,
    /// `[][]interface {}`, from `chunk`.
    AnyList,
    /// `[]map[string]interface {}`, from `fromToml`.
    Map,
    /// `[]*chart.Maintainer`, of Helm 3's `.Chart.Maintainers`.
    Maintainer,
    /// `[]*chart.Dependency`, of Helm 3's `.Chart.Dependencies`.
    Dependency,
}

impl ElementType {
    /// The Go name of a slice of this type.
    pub fn slice_name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::String => "[]string",
            Self::Int => "[]int",
            Self::AnyList => "[][]interface {}",
            Self::Map => "[]map[string]interface {}",
            Self::Maintainer => "[]*chart.Maintainer",
            Self::Dependency => "[]*chart.Dependency",
        }
    }
}

/// A slice. A nil slice is empty, prints `[]` and encodes as `null`.
#[derive(Clone, Debug)]
pub struct List {
    items: Option<Rc<[Value]>>,
    element_type: ElementType,
}

impl List {
    /// A `[]any` with these items.
    pub fn new(items: Vec<Value>) -> Self {
        Self::typed(ElementType::Any, items)
    }

    /// A slice with these items, which the caller guarantees to be of the element type.
    pub fn typed(element_type: ElementType, items: Vec<Value>) -> Self {
        Self { items: Some(Rc::from(items)), element_type }
    }

    /// A nil slice.
    pub fn nil(element_type: ElementType) -> Self {
        Self { items: None, element_type }
    }

    /// Whether this is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.items.is_none()
    }

    /// The element type.
    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    /// The identity of the backing array, for cycle checks.
    pub fn address(&self) -> usize {
        self.items.as_ref().map_or(0, |items| Rc::as_ptr(items).cast::<Value>() as usize)
    }
}

impl List {
    /// The items if no other handle shares them.
    pub(super) fn unshared(&mut self) -> &mut [Value] {
        self.items.as_mut().and_then(Rc::get_mut).unwrap_or_default()
    }
}

impl Drop for List {
    fn drop(&mut self) {
        dismantle(self.unshared().iter_mut());
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.items.as_deref().unwrap_or_default()
    }
}
