//! Inputs to start from: those of `seeds/`, the renderer's fixtures, and the charts of `examples/`.

use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::SEPARATOR;

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All files of a folder and of those in it, by path.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(data) = std::fs::read(&path) {
            found.push((path, data));
        }
    }
    found
}

fn own(target: &str) -> Vec<Vec<u8>> {
    files(&folder("seeds").join(target)).into_iter().map(|(_, data)| data).collect()
}

/// The rows of a fixture, without a first row that describes the others.
fn rows(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder("../tests/fixtures").join(name)).unwrap_or_default();
    let rows = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    rows.filter(|row| row.get("_meta").is_none()).collect()
}

fn texts(name: &str, member: &str) -> Vec<Vec<u8>> {
    rows(name).iter().filter_map(|row| Some(row.get(member)?.as_str()?.as_bytes().to_vec())).collect()
}

/// The files of `examples/` whose name ends so.
fn examples(ending: &str) -> Vec<Vec<u8>> {
    let found = files(&folder("../../examples")).into_iter();
    found.filter(|(path, _)| path.to_string_lossy().ends_with(ending)).map(|(_, data)| data).collect()
}

pub(crate) fn template_parse() -> Vec<Vec<u8>> {
    let mut seeds = own("template_parse");
    seeds.extend(examples(".tpl"));
    seeds.extend(files(&folder("../../examples/templates")).into_iter().filter_map(|(path, data)| {
        path.components().any(|component| component.as_os_str() == "templates").then_some(data)
    }));
    seeds.extend(texts("generated.jsonl", "tpl").into_iter().step_by(4));
    seeds
}

pub(crate) fn template_execute() -> Vec<Vec<u8>> {
    let values = rows("generated.jsonl").first().map(
        |_| r#"{"s": "str", "i": 5, "f": 1.5, "n": null, "l": [1, "two", {"a": 1}], "m": {"b": 2, "x": {"y": "z"}}}"#,
    );
    let mut seeds = own("template_execute");
    for file in ["vectors.jsonl", "signatures.jsonl", "generated.jsonl"] {
        for template in texts(file, "tpl").into_iter().step_by(2) {
            seeds.push([&template, SEPARATOR, values.unwrap_or_default().as_bytes()].concat());
        }
    }
    seeds
}

pub(crate) fn yaml_read() -> Vec<Vec<u8>> {
    let mut seeds = own("yaml_read");
    seeds.extend(examples(".yaml"));
    seeds.extend(texts("yaml-read.jsonl", "in"));
    seeds
}

pub(crate) fn yaml_write() -> Vec<Vec<u8>> {
    let mut seeds = own("yaml_write");
    seeds.extend(rows("yaml-write.jsonl").iter().map(|row| {
        let mut description = Vec::new();
        crate::yaml::describe(&row["in"], &mut description);
        description
    }));
    seeds
}

pub(crate) fn chart_archive() -> Vec<Vec<u8>> {
    let mut seeds = own("chart_archive");
    for chart in ["app", "demo", "storefront"] {
        let root = folder("../../examples/templates").join(chart);
        let mut input = b"f".to_vec();
        for (path, data) in files(&root) {
            let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
            let separator = if input.len() > 1 { SEPARATOR } else { &[] };
            input.extend([separator, name.as_bytes(), b"\n", &data].concat());
        }
        seeds.push(input);
    }
    let files: [(&str, &[u8]); 3] = [
        ("c/Chart.yaml", b"{apiVersion: v2, name: c, version: 1.0.0}"),
        ("c/values.yaml", b"a: 1\n"),
        ("c/templates/t.yaml", b"a: {{ .Values.a }}\n"),
    ];
    let tar = tar_file(&files);
    seeds.push([b"t", tar.as_slice()].concat());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    if std::io::Write::write_all(&mut encoder, &tar).is_ok()
        && let Ok(archive) = encoder.finish()
    {
        seeds.push([b"z", archive.as_slice()].concat());
    }
    seeds
}

/// A tar file with these files.
fn tar_file(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, data) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        // Writing to memory cannot fail, and the names are short.
        let _ = builder.append_data(&mut header, name, *data);
    }
    builder.into_inner().unwrap_or_default()
}

pub(crate) fn set_argument() -> Vec<Vec<u8>> {
    let mut seeds = own("set_argument");
    seeds.extend(
        [
            "ta=1\ntb.c=x,d[0]=y",
            "ta[1].b[2][3]=x\ntl={a,b,c}",
            "sa=1\\,2,b=true\nta=null",
            "ja={\"b\":[1,2]},c=3\nj{\"a\":{\"b\":null}}",
            "la.b=x,y=z\nfa=path",
            "ta.b.c.d.e.f=1\nta.b.c.d=2\nta[0]=1",
        ]
        .map(|text| text.as_bytes().to_vec()),
    );
    seeds
}

pub(crate) fn schema_walk() -> Vec<Vec<u8>> {
    let mut seeds = own("schema_walk");
    for schema in examples("values.schema.json") {
        let values = r#"{"name": "x", "replicas": 3, "web": {"replicas": 2}, "list": [{"a": 1}]}"#;
        seeds.push([&schema, SEPARATOR, values.as_bytes()].concat());
    }
    seeds
}
