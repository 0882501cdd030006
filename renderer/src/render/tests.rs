//! Rendering whole charts. The expectations are what Helm 4.3.1 prints for the same files.

use serde_json::json;

use super::*;
use crate::ChartFile;
use crate::functions::FixedHost;
use crate::values::from_json;

fn chart(files: &[(&str, &str)]) -> Chart {
    let file = |(name, text): &(&str, &str)| ChartFile { name: (*name).to_owned(), data: text.as_bytes().to_vec() };
    Chart::load(files.iter().map(file).collect()).unwrap()
}

fn options(host: &FixedHost) -> RenderOptions<'_> {
    RenderOptions { release_name: "demo".to_owned(), include_crds: true, ..RenderOptions::new(host) }
}

fn rendered(files: &[(&str, &str)], values: &serde_json::Value) -> String {
    match render(&chart(files), &from_json(values).unwrap(), &options(&FixedHost::default())) {
        Ok(rendered) => rendered.to_helm_output(),
        Err(error) => format!("Error: {error}"),
    }
}

const CHART: (&str, &str) = ("Chart.yaml", "{apiVersion: v2, name: web, version: 1.0.0, annotations: {a: b}}");

#[test]
fn gives_templates_their_context() {
    let template = "a: {{ .Values.a }}\nb: {{ .Release.Name }} {{ .Release.Revision }} {{ .Release.IsInstall }}\n\
                    c: {{ .Chart.Name }} {{ .Chart.Annotations.a }} {{ .Chart.Nothing }} {{ .Chart.IsRoot }}\n\
                    d: {{ .Template.Name }} {{ .Template.BasePath }}\ne: {{ .Files.Get \"x.txt\" }}\n\
                    f: {{ .Capabilities.KubeVersion }} {{ .Capabilities.APIVersions.Has \"batch/v1\" }}\n";
    assert_eq!(
        rendered(&[CHART, ("x.txt", "text"), ("templates/t.yaml", template)], &json!({"a": 1_000_000})),
        "---\n# Source: web/templates/t.yaml\na: 1e+06\nb: demo 1 true\nc: web b  true\n\
         d: web/templates/t.yaml web/templates\ne: text\nf: v1.37.0 true\n\n"
            .replace("\n\n", "\n")
    );
}

#[test]
fn shares_values_between_the_files_of_a_tree() {
    let dump = "v: {{ .Values | toJson }}";
    assert_eq!(
        rendered(
            &[
                CHART,
                ("templates/a.yaml", dump),
                (
                    "templates/z.yaml",
                    "{{ $_ := set .Values \"seen\" .Template.Name }}v: {{ .Subcharts.sub.Values.own }}"
                ),
                ("charts/sub/Chart.yaml", "{apiVersion: v2, name: sub, version: 1.0.0}"),
                ("charts/sub/values.yaml", "own: 1"),
                ("charts/sub/templates/t.yaml", "{{ $_ := set .Values \"own\" 2 }}v: {{ .Chart.IsRoot }}"),
            ],
            &json!({})
        ),
        "---\n# Source: web/charts/sub/templates/t.yaml\nv: false\n\
         ---\n# Source: web/templates/a.yaml\nv: {\"seen\":\"web/templates/z.yaml\",\"sub\":{\"global\":{},\"own\":2}}\n\
         ---\n# Source: web/templates/z.yaml\nv: 2\n"
    );
}

#[test]
fn uses_only_partials_of_library_charts() {
    assert_eq!(
        rendered(
            &[
                CHART,
                ("templates/t.yaml", "v: {{ include \"lib.name\" . }}"),
                ("charts/lib/Chart.yaml", "{apiVersion: v2, name: lib, version: 1.0.0, type: library}"),
                ("charts/lib/templates/_name.tpl", "{{ define \"lib.name\" }}{{ .Chart.Name }}{{ end }}"),
                ("charts/lib/templates/broken.yaml", "{{ nonsense"),
            ],
            &json!({})
        ),
        "---\n# Source: web/templates/t.yaml\nv: web\n"
    );
}

