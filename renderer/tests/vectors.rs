//! Templates with the output or error that the real engine gave for them (`fixtures/vectors.jsonl`).
//!
//! The first line of that file describes the context that all of them were run in. A vector that is known to differ
//! stands in `fixtures/vectors-pending.txt`; that list can only become shorter.

use std::collections::BTreeSet;
use std::fmt::Write;

use base64::Engine;
use renderer::functions::{FixedHost, table};
use renderer::template::{Evaluator, TemplateSet, strip_no_value};
use renderer::value::{GoString, Map, MapType, Value};
use renderer::{Budget, Limits, Profile, yaml};
use serde::Deserialize;

const TEMPLATE: &str = "c/templates/t";
const VECTORS: &str = include_str!("fixtures/vectors.jsonl");
const PENDING: &str = include_str!("fixtures/vectors-pending.txt");

#[derive(Deserialize)]
struct Vector {
    tpl: String,
    values: String,
    out: Option<String>,
    out_base64: Option<String>,
    err: Option<String>,
}

impl Vector {
    fn expected(&self) -> Result<Vec<u8>, String> {
        match (&self.out, &self.out_base64, &self.err) {
            (Some(output), ..) => Ok(output.as_bytes().to_vec()),
            (_, Some(encoded), _) => Ok(base64::engine::general_purpose::STANDARD.decode(encoded).unwrap()),
            (.., error) => Err(error.clone().unwrap()),
        }
    }
}

fn map(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Map {
    entries.into_iter().map(|(key, value)| (GoString::from(key), value)).collect()
}

/// The root context that the vectors were run in.
fn root(values: Value) -> Value {
    let release = map([
        ("Name", Value::from("rel")),
        ("Namespace", Value::from("ns")),
        ("IsInstall", Value::Bool(true)),
        ("IsUpgrade", Value::Bool(false)),
        ("Revision", Value::Int(1)),
        ("Service", Value::from("Helm")),
    ]);
    let chart = map([
        ("Name", Value::from("c")),
        ("Version", Value::from("0.1.0")),
        ("AppVersion", Value::from("1.2")),
        ("Annotations", Value::Map(Map::nil(MapType::String))),
    ]);
    let template = map([("Name", Value::from(TEMPLATE)), ("BasePath", Value::from("c/templates"))]);
    let root = map([
        ("Values", values),
        ("Release", Value::Map(release)),
        ("Chart", Value::Map(chart)),
        ("Template", Value::Map(template.with_type(MapType::Values))),
        ("Subcharts", Value::Map(Map::new())),
    ]);
    Value::Map(root.with_type(MapType::Values))
}

fn run(vector: &Vector, values_file: &str) -> Result<Vec<u8>, String> {
    let values = match vector.values.as_str() {
        "" => Value::Map(Map::typed(MapType::Values)),
        _ => match Value::from_json(&yaml::decode(values_file.as_bytes()).unwrap()) {
            Value::Map(values) => Value::Map(values.with_type(MapType::Values)),
            other => panic!("values are {other:?}"),
        },
    };
    let set = TemplateSet::parse([(TEMPLATE, vector.tpl.as_bytes())], table(Profile::V4))
        .map_err(|error| error.to_string())?;
    let budget = Budget::new(Limits::default());
    let host = FixedHost::default();
    let evaluator = Evaluator::new(&set, &budget, &host);
    evaluator.execute(TEMPLATE, root(values)).map(strip_no_value).map_err(|error| error.to_string())
}

fn shown(result: &Result<Vec<u8>, String>) -> String {
    match result {
        Ok(output) => format!("output {:?}", String::from_utf8_lossy(output)),
        Err(error) => format!("error {error:?}"),
    }
}

#[test]
fn every_vector_gives_what_the_real_engine_gave() {
    let mut lines = VECTORS.lines();
    let meta: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let values_file = meta["v1.yaml"].as_str().unwrap();
    let pending: BTreeSet<&str> = PENDING.lines().collect();
    let mut problems = String::new();
    let mut passed = 0;
    let mut seen = BTreeSet::new();
    for (index, line) in lines.enumerate() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let name = format!("{} {:?}", index + 1, vector.tpl);
        let expected = vector.expected();
        let actual = run(&vector, values_file);
        let is_pending = pending.contains(name.as_str());
        if actual == expected {
            passed += 1;
            if is_pending {
                writeln!(problems, "passes, take it from the list: {name}").unwrap();
            }
        } else if !is_pending {
            writeln!(problems, "{name}\n  expected {}\n  actual   {}", shown(&expected), shown(&actual)).unwrap();
        }
        seen.insert(name);
    }
    for name in pending.iter().filter(|name| !seen.contains(**name)) {
        writeln!(problems, "no such vector: {name}").unwrap();
    }
    println!("{passed} of {} vectors pass", seen.len());
    assert!(problems.is_empty(), "{problems}");
}
