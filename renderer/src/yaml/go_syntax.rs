//! YAML values in Go syntax, as `%#v` prints them: two error texts contain them.

use super::node::{Node, NodeKind};
use crate::{number, quote};

/// A value inside another one, or in an interface.
pub(crate) fn describe(node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "interface {}(nil)".into(),
        _ => describe_top(node),
    }
}

/// A value by itself: a nil interface prints `<nil>` there.
pub(crate) fn describe_top(node: &Node) -> String {
    match &node.kind {
        NodeKind::Null => "<nil>".into(),
        NodeKind::Bool(value) => value.to_string(),
        NodeKind::Int(value) => value.to_string(),
        NodeKind::Uint(value) => format!("{value:#x}"),
        NodeKind::Float(value) => number::format_f64_general(*value),
        NodeKind::String(text) => quote::quote(text.as_bytes()),
        NodeKind::Sequence(items) => {
            let items: Vec<String> = items.iter().map(describe).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        NodeKind::Mapping(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|left, right| left.key.cmp(&right.key));
            let entries: Vec<String> = entries
                .iter()
                .map(|entry| format!("{}:{}", quote::quote(entry.key.as_bytes()), describe(&entry.value)))
                .collect();
            format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
        }
    }
}
