//! Which values are locked, as far as remarks and explanations need it.
//!
//! Read from the patterns that an answer lists. Nothing is decided here: that is done by the verdict, which walks the
//! schemas themselves.

use module::ValuePath;
use module::path::Token;
use module::preview::LockAnswer;

use crate::schema::SchemaTree;

/// The locks of a template.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locks {
    patterns: Vec<Vec<Step>>,
}

/// One step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    /// Any key that the schema does not name.
    OtherKey,
    /// A key that fits a regular expression. Here every key does: a remark too many does no harm.
    AnyKey,
    Index(usize),
    AnyIndex,
}

impl Locks {
    /// Reads the patterns of an answer.
    pub(crate) fn new(locks: &[LockAnswer]) -> Self {
        Self { patterns: locks.iter().map(|lock| parse(&lock.path)).collect() }
    }

    /// Whether nothing is locked.
    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a mark is on the value or on something around it.
    pub(crate) fn covers(&self, path: &ValuePath, schema: &SchemaTree) -> bool {
        self.patterns.iter().any(|pattern| pattern.len() <= path.tokens().len() && fits(pattern, path, schema))
    }

    /// Whether a mark is on something inside the value.
    pub(crate) fn is_inside(&self, path: &ValuePath, schema: &SchemaTree) -> bool {
        self.patterns.iter().any(|pattern| pattern.len() > path.tokens().len() && fits(pattern, path, schema))
    }
}

/// Whether a pattern and a path agree as far as the shorter one goes.
fn fits(pattern: &[Step], path: &ValuePath, schema: &SchemaTree) -> bool {
    pattern.iter().zip(path.tokens()).enumerate().all(|(depth, (step, token))| match (step, token) {
        (Step::Key(name), Token::Key(key)) => name == key,
        (Step::Index(position), Token::Index(index)) => position == index,
        (Step::AnyKey, Token::Key(_)) | (Step::AnyIndex, Token::Index(_)) => true,
        (Step::OtherKey, Token::Key(key)) => {
            !schema.keys(&ValuePath::from(path.tokens()[..depth].to_vec())).contains(key)
        }
        _ => false,
    })
}

/// Reads `image.tag`, `hosts[*].name`, `env.*`, `labels.{^x-}`; `(all values)` is the root.
fn parse(text: &str) -> Vec<Step> {
    if text == "(all values)" {
        return Vec::new();
    }
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(after) = rest.strip_prefix("[*]") {
            steps.push(Step::AnyIndex);
            rest = after;
        } else if rest.starts_with('[') {
            let end = bracket_end(rest);
            steps.extend(crate::path::parse(&rest[..end]).unwrap_or_default().tokens().iter().map(
                |token| match token {
                    Token::Key(key) => Step::Key(key.clone()),
                    Token::Index(index) => Step::Index(*index),
                },
            ));
            rest = &rest[end..];
        } else if let Some(after) = rest.strip_prefix('{') {
            // An expression can hold any character; it ends where the path goes on or ends.
            let end =
                ["}.", "}["].iter().filter_map(|end| after.find(end)).min().unwrap_or(after.len().saturating_sub(1));
            steps.push(Step::AnyKey);
            rest = after.get(end + 1..).unwrap_or_default();
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let name = &rest[..end];
            steps.push(if name == "*" { Step::OtherKey } else { Step::Key(name.to_owned()) });
            rest = &rest[end..];
        }
    }
    steps
}

/// The end of `["key"]` or `[0]` at the start of the text.
fn bracket_end(text: &str) -> usize {
    let mut in_quotes = false;
    let mut escaped = false;
    for (position, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            ']' if !in_quotes => return position + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_cover_what_is_below_them() {
        let locks: Vec<LockAnswer> =
            ["image.tag", "hosts[*].name", "env.*", r#"a["x.y"]"#, "labels.{^x-[a-z]{2}}.z", "list[0]"]
                .map(|path| LockAnswer { path: path.to_owned(), ..LockAnswer::default() })
                .to_vec();
        let locks = Locks::new(&locks);
        let schema = SchemaTree::new(json!({"properties": {"env": {"properties": {"free": {}}}}}), BTreeMap::new());
        let covers = |path: &str| locks.covers(&crate::path::parse(path).unwrap(), &schema);
        for path in
            ["image.tag", "image.tag.deep", "hosts[3].name", "env.any", r#"a["x.y"].b"#, "labels.x-ab.z", "list[0]"]
        {
            assert!(covers(path), "{path}");
        }
        for path in ["image", "image.tags", "hosts[3]", "env.free", "a", "labels.x-ab", "list[1]", ""] {
            assert!(!covers(path), "{path}");
        }
        let is_inside = |path: &str| locks.is_inside(&crate::path::parse(path).unwrap(), &schema);
        for path in ["", "image", "hosts", "hosts[3]", "env", "a", "labels.x-ab", "list"] {
            assert!(is_inside(path), "{path}");
        }
        for path in ["image.tag", "image.tags", "other", "list[0]", "list[1]"] {
            assert!(!is_inside(path), "{path}");
        }
    }

    #[test]
    fn a_mark_on_the_root_covers_everything() {
        let locks = Locks::new(&[LockAnswer { path: "(all values)".into(), ..LockAnswer::default() }]);
        assert!(locks.covers(&ValuePath::root().key("a"), &SchemaTree::default()));
    }
}
