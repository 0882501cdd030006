//! Which values a lock is about, as a pattern.

use std::fmt;

use crate::path::is_plain;

/// One step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// This key (`properties`).
    Name(String),
    /// Any key that no other part of the schema names (`additionalProperties`).
    AnyName,
    /// Any key that a regular expression finds something in (`patternProperties`).
    Pattern(String),
    /// This position (`prefixItems`, a list as `items`).
    Index(usize),
    /// Any position (`items`, `additionalItems`, `contains`).
    AnyItem,
}

/// The places that a lock is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockPath(pub Vec<Segment>);

impl fmt::Display for LockPath {
    /// `image.tag`, `hosts[*].name`, `env.*`, `labels.{^x-}`; `(all values)` for the root.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("(all values)");
        }
        for (position, segment) in self.0.iter().enumerate() {
            let dot = if position == 0 { "" } else { "." };
            match segment {
                Segment::Name(name) if is_plain(name) => write!(formatter, "{dot}{name}")?,
                Segment::Name(name) => write!(formatter, "[{}]", serde_json::Value::from(name.as_str()))?,
                Segment::AnyName => write!(formatter, "{dot}*")?,
                Segment::Pattern(pattern) => write!(formatter, "{dot}{{{pattern}}}")?,
                Segment::Index(index) => write!(formatter, "[{index}]")?,
                Segment::AnyItem => formatter.write_str("[*]")?,
            }
        }
        Ok(())
    }
}
