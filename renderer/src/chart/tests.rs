//! Loading charts from files.

use super::*;

fn file(name: &str, text: &str) -> ChartFile {
    ChartFile { name: name.to_owned(), data: text.as_bytes().to_vec() }
}

fn chart_yaml(prefix: &str, name: &str) -> ChartFile {
    file(&format!("{prefix}Chart.yaml"), &format!("{{apiVersion: v2, name: {name}, version: 0.1.0}}"))
}

fn names<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<&'a str> {
    files.map(|(name, _)| name).collect()
}

#[test]
fn sorts_files_into_what_they_are() {
    let chart = Chart::load(vec![
        file("templates/sub/b.txt", ""),
        file("README.md", "\u{feff}text"),
        file("templates/a.yaml", ""),
        file("templates/.hidden", ""),
        file("values.yaml", "a: 1\n---\nb: {c: 2}\n---\nb: {d: 3}\n"),
        file("values.schema.json", "{}"),
        file(".helmignore", "*.bak\n"),
        file("x.bak", ""),
        file("charts/db/values.yaml", "port: 5432"),
        chart_yaml("charts/db/", "db"),
        file("charts/_off/x", ""),
        file("charts/db.prov", ""),
        file("crds/a.yaml", ""),
        file("requirements.lock", ""),
        chart_yaml("", "demo"),
    ])
    .unwrap();
    assert_eq!((chart.name(), chart.version(), chart.icon()), ("demo", "0.1.0", ""));
    assert_eq!(names(chart.templates()), ["templates/a.yaml", "templates/sub/b.txt"]);
    assert_eq!(names(chart.files()), [".helmignore", "README.md", "charts/db.prov", "crds/a.yaml"]);
    assert_eq!(chart.files().nth(1).map(|(_, text)| text), Some(&b"text"[..]));
    assert_eq!(serde_json::json!(chart.values()), serde_json::json!({"a": 1.0, "b": {"c": 2.0, "d": 3.0}}));
    assert_eq!(chart.schema(), Some(&b"{}"[..]));
    assert_eq!(chart.dependencies().len(), 1);
    assert_eq!(chart.dependencies()[0].values()["port"], 5432.0);
}

#[test]
fn names_dependencies_by_alias() {
    let chart = Chart::load(vec![
        file(
            "Chart.yaml",
            "{apiVersion: v2, name: demo, version: 1.0.0, dependencies: [{name: db, version: '*', alias: one}, \
             {name: db, version: '>=9', alias: two}, {name: db, version: 0.x, alias: three}]}",
        ),
        chart_yaml("charts/db/", "db"),
        chart_yaml("charts/web/", "web"),
    ])
    .unwrap();
    let names: Vec<_> = chart.dependency_names().into_iter().map(|(name, chart)| (name, chart.name())).collect();
    assert_eq!(names, [("web", "web"), ("one", "db"), ("three", "db")]);
}

#[test]
fn explains_what_is_no_chart() {
    for (files, expected) in [
        (vec![file("values.yaml", "")], "Chart.yaml file is missing"),
        (
            vec![chart_yaml("", "demo"), file("values.yaml", "[1]")],
            "cannot load values.yaml: cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: \
             cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (
            vec![chart_yaml("", "demo"), file("values.yaml", "a: 1\n--- b: 2\n")],
            "cannot load values.yaml: error reading yaml document: invalid Yaml document separator: b: 2",
        ),
        (
            vec![chart_yaml("", "demo"), file("charts/README.md", "")],
            "error unpacking subchart README.md in demo: Chart.yaml file is missing",
        ),
        (
            vec![chart_yaml("", "demo"), file("charts/a.tgz", "no archive at all")],
            "error unpacking subchart a.tgz in demo: gzip: invalid header",
        ),
        (vec![chart_yaml("", "demo"), file(".helmignore", "**/x")], "double-star (**) syntax is not supported"),
        (vec![file("Chart.yaml", "{name: demo}")], "validation: chart.metadata.version is required"),
        (
            vec![chart_yaml("", "demo"), file("Chart.lock", "generated: 5")],
            "cannot load Chart.lock: error unmarshaling JSON: while decoding JSON: Time.UnmarshalJSON: input is not a JSON \
             string",
        ),
    ] {
        let error = Chart::load(files).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn reads_archives_within_limits() {
    let pack = |files: &[(&str, &[u8])]| {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (name, data) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(data.len() as u64);
            tar.append_data(&mut header, name, *data).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    };
    let inner = pack(&[("db/Chart.yaml", b"{apiVersion: v2, name: db, version: 1.0.0}"), ("db/values.yaml", b"a: 1")]);
    let outer = pack(&[
        ("demo/Chart.yaml", b"{apiVersion: v2, name: demo, version: 1.0.0}"),
        ("demo/.helmignore", b"values.yaml"),
        ("demo/values.yaml", b"b: 2"),
        ("demo/charts/db-1.0.0.tgz", &inner),
    ]);
    let chart = Chart::load_archive(&outer).unwrap();
    assert_eq!(chart.values()["b"], 2.0);
    assert_eq!(chart.dependencies()[0].name(), "db");
    assert_eq!(Chart::load_archive(&pack(&[])).unwrap_err().to_string(), "no files in chart archive");

    let zeros = vec![0; 60 << 20];
    let bomb = pack(&[
        ("demo/Chart.yaml", b"{apiVersion: v2, name: demo, version: 1.0.0}"),
        ("demo/charts/a.tgz", &pack(&[("a/Chart.yaml", b"{name: a, version: 1.0.0}"), ("a/zeros", &zeros)])),
        ("demo/charts/b.tgz", &pack(&[("b/Chart.yaml", b"{name: b, version: 1.0.0}"), ("b/zeros", &zeros)])),
    ]);
    assert_eq!(
        Chart::load_archive(&bomb).unwrap_err().to_string(),
        "error unpacking subchart b.tgz in demo: decompressed chart is larger than the maximum size 104857600"
    );
}
