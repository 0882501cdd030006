//! Lexer, parser and execution of templates.

use std::sync::Arc;

use renderer::functions::{FixedHost, table};
use renderer::template::TemplateSet;
use renderer::values::{self, Values};
use renderer::{Chart, ChartFile, Limits, Profile, RenderOptions};

use crate::parts;

/// Limits of one execution: low, so that an input that runs longer than these allow has found something that costs
/// more than it is charged. The depth fits the stack of a main thread.
const LIMITS: Limits = Limits { steps: 200_000, bytes: 4 << 20, held: 4 << 20, depth: 400 };

/// Parses the input as a template file and tells what is wrong with it.
pub fn template_parse(input: &[u8]) {
    match TemplateSet::parse([("t", &Arc::from(input))], table(Profile::V4)) {
        Ok(set) => drop(set),
        Err(error) => drop((error.code_frame(), error.to_string())),
    }
}

/// Renders a chart of one template, the first part of the input, with the JSON values of the second.
pub fn template_execute(input: &[u8]) {
    let (template, values) = parts(input);
    let values = serde_json::from_slice(values).unwrap_or_default();
    let values = values::from_json(&values).unwrap_or_else(|_| Values::new());
    let file = |name: &str, data: &[u8]| ChartFile { name: name.to_owned(), data: data.to_vec() };
    let chart = Chart::load(vec![
        file("Chart.yaml", b"{apiVersion: v2, name: c, version: 1.0.0}"),
        file("a.txt", b"one\ntwo\n"),
        file("templates/t.yaml", template),
        file("templates/_h.tpl", br#"{{ define "h" }}[{{ . }}]{{ end }}"#),
    ]);
    let Ok(chart) = chart else { panic!("the chart cannot be loaded") };
    let host = FixedHost::default();
    let options = RenderOptions {
        release_name: "release".to_owned(),
        validate_schema: false,
        include_crds: true,
        limits: LIMITS,
        ..RenderOptions::new(&host)
    };
    match renderer::render(&chart, &values, &options) {
        Ok(rendered) => drop(rendered.to_helm_output()),
        Err(error) => drop(error.to_string()),
    }
}
