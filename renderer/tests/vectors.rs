//! Templates with the output or error that the real engine gave for them (`fixtures/vectors.jsonl`).
//!
//! The first line of that file describes the context that all of them were run in. A vector that is known to differ
//! stands in `fixtures/vectors-pending.txt`; that list can only become shorter.

use std::collections::BTreeSet;
use std::fmt::Write;

use base64::Engine;
use renderer::functions::FixedHost;
use renderer::render::render_files;
use renderer::values::{self, Values};
use renderer::{Chart, ChartFile, Profile, RenderOptions};
use serde::Deserialize;

const VECTORS: &str = include_str!("fixtures/vectors.jsonl");
/// Calls of every function with arguments of many types, right and wrong ones.
const SIGNATURES: &str = include_str!("fixtures/signatures.jsonl");
const GENERATED: &str = include_str!("fixtures/generated.jsonl");
/// Every function with arguments of all kinds, and every verb of `printf` for values of all kinds.
const FUNCTIONS: &str = include_str!("fixtures/functions.jsonl");
const PENDING: &str = include_str!("fixtures/vectors-pending.txt");

#[derive(Deserialize)]
struct Vector {
    tpl: String,
    #[serde(default)]
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

/// The files of the chart that the vectors were run in, except its templates.
const FILES: &[(&str, &str)] = &[("a.txt", "l1\nl2\n"), ("conf/b.yaml", "x: 1\n"), ("conf/sub/c.yaml", "y")];

/// What a template gives in a chart with these other files.
fn run(template: &str, files: &[(&str, &str)], values: &Values) -> Result<Vec<u8>, String> {
    let common =
        [("Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\nappVersion: \"1.2\"\n"), ("templates/t", template)];
    let files = common
        .iter()
        .chain(files)
        .map(|(name, text)| ChartFile { name: (*name).to_owned(), data: text.as_bytes().to_vec() });
    let chart = Chart::load(files.collect()).unwrap();
    let host = FixedHost::default();
    // The vectors were recorded with Helm's packages, which do not know the release that they are of.
    let mut profile = Profile::V4;
    profile.helm_version.version = "v4.3";
    profile.helm_version.git_tree_state = "";
    let options = RenderOptions {
        release_name: String::from("rel"),
        namespace: String::from("ns"),
        validate_schema: false,
        profile,
        ..RenderOptions::new(&host)
    };
    render_files(&chart, values, &options)
        .map(|mut files| files.remove("c/templates/t").unwrap())
        .map_err(|error| error.to_string())
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
    let values = values::from_yaml(meta["v1.yaml"].as_str().unwrap().as_bytes()).unwrap();
    let no_values = Values::new();
    let pending: BTreeSet<&str> = PENDING.lines().collect();
    let mut problems = String::new();
    let mut passed = 0;
    let mut seen = BTreeSet::new();
    for (index, line) in lines.enumerate() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let name = format!("{} {:?}", index + 1, vector.tpl);
        let expected = vector.expected();
        let actual = run(&vector.tpl, FILES, if vector.values.is_empty() { &no_values } else { &values });
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

/// Templates that nobody would write: random combinations of everything.
#[test]
fn generated_templates_give_what_the_real_engine_gave() {
    let mut lines = GENERATED.lines();
    let meta: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let values = values::from_json(&meta["values"]).unwrap();
    let files: Vec<(&str, &str)> =
        meta["files"].as_object().unwrap().iter().map(|(name, text)| (name.as_str(), text.as_str().unwrap())).collect();
    let mut problems = String::new();
    for line in lines {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let expected = vector.expected();
        let actual = run(&vector.tpl, &files, &values);
        if actual != expected {
            writeln!(problems, "{:?}\n  expected {}\n  actual   {}", vector.tpl, shown(&expected), shown(&actual))
                .unwrap();
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn every_function_takes_what_the_real_one_takes() {
    let mut problems = String::new();
    for line in SIGNATURES.lines().skip(1) {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let (expected, actual) = (vector.expected(), run(&vector.tpl, &[], &Values::new()));
        if actual != expected {
            writeln!(problems, "{}\n  expected {}\n  actual   {}", vector.tpl, shown(&expected), shown(&actual))
                .unwrap();
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn every_function_gives_what_the_real_one_gives() {
    let mut lines = FUNCTIONS.lines();
    let meta: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let files: Vec<(&str, &str)> =
        meta["files"].as_object().unwrap().iter().map(|(name, text)| (name.as_str(), text.as_str().unwrap())).collect();
    let mut problems = String::new();
    for line in lines {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let (expected, actual) = (vector.expected(), run(&vector.tpl, &files, &Values::new()));
        if actual != expected {
            writeln!(problems, "{}\n  expected {}\n  actual   {}", vector.tpl, shown(&expected), shown(&actual))
                .unwrap();
        }
    }
    assert!(problems.is_empty(), "{problems}");
}
