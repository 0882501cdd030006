//! What a change would do, for people: values, resources, the plan in one line.

use module::ValuePath;
use module::plan::{Change, Plan, ResourceChange, ValueChange};
use serde_json::Value;

use crate::output::diff::unified;
use crate::terminal::{Styles, escape};
use crate::values_read::with_integers;
use crate::values_yaml::{self, Annotations, inline};

/// Longer values are cut where they stand on one line.
const MAX_INLINE: usize = 80;

/// The changes of values, one a line: `  cache.memory: 256Mi -> 512Mi`.
pub(crate) fn values(changes: &[ValueChange], style: Styles) -> String {
    let mut text = String::new();
    for change in changes {
        let path = if change.path.is_empty() { "(all values)".into() } else { escape(&change.path) };
        let (mark, difference) = match (&change.old, &change.new) {
            (Some(old), Some(new)) => {
                let difference = format!("{} -> {}", style.removed(&short(old)), style.added(&short(new)));
                (style.notice("~"), difference)
            }
            (None, Some(new)) => (style.added("+"), style.added(&short(new))),
            (Some(old), None) => (style.removed("-"), style.removed(&short(old))),
            (None, None) => continue,
        };
        let lock = if change.locked { format!("  {}", style.notice("LOCKED")) } else { String::new() };
        text.push_str(&format!("  {mark} {path}: {difference}{lock}\n"));
    }
    text
}

/// The changes of resources as unified differences, each below a line that says what happens to which resource.
pub(crate) fn resources(changes: &[ResourceChange], style: Styles) -> String {
    let mut text = String::new();
    for change in changes {
        let namespace = change.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        let name = format!("{} {namespace}{} ({})", change.kind, change.name, change.api_version);
        let (mark, verb) = match change.change {
            Change::Add => (style.added("+"), "is added"),
            Change::Change => (style.notice("~"), "is changed"),
            Change::Delete => (style.removed("-"), "is deleted"),
        };
        text.push_str(&format!("{mark} {} {verb}\n", style.heading(&escape(&name))));
        // A deletion is told by its name; what goes away is what is there now.
        let whole = change.after.is_some() && (change.before.is_some() || change.change == Change::Add);
        if change.change != Change::Delete && !whole {
            text.push_str("  (left out by the server: too large to show)\n");
        } else if change.change != Change::Delete {
            let before = change.before.as_ref().map(manifest).unwrap_or_default();
            let after = change.after.as_ref().map(manifest).unwrap_or_default();
            text.push_str(&unified(&before, &after, style));
        }
        text.push('\n');
    }
    text
}

/// The whole report.
pub(crate) fn report(plan: &Plan, style: Styles) -> String {
    let mut text = String::new();
    if !plan.values.is_empty() {
        text.push_str(&format!("{}\n{}\n", style.heading("Values"), values(&plan.values, style)));
    }
    if !plan.resources.is_empty() {
        text.push_str(&format!("{}\n{}", style.heading("Resources"), resources(&plan.resources, style)));
    }
    text.push_str(&plan.summary());
    text.push('\n');
    text
}

/// A value on one line, cut if it is long.
pub(crate) fn short(value: &Value) -> String {
    let text = inline(value);
    let text = escape(&text);
    match text.char_indices().nth(MAX_INLINE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// An object as YAML with its fields in the usual order.
pub(crate) fn manifest(object: &Value) -> String {
    match with_integers(object.clone()) {
        Value::Object(map) => values_yaml::write(&map, &ManifestOrder),
        other => format!("{}\n", inline(&other)),
    }
}

struct ManifestOrder;

impl Annotations for ManifestOrder {
    fn order(&self, path: &ValuePath) -> Vec<String> {
        let keys: &[&str] = match path.tokens().len() {
            0 => &["apiVersion", "kind", "metadata", "type", "spec", "data"],
            _ => &["name", "namespace"],
        };
        keys.iter().map(|&key| key.to_owned()).collect()
    }

    fn comments(&self, _: &ValuePath) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_names_everything_once() {
        let object = |replicas: u32| json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "demo"}, "spec": {"replicas": replicas}});
        let plan = Plan {
            values: vec![
                ValueChange { path: "a".into(), old: Some(json!(1)), new: Some(json!("1")), locked: false },
                ValueChange { path: "b".into(), old: None, new: Some(json!([1])), locked: true },
            ],
            resources: vec![
                ResourceChange {
                    change: Change::Change,
                    api_version: "apps/v1".into(),
                    kind: "Deployment".into(),
                    namespace: Some("team-a".into()),
                    name: "demo".into(),
                    before: Some(object(1)),
                    after: Some(object(2)),
                },
                ResourceChange {
                    change: Change::Delete,
                    api_version: "v1".into(),
                    kind: "Service".into(),
                    namespace: Some("team-a".into()),
                    name: "demo".into(),
                    before: Some(json!({})),
                    after: None,
                },
            ],
        };
        let expected = r#"Values
  ~ a: 1 -> "1"
  + b: [1]  LOCKED

Resources
~ Deployment team-a/demo (apps/v1) is changed
@@ -3,4 +3,4 @@
 metadata:
   name: demo
 spec:
-  replicas: 1
+  replicas: 2

- Service team-a/demo (v1) is deleted

Plan: 0 to add, 1 to change, 1 to delete
"#;
        assert_eq!(report(&plan, Styles::PLAIN), expected);
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(short(&json!("x".repeat(200))).chars().count(), MAX_INLINE + 1);
    }
}