#[test]
fn prints_custom_resource_definitions_first() {
    let files = [
        CHART,
        ("crds/b.yml", "kind: B\n"),
        ("crds/a.YAML", "kind: A\n---\nkind: C\n"),
        ("crds/notes.txt", "x"),
        ("templates/t.yaml", "kind: T"),
        ("charts/sub/Chart.yaml", "{apiVersion: v2, name: sub, version: 1.0.0}"),
        ("charts/sub/crds/s.json", "{}"),
    ];
    assert_eq!(
        rendered(&files, &json!({})),
        "---\n# Source: web/crds/a.YAML\nkind: A\n---\nkind: C\n\n---\n# Source: web/crds/b.yml\nkind: B\n\n\
         ---\n# Source: web/charts/sub/crds/s.json\n{}\n---\n# Source: web/templates/t.yaml\nkind: T\n"
    );
}

#[test]
fn explains_what_fails() {
    let chart_yaml = |rest: &'static str| ("Chart.yaml", rest);
    for (files, expected) in [
        (vec![chart_yaml("{name: web, version: 1.0.0, type: library}")], "Error: library charts are not installable"),
        (
            vec![chart_yaml("{name: web, version: 1.0.0, dependencies: [{name: a}, {name: b, alias: c}]}")],
            "Error: an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' \
             to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: a, b",
        ),
        (
            vec![chart_yaml("{name: web, version: 1.0.0, kubeVersion: '>=1.99'}")],
            "Error: chart requires kubeVersion: >=1.99 which is incompatible with Kubernetes v1.37.0",
        ),
        (
            vec![CHART, ("values.schema.json", "{\"required\": [\"a\"]}")],
            "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n\
             - at '': missing property 'a'\n",
        ),
        (
            vec![CHART, ("templates/t.yaml", "a: {{ if }}")],
            "Error: parse error at (web/templates/t.yaml:1): missing value for if",
        ),
        (
            vec![CHART, ("templates/t.yaml", "a: {{ .Values.a.b }}")],
            "Error: web/templates/t.yaml:1:13\n  executing \"web/templates/t.yaml\" at <.Values.a.b>:\n    nil pointer \
             evaluating interface {}.b",
        ),
        (
            vec![CHART, ("templates/t.yaml", "text")],
            "Error: YAML parse error on web/templates/t.yaml: error unmarshaling JSON: while decoding JSON: json: cannot \
             unmarshal string into Go value of type util.SimpleHead",
        ),
    ] {
        assert_eq!(rendered(&files, &json!({})), expected);
    }
}

#[test]
fn ends_hostile_templates() {
    let loops = "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}";
    let host = FixedHost::default();
    let options = RenderOptions { limits: Limits { steps: 100_000, ..Limits::default() }, ..options(&host) };
    let outcome = render(&chart(&[CHART, ("templates/t.yaml", loops)]), &Values::new(), &options);
    let error = outcome.unwrap_err();
    assert_eq!(error.budget(), Some(BudgetExceeded::Steps { limit: 100_000 }));
    assert!(error.to_string().starts_with("web/templates/t.yaml:1:"), "{error}");
}

#[test]
fn renders_again_with_other_subcharts() {
    let files = [
        (
            "Chart.yaml",
            "{apiVersion: v2, name: web, version: 1.0.0, dependencies: [{name: sub, version: '*', condition: s}]}",
        ),
        ("templates/t.yaml", "v: {{ template \"name\" }}"),
        ("templates/_name.tpl", "{{ define \"name\" }}own{{ end }}"),
        ("charts/sub/Chart.yaml", "{apiVersion: v2, name: sub, version: 1.0.0}"),
        ("charts/sub/templates/_name.tpl", "{{ define \"name\" }}sub{{ end }}"),
        ("charts/sub/templates/s.yaml", "v: {{ template \"name\" }}"),
    ];
    let chart = chart(&files);
    let host = FixedHost::default();
    for (enabled, sources) in [(true, 2), (false, 1), (true, 2)] {
        let values = from_json(&json!({"s": enabled})).unwrap();
        let rendered = render(&chart, &values, &options(&host)).unwrap();
        assert_eq!(rendered.manifests.len(), sources);
        assert!(rendered.manifests.iter().all(|manifest| manifest.content == "v: own"));
    }
}

#[test]
fn is_shared_between_threads() {
    fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<Chart>();
}
