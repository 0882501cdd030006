//! Schemas: validation of values, and the walk along the locks.

use module::equality::{ValuesState, locked_changes};
use module::lock::{ChartSchema, Cursor, LockSet, Redaction};
use renderer::{Chart, ChartFile, schema, values};
use serde_json::Value;

use crate::parts;

/// Validates the values of the second part against the schema of the first, and compares them with nothing along the
/// locks that the schema declares.
pub fn schema_walk(input: &[u8]) {
    let (text, values) = parts(input);
    let Ok(Value::Object(values)) = serde_json::from_slice(values) else { return };
    validate(text, &values);
    let schema = ChartSchema { path: Vec::new(), name: "c".to_owned(), schema: Some(text) };
    let Ok(locks) = LockSet::from_schemas(&[schema]) else { return };
    let values = Value::Object(values);
    let nothing = Value::Object(values::Values::new());
    let with = ValuesState { effective: &values, explicit: &values };
    let without = ValuesState { effective: &nothing, explicit: &nothing };
    if let Ok(changes) = locked_changes(&locks, with, with) {
        assert!(changes.is_empty(), "a change without a difference");
    }
    drop((locked_changes(&locks, with, without), locked_changes(&locks, without, with)));
    drop(locks.root().masked(&values));
    drop(Redaction::new(&locks, [&values]).apply("text"));
    assert!(LockSet::default().keeps_all_of(&locks) == locks.is_empty(), "an empty set that has the locks of another");
    let _ = locks.keeps_all_of(&locks);
    let found = walk(&locks.root(), &values);
    assert!(!(found && locks.is_empty()), "a lock in an empty set");
}

fn validate(text: &[u8], values: &values::Values) {
    let file = |name: &str, data: &[u8]| ChartFile { name: name.to_owned(), data: data.to_vec() };
    let chart = Chart::load(vec![
        file("Chart.yaml", b"{apiVersion: v2, name: c, version: 1.0.0}"),
        file("values.schema.json", text),
    ]);
    let Ok(chart) = chart else { panic!("the chart cannot be loaded") };
    if let Err(error) = schema::validate(&chart, values) {
        drop(error.to_string());
    }
}

/// Whether there is a lock anywhere in the values, as far as the walk may go.
fn walk(cursor: &Cursor<'_>, value: &Value) -> bool {
    if cursor.is_exhausted() {
        return false;
    }
    let mut locked = cursor.is_locked();
    assert!(!locked || cursor.mark().is_some(), "a lock without a mark");
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                locked |= walk(&cursor.key(key), member);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                locked |= walk(&cursor.index(index), item);
            }
        }
        _ => {}
    }
    assert!(!locked || cursor.leads_to_lock(), "a lock where none is announced");
    locked
}
