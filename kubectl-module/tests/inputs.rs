//! Bad input: each message names the file or the field, and what to do.

use crate::run::Place;

fn module(template: &str, values: &str) -> String {
    format!(
        "apiVersion: cyclops-ui.com/v1alpha1\nkind: Module\nmetadata: {{name: x, namespace: team-a}}\nspec:\n  \
         targetNamespace: team-a\n  template: {template}\n  values: {values}\n"
    )
}

fn template(path: &str) -> String {
    format!("{{repo: https://git.example.com/platform/templates, path: {path}, version: main}}")
}

/// The message of a preview of a file in the examples' folder.
fn message(place: &Place, text: &str) -> String {
    place.write("examples/modules/bad.yaml", text);
    let outcome = place.run(&["preview", "-f", "examples/modules/bad.yaml", "--offline", "--set", "a=1"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""), "{outcome:?}");
    outcome.stderr
}

#[test]
fn an_unknown_repository_says_where_to_map_it() {
    let place = Place::new();
    let text = message(&place, &module("{repo: https://elsewhere.example.com/x, path: demo, version: main}", "{}"));
    assert!(text.contains("https://elsewhere.example.com/x"), "{text}");
    assert!(text.contains("--template-root https://elsewhere.example.com/x=DIR"), "{text}");
    assert!(text.ends_with("\nHint: map it to a folder in PLACE/examples/kubectl-module.yaml\n"), "{text}");
}

#[test]
fn a_missing_path_or_chart_is_named() {
    let place = Place::new();
    let missing = message(&place, &module(&template("nowhere"), "{}"));
    assert!(missing.contains("nowhere"), "{missing}");
    place.write("examples/templates/empty/values.yaml", "");
    let empty = message(&place, &module(&template("empty"), "{}"));
    assert!(empty.contains("\"empty\" of https://git.example.com/platform/templates has no Chart.yaml"), "{empty}");
}

#[test]
fn a_template_error_names_file_and_line() {
    let place = Place::new();
    place.write("examples/templates/broken/Chart.yaml", "apiVersion: v2\nname: broken\nversion: 0.1.0\n");
    place.write("examples/templates/broken/templates/a.yaml", "kind: ConfigMap\nname: {{ .Values.a.b.c }}\n");
    place.write("examples/modules/bad.yaml", &module(&template("broken"), "{}"));
    let outcome = place.run(&["preview", "-f", "examples/modules/bad.yaml", "--offline", "--set", "a=1"]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    let refusal = outcome.stderr.split_once("Error: ").unwrap().1;
    assert!(refusal.contains("broken/templates/a.yaml:2:"), "{refusal}");
}

#[test]
fn an_invalid_schema_is_an_error() {
    let place = Place::new();
    place.write("examples/templates/schema/Chart.yaml", "apiVersion: v2\nname: schema\nversion: 0.1.0\n");
    place.write("examples/templates/schema/values.schema.json", "{\"properties\": {\"a\": {\"immutable\": \"yes\"}}}");
    let text = message(&place, &module(&template("schema"), "{}"));
    assert!(text.contains("values.schema.json of the chart schema is not valid"), "{text}");
}

#[test]
fn modules_that_are_none_are_named() {
    let place = Place::new();
    let cases = [
        (module(&template("demo"), "[1]"), "spec.values of module x must be a map"),
        (
            "apiVersion: cyclops-ui.com/v1alpha1\nkind: Module\nmetadata: {name: x}\n".to_owned(),
            "a Module without spec",
        ),
        ("kind: Deployment\n".to_owned(), "holds no Module"),
        ("a: b: c\n".to_owned(), "examples/modules/bad.yaml is no valid YAML"),
    ];
    for (text, expected) in cases {
        let found = message(&place, &text);
        assert!(found.starts_with("Error: ") && found.contains(expected), "{found}");
    }
    let missing = place.run(&["explain", "-f", "nowhere.yaml", "--offline"]);
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.starts_with("Error: cannot read nowhere.yaml\nCaused by: "), "{}", missing.stderr);
}

#[test]
fn control_characters_in_values_do_no_harm() {
    let place = Place::new();
    let file = "examples/modules/demo.yaml";
    let arguments = ["preview", "-f", file, "--offline", "--set-literal", "message=\u{1b}[2Jgone"];
    let shown = place.run(&arguments);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(!shown.stdout.contains('\u{1b}'), "{:?}", shown.stdout);
}

#[test]
fn without_a_cluster_there_is_a_way_on() {
    let place = Place::new();
    let outcome = place.run(&["get"]);
    assert_eq!(outcome.code, 1);
    let expected = "\
Error: no kubeconfig was found, and this is no pod of a cluster
Hint: name one with --kubeconfig or KUBECONFIG
Hint: without a cluster, preview, explain, set, edit and render take a file: -f FILE --offline; check needs none
";
    assert_eq!(outcome.stderr, expected);
    // Files of a list may be missing, as for kubectl.
    let listed = place.run_with(&["get"], &[("KUBECONFIG", "nowhere:elsewhere")]);
    assert_eq!(listed, outcome);
    let named = place.run(&["get", "--kubeconfig", "nowhere"]);
    assert_eq!(named.code, 1);
    assert!(named.stderr.starts_with("Error: cannot read nowhere\nCaused by: "), "{}", named.stderr);
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    let place = Place::new();
    // Nothing listens on port 1.
    let refused = place.run(&["get", "-s", "http://127.0.0.1:1"]);
    assert_eq!(refused.code, 1);
    let expected = "Error: cannot list Modules: no answer from http://127.0.0.1:1/\nCaused by: ";
    assert!(refused.stderr.starts_with(expected), "{}", refused.stderr);
    let incomplete = place.run(&["get", "-s", "server:6443"]);
    let expected = "\
Error: the address of the server, server:6443, is not complete
Hint: give it as a URL, such as https://server:6443
";
    assert_eq!((incomplete.code, incomplete.stderr.as_str()), (1, expected));
}
