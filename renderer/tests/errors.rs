//! What people are told when a template fails: Helm's text, and the place with its line of source.

use std::fmt::Write;
use std::sync::Arc;

use renderer::functions::{FixedHost, table};
use renderer::template::{Evaluator, TemplateSet};
use renderer::value::{Map, Value};
use renderer::{Budget, Limits, Profile};

/// Both texts of the error that these template files give.
fn told(files: &[(&str, &str)]) -> String {
    let texts: Vec<Arc<[u8]>> = files.iter().map(|(_, text)| Arc::from(text.as_bytes())).collect();
    let parsed = TemplateSet::parse(files.iter().map(|(name, _)| *name).zip(&texts), table(Profile::V4));
    let (helm, frame) = match parsed {
        Err(error) => (error.to_string(), error.code_frame()),
        Ok(set) => {
            let budget = Budget::new(Limits { steps: 10_000, ..Limits::default() });
            let host = FixedHost::default();
            let evaluator = Evaluator::new(&set, &budget, &host);
            let root: Map = [("Values".into(), Value::Map(Map::new()))].into_iter().collect();
            let failed = set
                .executable_files()
                .find_map(|name| evaluator.execute(name, Value::Map(root.clone())).err())
                .unwrap();
            (failed.to_string(), failed.code_frame())
        }
    };
    let mut told = String::new();
    write!(told, "{helm}\n\n{frame}").unwrap();
    told
}

const SERVICE: &str = "demo/templates/service.yaml";
const HELPERS: &str = "demo/templates/_helpers.tpl";

#[test]
fn missing_value() {
    insta::assert_snapshot!(told(&[(SERVICE, "kind: Service\nspec:\n\tport: {{ .Values.service.port }}\n")]));
}

#[test]
fn failure_in_a_helper() {
    insta::assert_snapshot!(told(&[
        (SERVICE, "kind: Service\nmetadata:\n  labels: {{- include \"demo.labels\" . | nindent 4 }}\n"),
        (
            HELPERS,
            "{{- define \"demo.labels\" -}}\napp: {{ include \"demo.name\" . }}\n{{- end }}\n{{- define \"demo.name\" -}}\n{{ .Values.name | trunc \"63\" }}\n{{- end }}\n"
        ),
    ]));
}

#[test]
fn message_of_the_author() {
    insta::assert_snapshot!(told(&[
        (SERVICE, "port: {{ include \"demo.port\" . }}\n"),
        (HELPERS, "{{ define \"demo.port\" }}\n{{- required \"set a port: .Values.port\" .Values.port }}\n{{ end }}\n"),
    ]));
}

#[test]
fn error_of_a_function() {
    insta::assert_snapshot!(told(&[(SERVICE, "port: {{ add 1 (div 1 (len .Values)) }}\n")]));
}

#[test]
fn error_in_a_text_of_tpl() {
    insta::assert_snapshot!(told(&[(SERVICE, "port: {{ tpl \"a\\n{{ .Values.a.b }}\" . }}\n")]));
}

#[test]
fn syntax_error_in_a_text_of_tpl() {
    insta::assert_snapshot!(told(&[(SERVICE, "port: {{ tpl \"{{ $port }}\" . }}\n")]));
}

#[test]
fn unknown_template() {
    insta::assert_snapshot!(told(&[(SERVICE, "port: {{ include \"demo.port\" . }}\n")]));
}

#[test]
fn syntax_error() {
    insta::assert_snapshot!(told(&[(SERVICE, "kind: Service\nport: {{ .Values.my-port }}\n")]));
}

#[test]
fn unclosed_condition() {
    insta::assert_snapshot!(told(&[(SERVICE, "{{ if .Values.a }}\nkind: Service\n")]));
}

#[test]
fn unclosed_action_that_began_earlier() {
    insta::assert_snapshot!(told(&[(SERVICE, "kind: Service\nport: {{ .Values.port\nname: x\n")]));
}

#[test]
fn unknown_function() {
    insta::assert_snapshot!(told(&[(SERVICE, "port: {{ .Values.port | toYml }}\n")]));
}

#[test]
fn limit() {
    insta::assert_snapshot!(told(&[(SERVICE, "a: b\n{{ range 100000 }}\nx\n{{ end }}\n")]));
}
