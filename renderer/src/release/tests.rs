//! From rendered files to output.

use super::*;

fn assembled(files: &[(&str, &str)]) -> Result<Rendered, String> {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let warnings = Warnings::new(Profile::V4);
    assemble(files, Vec::new(), "demo/templates/NOTES.txt", true, Profile::V4, &warnings)
        .map_err(|error| error.to_string())
}

#[test]
fn prints_what_helm_prints() {
    let rendered = assembled(&[
        ("demo/templates/b.yaml", "kind: Zebra\n---\nkind: Service\nmetadata: {name: one}\n"),
        ("demo/templates/a.yaml", "\nkind: Service\nmetadata: {name: two}\n\n\n---\n# nothing\n"),
        ("demo/charts/db/templates/s.yaml", "kind: Service\napiVersion: v1"),
        (
            "demo/templates/hook.yaml",
            "kind: Job\nmetadata: {annotations: {helm.sh/hook: 'Pre-Install, test-success'}}\n",
        ),
        ("demo/templates/dropped.yaml", "kind: Job\nmetadata: {annotations: {helm.sh/hook: crd-install}}\n"),
        ("demo/templates/NOTES.txt", "hello"),
        ("demo/charts/db/templates/NOTES.txt", "no"),
        ("demo/templates/blank.yaml", " \n\u{a0}\n"),
        ("demo/templates/_partial.yaml", "kind: No"),
    ])
    .unwrap();
    assert_eq!(rendered.notes.as_deref(), Some("hello"));
    assert_eq!(rendered.hooks[0].hooks, ["pre-install", "test"]);
    assert_eq!(
        rendered.to_helm_output(),
        "---\n# Source: demo/charts/db/templates/s.yaml\nkind: Service\napiVersion: v1\n\
         ---\n# Source: demo/templates/a.yaml\nkind: Service\nmetadata: {name: two}\n\n\n\n\
         ---\n# Source: demo/templates/b.yaml\nkind: Service\nmetadata: {name: one}\n\n\
         ---\n# Source: demo/templates/a.yaml\n# nothing\n\n\
         ---\n# Source: demo/templates/b.yaml\nkind: Zebra\n\
         ---\n# Source: demo/templates/hook.yaml\nkind: Job\nmetadata: {annotations: {helm.sh/hook: 'Pre-Install, \
         test-success'}}\n\n"
    );
    assert_eq!(
        rendered.show_only(&["templates/b*", "charts/db/templates/s.yaml"]).unwrap(),
        "---\n# Source: demo/templates/b.yaml\nkind: Service\nmetadata: {name: one}\n\n\n\
         ---\n# Source: demo/templates/b.yaml\nkind: Zebra\n\n\
         ---\n# Source: demo/charts/db/templates/s.yaml\nkind: Service\napiVersion: v1\n\n"
    );
    assert_eq!(
        rendered.show_only(&["templates/x.yaml"]).unwrap_err().to_string(),
        "could not find template templates/x.yaml in chart"
    );
}

#[test]
fn starts_with_an_empty_line_without_manifests() {
    let rendered = assembled(&[("d/templates/h.yaml", "metadata: {annotations: {helm.sh/hook: test}}")]).unwrap();
    assert_eq!(
        rendered.to_helm_output(),
        "\n---\n# Source: d/templates/h.yaml\nmetadata: {annotations: {helm.sh/hook: test}}\n"
    );
}

#[test]
fn refuses_what_is_no_manifest() {
    let prefix = "YAML parse error on d/t.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal";
    for (text, expected) in [
        ("text", format!("{prefix} string into Go value of type util.SimpleHead")),
        ("- 1", format!("{prefix} array into Go value of type util.SimpleHead")),
        ("kind: [a]", format!("{prefix} array into Go struct field SimpleHead.kind of type string")),
        (
            "metadata: {annotations: {a: {b: c}}}",
            format!("{prefix} object into Go struct field .metadata.annotations of type string"),
        ),
        (
            "metadata: {annotations: text}",
            format!("{prefix} string into Go struct field .metadata.annotations of type map[string]string"),
        ),
    ] {
        assert_eq!(assembled(&[("d/t.yaml", text)]).map(|_| ()), Err(expected), "{text}");
    }
    let malformed = assembled(&[("d/t.yaml", "a: b: c")]).unwrap_err();
    assert!(
        malformed.starts_with("YAML parse error on d/t.yaml: error converting YAML to JSON: yaml: "),
        "{malformed}"
    );
}

#[test]
fn reads_heads_leniently() {
    let rendered = assembled(&[(
        "d/t.yaml",
        "Kind: 1\nAPIVERSION: v1.10\nmetadata:\n  name: 5\n  annotations: {a: null, b: 1e3, c: true}\n",
    )])
    .unwrap();
    let manifest = &rendered.manifests[0];
    assert_eq!((manifest.kind.as_str(), manifest.api_version.as_str(), manifest.name.as_str()), ("1", "v1.10", "5"));
}
